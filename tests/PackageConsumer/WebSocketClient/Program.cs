using System.Net.WebSockets;
using RealtimeKit.WebSockets;

await using var connection = await WebSocketClient.ConnectAsync(new Uri(args[0]));   // ws:// or wss://
await connection.SendAsync("Hello");
await foreach (var message in connection.ReadAllAsync())
{
    Console.WriteLine(message.GetText());
    await connection.CloseAsync(WebSocketCloseStatus.NormalClosure);
}
