using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;
using Microsoft.Extensions.Time.Testing;
using RealtimeKit.WebSockets.Tests.Connection;
using RealtimeKit.WebSockets.Tests.Connection.Kit;

namespace RealtimeKit.WebSockets.Tests.Bridges;

public class AsDuplexPipeTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Flush_WhatWasWritten_IsOneBinaryMessage()
    {
        await using var harness = await Harness.CreateAsync(Wire.Socket);
        var output = harness.Connection.AsDuplexPipe().Output;
        output.Write("Hel"u8);
        output.Write("lo"u8);
        output.UnflushedBytes.Should().Be(5);
        (await output.FlushAsync(Never).Within()).Should().Be(new FlushResult(false, false));
        output.UnflushedBytes.Should().Be(0);
        await output.FlushAsync(Never).Within();   // nothing was written: nothing is sent
        output.Write("!"u8);
        await output.FlushAsync(Never).Within();
        (await harness.Peer.ReadAsync(Frames.Binary)).Text.Should().Be("Hello");
        (await harness.Peer.ReadAsync(Frames.Binary)).Text.Should().Be("!");
    }

    [Fact]
    public async Task Input_Messages_AreOneStreamOfBytes()
    {
        await using var harness = await Harness.CreateAsync(Wire.Socket);
        var input = harness.Connection.AsDuplexPipe().Input;
        var sent = Frames.Pattern(200_000);
        var write = Task.Run(async () =>
        {
            await harness.Peer.SendAsync(Frames.BinaryFrame(sent.AsSpan(0, 10)), Frames.BinaryFrame([]), Frames.Fragmented(Frames.Binary, sent[10..], 9999), Frames.PingFrame("p"));
            await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        }, Never);
        var received = new MemoryStream();
        await input.CopyToAsync(received, Never).Within();
        received.ToArray().Should().Equal(sent);
        await write.Within();
        harness.Connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    [Fact]
    public async Task BothEnds_LargeStreams_ArriveWhole()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var (left, right) = (client.AsDuplexPipe(), server.AsDuplexPipe());
        var sent = Frames.Pattern(3_000_000);
        var write = Task.Run(async () =>
        {
            await left.Output.AsStream(leaveOpen: true).WriteAsync(sent, Never);
            await left.Output.CompleteAsync();
        }, Never);
        var received = new MemoryStream();
        await right.Input.CopyToAsync(received, Never).Within();
        received.Length.Should().Be(sent.Length);
        received.ToArray().AsSpan().SequenceEqual(sent).Should().BeTrue();
        await write.Within();
        await right.Output.CompleteAsync().Within();
        (await left.Input.ReadAsync(Never).Within()).IsCompleted.Should().BeTrue();
        client.CloseResult.Should().Be(new WebSocketCloseResult(WebSocketCloseStatus.NormalClosure, null, WebSocketCloseInitiator.Local, true));
        await Bounds.Until(() => server.State == WebSocketState.Closed);
    }

    [Fact]
    public async Task Complete_Output_SendsTheRestAndCloses()
    {
        // Of the system's clock the wheel may discard for the Close while the input is between two reads.
        await using var harness = await Harness.CreateAsync(Wire.Socket, options => options.TimeProvider = new FakeTimeProvider());
        var pipe = harness.Connection.AsDuplexPipe();
        pipe.Output.Write("rest"u8);
        var complete = pipe.Output.CompleteAsync().AsTask();
        (await harness.Peer.ReadAsync(Frames.Binary)).Text.Should().Be("rest");
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        await harness.Peer.SendAsync(Frames.BinaryFrame("late"u8));
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await complete.Within();
        var input = new MemoryStream();
        await pipe.Input.CopyToAsync(input, Never).Within();
        input.ToArray().Should().Equal("late"u8.ToArray(), "the other direction goes on until the peer closes it");
        (await harness.Peer.TryReadAsync()).Should().BeNull("both directions are over");
    }

    [Fact]
    public async Task Complete_OutputWithAnException_Closes1011()
    {
        await using var harness = await Harness.CreateAsync(Wire.Socket);
        var pipe = harness.Connection.AsDuplexPipe();
        pipe.Output.Write("half a packet"u8);
        pipe.Output.Complete(new InvalidDataException());
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1011, "what was not flushed is not sent");
        await harness.Peer.SendAsync(Frames.CloseFrame(1011));
    }

    [Fact]
    public async Task Input_TextMessage_Closes1003()
    {
        await using var harness = await Harness.CreateAsync(Wire.Socket);
        var pipe = harness.Connection.AsDuplexPipe();
        await harness.Peer.SendAsync(Frames.TextFrame("hello"));
        (await FluentActions.Awaiting(() => pipe.Input.ReadAsync(Never).Within()).Should().ThrowAsync<WebSocketException>())
            .Which.WebSocketErrorCode.Should().Be(WebSocketError.InvalidMessageType);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1003);
    }

    [Theory]
    [InlineData(1001, null)]
    [InlineData(null, null)]
    [InlineData(1008, WebSocketError.Faulted)]
    [InlineData(4000, WebSocketError.Faulted)]
    public async Task Input_PeerCloses_EndsOrFails(int? code, WebSocketError? error)
    {
        await using var harness = await Harness.CreateAsync(Wire.Socket);
        var pipe = harness.Connection.AsDuplexPipe();
        await harness.Peer.SendAsync(Frames.CloseFrame(code));
        var read = FluentActions.Awaiting(() => pipe.Input.ReadAsync(Never).Within());
        if (error is null)
            (await pipe.Input.ReadAsync(Never).Within()).IsCompleted.Should().BeTrue();
        else
            (await read.Should().ThrowAsync<WebSocketException>()).Which.WebSocketErrorCode.Should().Be(error);
        pipe.Output.Write("too late"u8);
        (await pipe.Output.FlushAsync(Never).Within()).IsCompleted.Should().BeTrue();
        await pipe.Output.CompleteAsync();
    }

    [Fact]
    public async Task Input_PeerIsGone_Fails()
    {
        await using var harness = await Harness.CreateAsync(Wire.Socket);
        var pipe = harness.Connection.AsDuplexPipe();
        harness.Peer.Finish();
        (await FluentActions.Awaiting(() => pipe.Input.ReadAsync(Never).Within()).Should().ThrowAsync<WebSocketException>())
            .Which.WebSocketErrorCode.Should().Be(WebSocketError.ConnectionClosedPrematurely);
    }

    // What is thrown away because the input is not read must not look like the end of the stream.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Input_NotReadWhileTheConnectionCloses_Fails(bool peerCloses)
    {
        var clock = new FakeTimeProvider();
        await using var harness = await Harness.CreateAsync(Wire.Pipe, options => options.TimeProvider = clock);
        var pipe = harness.Connection.AsDuplexPipe();
        var part = Frames.BinaryFrame(new byte[10_000]);
        // 64 KiB are taken for the reader, then the connection reads ahead.
        var write = Task.Run(async () =>
        {
            for (var i = 0; i < 8; i++)
                await harness.Peer.SendAsync(part);
            if (peerCloses)
                await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        }, Never);
        await write.Within();
        var complete = peerCloses ? Task.CompletedTask : pipe.Output.CompleteAsync().AsTask();
        (await clock.PassUntil(harness.Peer.ReadAsync(Frames.Close), TimeSpan.FromSeconds(peerCloses ? 30 : 1))).CloseCode.Should().Be(1000);
        if (!peerCloses)
            await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await complete.Within();
        (await FluentActions.Awaiting(() => pipe.Input.CopyToAsync(Stream.Null, Never).Within()).Should().ThrowAsync<WebSocketException>())
            .Which.WebSocketErrorCode.Should().Be(WebSocketError.ConnectionClosedPrematurely);
        harness.Connection.CloseResult!.Value.IsClean.Should().BeTrue();
    }

    [Fact]
    public async Task Flush_NoRoom_CanBeCancelledAndGoesOn()
    {
        await using var harness = Harness.Over(stream => stream, options => options.SendBufferSize = 256);
        var output = harness.Connection.AsDuplexPipe().Output;
        // The peer reads nothing: the pipe under the connection takes 64 KiB, then the send buffer fills up.
        ValueTask<FlushResult> flush;
        var flushed = 0;
        while (true)
        {
            output.Write(new byte[1000]);
            flush = output.FlushAsync(Never);
            if (!flush.IsCompleted)
                break;
            (await flush).IsCompleted.Should().BeFalse();
            flushed++;
        }

        output.CancelPendingFlush();
        (await flush.Within()).IsCanceled.Should().BeTrue();
        output.UnflushedBytes.Should().Be(1000, "a cancelled flush keeps the bytes");
        using var cancel = new CancellationTokenSource();
        var second = output.FlushAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await FluentActions.Awaiting(() => second.Within()).Should().ThrowAsync<OperationCanceledException>();
        var third = output.FlushAsync(Never).AsTask();
        for (var i = 0; i <= flushed; i++)
            (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(1000);
        (await third.Within()).IsCanceled.Should().BeFalse();
    }

    [Fact]
    public async Task Complete_WhileAFlushWaits_SendsItsBytesOnce()
    {
        var (harness, stream) = SendTests.Stalled(256);
        await using var _ = harness;
        var output = harness.Connection.AsDuplexPipe().Output;
        var flushes = new List<Task<FlushResult>>();
        for (var i = 0; i < 2; i++)
        {
            output.Write(Enumerable.Repeat((byte)'A', 1000).ToArray());
            flushes.Add(output.FlushAsync(Never).AsTask());
        }

        await stream.Stalled.Within();
        flushes[1].IsCompleted.Should().BeFalse("there is no room");
        var complete = output.CompleteAsync().AsTask();
        stream.Release();
        for (var i = 0; i < 2; i++)
            (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(1000).And.OnlyContain(value => value == (byte)'A');
        (await flushes[1].Within()).IsCanceled.Should().BeFalse();
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await complete.Within();
    }

    [Fact]
    public async Task Complete_WhileAFlushWaitsThatIsCancelled_SendsWhatItLeaves()
    {
        var (harness, stream, output) = await StalledOutputAsync();
        await using var _ = harness;
        output.Write("rest"u8);
        output.Write(new byte[1000]);
        var flush = output.FlushAsync(Never).AsTask();
        var complete = output.CompleteAsync().AsTask();
        output.CancelPendingFlush();
        (await flush.Within()).IsCanceled.Should().BeTrue();
        (await output.FlushAsync(Never).Within()).IsCanceled.Should().BeFalse("the completion sends what is left");
        stream.Release();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(1004);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1000);
        await harness.Peer.SendAsync(Frames.CloseFrame(1000));
        await complete.Within();
    }

    [Fact]
    public async Task Complete_WithAnExceptionWhileAFlushWaits_Closes1011()
    {
        var (harness, stream, output) = await StalledOutputAsync();
        await using var _ = harness;
        output.Write(new byte[1000]);
        var flush = output.FlushAsync(Never).AsTask();
        output.Complete(new InvalidDataException());
        await flush.Within();
        stream.Release();
        await harness.Peer.ReadAsync(Frames.Binary);
        (await harness.Peer.ReadAsync(Frames.Close)).CloseCode.Should().Be(1011, "what was not flushed is not sent");
    }

    [Fact]
    public async Task Write_WhileAFlushWaits_Throws()
    {
        var (harness, stream, output) = await StalledOutputAsync();
        await using var _ = harness;
        output.Write(new byte[1000]);
        var flush = output.FlushAsync(Never).AsTask();
        FluentActions.Invoking(() => output.GetMemory()).Should().Throw<InvalidOperationException>("the flush still reads the buffer");
        await FluentActions.Awaiting(() => output.FlushAsync(Never).Within()).Should().ThrowAsync<InvalidOperationException>();
        stream.Release();
        await flush.Within();
        output.Write("next"u8);
        await output.FlushAsync(Never).Within();
        for (var i = 0; i < 2; i++)
            (await harness.Peer.ReadAsync(Frames.Binary)).Payload.Should().HaveCount(1000);
        (await harness.Peer.ReadAsync(Frames.Binary)).Text.Should().Be("next");
    }

    [Fact]
    public async Task Write_Completed_Throws()
    {
        var (client, server) = WebSocketConnection.CreatePair();
        var output = client.AsDuplexPipe().Output;
        server.Abort();
        await output.CompleteAsync().Within();
        FluentActions.Invoking(() => output.GetMemory()).Should().Throw<InvalidOperationException>();
        FluentActions.Invoking(client.AsWebSocket).Should().Throw<InvalidOperationException>();
        client.AsDuplexPipe().Should().BeSameAs(client.AsDuplexPipe());
    }

    /// <summary>An output whose first message the peer does not take yet: the next flush finds no room.</summary>
    private static async Task<(Harness Harness, StallingStream Stream, PipeWriter Output)> StalledOutputAsync()
    {
        var (harness, stream) = SendTests.Stalled(256);
        var output = harness.Connection.AsDuplexPipe().Output;
        output.Write(new byte[1000]);
        await output.FlushAsync(Never).Within();
        await stream.Stalled.Within();
        return (harness, stream, output);
    }
}
