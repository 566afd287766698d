using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RealtimeKit.Docs.Tests;

/// <summary>nginx or HAProxy, as a process of its own on a free port of the loopback, with its files in a folder of its own.</summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private ProxyProcess(Process process, DirectoryInfo folder, int port) => (_process, _folder, Port) = (process, folder, port);

    public int Port { get; }

    /// <summary>Starts it.</summary>
    /// <param name="program">The command, and the Debian package of the same name.</param>
    /// <param name="configure">Makes the configuration, for a folder and a port.</param>
    /// <param name="arguments">Makes the arguments, for the configuration's path.</param>
    public static async Task<ProxyProcess> StartAsync(string program, Func<string, int, string> configure, Func<string, string[]> arguments)
    {
        for (var attempt = 1; ; attempt++)
        {
            var folder = Directory.CreateTempSubdirectory($"realtimekit-{program}-");
            var port = LoopbackPorts.Next();
            var path = Path.Combine(folder.FullName, $"{program}.conf");
            await File.WriteAllTextAsync(path, configure(folder.FullName, port));
            var said = new StringBuilder();
            var proxy = new ProxyProcess(Start(program, arguments(path), said), folder, port);
            while (!proxy._process.HasExited)
            {
                try
                {
                    using var probe = new TcpClient();
                    await probe.ConnectAsync(IPAddress.Loopback, port, Until.Cancelled);
                    return proxy;
                }
                catch (SocketException)
                {
                    await Task.Delay(10, Until.Cancelled);
                }
            }

            await proxy.DisposeAsync();

            // Somebody else may have taken the port.
            lock (said)
                if (attempt == 3 || !$"{said}".Contains("in use", StringComparison.OrdinalIgnoreCase))
                    throw new InvalidOperationException($"{program} did not start: {said}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static Process Start(string program, string[] arguments, StringBuilder said)
    {
        // Not on every user's path.
        var path = new[] { "/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        if (path is null)
            Assert.Skip($"{program} is not installed. Run: apt-get install {program}");
        var process = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.ErrorDataReceived += Note;
        process.OutputDataReceived += Note;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;

        void Note(object sender, DataReceivedEventArgs line)
        {
            lock (said)
                said.AppendLine(line.Data);
        }
    }
}
