namespace RealtimeKit.Fuzzing;

/// <summary>One thing to be fuzzed: a pure function of bytes that throws when what it tests is wrong.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>What it does with its input, in one sentence.</summary>
    public abstract string Description { get; }

    /// <summary>The longest input that is made up.</summary>
    public virtual int MaxLength => 4096;

    /// <summary>Words that mean something to what is tested.</summary>
    public virtual IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>Tests one input. Whatever leaves it but an end is a find.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);

    /// <summary>Makes an input of the shape that the target understands.</summary>
    public virtual byte[] Generate(FuzzRandom random) => random.Bytes(random.Skewed(MaxLength));

    /// <summary>Changes an input with knowledge of its shape; <see langword="null"/> where the target has none.</summary>
    public virtual byte[]? Mutate(ReadOnlySpan<byte> input, FuzzRandom random) => null;

    /// <summary>What to print of an input that was found.</summary>
    public virtual string Explain(ReadOnlySpan<byte> input) => Convert.ToHexString(input);
}
