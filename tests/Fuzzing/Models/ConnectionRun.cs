using System.Buffers;
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

    /// <summary>Whether it may have looked at what lies behind a message before the receiver has asked for that.</summary>
    public bool HasReadAhead { get; private set; }

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

    /// <summary>Receives whole messages.</summary>
    public static ConnectionRun Receive(IReadOnlyList<byte[]> wire, WebSocketConnectionOptions options) =>
        OneThread.Run(() => RunAsync(wire, options, ReceiveAsync));

    /// <summary>
    /// Receives as it likes: from a stream or a pipe, at once or later, whole messages or parts, of which it gives back some; and may let
    /// the connection read ahead.
    /// </summary>
    public static ConnectionRun Receive(IReadOnlyList<byte[]> wire, WebSocketConnectionOptions options, FuzzRandom random)
    {
        var (inParts, readsAhead) = (!random.Once(3), random.Once(2));
        void ReadAhead(WebSocketConnection connection)
        {
            if (readsAhead && random.Once(4))
                ((CodecWebSocketConnection)connection).ReadAhead();
        }

        var run = OneThread.Run(() => RunAsync(wire, options, inParts ? connection => ReadAsync(connection, random, ReadAhead) : async connection =>
        {
            var message = await ReceiveAsync(connection);
            ReadAhead(connection);
            return message;
        }, random));
        run.HasReadAhead = readsAhead;
        return run;
    }

    private static async Task<ConnectionRun> RunAsync(
        IReadOnlyList<byte[]> wire, WebSocketConnectionOptions options, Func<WebSocketConnection, Task<PlainMessage?>> receive, FuzzRandom? random = null)
    {
        var run = new ConnectionRun();
        using var stream = new ScriptedStream(wire, random is not null && random.Once(2) ? new FuzzRandom(random.NextUInt64()) : null);
        var connection = random is not null && random.Once(3)
            ? WebSocketConnection.Create(new ScriptedPipe(wire, new FuzzRandom(random.NextUInt64()), stream), options)
            : WebSocketConnection.Create(stream, options);
        try
        {
            while (await receive(connection) is { } message)
                run.Messages.Add(message);
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

    // Null: the end.
    private static async Task<PlainMessage?> ReceiveAsync(WebSocketConnection connection)
    {
        var message = await connection.ReceiveAsync();
        return message.Type == WebSocketMessageType.Close ? null : new PlainMessage(message.Type, message.ToArray());
    }

    private static async Task<PlainMessage?> ReadAsync(WebSocketConnection connection, FuzzRandom random, Action<WebSocketConnection> readAhead)
    {
        var payload = new List<byte>();
        while (true)
        {
            var part = await connection.ReadAsync();
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            readAhead(connection);
            var (type, isEnd, length) = (part.MessageType, part.IsEndOfMessage, (int)part.Payload.Length);
            var taken = random.Once(2) ? length : random.Next(length + 1);
            payload.AddRange(part.Payload.Slice(0, taken).ToArray());
            connection.AdvanceTo(part.Payload.GetPosition(taken));
            readAhead(connection);
            if (isEnd && taken == length)
                return new PlainMessage(type, [.. payload]);
        }
    }
}
