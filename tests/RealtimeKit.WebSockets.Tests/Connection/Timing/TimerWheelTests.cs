using Microsoft.Extensions.Time.Testing;

namespace RealtimeKit.WebSockets.Tests.Connection.Timing;

public class TimerWheelTests
{
    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(255)]
    public void Schedule_Delay_VisitsInThatTick(int ticks)
    {
        var wheel = TimerWheel.For(_clock);
        var entry = new Entry(() => Timeout.InfiniteTimeSpan);
        wheel.Schedule(entry, TimerWheel.Tick * ticks);

        Turn(ticks - 1);
        entry.Visits.Should().Be(0);
        Turn(1);
        entry.Visits.Should().Be(1);
        Turn(600);
        entry.Visits.Should().Be(1, "an infinite delay means no other visit");
    }

    [Fact]
    public void Schedule_BeyondTheHorizon_VisitsAtTheHorizon()
    {
        var wheel = TimerWheel.For(_clock);
        var entry = new Entry(() => TimeSpan.FromHours(1));
        wheel.Schedule(entry, TimeSpan.FromHours(1));
        Turn(255);
        entry.Visits.Should().Be(1);
        Turn(254);
        entry.Visits.Should().Be(1);
        Turn(1);
        entry.Visits.Should().Be(2);
    }

    [Fact]
    public void EnsureWithin_EntryFarAway_VisitsSooner()
    {
        var wheel = TimerWheel.For(_clock);
        var entry = new Entry(() => TimeSpan.FromHours(1));
        wheel.Schedule(entry, TimeSpan.FromHours(1));
        wheel.EnsureWithin(entry, 4);
        Turn(4);
        entry.Visits.Should().Be(1);
    }

    // The visit has looked already, and what wants the next one soon happens before it has returned.
    [Fact]
    public void EnsureWithin_DuringTheVisit_IsNotForgotten()
    {
        var wheel = TimerWheel.For(_clock);
        Entry? entry = null;
        entry = new Entry(() =>
        {
            wheel.EnsureWithin(entry!, 4);
            return TimeSpan.FromHours(1);
        });
        wheel.Schedule(entry, TimerWheel.Tick);
        Turn(1);
        entry.Visits.Should().Be(1);
        Turn(4);
        entry.Visits.Should().Be(2);
    }

    [Fact]
    public void Remove_DuringTheVisitOrBefore_NoMoreVisits()
    {
        var wheel = TimerWheel.For(_clock);
        Entry? first = null;
        var second = new Entry(() => TimerWheel.Tick);
        first = new Entry(() =>
        {
            wheel.Remove(first!);
            wheel.Remove(second);
            return TimerWheel.Tick;
        });
        wheel.Schedule(second, TimerWheel.Tick);
        wheel.Schedule(first, TimerWheel.Tick);   // the last one scheduled for a tick is visited first
        Turn(300);
        first.Visits.Should().Be(1);
        second.Visits.Should().Be(0);
    }

    [Fact]
    public void Visits_ManyEntriesAtRandom_EachInItsTick()
    {
        var wheel = TimerWheel.For(_clock);
        var random = new Random(1);
        var turn = 0;
        var late = new List<string>();
        for (var i = 0; i < 500; i++)
        {
            var due = 0;
            Entry? entry = null;
            entry = new Entry(() =>
            {
                if (turn != due)
                    late.Add($"due {due}, visited {turn}");
                due = turn + random.Next(1, 256);
                return TimerWheel.Tick * (due - turn);
            });
            due = random.Next(1, 256);
            wheel.Schedule(entry, TimerWheel.Tick * due);
        }

        for (turn = 1; turn < 1000; turn++)
            _clock.Advance(TimerWheel.Tick);
        late.Should().BeEmpty();
    }

    private void Turn(int ticks)
    {
        for (var i = 0; i < ticks; i++)
            _clock.Advance(TimerWheel.Tick);
    }

    private sealed class Entry(Func<TimeSpan> onDue) : TimerWheelEntry
    {
        public int Visits { get; private set; }

        public override TimeSpan OnDue()
        {
            Visits++;
            return onDue();
        }
    }
}
