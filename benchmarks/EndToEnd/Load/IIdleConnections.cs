namespace RealtimeKit.Benchmarks.EndToEnd;

internal interface IIdleConnections : IDisposable
{
    /// <summary>One exchange on every connection; fails if any of them is closed or silent.</summary>
    void AnswerOnce();
}
