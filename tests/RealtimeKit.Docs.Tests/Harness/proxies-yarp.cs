static class Check
{
    // Without the configuration, which YarpTests use, it knows no route.
    public static async Task RunAsync(Site site, CancellationToken cancel) =>
        (await site.Http.GetAsync(site.Uri("/"), cancel)).StatusCode.Should().Be(System.Net.HttpStatusCode.NotFound);
}
