namespace RealtimeKit.Soak;

/// <summary>One subscriber's view of one topic: every acknowledged publication once, in order, or a gap that it was told.</summary>
internal sealed class Reader(Ledger ledger, Tally tally)
{
    private readonly Lock _lock = new();
    private int _last = -1;
    private int _from;
    private int _owedAfter = -1;
    private bool _isGapTold = true;

    /// <summary>The stream begins anew: what is published from now on is owed, what came before is not.</summary>
    public void Begin(bool isTold)
    {
        lock (_lock)
        {
            if (isTold && _last >= 0)
                tally.Add(Kind.GapTold);
            _isGapTold = true;
            _from = _owedAfter = ledger.Begun;
        }
    }

    public void OnGap()
    {
        tally.Add(Kind.GapTold);
        lock (_lock)
        {
            _isGapTold = true;
            _owedAfter = -1;
            _from = Math.Max(_from, _last);
        }
    }

    public void OnMessage(string text)
    {
        var number = Ledger.Number(text);
        if (number == 0)
            return;   // what filled the history before the run
        tally.Add(Kind.Delivered);
        lock (_lock)
        {
            if (number <= _last)
                tally.Fail(Kind.Doubled, $"{ledger.Topic}: {number} after {_last}");
            else
                Account(number);
            _last = Math.Max(_last, number);
            _from = Math.Max(_from, number);
        }
    }

    /// <summary>At the end: the newest acknowledged publication has come, or a gap was told instead.</summary>
    public bool HasAll(int newest)
    {
        lock (_lock)
            return ledger.CountAcknowledged(Math.Max(_last, _from), newest + 1) == 0;
    }

    public void CountMissing(int newest)
    {
        lock (_lock)
        {
            if (ledger.CountAcknowledged(Math.Max(_last, _from), newest + 1) is > 0 and var missing)
                tally.Fail(Kind.Lost, $"{ledger.Topic}: {missing} after {_last} never came", missing);
        }
    }

    // A gap excuses what lies before it was told, and nothing that was published after the stream had begun again.
    private void Account(int number)
    {
        var skipped = ledger.CountAcknowledged(_last, number);
        var after = _isGapTold ? _owedAfter : _last;
        var lost = after < 0 ? 0 : ledger.CountAcknowledged(after, number);
        if (lost > 0)
            tally.Fail(Kind.Lost, $"{ledger.Topic}: {lost} between {after} and {number}", lost);
        if (_isGapTold && _last >= 0)
            tally.Add(Kind.CoveredByGap, skipped);
        _isGapTold = false;
    }
}
