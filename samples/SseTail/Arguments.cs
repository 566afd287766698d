using System.Globalization;

namespace RealtimeKit.Samples.SseTail;

/// <summary>What to read, how many bytes at a time, and whether comments and retry fields are printed too.</summary>
internal sealed record Arguments(string Source, int Chunk, bool All)
{
    public static Arguments? Parse(string[] args)
    {
        string? source = null;
        var chunk = 64 * 1024;
        var all = false;
        for (var index = 0; index < args.Length; index++)
        {
            switch (args[index])
            {
                case "--all":
                    all = true;
                    break;
                case "--chunk" when index + 1 < args.Length && int.TryParse(args[++index], NumberStyles.None, CultureInfo.InvariantCulture, out chunk) && chunk > 0:
                    break;
                case var other when source is null && (other == "-" || IsHttp(other)):
                    source = other;
                    break;
                default:
                    return null;
            }
        }

        return source is null ? null : new Arguments(source, chunk, all);
    }

    private static bool IsHttp(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
