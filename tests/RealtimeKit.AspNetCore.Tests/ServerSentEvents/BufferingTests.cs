using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.AspNetCore.Tests.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.ServerSentEvents;

/// <summary>What stands between an endpoint and its client, and must not hold events back.</summary>
public class BufferingTests
{
    public static TheoryData<Wire> AllWires => EventWires.All;

    [Theory(Timeout = Until.Bound), MemberData(nameof(AllWires))]
    public async Task ResponseCompression_EvenForEventStreams_IsKeptAway(Wire wire)
    {
        var goOn = new TaskCompletionSource();
        await using var server = await TestServerHost.StartAsync(
            wire,
            app =>
            {
                app.UseResponseCompression();
                app.MapServerSentEvents("/sse", async (events, _, http, cancel) =>
                {
                    await events.WriteAsync(http.Request.Headers.AcceptEncoding.ToString(), cancellationToken: cancel);
                    await goOn.Task.WaitAsync(cancel);
                    await events.WriteAsync("more", cancellationToken: cancel);
                });
                app.MapGet("/text", () => Results.Text(new string('x', 10_000), "text/event-stream"));
            },
            builder => builder.Services.AddResponseCompression(options =>
            {
                options.EnableForHttps = true;
                options.MimeTypes = ["text/event-stream"];
                options.Providers.Add<GzipCompressionProvider>();
            }));

        using (var compressed = await EventStream.OpenAsync(server, "/text", ("Accept-Encoding", "gzip")))
            compressed.Response.Content.Headers.ContentEncoding.Should().Equal(["gzip"], "the middleware works");

        using var stream = await EventStream.OpenedAsync(server, "/sse", ("Accept-Encoding", "gzip"));
        stream.Response.Content.Headers.ContentEncoding.Should().BeEmpty();
        (await stream.ReadAsync()).Should().Be("data: gzip", "the handler sees the request as it came");
        goOn.SetResult();
        (await stream.ReadToEndAsync()).Should().Equal("data: more");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task RequestTimeouts_DoNotEndAStream()
    {
        var options = new ServerSentEventEndpointOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(250) };
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                app.UseRequestTimeouts();
                app.MapServerSentEvents("/sse", options, (_, cancel) => Task.Delay(Timeout.Infinite, cancel));
                app.MapGet("/slow", (HttpContext http) => Task.Delay(Timeout.Infinite, http.RequestAborted));
            },
            builder => builder.Services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromSeconds(3) }));
        using var stream = await EventStream.OpenedAsync(server);
        using (var slow = await EventStream.OpenAsync(server, "/slow"))
            slow.Response.StatusCode.Should().Be(System.Net.HttpStatusCode.GatewayTimeout, "the middleware works, and ends a request that began later");
        for (var i = 0; i < 3; i++)
            (await stream.ReadAsync()).Should().Be(":");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task BufferingBody_IsToldNotToBuffer()
    {
        // What a middleware does that collects a response before it sends it, such as one that adds a Content-Length.
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            app.Use(async (http, next) =>
            {
                var inner = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
                var body = new CollectingBody(inner);
                http.Features.Set<IHttpResponseBodyFeature>(body);
                await next(http);
                if (!body.PassesThrough)
                    await inner.Writer.WriteAsync("collected\n\n"u8.ToArray(), Until.Cancelled);
            });
            app.MapServerSentEvents("/sse", (_, cancel) => Task.Delay(Timeout.Infinite, cancel));
            app.MapGet("/text", () => "text");
        });
        using (var collected = await EventStream.OpenAsync(server, "/text"))
            (await collected.ReadToEndAsync()).Should().Equal("collected");
        using var stream = await EventStream.OpenedAsync(server);
    }

    private sealed class CollectingBody(IHttpResponseBodyFeature inner) : IHttpResponseBodyFeature
    {
        private readonly StreamResponseBodyFeature _collected = new(new MemoryStream());

        public bool PassesThrough { get; private set; }

        public Stream Stream => Current.Stream;

        public System.IO.Pipelines.PipeWriter Writer => Current.Writer;

        private IHttpResponseBodyFeature Current => PassesThrough ? inner : _collected;

        public void DisableBuffering()
        {
            PassesThrough = true;
            inner.DisableBuffering();
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Current.StartAsync(cancellationToken);

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            Current.SendFileAsync(path, offset, count, cancellationToken);

        public Task CompleteAsync() => Current.CompleteAsync();
    }
}
