using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Serialization;
using RealtimeKit.WebSockets.Tests.Connection.Kit;
using RealtimeKit.WebSockets.Tests.Framing;

namespace RealtimeKit.WebSockets.Tests.Connection;

// Batches: collected apart, sent together.
public class BatchTests
{
    [Fact]
    public async Task Batch_OrderAndOneWrite()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var first = harness.Connection.CreateBatch();
        using var second = harness.Connection.CreateBatch();
        for (var i = 0; i < 50; i++)
        {
            first.Add(Encoding.UTF8.GetBytes("first " + i), WebSocketMessageType.Text);
            second.Add(new PreparedWebSocketMessage("second " + i));
        }

        first.Length.Should().BePositive();
        await second.FlushAsync();
        await first.FlushAsync();
        first.Length.Should().Be(0);
        first.Add([9], WebSocketMessageType.Binary);
        await first.FlushAsync();
        await first.FlushAsync();
        for (var i = 0; i < 100; i++)
            (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be(i < 50 ? $"second {i}" : $"first {i - 50}");
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(9);
    }

    [Fact]
    public async Task Batch_ForgottenOrDisposed_StallsNobodyAndSendsNothing()
    {
        await using var harness = await Harness.CreateAsync(Wire.Pipe);
        using var forgotten = harness.Connection.CreateBatch();   // until the end of the test
        forgotten.Add([1], WebSocketMessageType.Binary);
        var disposed = harness.Connection.CreateBatch();
        disposed.Add([2], WebSocketMessageType.Binary);
        disposed.Dispose();
        await disposed.FlushAsync();
        await harness.Connection.SendAsync("only this");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("only this");
    }

    [Fact]
    public async Task Batch_FlushCancelled_KeepsItsMessages()
    {
        var (harness, stream) = SendTests.Stalled(256);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        using var batch = harness.Connection.CreateBatch();
        batch.Add("a"u8, WebSocketMessageType.Text);
        using var cancel = new CancellationTokenSource();
        var flush = batch.FlushAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        var wait = () => flush.Within();
        await wait.Should().ThrowAsync<OperationCanceledException>();
        batch.Add("b"u8, WebSocketMessageType.Text);
        stream.Release();
        await batch.FlushAsync().Within();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("a");
        (await harness.Peer.ReadAsync(Frames.Text)).Text.Should().Be("b");
    }

    // What a pending flush sends must neither change nor go back to the pool under it.
    [Fact]
    public async Task Batch_ChangedOrDisposedWhileItsFlushWaits_SendsWhatWasFlushed()
    {
        var (harness, stream) = SendTests.Stalled(256);
        await using var owner = harness;
        await harness.Connection.SendAsync(new byte[300], WebSocketMessageType.Binary);
        await stream.Stalled.Within();
        var batch = harness.Connection.CreateBatch();
        batch.Add(Frames.Pattern(50), WebSocketMessageType.Binary);
        var flush = batch.FlushAsync().AsTask();

        var add = () => batch.Add(Frames.Pattern(500), WebSocketMessageType.Binary);
        add.Should().Throw<InvalidOperationException>();
        var again = () => batch.FlushAsync().AsTask();
        await again.Should().ThrowAsync<InvalidOperationException>();
        batch.Dispose();
        var taken = Enumerable.Range(0, 50).Select(_ => ArrayPool<byte>.Shared.Rent(64)).ToList();
        taken.ForEach(array => array.AsSpan().Fill(0xEE));
        stream.Release();
        await flush.Within();
        taken.ForEach(array => ArrayPool<byte>.Shared.Return(array));
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().Equal(Frames.Pattern(50));
    }
}
