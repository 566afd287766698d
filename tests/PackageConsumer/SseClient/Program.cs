using RealtimeKit.ServerSentEvents;

await using var client = new ServerSentEventClient(new Uri(args[0]));
await foreach (var item in client.ReadAllAsync())   // reconnects, and resumes after the last id
    Console.WriteLine($"{item.EventType}: {item.Data}");
