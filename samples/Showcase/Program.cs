using System.Net;
using RealtimeKit.Samples.Showcase;
using RealtimeKit.Samples.Showcase.Pages;

// dotnet run --project samples/Showcase
if (ShowcaseOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine("showcase: [--port PORT] [--self-test FOLDER]");
    return 2;
}

var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Limits.MaxRequestBodySize = 16 * 1024;
    kestrel.Limits.MaxConcurrentConnections = 1000;
    kestrel.Limits.MaxConcurrentUpgradedConnections = 500;
    kestrel.Listen(IPAddress.Loopback, options.Port, listen => listen.UseWireCount());
});

Chat.Add(builder.Services);
Ticker.Add(builder.Services);
LiveSports.Add(builder.Services);
Collaboration.Add(builder.Services);
Game.Add(builder.Services);
Sensors.Add(builder.Services);
Inspector.Add(builder.Services);
Comparison.Add(builder.Services);

await using var app = builder.Build();
app.UseWireCount();
app.UseSecurityHeaders();
app.UseStaticFiles();
app.MapSite();
Chat.Map(app);
Ticker.Map(app);
LiveSports.Map(app);
Collaboration.Map(app);
Game.Map(app);
Sensors.Map(app);
Inspector.Map(app);
Comparison.Map(app);
if (options.SelfTest is not null)
    app.MapSelfTest(options.SelfTest);

try
{
    await app.StartAsync();
}
catch (IOException error)
{
    Console.Error.WriteLine($"showcase: {error.Message}");
    return 1;
}

Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}");
await app.WaitForShutdownAsync();
return 0;
