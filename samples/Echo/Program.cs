using System.Net;
using RealtimeKit.Samples.Echo;

EchoOptions options;
try
{
    options = EchoOptions.Parse(args);
}
catch (FormatException error)
{
    Console.Error.WriteLine($"echo: {error.Message}");
    return 2;
}

if (options.Host == "httplistener")
    return await ListenerHost.RunAsync(options);

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
{
    listen.Protocols = options.Protocols;
    if (options.Https)
        listen.UseHttps(SelfSigned.Create());
}));

builder.Services.AddTopics(topics => TopicsEndpoint.Configure(topics, options));

await using var app = builder.Build();
app.MapEcho(options);
app.MapSse(options);
app.MapTopics(options);
if (options.Stats)
    app.MapStats();

try
{
    await app.StartAsync();
}
catch (IOException error)
{
    Console.Error.WriteLine($"echo: {error.Message}");
    return 1;
}

Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}");
await app.WaitForShutdownAsync();
return 0;
