using System.Text.RegularExpressions;

namespace RealtimeKit.Fuzzing;

/// <summary>An input that a target rejects, and why.</summary>
internal sealed partial record Find(byte[] Input, Exception Error)
{
    /// <summary>What finds of one cause have in common: the kind of error, its words without numbers, and where it was thrown.</summary>
    public string Cause
    {
        get
        {
            var message = Changing().Replace(Error.Message.Split('\n')[0], "#");
            var frame = Error is OracleException ? "" : Error.StackTrace?.Split('\n').FirstOrDefault(static line => line.Contains("RealtimeKit", StringComparison.Ordinal))?.Trim() ?? "";
            return $"{Error.GetType().Name}: {(message.Length > 80 ? message[..80] : message)} {Line().Replace(frame, "")}";
        }
    }

    public string FileName => $"{FuzzRandom.Mix(0, Input):x16}.bin";

    [GeneratedRegex("[0-9A-F]*[0-9][0-9A-F]*|\"[^\"]*\"")]
    private static partial Regex Changing();

    [GeneratedRegex(" in .*$")]
    private static partial Regex Line();
}
