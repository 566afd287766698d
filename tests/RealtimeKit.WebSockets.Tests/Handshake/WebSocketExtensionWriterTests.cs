namespace RealtimeKit.WebSockets.Tests;

public class WebSocketExtensionWriterTests
{
    [Fact]
    public void ToString_OffersAndParameters_CanBeRead()
    {
        var value = new WebSocketExtensionWriter()
            .WriteExtension("permessage-deflate").WriteParameter("server_max_window_bits", 10).WriteParameter("client_max_window_bits")
            .WriteExtension("x-other").WriteParameter("mode", "fast")
            .ToString();

        value.Should().Be("permessage-deflate; server_max_window_bits=10; client_max_window_bits, x-other; mode=fast");
        var reader = new WebSocketExtensionReader(value);
        reader.Read().Should().BeTrue();
        reader.Current.ParameterCount.Should().Be(2);
        reader.Read().Should().BeTrue();
        reader.Current.Name.ToString().Should().Be("x-other");
        reader.Read().Should().BeFalse();
        reader.Error.Should().Be(WebSocketHandshakeError.None);
    }

    [Fact]
    public void ToString_NothingWritten_IsEmpty() => new WebSocketExtensionWriter().ToString().Should().BeEmpty();

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a,b")]
    [InlineData("a\r\nSet-Cookie: x")]
    [InlineData("é")]
    public void Write_TextThatIsNoToken_Throws(string text)
    {
        var writer = new WebSocketExtensionWriter().WriteExtension("a");
        FluentActions.Invoking(() => writer.WriteExtension(text)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => writer.WriteParameter(text)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => writer.WriteParameter("b", text)).Should().Throw<ArgumentException>();
        writer.ToString().Should().Be("a");
    }

    [Fact]
    public void WriteParameter_NegativeNumber_Throws() =>
        FluentActions.Invoking(() => new WebSocketExtensionWriter().WriteExtension("a").WriteParameter("b", -1))
            .Should().Throw<ArgumentOutOfRangeException>();

    [Fact]
    public void WriteParameter_BeforeAnExtension_Throws() =>
        FluentActions.Invoking(() => new WebSocketExtensionWriter().WriteParameter("b")).Should().Throw<InvalidOperationException>();
}
