using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class AcceptWebSocketTests
{
    private static readonly string[] GetAndConnect = ["GET", "CONNECT"];

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.PipesTls), InlineData(Wire.Http2)]
    public async Task Accept_ByHand_GivesAConnection(Wire wire)
    {
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapMethods("/ws", GetAndConnect, async (HttpContext http) =>
        {
            await using var connection = await http.AcceptWebSocketAsync(new WebSocketEndpointOptions { SubProtocols = ["chat"] });
            await Handlers.EchoAsync(connection!);
        }));
        using var client = await server.ConnectAsync(configure: options => options.AddSubProtocol("chat"));
        client.SubProtocol.Should().Be("chat");
        await client.SendTextAsync("hello");
        (await client.ReceiveTextAsync()).Should().Be("hello");
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        client.State.Should().Be(WebSocketState.Closed);
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Accept_RefusedHandshake_GivesNullAndHasAnswered()
    {
        var accepted = new TaskCompletionSource<WebSocketConnection?>();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app => app.MapGet("/ws", async (HttpContext http) =>
            accepted.SetResult(await http.AcceptWebSocketAsync())));
        using var client = new HttpClient();
        using var response = await client.GetAsync(server.HttpUri(), Until.Cancelled);
        ((int)response.StatusCode).Should().Be(426);
        // The answer may be here before the handler goes on.
        (await accepted.Task).Should().BeNull();
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Pipes), InlineData(Wire.Stream), InlineData(Wire.Http2)]
    public async Task Accept_NeverDisposed_IsAbortedWithItsRequest(Wire wire)
    {
        var forgotten = new TaskCompletionSource<WebSocketConnection>();
        await using var server = await TestServerHost.StartAsync(wire, app => app.MapMethods("/ws", GetAndConnect, async (HttpContext http) =>
        {
            var connection = await http.AcceptWebSocketAsync(new WebSocketEndpointOptions { ForceStream = wire.IsStream() });
            await connection!.ReceiveAsync();
            forgotten.SetResult(connection);
        }));
        using var client = await server.ConnectAsync();
        await client.SendTextAsync("go");
        var receive = () => client.ReceiveMessageAsync();
        await receive.Should().ThrowAsync<WebSocketException>();
        var connection = await forgotten.Task;
        await Until.TrueAsync(() => connection.State == WebSocketState.Aborted);
        await server.App.StopAsync(Until.Cancelled);
    }

    [Theory(Timeout = Until.Bound), InlineData(true), InlineData(false)]
    public async Task Accept_MiddlewareReplacedAFeature_RunsOverItsStream(bool isUpgrade)
    {
        var wrapped = new List<CountingStream>();
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            app.Use((http, next) =>
            {
                if (isUpgrade)
                    http.Features.Set<IHttpUpgradeFeature>(new WrappingUpgrade(http.Features.Get<IHttpUpgradeFeature>()!, wrapped));
                else
                    http.Response.Body = new CountingStream(http.Response.Body);
                return next(http);
            });
            app.MapWebSocket("/ws", Handlers.EchoAsync);
        });
        using var client = await server.ConnectAsync();
        await client.SendTextAsync("hello");
        (await client.ReceiveTextAsync()).Should().Be("hello");
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Until.Cancelled);
        client.State.Should().Be(WebSocketState.Closed);
        if (isUpgrade)
            wrapped.Should().ContainSingle().Which.Written.Should().Be(2 + 5 + 4, "a text frame and a Close frame went through");
    }

    private sealed class WrappingUpgrade(IHttpUpgradeFeature inner, List<CountingStream> streams) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync()
        {
            var stream = new CountingStream(await inner.UpgradeAsync());
            streams.Add(stream);
            return stream;
        }
    }

    private sealed class CountingStream(Stream inner) : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            return inner.WriteAsync(buffer, cancellationToken);
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
