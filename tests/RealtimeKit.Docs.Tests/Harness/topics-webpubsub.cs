using RealtimeKit.Topics;

static class Check
{
    public static async Task RunAsync(string snippet, CancellationToken cancel)
    {
        await using var site = await Site.StartAsync(
            app => app.MapTopics("/live"),
            builder => builder.Services.AddTopics(topics => topics.Topic("scores/*", scores => scores.AuthorizePublish = _ => new(true))));
        var hub = site.Services.GetRequiredService<TopicHub>();
        var before = await hub.GetCursorAsync(["scores/7"], cancel);
        await using var script = Scripts.StartNode(
            snippet.Replace("localhost:5080", site.Address.Authority),
            "const show = (group, data) => { console.log(JSON.stringify({ group, data })); process.exit(0); };", "@azure/web-pubsub-client");

        // Its own publication has no echo; somebody else's comes.
        var own = hub.ReadAllAsync(["scores/7"], before, cancellationToken: cancel).GetAsyncEnumerator(cancel);
        do
            await own.MoveNextAsync();
        while (own.Current.Kind != TopicItemKind.Entry);
        System.Text.Encoding.UTF8.GetString(own.Current.Entry.Payload.Span).Should().Be("""{"home":2}""");
        await hub.PublishAsync("scores/7", "from the server", cancellationToken: cancel);
        (await script.ReadAsync()).GetRawText().Should().Be("""{"group":"scores/7","data":"from the server"}""");
        await script.ExitAsync();
    }
}
