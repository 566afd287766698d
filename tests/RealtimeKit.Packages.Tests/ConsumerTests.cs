using System.Net;
using System.Net.Sockets;

namespace RealtimeKit.Packages.Tests;

/// <summary>The programs of the readmes, against the packages as they are packed.</summary>
public class ConsumerTests(PackedPackages packages, Consumers consumers) : IClassFixture<Consumers>
{
    [Fact]
    public void Build_EachConsumer_HasNothingToWarnOf() => consumers.Output.Should().NotContain("warning ", "the packages give a project nothing to warn of");

    [Fact]
    public void Restore_EachPackage_ComesFromTheFeed() =>
        Directory.GetDirectories(Consumers.GlobalPackages, "realtimekit.*").Select(folder => Directory.GetDirectories(folder).Select(Path.GetFileName))
            .Should().HaveCount(6).And.AllSatisfy(versions => versions.Should().Equal(packages.Version));

    [Fact]
    public void Build_AspNetCoreConsumer_BringsNothingThatTheFrameworkHas() =>
        Directory.GetFiles(Path.GetDirectoryName(consumers["AspNetCore"])!, "*.dll").Select(Path.GetFileNameWithoutExtension)
            .Should().BeEquivalentTo("AspNetCore", "RealtimeKit.AspNetCore", "RealtimeKit.Topics", "RealtimeKit.ServerSentEvents", "RealtimeKit.WebSockets");

    [Fact]
    public void Build_CodecConsumer_BringsOneAssembly() =>
        Directory.GetFiles(Path.GetDirectoryName(consumers["Codec"])!, "*.dll").Select(Path.GetFileNameWithoutExtension)
            .Should().BeEquivalentTo("Codec", "RealtimeKit.WebSockets");

    [Fact(Timeout = Programs.Bound)]
    public async Task Run_Codec_WritesAndReadsAFrame()
    {
        await using var program = RunningProgram.Start(consumers["Codec"]);
        (await program.ReadLineAsync()).Should().Be("Text: Hello");
        (await program.ExitCodeAsync()).Should().Be(0);
    }

    [Fact(Timeout = Programs.Bound)]
    public async Task Run_Topics_DeliversWhatWasPublishedAfterTheCursor()
    {
        await using var program = RunningProgram.Start(consumers["Topics"]);
        (await program.ReadLineAsync()).Should().Be("scores 1:0");
        (await program.ReadLineAsync()).Should().Be("scores 1:1");
    }

    [Fact(Timeout = Programs.Bound)]
    public async Task Run_AspNetCore_ServesTheClients()
    {
        await using var server = RunningProgram.Start(consumers["AspNetCore"], "--urls", "http://127.0.0.1:0");
        var address = await server.ReadAfterAsync("Now listening on: ");

        await EchoesAsync(address);
        await TellsTheTimeAsync(address);

        await using var follower = RunningProgram.Start(consumers["SseClient"], $"{address}/live?topic=scores");
        using var http = new HttpClient();
        var goal = follower.ReadAfterAsync("scores: ");
        // The program does not tell when it has subscribed: goals are scored until it sees one.
        while (!goal.IsCompleted)
        {
            (await http.PostAsync($"{address}/goal", null, Programs.Cancelled)).StatusCode.Should().Be(HttpStatusCode.OK);
            await Task.WhenAny(goal, Task.Delay(100, Programs.Cancelled));
        }

        (await goal).Should().Be("1:0");
    }

    [Fact(Timeout = Programs.Bound)]
    public async Task Run_HttpListener_ServesTheClients()
    {
        var port = consumers.ListenerPort;
        await using var server = RunningProgram.Start(consumers["HttpListener"]);
        await WhenListeningAsync(port);
        await EchoesAsync($"http://127.0.0.1:{port}");
        await TellsTheTimeAsync($"http://127.0.0.1:{port}");
    }

    private async Task EchoesAsync(string address)
    {
        await using var client = RunningProgram.Start(consumers["WebSocketClient"], $"{address.Replace("http:", "ws:", StringComparison.Ordinal)}/echo");
        (await client.ReadLineAsync()).Should().Be("Hello");
        (await client.ExitCodeAsync()).Should().Be(0);
    }

    private async Task TellsTheTimeAsync(string address)
    {
        await using var client = RunningProgram.Start(consumers["SseClient"], $"{address}/clock");
        (await client.ReadLineAsync()).Should().MatchRegex(@"^message: .*\d+:\d+:\d+");
        (await client.ReadLineAsync()).Should().MatchRegex(@"^message: .*\d+:\d+:\d+");
    }

    private static async Task WhenListeningAsync(int port)
    {
        while (true)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync(IPAddress.Loopback, port, Programs.Cancelled);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(20, Programs.Cancelled);
            }
        }
    }
}
