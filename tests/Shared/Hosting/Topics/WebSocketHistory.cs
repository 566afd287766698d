using System.Net.WebSockets;
using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Tests;

/// <summary>
/// A client of raw messages, whose payloads say where they stand. It comes back with the cursor of what it has; where it is told that it
/// cannot go on from there, it takes a new cursor, and knows what it has not seen.
/// </summary>
internal sealed class WebSocketHistory(TestServerHost server, int seed) : TopicHistory(server, seed)
{
    private TopicCursor _start = TopicCursor.Empty;
    private bool _isOutrun;

    protected override async Task BeginAsync()
    {
        _start = await AskAsync();
        foreach (var (topic, position) in _start)
            Begin(topic, position);
    }

    protected override async Task ConnectAsync(bool isLast)
    {
        Outcome.Connections++;
        if (_isOutrun)
        {
            foreach (var (topic, position) in await AskAsync())
            {
                if (position.Offset != LastOf(topic))
                    SeeGap(topic, LastOf(topic), position.Offset);
            }

            _isOutrun = false;
        }

        if (isLast && HasAll())
            return;
        using var invoker = new HttpMessageInvoker(NewHandler());
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(Server.Uri($"/live?{Query}&after={Cursor}"), invoker, Until.Cancelled);
        try
        {
            await FollowAsync(socket, isLast);
        }
        catch (WebSocketException)
        {
            // Cut off, as by a server that has waited too long for its client to read.
        }

        socket.Abort();
    }

    private async Task FollowAsync(ClientWebSocket socket, bool isLast)
    {
        var hasRead = false;
        var left = isLast ? int.MaxValue : Random.Next(60);
        var pauseAfter = Random.Next(4) == 0 ? Random.Next(30) : -1;
        while (left-- > 0 && !(isLast && HasAll()))
        {
            var (type, payload) = await socket.ReceiveMessageAsync();
            if (type == WebSocketMessageType.Close)
            {
                ((int)socket.CloseStatus!).Should().Be(WebSocketTopicSubscriber.TooSlow);
                socket.CloseStatusDescription.Should().Be(Cursor, "it has read all that was handed to its connection");

                // At once again, with nothing between: what comes next has left the history.
                _isOutrun = !hasRead;
                return;
            }

            hasRead = true;
            var text = Encoding.UTF8.GetString(payload);
            SeeEntry(text.Split('|')[1], text);
            if (pauseAfter-- == 0 && !isLast)
                await WaitForPublicationsAsync(Random.Next(200));
        }
    }

    private string Query => string.Join('&', All.Select(topic => $"topic={topic}"));

    private string Cursor =>
        _start.Aggregate(TopicCursor.Empty, (cursor, pair) => cursor.With(pair.Key, pair.Value with { Offset = LastOf(pair.Key) })).ToString();

    private async Task<TopicCursor> AskAsync()
    {
        TopicCursor.TryParse(await Server.GetCursorAsync($"?{Query}"), out var cursor).Should().BeTrue();
        return cursor;
    }
}
