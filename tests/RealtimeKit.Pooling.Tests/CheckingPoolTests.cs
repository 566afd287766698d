using System.Net.WebSockets;
using RealtimeKit.ServerSentEvents;
using RealtimeKit.Tests;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Pooling.Tests;

// A check that cannot fail is none.
public class CheckingPoolTests
{
    [Fact]
    public void Return_Twice_IsToldWithBothReturners()
    {
        var pool = new CheckingPool(capturesStacks: true);
        var array = pool.Rent(100);
        pool.Return(array);
        pool.FindMisuse().Should().BeEmpty();
        pool.Return(array);
        pool.FindMisuse().Should().ContainSingle().Which.Should().Contain("returned twice").And.Contain(nameof(Return_Twice_IsToldWithBothReturners));
    }

    [Fact]
    public void Return_OfAnotherPoolsArray_IsTold()
    {
        var pool = new CheckingPool(capturesStacks: false);
        pool.Return(new byte[16]);
        pool.FindMisuse().Should().ContainSingle().Which.Should().Contain("not rented here");
    }

    [Fact]
    public void Return_WrittenToAfterwards_IsTold()
    {
        var pool = new CheckingPool(capturesStacks: true);
        var array = pool.Rent(100);
        array.AsSpan().Clear();
        pool.Return(array);
        array.Should().OnlyContain(value => value == 0xDB, "who reads on reads nonsense");
        array[7] = 1;
        pool.FindMisuse().Should().ContainSingle().Which.Should().Contain("written to at 7").And.Contain(nameof(Return_WrittenToAfterwards_IsTold));
    }

    [Fact]
    public void Rent_NotReturned_IsOutWithItsRenter()
    {
        var pool = new CheckingPool(capturesStacks: true);
        var lost = pool.Rent(5000);
        pool.Abandon(pool.Rent(10));
        pool.FindOutstanding().Should().ContainSingle().Which.Should().Contain($"{lost.Length} bytes").And.Contain(nameof(Rent_NotReturned_IsOutWithItsRenter));
        pool.AbandonedCount.Should().Be(1);
        pool.FindMisuse().Should().BeEmpty();
    }

    [Fact]
    public async Task Packages_RentFromThisPool()
    {
        var before = PoolCheckAttribute.Pool.Rents;
        var (client, server) = WebSocketConnection.CreatePair();
        await client.SendAsync(new byte[5000], WebSocketMessageType.Binary, TestContext.Current.CancellationToken);
        (await server.ReceiveAsync(TestContext.Current.CancellationToken)).Payload.Length.Should().Be(5000);
        var sockets = PoolCheckAttribute.Pool.Rents;
        sockets.Should().BeGreaterThan(before);
        await client.DisposeAsync();
        await server.DisposeAsync();

        using var stream = new MemoryStream("data: 1\n\n"u8.ToArray());
        await foreach (var item in ServerSentEventParser.ParseAsync(stream, cancellationToken: TestContext.Current.CancellationToken))
            item.Data.Should().Be("1");
        PoolCheckAttribute.Pool.Rents.Should().BeGreaterThan(sockets);
    }

    // A receiver may still be reading: its message is left to the collector, and counted.
    [Fact]
    public async Task Dispose_MessageStillHeld_IsAbandonedAndNotReturned()
    {
        var before = PoolCheckAttribute.Pool.AbandonedCount;
        var (client, server) = WebSocketConnection.CreatePair();
        await client.SendAsync("held"u8.ToArray(), WebSocketMessageType.Text, TestContext.Current.CancellationToken);
        await server.ReceiveAsync(TestContext.Current.CancellationToken);
        server.Abort();
        await server.DisposeAsync();
        await client.DisposeAsync();
        PoolCheckAttribute.Pool.AbandonedCount.Should().Be(before + 1);
    }
}
