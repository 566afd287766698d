using Microsoft.Extensions.Time.Testing;
using static RealtimeKit.Topics.Tests.Entries;

namespace RealtimeKit.Topics.Tests;

public class TopicLogTests
{
    private static readonly TopicPosition Start = new(Epoch, 0);

    [Fact]
    public void Read_EveryPosition_GivesTheEntriesAfterIt()
    {
        var log = new TopicLog("t", new TopicOptions { HistoryCount = 10 }, Start);
        for (var i = 1UL; i <= 25; i++)
            log.TryAppend(Entry(i)).Should().BeTrue();

        log.Floor.Should().Be(new TopicPosition(Epoch, 15));
        var buffer = new TopicEntry[100];
        for (var after = 0UL; after <= 30; after++)
        {
            var found = log.Read(new TopicPosition(Epoch, after), buffer, out var count);

            found.Should().Be(after is < 15 or > 25 ? TopicLogRead.OutsideWindow : after == 25 ? TopicLogRead.CaughtUp : TopicLogRead.Entries);
            buffer.Take(count).Select(entry => entry.Position.Offset).Should().Equal(found == TopicLogRead.Entries ? Range(after + 1, 25) : []);
        }

        log.Read(new TopicPosition(Epoch + 1, 20), buffer, out _).Should().Be(TopicLogRead.OutsideWindow);
    }

    [Fact]
    public void Read_OffsetsWithHoles_FindsTheNext()
    {
        var log = new TopicLog("t", new TopicOptions { HistoryCount = 100 }, new TopicPosition(Epoch, 10));
        ulong[] offsets = [12, 13, 20, 21, 22, 40];
        foreach (var offset in offsets)
            log.TryAppend(Entry(offset));

        var buffer = new TopicEntry[10];
        for (var after = 10UL; after < 40; after++)
        {
            log.Read(new TopicPosition(Epoch, after), buffer, out var count).Should().Be(TopicLogRead.Entries);
            buffer.Take(count).Select(entry => entry.Position.Offset).Should().Equal(offsets.Where(offset => offset > after));
        }
    }

    [Fact]
    public void Read_SmallDestination_GivesTheOldest()
    {
        var log = new TopicLog("t", new TopicOptions(), Start);
        for (var i = 1UL; i <= 5; i++)
            log.TryAppend(Entry(i));

        var buffer = new TopicEntry[2];
        log.Read(new TopicPosition(Epoch, 1), buffer, out var count).Should().Be(TopicLogRead.Entries);

        count.Should().Be(2);
        buffer.Select(entry => entry.Position.Offset).Should().Equal(2UL, 3UL);
    }

    [Fact]
    public void TryAppend_OldOrForeignEntry_IsRefused()
    {
        var log = new TopicLog("t", new TopicOptions(), new TopicPosition(Epoch, 5));

        log.TryAppend(Entry(5)).Should().BeFalse();
        log.TryAppend(Entry(6)).Should().BeTrue();
        log.TryAppend(Entry(6)).Should().BeFalse();
        log.Invoking(log => log.TryAppend(Entry(7, topic: "u"))).Should().Throw<ArgumentException>();
        log.Invoking(log => log.TryAppend(Entry(7, epoch: Epoch + 1))).Should().Throw<ArgumentException>();
        log.Count.Should().Be(1);
    }

    [Fact]
    public void TryAppend_OverTheBytes_DropsTheOldestButKeepsTheNewest()
    {
        var log = new TopicLog("t", new TopicOptions { HistoryBytes = 3000 }, Start);
        for (var i = 1UL; i <= 10; i++)
            log.TryAppend(Entry(i, payload: new string('x', 744)));

        log.Count.Should().Be(3, "an entry costs its payload and 256 bytes");
        log.Bytes.Should().Be(3000);

        log.TryAppend(Entry(11, payload: new string('x', 10_000)));
        log.Count.Should().Be(1);
        log.Floor.Should().Be(new TopicPosition(Epoch, 10));
    }

    [Fact]
    public void Trim_TooOld_DropsEverythingAndKeepsThePosition()
    {
        var clock = new FakeTimeProvider();
        var log = new TopicLog("t", new TopicOptions { HistoryAge = TimeSpan.FromMinutes(1) }, Start, clock);
        log.TryAppend(Entry(1, publishedAt: clock.GetUtcNow()));
        clock.Advance(TimeSpan.FromSeconds(40));
        log.TryAppend(Entry(2, publishedAt: clock.GetUtcNow()));
        clock.Advance(TimeSpan.FromSeconds(40));

        log.Trim();
        (log.Count, log.Floor.Offset).Should().Be((1, 1UL));
        clock.Advance(TimeSpan.FromSeconds(40));
        log.Trim();

        (log.Count, log.Bytes, log.Floor, log.Position).Should().Be((0, 0L, new TopicPosition(Epoch, 2), new TopicPosition(Epoch, 2)));
        log.Read(new TopicPosition(Epoch, 2), new TopicEntry[1], out _).Should().Be(TopicLogRead.CaughtUp);
        log.Read(new TopicPosition(Epoch, 1), new TopicEntry[1], out _).Should().Be(TopicLogRead.OutsideWindow);
        log.TryAppend(Entry(3, publishedAt: clock.GetUtcNow())).Should().BeTrue();
    }

    [Fact]
    public void Reset_NewEpoch_HoldsNothingOfTheOld()
    {
        var log = new TopicLog("t", new TopicOptions(), Start);
        log.TryAppend(Entry(1));

        log.Reset(new TopicPosition(Epoch + 1, 4));

        (log.Count, log.Bytes, log.Position, log.Floor).Should().Be((0, 0L, new TopicPosition(Epoch + 1, 4), new TopicPosition(Epoch + 1, 4)));
        log.TryAppend(Entry(5, epoch: Epoch + 1)).Should().BeTrue();
    }

    [Fact]
    public void TryAppend_ConflatingTopic_MarksOnlyTheOlderOfAKey()
    {
        var log = new TopicLog("t", new TopicOptions { SlowConsumers = SlowConsumerPolicy.Conflate, HistoryCount = 3 }, Start);
        TopicEntry[] entries = [Entry(1, key: "a"), Entry(2, key: "b"), Entry(3, key: "a"), Entry(4), Entry(5, key: "b"), Entry(6, key: "c"), Entry(7, key: "a")];
        foreach (var entry in entries)
            log.TryAppend(entry);

        // Entry 3 had left the log when 7 came: nobody reads it any more, so it need not be marked.
        entries.Select(entry => entry.IsSuperseded).Should().Equal(true, true, false, false, false, false, false);
    }

    [Fact]
    public void TryAppend_ManyEntries_AllocatesNothing()
    {
        var log = new TopicLog("t", new TopicOptions { HistoryCount = 64 }, Start);
        var entries = Range(1, 4000).Select(offset => Entry(offset)).ToArray();
        foreach (var entry in entries.AsSpan(0, 1000))
            log.TryAppend(entry);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var entry in entries.AsSpan(1000))
            log.TryAppend(entry);

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    private static IEnumerable<ulong> Range(ulong first, ulong last)
    {
        for (var i = first; i <= last; i++)
            yield return i;
    }
}
