using System.Net;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ServerSentEventClientTests
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
    public async Task ReadAllAsync_204_TellsItsErrorInTheLastChange()
    {
        await using var server = new ScriptedServer(ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri);
        Exception? error = null;
        client.StateChanged += (_, change) => error = change.Error;

        (await client.ReadAllAsync(Cancel).CountAsync(Cancel)).Should().Be(0);

        error.Should().BeOfType<ServerSentEventClientException>().Which.StatusCode.Should().Be(HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found", ServerSentEventClientError.Status)]
    [InlineData("HTTP/1.1 401 Unauthorized", ServerSentEventClientError.Status)]
    [InlineData("HTTP/1.1 205 Reset Content", ServerSentEventClientError.Status)]
    [InlineData("HTTP/1.1 201 Created\r\nContent-Type: text/event-stream", ServerSentEventClientError.Status)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html", ServerSentEventClientError.ContentType)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-streams", ServerSentEventClientError.ContentType)]
    [InlineData("HTTP/1.1 200 OK", ServerSentEventClientError.ContentType)]
    public async Task ReadAllAsync_PermanentRefusal_ThrowsWithStatusAndHeadersAndWithoutSecrets(string head, ServerSentEventClientError expected)
    {
        await using var server = new ScriptedServer(ScriptedServer.Answer(head + "\r\nX-Reason: because\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        await using var client = new ServerSentEventClient(server.Uri, new()
        {
            ConfigureRequest = static (request, _) =>
            {
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer secret-in-header");
                return default;
            },
        });

        var thrown = (await client.Invoking(async c => await c.ReadAllAsync(Cancel).ToListAsync(Cancel)).Should().ThrowAsync<ServerSentEventClientException>()).Which;

        thrown.Error.Should().Be(expected);
        thrown.IsTransient.Should().BeFalse();
        ((int?)thrown.StatusCode).Should().Be(int.Parse(head.AsSpan(9, 3), null as IFormatProvider));
        thrown.Headers!.GetValues("X-Reason").Should().Equal("because");
        thrown.ToString().Should().NotContain("secret");
        server.Requests.Should().ContainSingle();
        client.State.Should().Be(ServerSentEventClientState.Closed);
    }

    [Theory]
    [InlineData("text/event-stream; charset=utf-8")]
    [InlineData("Text/Event-Stream")]
    [InlineData("text/event-stream;")]
    [InlineData("text/event-stream ; charset=utf-8;")]
    [InlineData("text/event-stream;charset=")]
    public async Task ReadAllAsync_ContentTypeWithParametersOrCase_IsAccepted(string type)
    {
        await using var server = new ScriptedServer(ScriptedServer.Answer($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nConnection: close\r\n\r\ndata: a\n\n"));
        await using var client = new ServerSentEventClient(server.Uri, new() { Reconnect = false });

        (await client.ReadAllAsync(Cancel).ToListAsync(Cancel)).Should().ContainSingle();
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(408)]
    public async Task ReadAllAsync_TransientStatus_ConnectsAgain(int status)
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Answer($"HTTP/1.1 {status} Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Events("data: a\n\n"),
            ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, AtOnce);

        (await client.ReadAllAsync(Cancel).ToListAsync(Cancel)).Should().ContainSingle().Which.Data.Should().Be("a");
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

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task ReadAllAsync_Redirect_IsFollowedAndReconnectsBeginAtTheOriginal(int status)
    {
        // WHATWG HTML §9.2.3: a connection is reestablished with the event source's own URL, wherever the last one was redirected to.
        await using var target = new ScriptedServer(ScriptedServer.Events("id: 1\ndata: a\n\n"), ScriptedServer.Events("id: 2\ndata: b\n\n"));
        var redirect = ScriptedServer.Answer($"HTTP/1.1 {status} Elsewhere\r\nLocation: {target.Uri}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using var server = new ScriptedServer(redirect, redirect, ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, new()
        {
            ReconnectDelay = TimeSpan.Zero,
            MaxReconnectDelay = Soon,
            ConfigureRequest = static (request, _) =>
            {
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer secret");
                return default;
            },
        });

        (await client.ReadAllAsync(Cancel).Select(item => item.Data).ToListAsync(Cancel)).Should().Equal("a", "b");

        server.Requests.Should().HaveCount(3).And.OnlyContain(request => request.Contains("Authorization: Bearer secret\r\n"));
        target.Requests.Should().HaveCount(2).And.OnlyContain(request => request.StartsWith("GET ") && request.Contains("Accept: text/event-stream\r\n"));
        target.Requests.Should().OnlyContain(request => !request.Contains("Authorization"), "a redirect may lead to somebody else");
        target.Requests[1].Should().Contain("Last-Event-ID: 1\r\n");
        server.Requests[2].Should().Contain("Last-Event-ID: 2\r\n");
    }

    [Fact]
    public async Task ReadAllAsync_RedirectsWithoutEnd_EndWithTheirStatus()
    {
        var again = ScriptedServer.Answer("HTTP/1.1 307 Again\r\nLocation: /again?token=secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using var server = new ScriptedServer([.. Enumerable.Repeat(again, 30)]);
        await using var client = new ServerSentEventClient(server.Uri, AtOnce);

        var thrown = (await client.Invoking(async c => await c.ReadAllAsync(Cancel).CountAsync(Cancel)).Should().ThrowAsync<ServerSentEventClientException>()).Which;

        thrown.StatusCode.Should().Be(HttpStatusCode.TemporaryRedirect);
        thrown.ToString().Should().NotContain("secret");
        server.Requests.Should().HaveCount(21, "Fetch follows twenty");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nSet-Cookie secret\r\n\r\n")]
    [InlineData("HTTP/1.1 secret\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n")]
    public async Task ReadAllAsync_AnswerCannotBeRead_IsNotQuoted(string answer)
    {
        await using var server = new ScriptedServer([.. Enumerable.Repeat(ScriptedServer.Answer(answer), 20)]);
        await using var client = new ServerSentEventClient(server.Uri, new() { ReconnectDelay = TimeSpan.Zero, MaxFailures = 1 });

        var thrown = (await client.Invoking(async c => await c.ReadAllAsync(Cancel).CountAsync(Cancel)).Should().ThrowAsync<ServerSentEventClientException>()).Which;

        thrown.Error.Should().Be(ServerSentEventClientError.ConnectionLost);
        thrown.ToString().Should().NotContain("secret");
    }

    [Theory]
    [InlineData(15, true)]
    [InlineData(17, false)]
    public async Task ReadAllAsync_LargeHeaders_HaveALimitOf16KiB(int kibibytes, bool isAccepted)
    {
        var head = ScriptedServer.EventStream.Insert("HTTP/1.1 200 OK\r\n".Length, $"X-Large: {new string('x', kibibytes * 1024)}\r\n");
        await using var server = new ScriptedServer(ScriptedServer.Answer(head + "data: a\n\n"));
        await using var client = new ServerSentEventClient(server.Uri, new() { Reconnect = false });

        var reading = client.ReadAllAsync(Cancel).CountAsync(Cancel).AsTask();

        if (isAccepted)
            (await reading).Should().Be(1);
        else
            (await reading.Invoking(task => task).Should().ThrowAsync<ServerSentEventClientException>()).Which.Error.Should().Be(ServerSentEventClientError.ConnectionLost);
    }

    [Fact]
    public async Task ReadAllAsync_HeadersDripWithoutEnd_TimesOut()
    {
        var time = new FakeTimeProvider();
        await using var server = new ScriptedServer(async connection =>
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\n");
            for (var n = 0; n < 1_000; n++)
            {
                await connection.SendAsync($"X: {n}\r\n");
                await Task.Delay(5, Cancel);
            }

            await connection.StallAsync();
        });
        await using var client = new ServerSentEventClient(server.Uri, new() { Reconnect = false, TimeProvider = time });

        var reading = client.ReadAllAsync(Cancel).CountAsync(Cancel).AsTask();

        (await reading.Invoking(task => RunAsync(time, task)).Should().ThrowAsync<ServerSentEventClientException>()).Which.Error.Should().Be(ServerSentEventClientError.Timeout);
    }

    [Fact]
    public async Task ReadAllAsync_RetryAfter_MayBeADateAndIsBounded()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        string[] values = ["Thu, 01 Jan 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "99999999999999999999", "-1", "soon", "2147483647"];
        await using var server = new ScriptedServer([
            .. values.Select(value => ScriptedServer.Answer($"HTTP/1.1 503 X\r\nRetry-After: {value}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
            ScriptedServer.Answer(Gone)]);
        await using var client = new ServerSentEventClient(server.Uri, new()
        {
            TimeProvider = time,
            ConnectTimeout = Timeout.InfiniteTimeSpan,   // the clock outruns any server
            Jitter = 0,
            ReconnectDelay = TimeSpan.FromSeconds(1),
            MaxReconnectDelay = TimeSpan.FromSeconds(1),
            MaxServerDelay = TimeSpan.FromSeconds(50),
        });
        var delays = new List<double>();
        client.StateChanged += (_, change) =>
        {
            if (change.Delay is { } delay)
                delays.Add(delay.TotalSeconds);
        };

        await RunAsync(time, client.ReadAllAsync(Cancel).ToListAsync(Cancel).AsTask());

        delays.Should().Equal(50, 1, 1, 1, 1, 50);
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
    public async Task ReadAllAsync_Failures_DoubleTheDelayFromTheServersRetry()
    {
        var time = new FakeTimeProvider();
        await using var server = new ScriptedServer(
            ScriptedServer.Events("retry: 2000\ndata: a\n\n"),
            ScriptedServer.Answer("HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Answer("HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Answer("HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Answer("HTTP/1.1 503 X\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            ScriptedServer.Events("retry: 99999999999999999999\ndata: b\n\n"),
            ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(
            server.Uri,
            new() { TimeProvider = time, ConnectTimeout = Timeout.InfiniteTimeSpan, ReadTimeout = Timeout.InfiniteTimeSpan, Jitter = 0, MaxReconnectDelay = TimeSpan.FromSeconds(7), MaxServerDelay = TimeSpan.FromSeconds(100) });
        var delays = new List<double>();
        client.StateChanged += (_, change) =>
        {
            if (change.Delay is { } delay)
                delays.Add(delay.TotalSeconds);
        };

        await RunAsync(time, client.ReadAllAsync(Cancel).ToListAsync(Cancel).AsTask());

        delays.Should().Equal(2, 2, 4, 7, 60, 100);
    }

    [Fact]
    public void GetDelay_LongOutage_StaysAtTheLongestDelay()
    {
        var hour = TimeSpan.FromHours(1);
        var schedule = new ReconnectSchedule(new ServerSentEventClientOptions { ReconnectDelay = hour, MaxServerDelay = hour, MaxReconnectDelay = hour, Jitter = 0 });
        for (var failures = 0; failures < 100; failures++)
        {
            schedule.GetDelay(null, null).Should().Be(hour);
            schedule.CountFailure();
        }
    }

    [Fact]
    public void GetDelay_Jitter_OnlyLengthens()
    {
        var schedule = new ReconnectSchedule(new() { Jitter = 0.5 });

        var delays = Enumerable.Range(0, 200).Select(_ => schedule.GetDelay(TimeSpan.FromSeconds(10), null).TotalSeconds).ToList();

        delays.Should().OnlyContain(delay => delay >= 10 && delay <= 15);
        delays.Distinct().Count().Should().BeGreaterThan(100);
    }

    [Fact]
    public async Task ReadAllAsync_ServerStalls_TimesOutAndConnectsAgain()
    {
        var time = new FakeTimeProvider();
        var isAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new ScriptedServer(
            async connection =>
            {
                await connection.SendAsync(ScriptedServer.EventStream + "id: 1\ndata: a\n\ndata: b");
                await connection.StallAsync();
            },
            connection =>
            {
                isAsked.SetResult();
                return connection.StallAsync();
            },
            ScriptedServer.Answer(Gone));
        await using var client = new ServerSentEventClient(server.Uri, new() { TimeProvider = time });
        var errors = new List<Exception?>();
        client.StateChanged += (_, change) =>
        {
            if (change.State == ServerSentEventClientState.Waiting)
                errors.Add(change.Error);
        };

        // The clock stands still while the server has something to do: it would outrun it.
        await using var events = client.ReadAllAsync(Cancel).GetAsyncEnumerator(Cancel);
        (await events.MoveNextAsync()).Should().BeTrue();
        events.Current.Data.Should().Be("a");
        var next = events.MoveNextAsync().AsTask();
        await RunAsync(time, () => client.State == ServerSentEventClientState.Waiting);
        await RunAsync(time, () => client.State != ServerSentEventClientState.Waiting);
        await isAsked.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        await RunAsync(time, () => client.State == ServerSentEventClientState.Waiting);
        await RunAsync(time, () => client.State != ServerSentEventClientState.Waiting);

        (await next).Should().BeFalse();
        errors.Should().HaveCount(2);
        errors.Cast<ServerSentEventClientException>().Should().OnlyContain(error => error.Error == ServerSentEventClientError.Timeout && error.IsTransient);
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
