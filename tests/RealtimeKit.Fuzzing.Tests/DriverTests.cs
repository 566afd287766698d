namespace RealtimeKit.Fuzzing.Tests;

/// <summary>A fuzzer that finds nothing proves nothing: it is given something to find.</summary>
public sealed class DriverTests
{
    [Fact]
    public void Fuzzer_PlantedBug_FoundMinimizedAndOnce()
    {
        var target = new Planted(static input =>
        {
            if (input.AsSpan().IndexOf("bug"u8) >= 0)
                throw new InvalidOperationException("planted");
        });
        var fuzzer = new Fuzzer(target, 1, new Executor(target));
        fuzzer.Run(static run => run.Executions > 30_000);
        fuzzer.Finds.Should().ContainSingle().Which.Input.Should().Equal("bug"u8.ToArray());
    }

    [Fact]
    public void Fuzzer_SameSeed_SameInputs()
    {
        Inputs(7).Should().Equal(Inputs(7));
        Inputs(7).Should().NotEqual(Inputs(8));

        static List<ulong> Inputs(ulong seed)
        {
            var inputs = new List<ulong>();
            var target = new Planted(input => inputs.Add(FuzzRandom.Mix(0, input)));
            new Fuzzer(target, seed, new Executor(target)).Run(static run => run.Executions > 500);
            return inputs;
        }
    }

    [Fact]
    public void Watchdog_EndlessLoop_EndsItAndKeepsTheInput()
    {
        var path = Path.GetTempFileName();
        using var ended = new ManualResetEventSlim();
        var code = 0;
        using (var watchdog = new Watchdog(path, TimeSpan.FromMilliseconds(50), exit =>
        {
            code = exit;
            ended.Set();
        }))
        {
            var target = new Planted(_ =>
            {
                if (!ended.Wait(TimeSpan.FromSeconds(30)))
                    throw new TimeoutException("The watchdog sleeps.");
            });
            new Executor(target, watchdog).Run([1, 2, 3]).Should().BeNull();
            code.Should().Be(Watchdog.TimedOut);
            watchdog.Begin([4, 5, 6]);
        }

        Watchdog.ReadLast(path).Should().Equal([4, 5, 6]);
        File.Delete(path);
    }

    [Fact]
    public void Executor_AllocatesWithoutBound_IsAFind()
    {
        var target = new Planted(static _ =>
        {
            for (var i = 0; i < 40; i++)
                GC.KeepAlive(new byte[8 * 1024 * 1024]);
        });
        new Executor(target).Run([]).Should().NotBeNull();
    }

    [Fact]
    public void Models_BrokenText_DisagreeWithIt()
    {
        // What the oracles stand on says no where it must.
        PlainUtf8.FirstInvalid([0xF4, 0x90], out _).Should().Be(1);
        new PlainInflater(15, takesOver: false).TryInflate([0x07], 100, out _).Should().BeFalse();
        PlainFrames.Read([0x81, 0x00], isServer: true, allowsRsv1: false, 100, 10).Errors.Should().Equal([WebSockets.WebSocketProtocolError.MaskRequired]);
        var unequal = static () => Oracle.Equal((byte[])[1], (byte[])[2], "bytes");
        unequal.Should().Throw<OracleException>();
    }

    private sealed class Planted(Action<byte[]> run) : FuzzTarget
    {
        public override string Name => "planted";

        public override string Description => "A bug that is known.";

        public override IReadOnlyList<byte[]> Dictionary { get; } = ["bu"u8.ToArray(), "g"u8.ToArray()];

        public override void Run(ReadOnlySpan<byte> input) => run(input.ToArray());
    }
}
