using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Counts what Kestrel writes to a TCP connection: HTTP's headers and chunks, WebSocket's frames, all of it.</summary>
internal sealed class WireCount(PipeWriter output) : PipeWriter
{
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    public override long UnflushedBytes => output.UnflushedBytes;

    public override void Advance(int bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        output.Advance(bytes);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Interlocked.Add(ref _bytes, source.Length);
        return output.WriteAsync(source, cancellationToken);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => output.FlushAsync(cancellationToken);

    public override void CancelPendingFlush() => output.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => output.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => output.CompleteAsync(exception);
}

internal static class WireCountExtensions
{
    public static void UseWireCount(this ListenOptions listen) => listen.Use(next => connection =>
    {
        var count = new WireCount(connection.Transport.Output);
        connection.Features.Set(count);
        connection.Transport = new Pipes(connection.Transport.Input, count);
        return next(connection);
    });

    /// <summary>Remembers where each request begins on its connection, which others may have used before.</summary>
    public static void UseWireCount(this WebApplication app) => app.Use(static (http, next) =>
    {
        http.Items[typeof(WireCount)] = http.Features.Get<WireCount>()?.Bytes;
        return next(http);
    });

    /// <summary>What was sent for a request, in bytes.</summary>
    public static long BytesSent(this HttpContext http) => http.Features.Get<WireCount>()?.Bytes - (long?)http.Items[typeof(WireCount)] ?? 0;

    private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
