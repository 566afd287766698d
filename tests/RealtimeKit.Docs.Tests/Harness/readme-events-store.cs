using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

static class Check
{
    public static async Task RunAsync()
    {
        var orders = new Store();
        await using var site = await Site.StartAsync(app => app.MapServerSentEvents("/orders", OrderJson.Default.Order, (request, http) => After(request.LastEventId)));

        string? last;
        orders.Add("tea");
        await using (var stream = await EventReader.OpenAsync(site.Uri("/orders")))
        {
            (await stream.ReadAsync("order")).Data.Should().Be("""{"id":1,"what":"tea"}""");
            orders.Add("milk");
            var item = await stream.ReadAsync("order");
            item.Data.Should().Contain("milk");
            last = item.EventId;
        }

        orders.Add("bread");
        orders.Add("salt");
        await using var again = await EventReader.OpenAsync(site.Uri("/orders"), last);
        (await again.ReadAsync("order")).Data.Should().Contain("bread", "it came while nobody was connected");
        (await again.ReadAsync("order")).Data.Should().Contain("salt");
        orders.Add("oil");
        (await again.ReadAsync("order")).EventId.Should().Be("5");

/*SNIPPET*/
    }
}

sealed record Order(long Id, string What);

[JsonSerializable(typeof(Order))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
sealed partial class OrderJson : JsonSerializerContext;

sealed class Store
{
    private readonly List<Order> _rows = [];
    private TaskCompletionSource _more = new();

    public void Add(string what)
    {
        lock (_rows)
        {
            _rows.Add(new Order(_rows.Count + 1, what));
            _more.SetResult();
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public async IAsyncEnumerable<Order> ReadAfterAsync(long last, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.Yield();
        Order[] rows;
        lock (_rows)
            rows = [.. _rows.Where(row => row.Id > last)];
        foreach (var row in rows)
            yield return row;
    }

    public Task WaitForMoreAsync(long last, CancellationToken cancel)
    {
        lock (_rows)
            return _rows.Count > last ? Task.CompletedTask : _more.Task.WaitAsync(cancel);
    }
}
