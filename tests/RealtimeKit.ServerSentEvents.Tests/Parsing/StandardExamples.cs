namespace RealtimeKit.ServerSentEvents.Tests;

/// <summary>Streams that the standard shows or that its rules single out, with what must come of them.</summary>
public static class StandardExamples
{
    private static ParsedItem Event(string data, string type = "message", string id = "", bool hasId = false, string? retry = null) =>
        new("event", data, type, id, hasId, retry);

    private static ParsedItem Comment(string text) => new("comment", text);

    public static TheoryData<string, ParsedItem[]> All => new()
    {
        // WHATWG HTML §9.2.6, "data: YHOO"
        { "data: YHOO\ndata: +2\ndata: 10\n\n", [Event("YHOO\n+2\n10")] },

        // WHATWG HTML §9.2.6, four blocks: an id, an id that is reset, an unfinished block
        {
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            [Comment("test stream"), Event("first event", id: "1", hasId: true), Event("second event", hasId: true)]
        },
        {
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [Comment("test stream"), Event("first event", id: "1", hasId: true), Event("second event", hasId: true), Event(" third event")]
        },

        // WHATWG HTML §9.2.6: "data" alone is a field, and an event needs a blank line
        { "data\n\ndata\ndata\n\ndata:", [Event(""), Event("\n")] },

        // WHATWG HTML §9.2.6: one space is ignored
        { "data:test\n\ndata: test\n\n", [Event("test"), Event("test")] },
        { "data:  two\n\ndata:\tx\n\n", [Event(" two"), Event("\tx")] },

        // §9.2.4, named events
        { "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n", [Event("73857293", "add"), Event("2153", "remove")] },
        { "event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", [Event("1", "b"), Event("2")] },
        { "event:\ndata: 1\n\n", [Event("1")] },
        { "event: lost\n\ndata: 1\n\n", [Event("1")] },

        // Line ends
        { "data: 1\r\rdata: 2\r\n\r\ndata: 3\n\n", [Event("1"), Event("2"), Event("3")] },
        { "data: 1\rdata: 2\r\ndata: 3\n\r", [Event("1\n2\n3")] },
        { "data: 1\n\r\ndata: 2\r\n\n", [Event("1"), Event("2")] },
        { "data: 1\r\n\r", [Event("1")] },

        // The byte order mark
        { "\uFEFFdata: 1\n\n\uFEFFdata: 2\n\ndata: 3\n\n", [Event("1"), Event("3")] },
        { "\uFEFF\uFEFFdata: 1\n\n", [] },
        { "\uFEFF\n\ndata: 1\n\n", [Event("1")] },
        { "\uFEFF: c\n", [Comment("c")] },

        // Ids: kept, reset, moved by a block without data, refused with NUL
        { "id: 1\ndata: a\n\ndata: b\n\n", [Event("a", id: "1", hasId: true), Event("b", id: "1")] },
        { "id: 1\n\ndata: b\n\n", [Event("b", id: "1")] },
        { "id: 1\ndata: a\n\nid: x\0y\ndata: b\n\n", [Event("a", id: "1", hasId: true), Event("b", id: "1")] },
        { "id: 1\ndata: a\n\nid\ndata: b\n\n", [Event("a", id: "1", hasId: true), Event("b", hasId: true)] },
        { "id:  7\ndata: a\n\n", [Event("a", id: " 7", hasId: true)] },

        // Retry: digits only
        { "retry: 1000\ndata: a\n\n", [new("retry", "1000"), Event("a", retry: "1000")] },
        { "retry: 10s\nretry: -1\nretry: 1.5\nretry:\nretry\nretry:  5\nretry: \u0661\ndata: a\n\n", [Event("a")] },
        { "retry: 007\n\n", [new("retry", "007")] },

        // Comments and unknown fields
        { ":\n:x\n: y\n::\n", [Comment(""), Comment("x"), Comment("y"), Comment(":")] },
        { "data: 1\n: between\ndata: 2\n\n", [Comment("between"), Event("1\n2")] },
        { "Data: 1\ndatas: 1\ndat: 1\n data: 1\ndata : 1\nevents: 1\nidx: 1\nretrys: 1\n\n", [] },
        { "data: a:b: c\n\n", [Event("a:b: c")] },
        { "id", [] },
        { "", [] },
        { "\n\n\r\r\n", [] },
    };
}
