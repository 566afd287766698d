using System.Text;

namespace RealtimeKit.Benchmarks.EndToEnd;

/// <summary>The one event that all streams send, so that the load knows every byte: a piece of JSON of a given length, without type and id.</summary>
internal static class EventText
{
    public static string Data(int size) => size < 16 ? new string('x', size) : $$"""{"text":"{{new string('x', size - 11)}}"}""";

    public static byte[] Wire(int size) => Encoding.ASCII.GetBytes($"data: {Data(size)}\n\n");
}
