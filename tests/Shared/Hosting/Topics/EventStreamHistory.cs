using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

/// <summary>A client that does as a browser's EventSource: it comes back with the id of the last event that it has read whole.</summary>
internal sealed class EventStreamHistory(TestServerHost server, int seed) : TopicHistory(server, seed)
{
    private string _lastEventId = "";
    private readonly Dictionary<string, TopicPosition> _positions = [];
    private List<string> _topics = [];

    protected override async Task BeginAsync()
    {
        _topics = [.. All[..Random.Next(1, All.Length + 1)]];
        _lastEventId = await Server.GetCursorAsync("?" + string.Join('&', _topics.Select(topic => $"topic={topic}")));
        TopicCursor.TryParse(_lastEventId, out var cursor).Should().BeTrue();
        foreach (var (topic, position) in cursor)
            Begin(topic, position);
    }

    protected override async Task ConnectAsync(bool isLast)
    {
        Outcome.Connections++;
        using var http = new HttpMessageInvoker(NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, Server.HttpUri($"/live?topic={_topics[0]}"));
        request.Headers.Accept.ParseAdd("text/event-stream");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", _lastEventId);
        using var response = await http.SendAsync(request, Until.Cancelled);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"{response.StatusCode}");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Until.Cancelled), Encoding.UTF8);
        try
        {
            await FollowAsync(reader, isLast);
        }
        catch (IOException)
        {
            // Cut off, as by a server that has waited too long for its client to read.
        }
    }

    private async Task FollowAsync(StreamReader reader, bool isLast)
    {
        var left = isLast ? int.MaxValue : Random.Next(60);
        var pauseAfter = Random.Next(4) == 0 ? Random.Next(30) : -1;
        while (left-- > 0 && !(isLast && HasAll()))
        {
            if (await ReadAsync(reader) is not { } read)
                return;
            if (read.Type == "stream")
                await AddTopicsAsync(new TopicEvent(read.Type, read.Data, null).Json);
            else if (pauseAfter-- == 0 && !isLast)
                await WaitForPublicationsAsync(Random.Next(200));
        }
    }

    // The next event, or null at the end. What is not read to its blank line has not happened.
    private async Task<(string Type, string Data)?> ReadAsync(StreamReader reader)
    {
        var (type, data, id) = ("message", (string?)null, (string?)null);
        while (await reader.ReadLineAsync(Until.Cancelled) is { } line)
        {
            if (line.Length == 0)
            {
                _lastEventId = id ?? _lastEventId;
                if (data is null)
                {
                    (type, id) = ("message", null);
                    continue;
                }

                See(type, data);
                return (type, data);
            }

            if (line.StartsWith("event: ", StringComparison.Ordinal))
                type = line[7..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
        }

        return null;
    }

    private void See(string type, string data)
    {
        if (type == "gap")
        {
            var gap = new TopicEvent(type, data, null).Json;
            SeeGap(gap.GetProperty("topic").GetString()!, Offset(gap.GetProperty("from").GetString()!), Offset(gap.GetProperty("to").GetString()!));
        }
        else if (type != "stream")
        {
            SeeEntry(type, data);
        }

        static ulong Offset(string position) => ulong.Parse(position.AsSpan(position.IndexOf('-', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    // What was added and is not in the opening had not reached the client's last event id when the stream was lost.
    private async Task AddTopicsAsync(JsonElement opening)
    {
        if (_topics.Count < All.Length && Random.Next(2) == 0)
        {
            var topic = All[_topics.Count];
            TopicCursor.TryParse(await Server.GetCursorAsync($"?topic={topic}"), out var cursor).Should().BeTrue();
            Begin(topic, cursor[0].Value);
            _positions.Add(topic, cursor[0].Value);
            _topics.Add(topic);
        }

        var has = opening.GetProperty("topics").EnumerateArray().Select(topic => topic.GetString()!).ToList();
        var missing = _topics.Except(has).ToArray();
        if (missing.Length == 0)
            return;
        missing.Should().BeSubsetOf(_positions.Keys, "every cursor names all topics that the stream began with");
        var after = missing.Aggregate(TopicCursor.Empty, (cursor, topic) => cursor.With(topic, _positions[topic] with { Offset = LastOf(topic) }));
        using var response = await Server.ChangeAsync(opening.GetProperty("stream").GetString()!, missing, after: after.ToString());

        // Or the stream has ended meanwhile, as one that was too slow does.
        response.StatusCode.Should().BeOneOf(HttpStatusCode.OK, HttpStatusCode.NotFound);
    }
}
