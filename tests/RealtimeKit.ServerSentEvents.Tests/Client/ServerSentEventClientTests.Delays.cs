using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.ServerSentEvents.Tests;

public partial class ServerSentEventClientTests
{
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
}
