using System.Globalization;

namespace RealtimeKit.Soak;

/// <summary>What was published to one topic by its one publisher, numbered, one after the other.</summary>
internal sealed class Ledger(string topic)
{
    private readonly Lock _lock = new();
    private readonly List<bool> _isAcknowledged = [true];

    public string Topic => topic;

    /// <summary>The last number whose publication has begun.</summary>
    public int Begun
    {
        get
        {
            lock (_lock)
                return _isAcknowledged.Count - 1;
        }
    }

    /// <summary>The payload: the number, and something to carry.</summary>
    public static string Text(int number) => string.Create(CultureInfo.InvariantCulture, $"{number} {new string('x', 100 + number % 400)}");

    /// <summary>The number of a payload; it must be whole.</summary>
    public static int Number(string text)
    {
        var number = int.Parse(text.AsSpan(0, text.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        return text == Text(number) ? number : throw new InvalidDataException($"The payload of {number} is not what was published.");
    }

    public int Begin()
    {
        lock (_lock)
        {
            _isAcknowledged.Add(false);
            return _isAcknowledged.Count - 1;
        }
    }

    public void Acknowledge(int number)
    {
        lock (_lock)
            _isAcknowledged[number] = true;
    }

    /// <summary>How many publications between two numbers were acknowledged, without the two.</summary>
    public int CountAcknowledged(int after, int before)
    {
        var count = 0;
        lock (_lock)
        {
            for (var number = after + 1; number < before; number++)
                count += _isAcknowledged[number] ? 1 : 0;
        }

        return count;
    }
}
