using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace RealtimeKit.Topics;

/// <summary>
/// What is to be done with a connection of this node, in order and one after the other, so that nobody else waits for a client that does
/// not read. One that leaves too much waiting is disconnected: of what it is sent, nothing is left out while it stays.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The source holds nothing but a timer that does not run, or runs once.")]
internal sealed class ConnectionOutbox(ITopicConnection connection, TopicHub hub)
{
    private const int CommandBytes = 128;   // what a command costs beside its payload

    // How long what was sent before a disconnect may take.
    private static readonly TimeSpan DisconnectTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<ConnectionCommand> _commands = [];
    private readonly CancellationTokenSource _sends = new(Timeout.InfiniteTimeSpan, hub.Options.TimeProvider);
    private long _bytes;
    private bool _isRunning;
    private bool _isEnding;

    public void Add(ConnectionCommand command)
    {
        lock (_lock)
        {
            if (_isEnding && !command.IsDisconnect)
                return;

            // However large, one is always taken.
            if (!command.IsDisconnect && _commands.Count > 0 && _bytes + SizeOf(command) > hub.Options.MaxQueuedBytesPerConnection)
            {
                _commands.Clear();
                _bytes = 0;
                _ = _sends.CancelAsync();
                command = command with { IsDisconnect = true, Payload = "It does not read what it is sent."u8.ToArray() };
            }
            else if (command.IsDisconnect && _isRunning)
            {
                _sends.CancelAfter(DisconnectTimeout);
            }

            _isEnding |= command.IsDisconnect;
            _bytes += SizeOf(command);
            _commands.Enqueue(command);
            if (_isRunning)
                return;
            _isRunning = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static outbox => _ = outbox.RunAsync(), this, preferLocal: false);
    }

    private static long SizeOf(in ConnectionCommand command) => CommandBytes + command.Payload.Length;

    private async Task RunAsync()
    {
        while (TryTake(out var command))
        {
            try
            {
                if (command.IsDisconnect)
                    await connection.DisconnectAsync(command.Payload.Length > 0 ? Encoding.UTF8.GetString(command.Payload.Span) : null, CancellationToken.None).ConfigureAwait(false);
                else
                    await connection.SendAsync(command.Payload, command.MessageType, _sends.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_sends.IsCancellationRequested)
            {
                // It is being disconnected.
            }
            catch (Exception error)
            {
                hub.LogSubscriberFailed(error);
            }
        }
    }

    private bool TryTake(out ConnectionCommand command)
    {
        lock (_lock)
        {
            _isRunning = _commands.TryDequeue(out command);
            if (_isRunning)
                _bytes -= SizeOf(command);
            return _isRunning;
        }
    }
}
