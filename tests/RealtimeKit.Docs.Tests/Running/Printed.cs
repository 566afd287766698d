using System.Threading.Channels;

namespace RealtimeKit.Docs.Tests;

/// <summary>Where the lines go that a snippet writes to the console.</summary>
public static class Printed
{
    private static readonly AsyncLocal<Channel<string>?> Lines = new();

    /// <summary>From here on, and in what is called from here, lines are kept for <see cref="ReadAsync"/>.</summary>
    public static void Begin() => Lines.Value = Channel.CreateUnbounded<string>();

    public static void WriteLine(object? value) => Lines.Value?.Writer.TryWrite($"{value}");

    public static ValueTask<string> ReadAsync() => Lines.Value!.Reader.ReadAsync(Until.Cancelled);
}
