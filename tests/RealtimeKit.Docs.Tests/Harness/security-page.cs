static class Check
{
    public static async Task RunAsync(string snippet, CancellationToken cancel)
    {
        await using var site = await TicketSite.StartAsync();
        await using var page = Browser.Open(site, $"const token = 'ann';\n{snippet}\nsocket.onopen = () => console.log('open');", lines: 1);
        (await page.ReadAsync()).Should().Be("open");
        await page.ExitAsync();
    }
}
