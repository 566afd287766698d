using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RealtimeKit.Samples.SseTail;

/// <summary>One JSON object a line, flushed as it is written. Malformed UTF-8 has become U+FFFD.</summary>
internal sealed class JsonLines(Stream output) : IDisposable
{
    private readonly MemoryStream _line = new();
    private readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public void WriteEvent(string type, string data, string? id)
    {
        Write(json =>
        {
            json.WriteString("event", type);
            json.WriteString("data", data);
            if (!string.IsNullOrEmpty(id))
                json.WriteString("id", id);
        });
    }

    public void WriteComment(string comment) => Write(json => json.WriteString("comment", comment));

    /// <summary>Any number of digits is a number: what does not fit a machine's integer is printed all the same.</summary>
    public void WriteRetry(ReadOnlySpan<byte> digits)
    {
        var number = Encoding.ASCII.GetString(digits).TrimStart('0');
        Write(json =>
        {
            json.WritePropertyName("retry");
            json.WriteRawValue(number.Length == 0 ? "0" : number);
        });
    }

    public void Dispose() => _line.Dispose();

    private void Write(Action<Utf8JsonWriter> write)
    {
        _line.SetLength(0);
        using (var json = new Utf8JsonWriter(_line, _options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        _line.WriteByte((byte)'\n');
        output.Write(_line.GetBuffer(), 0, (int)_line.Length);
        output.Flush();
    }
}
