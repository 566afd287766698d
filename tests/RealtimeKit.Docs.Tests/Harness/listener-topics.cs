using System.Net;
using System.Security.Claims;
using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(CancellationToken cancel)
    {
        var port = LoopbackPorts.Next();
        using var stopping = new CancellationTokenSource();
        var running = ServeAsync(new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } }, stopping.Token);
        var live = new Uri($"http://127.0.0.1:{port}/live?topic=a");
        await using (var stream = await EventReader.OpenAsync(live, configure: request => request.Headers.Add("X-User", "ann")))
            (await stream.ReadAsync()).EventType.Should().Be("stream");
        await using (var refused = await EventReader.OpenAsync(live))
            refused.Response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        await stopping.CancelAsync();
        await running;
    }

    private static async Task ServeAsync(HttpListener listener, CancellationToken stop)
    {
        var topics = new TopicsOptions();
/*SNIPPET*/
    }

    private static ValueTask<ClaimsPrincipal?> FindUserAsync(HttpListenerContext context) =>
        new(context.Request.Headers["X-User"] is { } name ? new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "header")) : null);
}
