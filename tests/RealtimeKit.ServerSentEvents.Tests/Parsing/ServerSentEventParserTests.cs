using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace RealtimeKit.ServerSentEvents.Tests;

public class ServerSentEventParserTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task ParseAsync_StreamInAnyReads_GivesTheStandardsEvents()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var stream = RandomStreams.Create(seed);
            var expected = ReferenceParser.Parse(stream, comments: false, retries: false).Items
                .Select(item => (item.EventType, item.Data, item.HasId ? item.LastEventId : null)).ToList();

            var fromStream = await Collect(ServerSentEventParser.ParseAsync(new TrickleStream(stream, seed % 17), cancellationToken: Cancel));
            var fromPipe = await Collect(ServerSentEventParser.ParseAsync(PipeReader.Create(new TrickleStream(stream, seed % 17)), cancellationToken: Cancel));

            fromStream.Should().Equal(expected, "seed {0}", seed);
            fromPipe.Should().Equal(expected, "seed {0}", seed);
        }

        static async Task<List<(string?, string, string?)>> Collect(IAsyncEnumerable<SseItem<string>> events)
        {
            var items = new List<(string?, string, string?)>();
            await foreach (var item in events)
                items.Add((item.EventType, item.Data, item.EventId));
            return items;
        }
    }

    [Fact]
    public async Task ParseAsync_WhereSemanticsAgree_EqualsTheFrameworksParser()
    {
        // The framework's parser keeps an event's fields across a block without data, gives an empty type for an empty event field,
        // waits after a CR and knows no unfinished UTF-8 in types; these streams leave that out.
        var random = new Random(1);
        string[] lines = ["data: a\n", "data:b\n", "data\n", "data: \u00e9\u4e16\n", ": c\n", "x: y\n", "event: t\ndata: e\n\n", "id: 5\ndata: i\n\n", "retry: 20\ndata: r\n\n", "data: z\n\n"];
        for (var round = 0; round < 300; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => lines[random.Next(lines.Length)])) + "data: end\n\n";
            var bytes = Encoding.UTF8.GetBytes(text);

            var theirs = SseParser.Create(new MemoryStream(bytes)).Enumerate().ToList();
            var ours = new List<SseItem<string>>();
            await foreach (var item in ServerSentEventParser.ParseAsync(new MemoryStream(bytes), cancellationToken: Cancel))
                ours.Add(item);

            ours.Select(Show).Should().Equal(theirs.Select(Show), "{0}", text);
        }

        static string Show(SseItem<string> item) => $"{item.EventType}|{item.Data}|{item.EventId}|{item.ReconnectionInterval}";
    }

    [Fact]
    public async Task ParseAsync_Json_GivesValues()
    {
        var stream = new MemoryStream("event: tick\ndata: {\"Price\":1.5}\n\ndata: null\n\n"u8.ToArray());

        var items = new List<SseItem<Tick?>>();
        await foreach (var item in ServerSentEventParser.ParseAsync(stream, TestJson.Default.Tick, cancellationToken: Cancel))
            items.Add(item);

        items.Select(item => item.Data).Should().Equal(new Tick(1.5m), null);
        items[0].EventType.Should().Be("tick");
    }

    [Fact]
    public async Task ParseAsync_NotTheJsonAskedFor_ThrowsJsonException()
    {
        var events = ServerSentEventParser.ParseAsync(new MemoryStream("data: {\n\n"u8.ToArray()), TestJson.Default.Tick, cancellationToken: Cancel);

        await events.Invoking(async e => await e.FirstAsync(Cancel)).Should().ThrowAsync<JsonException>();
    }

    [Fact]
    public async Task ParseAsync_Delegate_SeesTypeAndBytes()
    {
        var pipe = PipeReader.Create(new MemoryStream("event: a\ndata: 12\n\ndata: 345\n\n"u8.ToArray()));

        var items = new List<string>();
        await foreach (var item in ServerSentEventParser.ParseAsync(pipe, static (type, data) => $"{type}{data.Length}", cancellationToken: Cancel))
            items.Add(item.Data);

        items.Should().Equal("a2", "message3");
    }

    [Fact]
    public async Task ParseAsync_LimitBroken_GivesEarlierEventsThenThrows()
    {
        var stream = new MemoryStream(Encoding.UTF8.GetBytes("data: 1\n\ndata: " + new string('x', 2000)));
        await using var events = ServerSentEventParser.ParseAsync(stream, new ServerSentEventParserOptions { MaxLineLength = 1000 }, Cancel).GetAsyncEnumerator(Cancel);

        (await events.MoveNextAsync()).Should().BeTrue();
        (await events.Invoking(async e => await e.MoveNextAsync()).Should().ThrowAsync<ServerSentEventLimitException>())
            .Which.Limit.Should().Be(ServerSentEventLimit.MaxLineLength);
    }

    [Fact]
    public async Task ParseAsync_EventComplete_IsGivenBeforeTheStreamGoesOn()
    {
        var pipe = new Pipe();
        await using var events = ServerSentEventParser.ParseAsync(pipe.Reader, cancellationToken: Cancel).GetAsyncEnumerator(Cancel);
        var next = events.MoveNextAsync().AsTask();

        await pipe.Writer.WriteAsync("data: 1\r\n"u8.ToArray(), Cancel);
        next.IsCompleted.Should().BeFalse();
        await pipe.Writer.WriteAsync("\r"u8.ToArray(), Cancel);

        (await next.WaitAsync(TimeSpan.FromSeconds(30), Cancel)).Should().BeTrue();
        events.Current.Data.Should().Be("1");
    }

    [Fact]
    public async Task ParseAsync_ConsumerStopsEarly_LeavesTheRestInThePipe()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync("data: 1\n\ndata: 2\n\n"u8.ToArray(), Cancel);

        (await ServerSentEventParser.ParseAsync(pipe.Reader, cancellationToken: Cancel).FirstAsync(Cancel)).Data.Should().Be("1");

        var rest = await pipe.Reader.ReadAsync(Cancel);
        Encoding.UTF8.GetString(rest.Buffer).Should().Be("data: 2\n\n");
    }

    [Fact]
    public async Task ParseAsync_Cancelled_Throws()
    {
        using var cancellation = new CancellationTokenSource();
        await using var events = ServerSentEventParser.ParseAsync(new Pipe().Reader, cancellationToken: Cancel).GetAsyncEnumerator(cancellation.Token);
        var next = events.MoveNextAsync().AsTask();

        await cancellation.CancelAsync();

        await next.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task ParseAsync_SecondEnumeration_Throws()
    {
        var events = ServerSentEventParser.ParseAsync(new MemoryStream(), cancellationToken: Cancel);
        await events.CountAsync(Cancel);

        events.Invoking(e => e.GetAsyncEnumerator(Cancel)).Should().Throw<InvalidOperationException>();
    }

    /// <summary>Gives a few bytes at a time; 0 gives all.</summary>
    private sealed class TrickleStream(byte[] bytes, int most) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(most == 0 || buffer.Length < most ? buffer : buffer[..most], cancellationToken);
    }
}
