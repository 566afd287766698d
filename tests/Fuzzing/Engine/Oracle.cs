using System.Runtime.CompilerServices;

namespace RealtimeKit.Fuzzing;

/// <summary>What a target says about its input, and what must be true.</summary>
internal static class Oracle
{
    /// <summary>Throws unless a statement holds. The message is only made where it does not.</summary>
    public static void That(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Message message)
    {
        if (!holds)
            throw new OracleException(message.ToString());
    }

    public static void That(bool holds, string message)
    {
        if (!holds)
            throw new OracleException(message);
    }

    public static void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new OracleException($"{what}: expected {expected}, is {actual}");
    }

    public static void Equal(byte[] expected, byte[] actual, string what) => Equal((ReadOnlySpan<byte>)expected, actual, what);

    public static void Equal(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what)
    {
        if (!expected.SequenceEqual(actual))
            throw new OracleException($"{what}: expected {expected.Length} bytes {Head(expected)}, are {actual.Length} {Head(actual)}, alike up to {expected.CommonPrefixLength(actual)}");
    }

    private static string Head(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes[..Math.Min(bytes.Length, 32)]);

    [InterpolatedStringHandler]
    public ref struct Message
    {
        private DefaultInterpolatedStringHandler _text;

        public Message(int literalLength, int formattedCount, bool holds, out bool isEnabled)
        {
            isEnabled = !holds;
            if (isEnabled)
                _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount);
        }

        public void AppendLiteral(string value) => _text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public override string ToString() => _text.ToStringAndClear();
    }
}

/// <summary>What is tested is not what it should be.</summary>
internal sealed class OracleException(string message) : Exception(message);
