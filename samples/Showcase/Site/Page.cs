namespace RealtimeKit.Samples.Showcase;

/// <summary>A page of the site.</summary>
/// <param name="Path">Its path, and the name of its view and its script.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Lead">One sentence.</param>
/// <param name="Protocol">What it runs on.</param>
/// <param name="Sources">The files that are shown, the endpoint's first.</param>
internal sealed record Page(string Path, string Title, string Lead, string Protocol, params string[] Sources)
{
    public static IReadOnlyList<Page> All { get; } =
    [
        new("chat", "Chat", "A room with names, presence and history. Text stays text, whatever it looks like.", "WebSocket", "Chat.cs", "People.cs"),
        new("ticker", "Ticker", "Forty prices a second, and the news. A tab that falls behind gets the newest price of each share, and is told what it skipped.", "Server-Sent Events", "Ticker.cs", "PacedSubscriber.cs", "StockExchange.cs"),
        new("sports", "Live sports", "Three matches over one stream. Go offline and come back: nothing is missing, nothing comes twice.", "Server-Sent Events", "LiveSports.cs", "MatchDay.cs"),
        new("collaboration", "Collaborative editing", "Yjs and y-websocket from npm, unmodified. The server’s half is C#, and needs no Yjs.", "WebSocket", "Collaboration.cs", "YRoom.cs", "YMember.cs", "YMessage.cs", "YAwareness.cs"),
        new("game", "Game loop", "Sixty steps a second on the server, one binary frame for everybody. Catch the coin.", "WebSocket", "Game.cs", "GameLoop.cs", "World.cs", "Player.cs"),
        new("sensors", "Sensors", "Ten readings a second, plotted. After a pause the plots have no hole.", "Server-Sent Events", "Sensors.cs", "SensorLog.cs"),
        new("inspector", "Inspector", "One connection under the lens: round trips, bytes, close codes, and the library’s own meters and spans.", "WebSocket + SSE", "Inspector.cs", "MeterReader.cs", "TraceReader.cs"),
        new("comparison", "WebSocket or SSE?", "The same messages over both at once: latency, bytes on the wire, and what happens when the connection breaks.", "WebSocket + SSE", "Comparison.cs", "Beats.cs", "WireCount.cs"),
    ];
}
