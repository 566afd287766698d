using Microsoft.AspNetCore.SignalR.Client;

static class Check
{
    public static async Task RunAsync(Site site, CancellationToken cancel)
    {
        await using var client = new HubConnectionBuilder().WithUrl(site.Uri("/hub")).Build();
        var goal = new TaskCompletionSource<string>();
        client.On<string>("goal", goal.SetResult);
        await client.StartAsync(cancel);
        await client.InvokeAsync("Join", "scores", cancel);
        (await site.Http.PostAsync(site.Uri("/goals/Alpha"), null, cancel)).EnsureSuccessStatusCode();
        (await goal.Task.WaitAsync(cancel)).Should().Be("Goal for Alpha!");
    }
}
