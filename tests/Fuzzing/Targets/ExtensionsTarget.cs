using System.Text;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

internal sealed class ExtensionsTarget : FuzzTarget
{
    private const string Deflate = "permessage-deflate";

    public override string Name => "extensions";

    public override string Description => "Sec-WebSocket-Extensions: the list against a plain grammar, permessage-deflate's offers and answers against RFC 7692 §7.1, and both sides' agreement.";

    public override int MaxLength => 2048;

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])["permessage-deflate", "; server_no_context_takeover", "; client_no_context_takeover", "; server_max_window_bits=", "; client_max_window_bits", "; client_max_window_bits=",
            "8", "9", "15", "16", "7", "010", "\"10\"", "\"1\\0\"", "=", ";", ",", " , ", "\n", "\t", "x-webkit-deflate-frame", "\"", "\\", "permessage-deflate; client_max_window_bits",
            "99999999999", "-1", "+8", "١٥", ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"]).Select(Encoding.UTF8.GetBytes),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var settings = new FuzzInput(input);
        var server = Options(settings.Byte(), settings.Byte());
        var client = Options(settings.Byte(), settings.Byte());
        var lines = Encoding.Latin1.GetString(settings.Rest).Split('\n');
        WebSocketHeaderValues values = lines;

        var expected = PlainExtensions.Read(lines, 64);
        CheckList(values, expected);
        CheckAccept(values, expected, server);
        CheckAnswer(values, expected, client);
        CheckAgreement(server, client);
    }

    public override byte[] Generate(FuzzRandom random)
    {
        var text = new StringBuilder();
        for (var left = 1 + random.Skewed(4); left > 0; left--)
        {
            text.Append(random.Once(4) ? random.Once(2) ? "x" : "a b" : Deflate);
            for (var parameters = random.Skewed(6); parameters > 0; parameters--)
            {
                text.Append(random.Once(3) ? " ; " : ";").Append(random.Pick(["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits", "other"]));
                if (random.Once(2))
                    text.Append('=').Append(random.Pick(["8", "9", "10", "15", "16", "7", "08", "\"12\"", "\"1\\1\"", "", "x"]));
            }

            text.Append(left == 1 ? "" : random.Pick([",", ", ", "\n", ",,"]));
        }

        return [.. random.Bytes(4), .. Encoding.Latin1.GetBytes(text.ToString())];
    }

    private static PerMessageDeflateOptions Options(byte flags, byte bits) => new()
    {
        ServerContextTakeover = (flags & 1) != 0,
        ClientContextTakeover = (flags & 2) != 0,
        ServerMaxWindowBits = 8 + (bits & 7),
        ClientMaxWindowBits = 8 + (bits >> 3 & 7),
    };

    private static void CheckList(in WebSocketHeaderValues values, PlainExtensions expected)
    {
        var reader = new WebSocketExtensionReader(values);
        var written = new WebSocketExtensionWriter();
        var index = 0;
        while (reader.Read())
        {
            Oracle.That(index < expected.List.Count, "an extension too many");
            var extension = expected.List[index++];
            Oracle.Equal(extension.Name, reader.Current.Name.ToString(), "name");
            Oracle.Equal(extension.Parameters.Count, reader.Current.ParameterCount, "count of parameters");
            written.WriteExtension(reader.Current.Name);
            var at = 0;
            foreach (var parameter in reader.Current.Parameters)
            {
                var (name, value) = extension.Parameters[at++];
                Oracle.Equal(name, parameter.Name.ToString(), "parameter");
                Oracle.Equal(value, parameter.HasValue ? parameter.Value.ToString() : null, "value");
                var isNumber = int.TryParse(value, System.Globalization.NumberStyles.None, null, out var number) && (value!.Length == 1 || value[0] != '0');
                Oracle.That(parameter.TryGetInt32(out var read) == isNumber && (!isNumber || read == number), $"number: {read}");
                if (parameter.HasValue)
                    written.WriteParameter(parameter.Name, parameter.Value);
                else
                    written.WriteParameter(parameter.Name);
            }

            Oracle.Equal(extension.Parameters.Count, at, "parameters");
            Oracle.Equal(extension.Parameters.Select(static pair => pair.Name).Distinct().Count() != at, reader.Current.HasRepeatedParameter, "repeated");
        }

        Oracle.Equal(expected.Error, reader.Error, "error");
        Oracle.Equal(expected.List.Count, index, "count");
        Oracle.That(!reader.Read() && reader.Error == expected.Error, "a reader goes on behind its end");
        if (expected.List.Count == 0)
            return;

        // What was written reads the same.
        var again = PlainExtensions.Read([written.ToString()], 64);
        Oracle.That(again.Error == WebSocketHandshakeError.None && again.List.Zip(expected.List).All(static pair =>
            pair.First.Name == pair.Second.Name && pair.First.Parameters.SequenceEqual(pair.Second.Parameters)), $"written and read: {written}");
    }

    // RFC 7692 §7.1: the bits are 8–15 without a leading zero, flags have no value, nothing is unknown or there twice.
    private static bool IsUsable(PlainExtensions.Extension extension, bool isOffer) =>
        extension.Name == Deflate
        && extension.Parameters.Select(static pair => pair.Name).Distinct().Count() == extension.Parameters.Count
        && extension.Parameters.All(pair => pair.Name switch
        {
            "server_no_context_takeover" or "client_no_context_takeover" => pair.Value is null,
            "server_max_window_bits" => IsBits(pair.Value),
            "client_max_window_bits" => IsBits(pair.Value) || (isOffer && pair.Value is null),
            _ => false,
        });

    private static bool IsBits(string? value) => value is "8" or "9" or "10" or "11" or "12" or "13" or "14" or "15";

    private static void CheckAccept(in WebSocketHeaderValues values, PlainExtensions expected, PerMessageDeflateOptions options)
    {
        var accepted = PerMessageDeflate.TryAccept(values, options, out var parameters, out var response);
        var offer = expected.List.FirstOrDefault(static extension => IsUsable(extension, isOffer: true));
        Oracle.Equal(offer is not null, accepted, "acceptance");
        Oracle.Equal(accepted, response is not null, "answer");
        if (offer is null)
            return;

        var asked = offer.Parameters.ToDictionary(static pair => pair.Name, static pair => pair.Value);
        var answer = PlainExtensions.Read([response!], 64);
        Oracle.That(answer.Error == WebSocketHandshakeError.None && answer.List is [var only] && IsUsable(only, isOffer: false), $"answer: {response}");
        var given = answer.List[0].Parameters.ToDictionary(static pair => pair.Name, static pair => pair.Value);
        Oracle.Equal(!given.ContainsKey("server_no_context_takeover"), parameters.ServerContextTakeover, "the server's takeover");
        Oracle.Equal(!given.ContainsKey("client_no_context_takeover"), parameters.ClientContextTakeover, "the client's takeover");
        Oracle.Equal(Bits(given, "server_max_window_bits"), parameters.ServerMaxWindowBits, "the server's window");
        Oracle.Equal(Bits(given, "client_max_window_bits"), parameters.ClientMaxWindowBits, "the client's window");
        Oracle.That(!asked.ContainsKey("server_no_context_takeover") || !parameters.ServerContextTakeover, "what the client asked of the server is not kept");
        Oracle.That(parameters.ServerMaxWindowBits <= Bits(asked, "server_max_window_bits"), "the server's window is larger than the client asked for");
        Oracle.That(asked.ContainsKey("client_max_window_bits") || !given.ContainsKey("client_max_window_bits"), "a window that the client did not offer");
        Oracle.That(parameters.ClientMaxWindowBits <= Bits(asked, "client_max_window_bits"), "the client's window is larger than it offered");
        Oracle.That(parameters.ServerMaxWindowBits <= options.ServerMaxWindowBits && (options.ServerContextTakeover || !parameters.ServerContextTakeover), "the server's own limits");
        Oracle.That(!parameters.ClientContextTakeover || (options.ClientContextTakeover && parameters.ClientMaxWindowBits <= options.ClientMaxWindowBits), "what the client may keep");
    }

    private static void CheckAnswer(in WebSocketHeaderValues values, PlainExtensions expected, PerMessageDeflateOptions options)
    {
        var error = PerMessageDeflate.ReadResponse(values, options, out var parameters);
        var answers = expected.List.Where(static extension => extension.Name == Deflate).ToArray();
        var isInvalid = answers.Length > 1 || answers.Any(answer => !IsUsable(answer, isOffer: false) || !Fits(answer, options));
        Oracle.Equal(isInvalid ? WebSocketHandshakeError.CompressionInvalid : expected.Error, error, "answer's error");
        Oracle.Equal(!isInvalid && expected.Error == WebSocketHandshakeError.None && answers.Length == 1, parameters is not null, "parameters");
    }

    private static bool Fits(PlainExtensions.Extension answer, PerMessageDeflateOptions options)
    {
        var given = answer.Parameters.ToDictionary(static pair => pair.Name, static pair => pair.Value);
        return (options.ServerContextTakeover || given.ContainsKey("server_no_context_takeover"))
            && Bits(given, "server_max_window_bits") <= options.ServerMaxWindowBits
            && (!given.ContainsKey("client_max_window_bits") || Bits(given, "client_max_window_bits") <= options.ClientMaxWindowBits);
    }

    // What one side offers, the other accepts; and they mean the same.
    private static void CheckAgreement(PerMessageDeflateOptions server, PerMessageDeflateOptions client)
    {
        Oracle.That(PerMessageDeflate.TryAccept(PerMessageDeflate.CreateOffer(client), server, out var ours, out var response), "our own offer is declined");
        Oracle.Equal(WebSocketHandshakeError.None, PerMessageDeflate.ReadResponse(response, client, out var theirs), $"our own answer: {response}");
        Oracle.Equal(ours.ServerContextTakeover, theirs!.Value.ServerContextTakeover, "the server's takeover, seen by the client");
        Oracle.Equal(ours.ServerMaxWindowBits, theirs.Value.ServerMaxWindowBits, "the server's window, seen by the client");
        Oracle.That(theirs.Value.ClientMaxWindowBits <= ours.ClientMaxWindowBits, "the client looks back further than the server");
        Oracle.That(ours.ClientContextTakeover || !theirs.Value.ClientContextTakeover, "the client keeps what the server forgets");
    }

    private static int Bits(Dictionary<string, string?> parameters, string name) =>
        parameters.TryGetValue(name, out var value) && value is not null ? int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) : 15;
}
