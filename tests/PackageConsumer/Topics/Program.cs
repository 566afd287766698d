using System.Text;
using RealtimeKit.Topics;

await using var hub = new TopicHub();
var cursor = await hub.GetCursorAsync(["scores"]);
await hub.PublishAsync("scores", "1:0");
await hub.PublishAsync("scores", "1:1");
await foreach (var item in hub.ReadAllAsync(["scores"], cursor))
{
    if (item.Kind == TopicItemKind.Entry)
        Console.WriteLine($"{item.Topic} {Encoding.UTF8.GetString(item.Entry.Payload.Span)}");
}
