static class Check
{
    public static async Task RunAsync(Site site, CancellationToken cancel)
    {
        string? last;
        await using (var stream = await EventReader.OpenAsync(site.Uri("/live?topic=scores")))
        {
            (await site.Http.PostAsync(site.Uri("/goals/Alpha"), null, cancel)).EnsureSuccessStatusCode();
            var item = await stream.ReadAsync("scores");
            item.Data.Should().Be("Goal for Alpha!");
            last = item.EventId;
        }

        // "gets what was published while it was away"
        (await site.Http.PostAsync(site.Uri("/goals/Beta"), null, cancel)).EnsureSuccessStatusCode();
        await using var again = await EventReader.OpenAsync(site.Uri("/live?topic=scores"), last);
        (await again.ReadAsync("scores")).Data.Should().Be("Goal for Beta!");
    }
}
