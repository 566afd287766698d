using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing;

/// <summary>The grammar of Sec-WebSocket-Extensions (RFC 6455 §9.1, RFC 9110 §5.6), character by character.</summary>
internal sealed class PlainExtensions
{
    public sealed record Extension(string Name, List<(string Name, string? Value)> Parameters);

    public List<Extension> List { get; } = [];

    public WebSocketHandshakeError Error { get; private set; }

    private string _line = "";
    private int _at;

    public static bool IsTokenCharacter(char c) => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9' || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    public static PlainExtensions Read(string[] lines, int maxElements)
    {
        var result = new PlainExtensions();
        var left = maxElements;
        foreach (var line in lines)
        {
            result._line = line;
            result._at = 0;
            while (true)
            {
                if (left-- == 0)
                    return result.Fail(WebSocketHandshakeError.TooManyListElements);
                result.Skip();
                if (!result.IsEnd && result.Here != ',')
                {
                    if (result.ReadExtension(ref left) is not { } extension)
                        return result.Error == WebSocketHandshakeError.None ? result.Fail(WebSocketHandshakeError.ExtensionsMalformed) : result;
                    result.List.Add(extension);
                }

                if (result.IsEnd)
                    break;
                result._at++;   // the comma
            }
        }

        return lines.Length > 0 && result.List.Count == 0 ? result.Fail(WebSocketHandshakeError.ExtensionsMalformed) : result;
    }

    private bool IsEnd => _at >= _line.Length;

    private char Here => _line[_at];

    private void Skip()
    {
        while (!IsEnd && Here is ' ' or '\t')
            _at++;
    }

    private string Token()
    {
        var start = _at;
        while (!IsEnd && IsTokenCharacter(Here))
            _at++;
        return _line[start.._at];
    }

    private Extension? ReadExtension(ref int left)
    {
        var name = Token();
        if (name.Length == 0)
            return null;
        var parameters = new List<(string, string?)>();
        while (true)
        {
            Skip();
            if (IsEnd || Here == ',')
                return new Extension(name, parameters);
            if (Here != ';')
                return null;
            if (left-- == 0)
            {
                Error = WebSocketHandshakeError.TooManyListElements;
                return null;
            }

            _at++;
            Skip();
            var parameter = Token();
            if (parameter.Length == 0)
                return null;
            Skip();
            if (IsEnd || Here != '=')
            {
                parameters.Add((parameter, null));
                continue;
            }

            _at++;
            Skip();
            var value = !IsEnd && Here == '"' ? Quoted() : Token();
            if (string.IsNullOrEmpty(value))
                return null;
            parameters.Add((parameter, value));
        }
    }

    private string? Quoted()
    {
        var value = "";
        for (_at++; !IsEnd && Here != '"'; _at++)
        {
            if (Here == '\\')
                _at++;
            if (IsEnd || !IsTokenCharacter(Here))
                return null;
            value += Here;
        }

        if (IsEnd)
            return null;
        _at++;
        return value;
    }

    private PlainExtensions Fail(WebSocketHandshakeError error)
    {
        Error = error;
        return this;
    }
}
