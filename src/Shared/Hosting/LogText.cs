namespace RealtimeKit;

/// <summary>What a peer has said, for a log.</summary>
internal static class LogText
{
    /// <summary>Without what would begin another line of the log, or move a terminal's cursor.</summary>
    public static string? Clean(string? text) => text is null || !text.Any(char.IsControl)
        ? text
        : string.Create(text.Length, text, static (clean, text) =>
        {
            for (var i = 0; i < clean.Length; i++)
                clean[i] = char.IsControl(text[i]) ? '?' : text[i];
        });
}
