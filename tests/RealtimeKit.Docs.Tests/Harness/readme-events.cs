static class Check
{
    public static async Task RunAsync(Site site)
    {
        string? last = null;
        var number = 0;
        for (var connection = 0; connection < 3; connection++)
        {
            await using var stream = await EventReader.OpenAsync(site.Uri("/count"), last);
            stream.Response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
            for (var i = 0; i < 2; i++)
            {
                var item = await stream.ReadAsync();
                item.Data.Should().Be($"event {++number}", "nothing is missed and nothing comes twice, however often the connection is lost");
                last = item.EventId;
            }
        }

        await using var doubtful = await EventReader.OpenAsync(site.Uri("/count"), "no number");
        (await doubtful.ReadAsync()).Data.Should().Be("event 1");
    }
}
