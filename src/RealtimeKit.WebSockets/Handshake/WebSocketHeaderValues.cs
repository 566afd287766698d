namespace RealtimeKit.WebSockets;

/// <summary>
/// The values of one header field: none, one, or one for each line it stood on. Holds what every host can give
/// (<c>StringValues</c>, <c>NameValueCollection.GetValues</c>, <c>HeaderStringValues</c>) without a copy.
/// </summary>
/// <remarks>The default value means that the header is absent, which is not the same as one empty value.</remarks>
public readonly struct WebSocketHeaderValues
{
    // Either null, a string or a string[]: one word, as most headers stand on one line.
    private readonly object? _value;

    /// <summary>Creates the values of a header that stands on one line.</summary>
    /// <param name="value">The value, or <see langword="null"/> if the header is absent.</param>
    public WebSocketHeaderValues(string? value) => _value = value;

    /// <summary>Creates the values of a header that may stand on several lines.</summary>
    /// <param name="values">The value of each line, not copied; <see langword="null"/> or empty if the header is absent.</param>
    public WebSocketHeaderValues(string?[]? values) => _value = values;

    /// <summary>The number of lines: 0 if the header is absent.</summary>
    public int Count => _value switch
    {
        null => 0,
        string => 1,
        _ => ((string?[])_value).Length,
    };

    /// <summary>The value of one line.</summary>
    /// <param name="index">The line, from 0 to <see cref="Count"/> - 1.</param>
    /// <returns>The value as received; empty where the host gave <see langword="null"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is out of range.</exception>
    public ReadOnlySpan<char> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return _value as string ?? ((string?[])_value!)[index];
        }
    }

    /// <summary>Takes a single value.</summary>
    /// <param name="value">The value, or <see langword="null"/> if the header is absent.</param>
    public static implicit operator WebSocketHeaderValues(string? value) => new(value);

    /// <summary>Takes one value for each line.</summary>
    /// <param name="values">The values, not copied; <see langword="null"/> or empty if the header is absent.</param>
    public static implicit operator WebSocketHeaderValues(string?[]? values) => new(values);

    /// <summary>The lines joined by a comma and a space, as RFC 9110 §5.3 combines them.</summary>
    /// <returns>The joined value; empty if the header is absent.</returns>
    public override string ToString() => _value switch
    {
        null => "",
        string value => value,
        _ => string.Join(", ", (string?[])_value),
    };

    /// <summary>The characters of all lines together.</summary>
    internal int TotalLength
    {
        get
        {
            var total = 0L;
            for (var i = 0; i < Count; i++)
                total += this[i].Length;
            return (int)Math.Min(total, int.MaxValue);
        }
    }
}
