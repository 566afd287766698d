static class Check
{
    // The command as it stands, but for a free port and for building, which has been done.
    public static async Task RunAsync(string snippet)
    {
        snippet.Should().StartWith("dotnet run -c Release --project samples/Echo -- --port 5080");
        await using var echo = Command.Start("samples/Echo", "Echo", "--port", "0");
        var address = new Uri(await echo.ReadAsync("http://"));
        await using var events = await EventReader.OpenAsync(new Uri(address, "/sse?count=10&interval=500"));
        (await events.ReadAsync()).EventId.Should().Be("1");
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(new Uri(address, "/ws")) { Scheme = "ws" }.Uri, Until.Cancelled);
    }
}
