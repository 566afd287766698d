using System.Globalization;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Conformance;

/// <summary>
/// The client of the public Autobahn|Testsuite's fuzzing server: asks how many cases there are, echoes in each until the server
/// closes, and lets the server write its report.
/// </summary>
internal static class AutobahnClient
{
    public static async Task<int> RunAsync(ConformanceArguments arguments, CancellationToken cancellationToken)
    {
        try
        {
            var count = await GetCaseCountAsync(arguments, cancellationToken);
            for (var number = 1; number <= count; number++)
            {
                await RunCaseAsync(arguments, number, cancellationToken);
                if (number % 50 == 0 || number == count)
                    Console.WriteLine($"{number} of {count} cases run");
            }

            await UpdateReportsAsync(arguments, cancellationToken);
            return 0;
        }
        catch (WebSocketConnectException error)
        {
            Console.Error.WriteLine($"conformance: {error.Message}");
            return 1;
        }
    }

    private static async Task<int> GetCaseCountAsync(ConformanceArguments arguments, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(arguments, "/getCaseCount", cancellationToken);
        var message = await connection.ReceiveAsync(cancellationToken);
        var count = int.Parse(message.GetText(), CultureInfo.InvariantCulture);
        await connection.ReceiveAsync(cancellationToken);   // the server closes
        return count;
    }

    private static async Task RunCaseAsync(ConformanceArguments arguments, int number, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(arguments, $"/runCase?case={number}&agent={Uri.EscapeDataString(arguments.Agent)}", cancellationToken);
        try
        {
            await foreach (var message in connection.ReadAllAsync(cancellationToken))
                await connection.SendAsync(message.Payload, message.Type, cancellationToken);
        }
        catch (WebSocketProtocolException)
        {
            // That is what many cases are about. The connection has answered it.
        }
        catch (System.Net.WebSockets.WebSocketException)
        {
            // The server closed before an echo was out.
        }
    }

    private static async Task UpdateReportsAsync(ConformanceArguments arguments, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(arguments, $"/updateReports?agent={Uri.EscapeDataString(arguments.Agent)}", cancellationToken);
        await connection.ReceiveAsync(cancellationToken);
    }

    // The suite sends more than the defaults allow: 16 MiB in one message, and messages in many fragments.
    private static Task<WebSocketConnection> ConnectAsync(ConformanceArguments arguments, string path, CancellationToken cancellationToken) =>
        WebSocketClient.ConnectAsync(
            new Uri(arguments.Server, path),
            new WebSocketClientOptions
            {
                UseProxy = false,
                Connection =
                {
                    MaxMessageSize = 64 << 20,
                    MaxFragmentsPerMessage = 1_000_000,
                    ControlFramesPerSecond = 10_000,
                    ControlFrameBurst = 10_000,
                    Compression = Compression(arguments),
                },
            },
            cancellationToken);

    private static PerMessageDeflateOptions? Compression(ConformanceArguments arguments) => arguments.Compression == "off" ? null : new()
    {
        ServerContextTakeover = arguments.Compression == "takeover",
        ClientContextTakeover = arguments.Compression == "takeover",
        MinimumSize = 0,
        MaxInflateRatio = 0,
    };
}
