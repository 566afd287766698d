using System.Diagnostics;
using System.Reflection;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

/// <summary>Python/client.py, which talks through Debian's python3-websockets.</summary>
internal static class PythonScript
{
    // Debian's own interpreter, which has Debian's packages, whatever else stands first in the path.
    private const string Program = "/usr/bin/python3";
    private const string Missing = "python3-websockets is not installed. Run: apt-get install python3-websockets";

    private static readonly Lazy<bool> HasWebSockets = new(() =>
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Program, ["-c", "import websockets"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    });

    public static PeerScript Start(string script, params string[] arguments)
    {
        if (!HasWebSockets.Value)
            Assert.Skip(Missing);
        var folder = typeof(PythonScript).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "PythonScripts").Value!;
        return PeerScript.Start(Program, folder, Missing, [script, .. arguments]);
    }
}
