using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

/// <summary>A message as a receiver gets it.</summary>
internal sealed record PlainMessage(WebSocketMessageType Type, byte[] Payload)
{
    public bool Equals(PlainMessage? other) => other is not null && Type == other.Type && Payload.AsSpan().SequenceEqual(other.Payload);

    public override int GetHashCode() => HashCode.Combine(Type, Payload.Length);

    public override string ToString() => $"{Type} {Convert.ToHexString(Payload.AsSpan(0, Math.Min(Payload.Length, 24)))} ({Payload.Length})";
}

/// <summary>A real connection that has received all that a wire holds.</summary>
internal sealed class ConnectionRun
{
    public List<PlainMessage> Messages { get; } = [];

    /// <summary>The violation that ended it, or none.</summary>
    public WebSocketProtocolError Error { get; private set; }

    public WebSocketCloseResult? CloseResult { get; private set; }

    /// <summary>The frames that it sent.</summary>
    public List<PlainFrame> Sent { get; private set; } = [];

    public int LargestRequest { get; private set; }

    public static WebSocketConnectionOptions Options(WebSocketRole role) => new()
    {
        Role = role,
        TimeProvider = StandingTime.Instance,
        KeepAliveInterval = Timeout.InfiniteTimeSpan,
        MessageTimeout = Timeout.InfiniteTimeSpan,
        WriteTimeout = Timeout.InfiniteTimeSpan,
        ControlFrameBurst = 1_000_000,
        ControlFramesPerSecond = 1,
    };

    public static ConnectionRun Receive(IReadOnlyList<byte[]> wire, WebSocketConnectionOptions options) =>
        OneThread.Run(() => ReceiveAsync(wire, options));

    public static async Task<ConnectionRun> ReceiveAsync(IReadOnlyList<byte[]> wire, WebSocketConnectionOptions options)
    {
        var run = new ConnectionRun();
        using var stream = new ScriptedStream(wire);
        var connection = WebSocketConnection.Create(stream, options);
        try
        {
            while (true)
            {
                var message = await connection.ReceiveAsync();
                if (message.Type == WebSocketMessageType.Close)
                    break;
                run.Messages.Add(new PlainMessage(message.Type, message.ToArray()));
            }
        }
        catch (WebSocketProtocolException violation)
        {
            run.Error = violation.Error;
        }

        run.CloseResult = connection.CloseResult;
        connection.Abort();
        await connection.DisposeAsync();
        run.LargestRequest = stream.LargestRequest;
        var sent = PlainFrames.Read(stream.Written, isServer: options.Role == WebSocketRole.Client, allowsRsv1: false, long.MaxValue, int.MaxValue);
        Oracle.That(sent.Errors.Count == 0, $"the connection sends what is not allowed: {string.Join(", ", sent.Errors)}");
        run.Sent = sent.Frames;
        return run;
    }
}
