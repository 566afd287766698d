using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.Docs.Tests;

internal static class Scripts
{
    /// <summary>Runs a script of the documentation in Node.js, with what it needs and does not declare.</summary>
    public static NodeScript StartNode(string script, string declarations, string package)
    {
        // A module finds packages beside itself only.
        var folder = Directory.CreateDirectory(Path.Combine(Documents.Metadata("NodeScripts"), "node_modules", ".docs"));
        var path = Path.Combine(folder.FullName, $"{Guid.NewGuid():N}.mjs");
        // First, as the script may need them while it still awaits something; imports are hoisted.
        File.WriteAllText(path, $"{declarations}\n{script}\n");
        return NodeScript.StartNode(path, package);
    }
}
