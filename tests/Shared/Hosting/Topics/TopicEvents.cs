using System.Text.Json;

namespace RealtimeKit.Tests;

internal sealed record TopicEvent(string Type, string Data, string? Id)
{
    public JsonElement Json => JsonDocument.Parse(Data).RootElement;

    public override string ToString() => $"{Type}: {Data}";
}

/// <summary>An event stream of topics, past its opening event; what has no data is remembered as the last event id only.</summary>
internal sealed class TopicEvents : IDisposable
{
    private readonly EventStream _stream;

    private TopicEvents(EventStream stream) => _stream = stream;

    public string Key { get; private set; } = "";

    public string[] Topics { get; private set; } = [];

    public string? LastEventId { get; private set; }

    public static async Task<TopicEvents> OpenAsync(TestServerHost server, string path, params (string Name, string Value)[] headers)
    {
        var events = new TopicEvents(await EventStream.OpenAsync(server, path, [("Accept", "text/event-stream"), .. headers]));
        events._stream.Response.StatusCode.Should().Be(System.Net.HttpStatusCode.OK);
        var opening = (await events.ReadAsync())!;
        opening.Type.Should().Be("stream");
        events.Key = opening.Json.GetProperty("stream").GetString()!;
        events.Topics = [.. opening.Json.GetProperty("topics").EnumerateArray().Select(topic => topic.GetString()!)];
        return events;
    }

    /// <summary>The status of a stream that is refused.</summary>
    public static async Task<int> StatusAsync(TestServerHost server, string path, params (string Name, string Value)[] headers)
    {
        using var stream = await EventStream.OpenAsync(server, path, [("Accept", "text/event-stream"), .. headers]);
        return (int)stream.Response.StatusCode;
    }

    /// <summary>The next event; <see langword="null"/> at the end.</summary>
    public async Task<TopicEvent?> ReadAsync()
    {
        while (await _stream.ReadAsync() is { } block)
        {
            var type = "message";
            string? id = null;
            var data = new List<string>();
            foreach (var line in block.Split('\n'))
            {
                if (line.StartsWith("event: ", StringComparison.Ordinal))
                    type = line[7..];
                else if (line.StartsWith("id: ", StringComparison.Ordinal))
                    LastEventId = id = line[4..];
                else if (line.StartsWith("data:", StringComparison.Ordinal))
                    data.Add(line[5..].TrimStart(' '));
            }

            if (data.Count > 0)
                return new TopicEvent(type, string.Join('\n', data), id);
        }

        return null;
    }

    public async Task<List<string>> ReadAsync(int count)
    {
        var events = new List<string>();
        while (events.Count < count)
            events.Add((await ReadAsync() ?? throw new EndOfStreamException()).ToString());
        return events;
    }

    public void Dispose() => _stream.Dispose();
}
