using System.Reflection;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>Node/client.mjs, which talks through npm ws.</summary>
internal static class NodeScript
{
    public static PeerScript Start(string scenario, params string[] arguments)
    {
        var folder = typeof(NodeScript).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "NodeScripts").Value!;
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "ws")))
            Assert.Skip($"npm ws is not installed. Run: npm ci --prefix {folder}");
        return PeerScript.Start("node", folder, "node is not installed: Node.js 18 or later plays an independent peer here.", ["client.mjs", scenario, .. arguments]);
    }
}
