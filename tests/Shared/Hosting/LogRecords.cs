using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Tests;

internal sealed record LogRecord(string Category, LogLevel Level, EventId Event, string Message, Exception? Exception);

/// <summary>Everything that a server logs.</summary>
internal sealed class LogRecords : ILoggerProvider
{
    private readonly ConcurrentQueue<LogRecord> _records = [];

    public IEnumerable<LogRecord> All => _records;

    public IEnumerable<LogRecord> Ours => _records.Where(record => record.Category.StartsWith("RealtimeKit", StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogRecords records, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            records._records.Enqueue(new LogRecord(category, logLevel, eventId, formatter(state, exception), exception));
    }
}
