using System.Net;

var listener = new HttpListener { Prefixes = { "http://127.0.0.1:5080/" } };
await listener
    .MapWebSocket("/echo", async connection =>
    {
        await foreach (var message in connection.ReadAllAsync())
            await connection.SendAsync(message.Payload, message.Type);
    })
    .MapServerSentEvents("/clock", async (events, closed) =>
    {
        while (true)
        {
            await events.WriteAsync(DateTimeOffset.Now.ToString("T"));
            await Task.Delay(1000, closed);
        }
    })
    .RunAsync();
