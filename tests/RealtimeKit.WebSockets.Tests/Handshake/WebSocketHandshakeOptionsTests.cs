namespace RealtimeKit.WebSockets.Tests;

public class WebSocketHandshakeOptionsTests
{
    [Fact]
    public void Defaults_AreTheDocumentedOnes()
    {
        var options = new WebSocketHandshakeOptions();
        options.MaxHeaderBytes.Should().Be(16_384);
        options.MaxListElements.Should().Be(64);
        options.SubProtocols.Should().BeEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Limits_NotPositive_Throw(int value)
    {
        var options = new WebSocketHandshakeOptions();
        FluentActions.Invoking(() => options.MaxHeaderBytes = value).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => options.MaxListElements = value).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void SubProtocols_Invalid_Throw()
    {
        var options = new WebSocketHandshakeOptions();
        FluentActions.Invoking(() => options.SubProtocols = null!).Should().Throw<ArgumentNullException>();
        FluentActions.Invoking(() => options.SubProtocols = ["a b"]).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => options.SubProtocols = [null!]).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => options.SubProtocols = ["a", "a"]).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void SubProtocols_ListChangedLater_StaysAsSet()
    {
        var list = new List<string> { "a" };
        var options = new WebSocketHandshakeOptions { SubProtocols = list };
        list.Add("b");
        options.SubProtocols.Should().Equal("a");
    }

    [Fact]
    public void HeaderValues_EachForm_GivesItsLines()
    {
        default(WebSocketHeaderValues).Count.Should().Be(0);
        new WebSocketHeaderValues((string?)null).Count.Should().Be(0);
        new WebSocketHeaderValues((string?[]?)null).Count.Should().Be(0);
        new WebSocketHeaderValues([]).Count.Should().Be(0);
        new WebSocketHeaderValues("").Count.Should().Be(1);
        WebSocketHeaderValues two = new[] { "a", null };
        two.Count.Should().Be(2);
        two[0].ToString().Should().Be("a");
        two[1].IsEmpty.Should().BeTrue();
        two.ToString().Should().Be("a, ");
        FluentActions.Invoking(() => _ = two[2].Length).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => _ = two[-1].Length).Should().Throw<ArgumentOutOfRangeException>();
    }
}
