using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.ServerSentEvents.Tests;

public partial class ServerSentEventClientTests
{
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
}
