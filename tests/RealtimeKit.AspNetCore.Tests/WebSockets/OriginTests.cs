using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.AspNetCore.Tests.WebSockets;

public class OriginTests
{
    [Theory(Timeout = Until.Bound)]
    [InlineData(Wire.Pipes, true, null, 101)]
    [InlineData(Wire.Pipes, true, "http://127.0.0.1:{port}", 101)]
    [InlineData(Wire.Pipes, true, "http://localhost:{port}", 403)]
    [InlineData(Wire.Pipes, true, "http://evil.example", 403)]
    [InlineData(Wire.Pipes, true, "null", 403)]
    [InlineData(Wire.PipesTls, true, "https://127.0.0.1:{port}", 101)]
    [InlineData(Wire.PipesTls, true, "http://127.0.0.1:{port}", 403)]
    [InlineData(Wire.Pipes, false, "http://evil.example", 101)]
    public async Task Origin_PerPolicy_IsTakenOrRefused(Wire wire, bool isSameOrigin, string? origin, int status)
    {
        await using var server = await TestServerHost.StartAsync(
            wire, Handlers.EchoAsync, options => options.Origins = isSameOrigin ? OriginPolicy.SameOrigin : OriginPolicy.Any);
        var headers = origin is null ? [] : new[] { "Origin: " + origin.Replace("{port}", $"{server.Port}", StringComparison.Ordinal) };
        await using var client = await server.ConnectRawAsync("/ws", headers);
        client.StatusCode.Should().Be(status);
        if (status == 403)
            server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "OriginRefused" && record.Level == LogLevel.Information);
    }

    [Theory(Timeout = Until.Bound), InlineData(Wire.Http2, "http"), InlineData(Wire.Http2Tls, "https")]
    public async Task Origin_OverHttp2_IsComparedWithTheAuthority(Wire wire, string scheme)
    {
        await using var server = await TestServerHost.StartAsync(wire, Handlers.EchoAsync);
        using var own = await server.ConnectAsync(configure: options => options.SetRequestHeader("Origin", $"{scheme}://127.0.0.1:{server.Port}"));
        own.State.Should().Be(WebSocketState.Open);
        var connect = () => server.ConnectAsync(configure: options => options.SetRequestHeader("Origin", "https://evil.example"));
        (await connect.Should().ThrowAsync<WebSocketException>()).WithMessage("*403*");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_BehindATlsProxyThatDoesNotSaySo_IsRefusedWithTheFix()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, Handlers.EchoAsync);
        for (var i = 0; i < 2; i++)
        {
            await using var client = await server.ConnectRawAsync("/ws", $"Origin: https://127.0.0.1:{server.Port}");
            client.StatusCode.Should().Be(403);
        }

        var hint = server.Logs.Ours.Should().ContainSingle(record => record.Event.Name == "SchemeDiffers", "it is said once").Subject;
        hint.Level.Should().Be(LogLevel.Warning);
        hint.Message.Should().Contain("UseForwardedHeaders").And.Contain("XForwardedProto").And.Contain($"OriginPolicy.Only(\"https://127.0.0.1:{server.Port}\")");
    }

    [Fact(Timeout = Until.Bound)]
    public async Task Origin_BehindATlsProxyWithForwardedHeaders_IsTaken()
    {
        await using var server = await TestServerHost.StartAsync(Wire.Pipes, app =>
        {
            app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedProto });
            app.MapWebSocket("/ws", Handlers.EchoAsync);
        });
        await using var client = await server.ConnectRawAsync("/ws", $"Origin: https://127.0.0.1:{server.Port}", "X-Forwarded-Proto: https");
        client.StatusCode.Should().Be(101);
    }
}
