using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class FramesBclTarget : FuzzTarget
{
    private const int SettingsLength = 2;

    public override string Name => "frames-bcl";

    public override string Description => "The same bytes for our connection, for the WebSocket that it can be, and for the framework's: the same messages, and all refuse, but where one is known to be stricter.";

    public override IReadOnlyList<byte[]> Dictionary => FrameBuilder.Dictionary;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var isServer = (settings.Byte() & 1) == 0;
        var random = new FuzzRandom(settings.Byte());
        var pieces = Segments.Cut(settings.Rest, random);
        var options = ConnectionRun.Options(isServer ? WebSocketRole.Server : WebSocketRole.Client);
        options.MaxFragmentsPerMessage = int.MaxValue;
        var ours = ConnectionRun.Receive(pieces, options);
        var (theirs, open, error, closeStatus) = OneThread.Run(() => ReceiveFromFrameworkAsync(pieces, isServer));
        CheckBridge(ours, pieces, options, 1 + random.Skewed(300));

        // They hand out a message's parts as they come, so what is refused later may have begun.
        var common = Math.Min(ours.Messages.Count, theirs.Count);
        Oracle.That(ours.Messages.Take(common).SequenceEqual(theirs.Take(common)), $"messages: {string.Join("; ", ours.Messages)}; the framework has {string.Join("; ", theirs)}");

        // Stricter than the framework on purpose: RFC 6455 §5.2 wants the fewest bytes for a length.
        var isStricter = ours.Error is WebSocketProtocolError.NonMinimalLength or WebSocketProtocolError.MessageTooBig;

        // The framework does not know the codes 1012 to 1014 of IANA's registry.
        var knowsMore = ours.CloseResult is { Status: { } status, Initiator: WebSocketCloseInitiator.Remote } && (int)status is >= 1012 and <= 1014;
        if (isStricter || knowsMore || (ours.Error == WebSocketProtocolError.InvalidUtf8 && EndsInsideCharacter(theirs.ElementAtOrDefault(ours.Messages.Count) ?? open)))
            return;
        Oracle.Equal(ours.Messages.Count, theirs.Count, "count of messages");
        var isRefused = ours.Error is not (WebSocketProtocolError.None or WebSocketProtocolError.UnexpectedEndOfStream);
        var isRefusedByThem = error is WebSocketError.Faulted or WebSocketError.InvalidMessageType or WebSocketError.HeaderError or WebSocketError.NotAWebSocket;
        var waits = isRefused && error == WebSocketError.ConnectionClosedPrematurely;   // it looks at a header once all of it is there, at text once a part is
        var waitsHere = !isRefused && isRefusedByThem && ours.CloseResult is not { IsClean: true };   // and it looks at two bytes of a header that ends there
        Oracle.That(waits || waitsHere || isRefused == isRefusedByThem, $"ours: {ours.Error}; the framework's: {error}");
        if (ours.CloseResult is { IsClean: true, Initiator: WebSocketCloseInitiator.Remote } clean)
            Oracle.Equal(clean.Status == WebSocketCloseStatus.Empty ? WebSocketCloseStatus.NormalClosure : clean.Status, closeStatus, "close status");
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var flags = random.NextByte();
        return [flags, random.NextByte(), .. FrameBuilder.Frames(random, (flags & 1) == 0)];
    }

    public override byte[]? Mutate(ReadOnlySpan<byte> input, FuzzRandom random) =>
        input.Length < SettingsLength ? null : FrameBuilder.Mutate(input, SettingsLength, random, (input[0] & 1) == 0);

    // The framework does not look at a text's end where an empty frame is the last (RFC 6455 §8.1 does) or where a Close comes first, and
    // until then takes for the beginning of a character what is none: C0.
    private static bool EndsInsideCharacter(PlainMessage? message)
    {
        if (message is not { Type: WebSocketMessageType.Text })
            return false;
        var invalid = PlainUtf8.FirstInvalid(message.Payload, out var isComplete);
        return invalid < 0 ? !isComplete : invalid >= message.Payload.Length - 3;
    }

    // The same connection in the shape of the framework's class, with a buffer of any size, receives the same and ends the same way.
    private static void CheckBridge(ConnectionRun expected, List<byte[]> wire, WebSocketConnectionOptions options, int bufferSize)
    {
        options.MaxStreamedMessageSize = options.MaxMessageSize;
        var (messages, _, error, closeStatus) = OneThread.Run(async () =>
        {
            using var stream = new ScriptedStream(wire);
            var connection = WebSocketConnection.Create(stream, options);
            using var socket = connection.AsWebSocket();
            var received = await ReceiveAsync(socket, bufferSize);
            connection.Abort();
            await connection.DisposeAsync();
            return received;
        });
        Oracle.That(messages.SequenceEqual(expected.Messages), $"messages: {string.Join("; ", expected.Messages)}; over the bridge {string.Join("; ", messages)}");
        Oracle.Equal(expected.CloseResult is { IsClean: true, Status: var status } ? status == WebSocketCloseStatus.Empty ? WebSocketCloseStatus.NormalClosure : status : null, closeStatus, "close status over the bridge");
        Oracle.Equal(
            closeStatus is not null ? null : expected.Error is WebSocketProtocolError.None or WebSocketProtocolError.UnexpectedEndOfStream ? WebSocketError.ConnectionClosedPrematurely : WebSocketError.Faulted,
            error, "error over the bridge");
    }

    private static async Task<(List<PlainMessage> Messages, PlainMessage Open, WebSocketError? Error, WebSocketCloseStatus? CloseStatus)> ReceiveFromFrameworkAsync(List<byte[]> wire, bool isServer)
    {
        using var stream = new ScriptedStream(wire);
        using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = isServer, KeepAliveInterval = TimeSpan.Zero });
        return await ReceiveAsync(socket, 4096);
    }

    private static async Task<(List<PlainMessage> Messages, PlainMessage Open, WebSocketError? Error, WebSocketCloseStatus? CloseStatus)> ReceiveAsync(WebSocket socket, int bufferSize)
    {
        var messages = new List<PlainMessage>();
        using var message = new MemoryStream();
        var buffer = new byte[bufferSize];
        var type = WebSocketMessageType.Binary;
        try
        {
            while (true)
            {
                var result = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (result.MessageType == WebSocketMessageType.Close)
                    return (messages, new PlainMessage(type, message.ToArray()), null, socket.CloseStatus);

                type = result.MessageType;
                message.Write(buffer, 0, result.Count);
                if (!result.EndOfMessage)
                    continue;
                messages.Add(new PlainMessage(type, message.ToArray()));
                message.SetLength(0);
            }
        }
        catch (WebSocketException failure)
        {
            return (messages, new PlainMessage(type, message.ToArray()), failure.WebSocketErrorCode, null);
        }
    }
}
