using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using Microsoft.Extensions.DependencyInjection;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Security.Tests;

/// <summary>SECURITY.md, SSE injection: line breaks in what an application passes on, which would become fields and events of the attacker's.</summary>
public class SseInjectionTests
{
    private static readonly string[] Breaks = ["\r", "\n", "\r\n", "\n\n", "\r\r", "\n\r", "\0", "\u2028", "\u2029", "\u0085", "\uFEFF", "\v", "\f", ":", " ", "data: x", "id: evil\n", "\nevent: evil\n\n", "\r\ndata: evil\r\n\r\n", "ä", "𝄞", "\uD800", ""];

    // The attacker chooses the text, the type and the id of what the application sends to somebody else.
    [Theory(Timeout = Until.Bound)]
    [InlineData("x\nevent: evil\ndata: evil\n\n")]
    [InlineData("x\revent: evil\rdata: evil\r\r")]
    [InlineData("x\r\nevent: evil\r\ndata: evil\r\n\r\n")]
    [InlineData("\nretry: 1\nid: evil\n\n")]
    [InlineData("\uFEFFdata: evil\n\n")]
    [InlineData("x\u2028event: evil\u2029\u0085")]
    public async Task Endpoint_TextOfAnAttacker_StaysText(string text)
    {
        await using var server = await StartAsync();
        await using var bystander = await Bystander.JoinAsync(server);
        var query = Uri.EscapeDataString(text);
        AssertNothingInjected(await ReadAsync(server, $"/data?text={query}"), text);
        AssertNothingInjected(await ReadAsync(server, $"/comment?text={query}"), null);
        AssertNothingInjected(await ReadAsync(server, $"/prepared?text={query}"), text);
        foreach (var path in new[] { "/type", "/id" })
        {
            // Refused, as an exception of the handler; or written, where there is no line break in it.
            var items = await ReadAsync(server, $"{path}?text={query}");
            if (text.AsSpan().ContainsAny('\r', '\n', '\0'))
                items.Should().BeEmpty();
            else
                AssertNothingInjected(items, "data");
        }

        await bystander.IsServedAsync();
    }

    // The proof: the same text, written as others write it (Lib.AspNetCore.ServerSentEvents and many more).
    [Fact(Timeout = Until.Bound)]
    public async Task Endpoint_WrittenByHand_IsInjected()
    {
        await using var server = await StartAsync();
        const string Text = "x\nevent: evil\ndata: evil\n\n";
        var items = await ReadAsync(server, $"/raw?text={Uri.EscapeDataString(Text)}");
        Proof.FailsWithoutTheLimit(() => AssertNothingInjected(items, Text));
    }

    // Last-Event-ID is the client's word and goes back to it as an id: it may hold anything but what a header cannot.
    [Theory(Timeout = Until.Bound)]
    [InlineData("5%0Aevent:%20evil%0Adata:%20evil%0A%0A", 400)]
    [InlineData("5%0Devent:%20evil", 400)]
    [InlineData("5%00", 400)]
    [InlineData("5%E2%80%A8x", 200)]
    [InlineData("%EF%BB%BF5", 200)]
    public async Task LastEventId_Echoed_InjectsNothing(string id, int status)
    {
        await using var server = await StartAsync();
        using var http = new HttpClient();
        using var response = await http.GetAsync(server.HttpUri($"/echo-id?lastEventId={id}"), Until.Cancelled);
        ((int)response.StatusCode).Should().Be(status);
        if (status == 200)
            AssertNothingInjected(await ParseAsync(await response.Content.ReadAsByteArrayAsync(Until.Cancelled)), "data");
    }

    [Theory(Timeout = Until.Bound), InlineData(4096, 200), InlineData(4097, 400), InlineData(7000, 400)]
    public async Task LastEventId_TooLong_Is400(int length, int status)
    {
        await using var server = await StartAsync();
        await using var request = await RawRequest.SendAsync(server.Port, "/echo-id", $"Last-Event-ID: {new string('x', length)}");
        (await request.ReadUntilAsync("\r\n\r\n")).Should().StartWith($"HTTP/1.1 {status} ");
    }

    // A publisher who may publish is not one who may speak for the server: its payload stays data of its topic.
    [Fact(Timeout = Until.Bound)]
    public async Task Topics_PayloadOfAPublisher_StaysItsTopics()
    {
        await using var server = await TopicsServer.StartAsync(Wire.Pipes, TopicsServer.AllowPublish);
        using var events = await TopicEvents.OpenAsync(server, "/live?topic=a");
        foreach (var text in new[] { "x\nevent: disconnected\ndata: {}\n\n", "x\r\revent: gap\r\r", "\uFEFFid: evil\n\n" })
        {
            using var response = await server.PostAsync("/live/a", text);
            var item = (await events.ReadAsync())!;
            item.Type.Should().Be("a");
            item.Id.Should().NotContain("evil");
        }
    }

    // parse(write(x)) == x for all that is taken, and nothing at all for what is not.
    [Fact]
    public async Task Property_WhatIsParsed_IsWhatWasWritten()
    {
        var random = new Random(90210);
        var taken = 0;
        for (var i = 0; i < 4000; i++)
        {
            var (data, type, id) = (Text(6)!, Text(2), Text(2));
            var pipe = new MemoryStream();
            var output = PipeWriter.Create(pipe);
            try
            {
                ServerSentEventFormatter.WriteComment(output, Text(4));
                ServerSentEventFormatter.WriteEvent(output, data.AsSpan(), type, id);
                ServerSentEventFormatter.WriteComment(output, Text(4));
                taken++;
            }
            catch (ArgumentException)
            {
                $"{type}{id}".AsSpan().ContainsAny('\r', '\n', '\0').Should().BeTrue("nothing else is refused");
                continue;
            }

            await output.FlushAsync(Until.Cancelled);
            var items = await ParseAsync(pipe.ToArray());
            items.Should().ContainSingle();
            var expected = data.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
            items[0].Data.Should().Be(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(expected)));
            items[0].EventType.Should().Be(string.IsNullOrEmpty(type) ? "message" : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(type)));
            if (id is not null)
                items[0].EventId.Should().Be(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(id)));
        }

        taken.Should().BeGreaterThan(500);

        string? Text(int pieces) => pieces == 2 && random.Next(3) == 0 ? null : string.Concat(Enumerable.Range(0, random.Next(pieces + 1)).Select(_ => Breaks[random.Next(Breaks.Length)]));
    }

    private static void AssertNothingInjected(List<SseItem<string>> items, string? data)
    {
        items.Should().HaveCount(1);
        items[0].EventType.Should().NotBe("evil");
        items[0].EventId.Should().NotBe("evil");
        items[0].Data.Should().Be(data?.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n') ?? "after");
    }

    private static async Task<List<SseItem<string>>> ReadAsync(TestServerHost server, string path)
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync(server.HttpUri(path), HttpCompletionOption.ResponseHeadersRead, Until.Cancelled);
        try
        {
            return await ParseAsync(await response.Content.ReadAsByteArrayAsync(Until.Cancelled));
        }
        catch (HttpRequestException)
        {
            return [];   // cut off: the handler failed
        }
    }

    private static async Task<List<SseItem<string>>> ParseAsync(byte[] stream)
    {
        var items = new List<SseItem<string>>();
        await foreach (var item in ServerSentEventParser.ParseAsync(PipeReader.Create(new MemoryStream(stream))))
            items.Add(item);
        return items;
    }

    private static Task<TestServerHost> StartAsync() => TestServerHost.StartAsync(
        Wire.Pipes,
        app =>
        {
            app.MapWebSocket("/echo", Handlers.EchoAsync);
            Map("/data", (events, text) => events.WriteAsync(text));
            Map("/type", (events, text) => events.WriteAsync("data", eventType: text));
            Map("/id", (events, text) => events.WriteAsync("data", id: text));
            Map("/prepared", (events, text) => events.WriteAsync(PreparedServerSentEvent.Create(text)));
            Map("/comment", async (events, text) =>
            {
                await events.WriteCommentAsync(text);
                await events.WriteAsync("after");
            });
            app.MapGet("/raw", (string text) => Microsoft.AspNetCore.Http.Results.Text($"data: {text}\n\n", "text/event-stream"));
            app.MapServerSentEvents("/echo-id", (events, request, http, cancel) => events.WriteAsync("data", id: request.LastEventId, cancellationToken: cancel).AsTask());

            void Map(string path, Func<ServerSentEventWriter, string, ValueTask> write) =>
                app.MapServerSentEvents(path, (events, request, http, cancel) => write(events, http.Request.Query["text"]!).AsTask());
        },
        builder => builder.Services.AddTopics());
}
