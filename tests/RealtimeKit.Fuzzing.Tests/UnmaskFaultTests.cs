using RealtimeKit.WebSockets;

namespace RealtimeKit.Fuzzing.Tests;

/// <summary>The target for unmasking, given code that is wrong in the ways in which vectors go wrong: at some lengths, at an edge, in what they return.</summary>
public sealed class UnmaskFaultTests
{
    private static readonly Dictionary<string, Func<UnmaskTarget>> Faults = new()
    {
        ["the last byte behind whole vectors is left"] = static () => new UnmaskTarget(static (payload, key) =>
        {
            var left = payload.Length > 32 && payload.Length % 32 == 17 ? payload[^1] : (byte?)null;
            var next = WebSocketMask.Apply(payload, key);
            if (left is { } value)
                payload[^1] = value;
            return next;
        }),
        ["the key after is another's"] = static () => new UnmaskTarget(static (payload, key) =>
        {
            var next = WebSocketMask.Apply(payload, key);
            return payload.Length % 64 == 63 ? WebSocketMask.Rotate(next, 1) : next;
        }),
        ["the overlap of the last vectors is masked twice"] = static () => new UnmaskTarget(static (payload, key) =>
        {
            var next = WebSocketMask.Apply(payload, key);
            if (payload.Length is > 64 and < 96)
                WebSocketMask.Apply(payload[64..], WebSocketMask.Rotate(key, 64));
            return next;
        }),
        ["copying writes a byte too many"] = static () => new UnmaskTarget(copying: static (source, destination, key) =>
        {
            var next = WebSocketMask.Apply(source, destination, key);
            if (source.Length % 16 == 15 && destination.Length > source.Length)
                destination[source.Length] = 0;
            return next;
        }),
        ["the key of a copy is not rotated"] = static () => new UnmaskTarget(copying: static (source, destination, key) =>
        {
            WebSocketMask.Apply(source, destination, key);
            return key;
        }),
        ["overlapping memory is taken"] = static () => new UnmaskTarget(copying: static (source, destination, key) =>
            WebSocketMask.Apply(source.ToArray(), destination, key)),
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_PlantedFault_IsFoundAndItsInputRepeatsIt(string name)
    {
        var target = Faults[name]();
        var fuzzer = new Fuzzer(target, seed: 1, new Executor(target));
        fuzzer.Run(static run => run.Executions >= 15_000 || run.Finds.Count > 0);
        var find = fuzzer.Finds.Should().NotBeEmpty().And.Subject.First();
        new Executor(target).Run(find.Input).Should().NotBeNull();
        new Executor(new UnmaskTarget()).Run(find.Input).Should().BeNull("the library's own code is right");
    }
}
