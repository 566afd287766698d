using System.Text;
using RealtimeKit.Topics;

namespace RealtimeKit.Redis.Tests;

/// <summary>What a subscriber was given of a topic, and the gaps that it was told, in their order.</summary>
internal sealed class TopicRecord
{
    private readonly Lock _lock = new();
    private readonly List<object> _items = [];
    private TopicPosition _position;

    public TopicRecord(TopicPosition start) => Start = _position = start;

    public TopicPosition Start { get; }

    /// <summary>Where the subscriber is.</summary>
    public TopicPosition Position
    {
        get
        {
            lock (_lock)
                return _position;
        }
    }

    public IReadOnlyList<TopicEntry> Entries => [.. Items().OfType<TopicEntry>()];

    public IReadOnlyList<TopicGap> Gaps => [.. Items().OfType<TopicGap>()];

    public IReadOnlyList<string> Payloads => [.. Entries.Select(static entry => Encoding.UTF8.GetString(entry.Payload.Span))];

    public void Add(TopicGap gap)
    {
        lock (_lock)
        {
            _items.Add(gap);
            _position = gap.To;
        }
    }

    public void Add(TopicEntry entry)
    {
        lock (_lock)
        {
            _items.Add(entry);
            _position = entry.Position;
        }
    }

    /// <summary>
    /// The record must be in order, without duplicates, with a gap wherever something is left out; and what was published after the start
    /// is in it or in a gap.
    /// </summary>
    public void ShouldBeHonest(IEnumerable<KeyValuePair<TopicPosition, string>> acknowledged)
    {
        var position = Start;
        var seen = new Dictionary<TopicPosition, string>();
        foreach (var item in Items())
        {
            if (item is TopicGap gap)
            {
                gap.From.Should().Be(position, "a gap begins where the subscriber is");
                gap.To.Should().NotBe(gap.From);
                position = gap.To;
            }
            else
            {
                var entry = (TopicEntry)item;
                entry.Position.Should().Be(position with { Offset = position.Offset + 1 }, "nothing is left out or repeated in silence");
                seen.Add(entry.Position, Encoding.UTF8.GetString(entry.Payload.Span));
                position = entry.Position;
            }
        }

        var gaps = Gaps;
        foreach (var (published, payload) in acknowledged)
        {
            if (published <= Start)
                continue;
            if (seen.TryGetValue(published, out var got))
                got.Should().Be(payload);
            else if (!gaps.Any(gap => gap.From < published && published <= gap.To))
                gaps.Should().Contain(gap => gap.From < published && published <= gap.To, "{0} was acknowledged as {1}", payload, published);
        }
    }

    private object[] Items()
    {
        lock (_lock)
            return [.. _items];
    }
}
