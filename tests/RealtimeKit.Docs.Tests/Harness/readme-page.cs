static class Check
{
    public static async Task RunAsync(string snippet)
    {
        await using var site = await Programs.StartAsync("readme-events");
        await using var page = Browser.Open(site, snippet, lines: 2);
        (await page.ReadAsync()).Should().Be("1 event 1");
        (await page.ReadAsync()).Should().Be("2 event 2");
        await page.ExitAsync();
    }
}
