static class Check
{
    public static async Task RunAsync(Site site)
    {
        string? last;
        await using (var stream = await EventReader.OpenAsync(site.Uri("/count")))
        {
            (await stream.ReadAsync()).Data.Should().Be("event 1");
            last = (await stream.ReadAsync()).EventId;
        }

        await using var again = await EventReader.OpenAsync(site.Uri("/count"), last);
        (await again.ReadAsync()).Data.Should().Be("event 3");
    }
}
