using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.ServerSentEvents.Tests;

public partial class ServerSentEventClientTests
{
    private const string Gone = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);
    private static readonly ServerSentEventClientOptions AtOnce = new() { ReconnectDelay = TimeSpan.Zero, MaxReconnectDelay = Soon, Jitter = 0 };

    [Fact]
    public async Task ReadAllAsync_StreamsInSequence_ResumesAfterTheLastIdUntil204()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Events("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 9\ndata: unfinished"),
            ScriptedServer.Events("data: c\n\nid: 5\n\n"),
            ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, AtOnce);
        var states = new List<ServerSentEventClientState>();
        client.StateChanged += (_, change) => states.Add(change.State);

        var items = await client.ReadAllAsync(Cancel).ToListAsync(Cancel);

        items.Select(item => (item.Data, item.EventId)).Should().Equal(("a", "1"), ("b", "2"), ("c", null));
        client.LastEventId.Should().Be("5", "a block without data moves the cursor");
        server.Requests.Should().HaveCount(3);
        server.Requests[0].Should().StartWith("GET /events?token=secret-in-url HTTP/1.1\r\n")
            .And.Contain("Accept: text/event-stream\r\n").And.Contain("Cache-Control: no-cache\r\n").And.NotContain("Last-Event-ID");
        server.Requests[1].Should().Contain("Last-Event-ID: 2\r\n");
        server.Requests[2].Should().Contain("Last-Event-ID: 5\r\n");
        states.Should().Equal(
            ServerSentEventClientState.Connecting, ServerSentEventClientState.Open, ServerSentEventClientState.Waiting,
            ServerSentEventClientState.Connecting, ServerSentEventClientState.Open, ServerSentEventClientState.Waiting,
            ServerSentEventClientState.Connecting, ServerSentEventClientState.Closed);
        client.State.Should().Be(ServerSentEventClientState.Closed);
    }

    [Fact]
    public async Task ReadAllAsync_ServerFailsInEveryWay_ComesBackEachTime()
    {
        await using var server = new ScriptedServer(
            connection => { connection.Reset(); return Task.CompletedTask; },
            _ => Task.CompletedTask,
            ScriptedServer.Answer("nonsense\r\n\r\n"),
            ScriptedServer.Answer("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 20_000).Select(n => $"X-{n}: endless\r\n"))),
            async connection =>
            {
                await connection.SendAsync(ScriptedServer.EventStream + "id: 1\ndata: a\n\ndata: torn");
                connection.Reset();
            },
            ScriptedServer.Answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: b\n\n\r\n"),
            ScriptedServer.Answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\ndata: c\n\n"),
            ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, AtOnce);
        var errors = new List<Exception?>();
        client.StateChanged += (_, change) =>
        {
            if (change.State == ServerSentEventClientState.Waiting)
                errors.Add(change.Error);
        };

        var items = await client.ReadAllAsync(Cancel).ToListAsync(Cancel);

        // A reset may overtake the bytes sent before it; what arrives is never torn.
        items.Select(item => item.Data).Where(data => data != "a").Should().Equal("b", "c");
        // The handler itself tries again where a connection closes before an answer: those failures never reach the client.
        server.Requests.Should().HaveCount(8);
        errors.Should().HaveCountGreaterThanOrEqualTo(5).And.AllBeOfType<ServerSentEventClientException>();
        errors.Cast<ServerSentEventClientException>().Should().OnlyContain(error => error.Error == ServerSentEventClientError.ConnectionLost && error.IsTransient);
        errors.Select(error => error!.ToString()).Should().OnlyContain(text => !text.Contains("secret"));
    }

    [Fact]
    public async Task ReadAllAsync_NobodyListens_ThrowsAfterMaxFailures()
    {
        // Held, but not listened on: nobody else gets it meanwhile.
        using var port = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        port.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var client = new ServerSentEventClient(new Uri($"http://{port.LocalEndPoint}/events"), new() { ReconnectDelay = TimeSpan.Zero, MaxFailures = 3 });
        var waits = 0;
        client.StateChanged += (_, change) => waits += change.State == ServerSentEventClientState.Waiting ? 1 : 0;

        (await client.Invoking(async c => await c.ReadAllAsync(Cancel).ToListAsync(Cancel)).Should().ThrowAsync<ServerSentEventClientException>())
            .Which.Error.Should().Be(ServerSentEventClientError.ConnectionLost);
        waits.Should().Be(2);
    }

    [Fact]
    public async Task ReadAllAsync_PostThatReconnects_SendsItsBodyAgain()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Events("id: 1\ndata: a\n\n"),
            ScriptedServer.Answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Answer(Gone));
        var contents = 0;
        await using var client = new ServerSentEventClient(server.Uri, new()
        {
            ReconnectDelay = TimeSpan.Zero,
            MaxReconnectDelay = Soon,
            Method = HttpMethod.Post,
            Reconnect = true,
            CreateContent = () => new StringContent($"body {++contents}"),
        });

        (await client.ReadAllAsync(Cancel).CountAsync(Cancel)).Should().Be(1);

        server.Requests.Select(request => request[^6..]).Should().Equal("body 1", "body 2", "body 3");
        server.Requests.Skip(1).Should().OnlyContain(request => request.StartsWith("POST ") && request.Contains("Last-Event-ID: 1\r\n"));
    }

    [Fact]
    public async Task LastEventId_OfAnEarlierProcess_IsSentWithTheFirstRequest()
    {
        await using var server = new ScriptedServer(ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, new() { LastEventId = "41" });

        await client.ReadAllAsync(Cancel).CountAsync(Cancel);

        server.Requests.Should().ContainSingle().Which.Should().Contain("Last-Event-ID: 41\r\n");
        FluentActions.Invoking(static () => new ServerSentEventClientOptions { LastEventId = "1\r\nX-Injected: 1" }).Should().Throw<ArgumentException>();
    }

    [Fact]
    public async Task ReadAllAsync_Post_SendsItsBodyAndDoesNotReconnect()
    {
        await using var server = new ScriptedServer(ScriptedServer.Events("data: {\"Price\":1}\n\n"));
        await using var client = new ServerSentEventClient(server.Uri, new()
        {
            Method = HttpMethod.Post,
            CreateContent = static () => new StringContent("{\"prompt\":1}", Encoding.UTF8, "application/json"),
        });

        var items = await client.ReadAllAsync(TestJson.Default.Tick, Cancel).ToListAsync(Cancel);

        items.Should().ContainSingle().Which.Data.Should().Be(new Tick(1));
        server.Requests.Should().ContainSingle().Which.Should().StartWith("POST ").And.EndWith("{\"prompt\":1}");
    }

    [Fact]
    public async Task ReadAllAsync_PostThatBreaks_Throws()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\ndata: a\n\n"));
        await using var client = new ServerSentEventClient(server.Uri, new() { Method = HttpMethod.Post });

        await client.Invoking(async c => await c.ReadAllAsync(Cancel).ToListAsync(Cancel)).Should().ThrowAsync<ServerSentEventClientException>();
    }

    [Fact]
    public async Task ReadAllAsync_CommentsAndRetries_AreReportedInOrder()
    {
        await using var server = new ScriptedServer(ScriptedServer.Events(": one\nretry: 5\ndata: a\n: two\n\n"), ScriptedServer.Answer(Gone));
        var seen = new List<string>();
        await using var client = new ServerSentEventClient(server.Uri, new() { OnComment = seen.Add, OnRetry = retry => seen.Add(retry.TotalMilliseconds.ToString(null as IFormatProvider)), Jitter = 0 });

        await foreach (var item in client.ReadAllAsync(Cancel))
            seen.Add(item.Data);

        seen.Should().Equal("one", "5", "two", "a");
    }

    [Fact]
    public async Task ReadAllAsync_IdOutsideAscii_TravelsAsUtf8()
    {
        await using var server = new ScriptedServer(ScriptedServer.Events("id: \u4e16\u00e9\ndata: a\n\n"), ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, AtOnce);

        await client.ReadAllAsync(Cancel).CountAsync(Cancel);

        server.Requests[1].Should().Contain("Last-Event-ID: " + Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("\u4e16\u00e9")) + "\r\n");
    }

    [Fact]
    public async Task ReadAllAsync_LimitBroken_EndsWithItsError()
    {
        await using var server = new ScriptedServer(ScriptedServer.Events("data: " + new string('x', 100)));
        await using var client = new ServerSentEventClient(server.Uri, new() { Parser = new() { MaxLineLength = 50 } });

        (await client.Invoking(async c => await c.ReadAllAsync(Cancel).ToListAsync(Cancel)).Should().ThrowAsync<ServerSentEventLimitException>())
            .Which.Limit.Should().Be(ServerSentEventLimit.MaxLineLength);
        client.State.Should().Be(ServerSentEventClientState.Closed);
    }

    [Fact]
    public async Task ReadAllAsync_ConnectsAndReconnects_AreCounted()
    {
        using var meter = new TestMeter(keep: true);
        await using var server = new ScriptedServer(
            ScriptedServer.Events("data: a\n\n"),
            ScriptedServer.Answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\ndata: c\n\n"),
            ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, new() { ReconnectDelay = TimeSpan.Zero, MaxReconnectDelay = Soon, MeterFactory = meter });

        await client.ReadAllAsync(Cancel).CountAsync(Cancel);

        meter.Measurements.Should().Equal(
            "realtimekit.sse.client.connects 1",
            "realtimekit.sse.client.reconnects 1",
            "realtimekit.sse.client.connects 1 error.type=503",
            "realtimekit.sse.client.reconnects 1 error.type=503",
            "realtimekit.sse.client.connects 1",
            "realtimekit.sse.client.reconnects 1 error.type=connection_lost",
            "realtimekit.sse.client.connects 1 error.type=204");
    }

    [Fact]
    public async Task ReadAllAsync_CancelledOrDisposed_Ends()
    {
        await using var server = new ScriptedServer(
            async connection => { await connection.SendAsync(ScriptedServer.EventStream + "id: 1\ndata: a\n\n"); await connection.StallAsync(); },
            async connection => { await connection.SendAsync(ScriptedServer.EventStream + "data: b\n\n"); await connection.StallAsync(); });
        await using var client = new ServerSentEventClient(server.Uri);
        using var cancellation = new CancellationTokenSource();
        await using (var events = client.ReadAllAsync(cancellation.Token).GetAsyncEnumerator(Cancel))
        {
            (await events.MoveNextAsync()).Should().BeTrue();
            await client.Invoking(async c => await c.ReadAllAsync(Cancel).CountAsync(Cancel)).Should().ThrowAsync<InvalidOperationException>();
            var next = events.MoveNextAsync().AsTask();
            await cancellation.CancelAsync();
            await next.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        }

        // A later enumeration resumes.
        await using (var events = client.ReadAllAsync(Cancel).GetAsyncEnumerator(Cancel))
        {
            (await events.MoveNextAsync()).Should().BeTrue();
            server.Requests[1].Should().Contain("Last-Event-ID: 1\r\n");
            var next = events.MoveNextAsync().AsTask();
            await client.DisposeAsync();
            await next.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        }

        client.State.Should().Be(ServerSentEventClientState.Closed);
    }

    /// <summary>Lets the clock run until the work is done, however often it waits.</summary>
    private static async Task RunAsync(FakeTimeProvider time, Task work)
    {
        await RunAsync(time, () => work.IsCompleted);
        await work;
    }

    private static async Task RunAsync(FakeTimeProvider time, Func<bool> isDone)
    {
        var bound = Task.Delay(TimeSpan.FromSeconds(60), Cancel);
        while (!isDone())
        {
            bound.IsCompleted.Should().BeFalse("the client should come to an end");
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5, Cancel);
        }
    }
}
