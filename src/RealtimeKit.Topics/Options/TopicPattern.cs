namespace RealtimeKit.Topics;

/// <summary>A pattern of topic names: <c>*</c> is any run without a slash, <c>**</c> any run.</summary>
internal sealed class TopicPattern
{
    private readonly string _pattern;

    public TopicPattern(string pattern)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pattern.Length, TopicName.MaxLength, nameof(pattern));
        _pattern = pattern;
    }

    /// <summary>Whether a name matches; in time that grows with the product of both lengths at most.</summary>
    public bool IsMatch(ReadOnlySpan<char> name)
    {
        // reachable[i]: the pattern so far matches the first i characters.
        Span<bool> reachable = name.Length < 512 ? stackalloc bool[name.Length + 1] : new bool[name.Length + 1];
        reachable.Clear();
        reachable[0] = true;
        for (var p = 0; p < _pattern.Length; p++)
        {
            if (_pattern[p] == '*')
            {
                var crossesSlash = p + 1 < _pattern.Length && _pattern[p + 1] == '*';
                if (crossesSlash)
                    p++;
                for (var i = 0; i < name.Length; i++)
                {
                    if (reachable[i] && (crossesSlash || name[i] != '/'))
                        reachable[i + 1] = true;
                }

                continue;
            }

            for (var i = name.Length; i > 0; i--)
                reachable[i] = reachable[i - 1] && name[i - 1] == _pattern[p];
            reachable[0] = false;
        }

        return reachable[name.Length];
    }
}
