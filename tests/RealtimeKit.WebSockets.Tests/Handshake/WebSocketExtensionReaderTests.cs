using System.Text;

namespace RealtimeKit.WebSockets.Tests;

public class WebSocketExtensionReaderTests
{
    // RFC 6455 §9.1, with the examples of §9.1 and of RFC 7692 §7.1
    [Theory]
    [InlineData("foo", "foo")]
    [InlineData("foo, bar; baz=2", "foo|bar;baz=2")]
    [InlineData("permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits",
        "permessage-deflate;client_max_window_bits;server_max_window_bits=10|permessage-deflate;client_max_window_bits")]
    [InlineData("a;b=\"10\"", "a;b=10")]
    [InlineData("a;b=\"\\1\\0\"", "a;b=10")]
    [InlineData("a;b=\"1\\0\";c", "a;b=10;c")]
    [InlineData(" \ta ; b = 1 \t;\tc=\t\"x\"\t,\t d ", "a;b=1;c=x|d")] // implied *LWS of RFC 2616 §2.1
    [InlineData(",, a,,b,", "a|b")] // RFC 9110 §5.6.1.2
    [InlineData("a;b;b=1;b=2", "a;b;b=1;b=2")]
    [InlineData("constructor; __proto__=1", "constructor;__proto__=1")]
    [InlineData("!#$%&'*+-.^_`|~09azAZ", "!#$%&'*+-.^_`|~09azAZ")]
    public void Read_WellFormed_GivesOffersAndParameters(string value, string expected) => Render(value).Should().Be(expected);

    [Fact]
    public void Read_SeveralLines_AreOneList() =>
        Render(new[] { "a;x=1, b", "", "c" }).Should().Be("a;x=1|b|c");

    [Fact]
    public void Read_NoHeader_GivesNothing() => Render(default).Should().Be("");

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(",")]
    [InlineData(";")]
    [InlineData("=")]
    [InlineData("\"")]
    [InlineData("\"a\"")]
    [InlineData("a;")]
    [InlineData("a; ")]
    [InlineData("a;,b")]
    [InlineData("a;;b")]
    [InlineData("a b")]
    [InlineData("a; b c")]
    [InlineData("a=b")]
    [InlineData("a;=b")]
    [InlineData("a;b=")]
    [InlineData("a;b= ,c")]
    [InlineData("a;b==c")]
    [InlineData("a;b=c=d")]
    [InlineData("a;b=\"")]
    [InlineData("a;b=\"\"")] // the value must be a token
    [InlineData("a;b=\"c")]
    [InlineData("a;b=\"c\\\"")]
    [InlineData("a;b=\"c\\")]
    [InlineData("a;b=\"c d\"")]
    [InlineData("a;b=\"c,d\"")]
    [InlineData("a;b=\"c;d\"")]
    [InlineData("a;b=\"\\\\\"")]
    [InlineData("a;b=\"\\\"\"")]
    [InlineData("a;b=\"é\"")]
    [InlineData("a;b=\"c\"d")]
    [InlineData("a;b=\"c\"\"d\"")]
    [InlineData("a;b=c\"")]
    [InlineData("a;b='c d'")]
    [InlineData("a,b;c=\"d")]
    [InlineData("é")]
    [InlineData("a\0")]
    [InlineData("a;b=\0")]
    [InlineData("a\r\nb")]
    [InlineData("a(comment)")]
    [InlineData("\uFF41")]
    [InlineData("\uD83D")]
    public void Read_Malformed_IsRefused(string value)
    {
        var reader = new WebSocketExtensionReader(value);
        while (reader.Read())
        {
        }
        reader.Error.Should().Be(WebSocketHandshakeError.ExtensionsMalformed);
        reader.Read().Should().BeFalse();
        reader.Current.Name.IsEmpty.Should().BeTrue();
    }

    // A quoted-string does not go on over the next line.
    [Fact]
    public void Read_QuoteOpenAtTheEndOfALine_IsRefused() =>
        Render(new[] { "a;b=\"c", "d\"" }).Should().Be("ExtensionsMalformed");

    [Fact]
    public void Parameters_MissingValue_IsVisible()
    {
        var reader = new WebSocketExtensionReader("a; b; c=1; d=\"2\"");
        reader.Read().Should().BeTrue();
        reader.Current.ParameterCount.Should().Be(3);

        var parameters = reader.Current.Parameters;
        parameters.MoveNext().Should().BeTrue();
        parameters.Current.HasValue.Should().BeFalse();
        parameters.Current.Value.IsEmpty.Should().BeTrue();
        parameters.Current.TryGetInt32(out _).Should().BeFalse();
        parameters.MoveNext().Should().BeTrue();
        parameters.Current.HasValue.Should().BeTrue();
        parameters.Current.IsQuoted.Should().BeFalse();
        parameters.MoveNext().Should().BeTrue();
        parameters.Current.IsQuoted.Should().BeTrue();
        parameters.Current.Value.ToString().Should().Be("2");
        parameters.MoveNext().Should().BeFalse();
        parameters.MoveNext().Should().BeFalse();
    }

    [Theory]
    [InlineData("a;b;c", false)]
    [InlineData("a;b;c;b", true)]
    [InlineData("a;b=1;c;b=2", true)]
    [InlineData("a;b;B", false)]
    [InlineData("a", false)]
    public void HasRepeatedParameter_Offer_Tells(string value, bool expected)
    {
        var reader = new WebSocketExtensionReader(value);
        reader.Read().Should().BeTrue();
        reader.Current.HasRepeatedParameter.Should().Be(expected);
    }

    [Theory]
    [InlineData("10", 10)]
    [InlineData("0", 0)]
    [InlineData("\"15\"", 15)]
    [InlineData("\"1\\5\"", 15)]
    [InlineData("2147483647", int.MaxValue)]
    [InlineData("2147483648", null)]
    [InlineData("99999999999999999999999999", null)]
    [InlineData("010", null)]
    [InlineData("+1", null)]
    [InlineData("-1", null)]
    [InlineData("1e1", null)]
    [InlineData("1.0", null)]
    [InlineData("0x8", null)]
    [InlineData("x", null)]
    public void TryGetInt32_Value_TakesPlainDigitsOnly(string value, int? expected)
    {
        var reader = new WebSocketExtensionReader("a;b=" + value);
        reader.Read().Should().BeTrue();
        var parameters = reader.Current.Parameters;
        parameters.MoveNext().Should().BeTrue();
        parameters.Current.TryGetInt32(out var number).Should().Be(expected.HasValue);
        number.Should().Be(expected ?? 0);
    }

    [Fact]
    public void Read_ElementsAboveTheLimit_AreRefused()
    {
        Render(string.Join(',', Enumerable.Repeat("a", 64))).Should().StartWith("a|a");
        Render(string.Join(',', Enumerable.Repeat("a", 65))).Should().Be("TooManyListElements");
        Render("a" + string.Concat(Enumerable.Repeat(";b", 63))).Should().StartWith("a;b");
        Render("a" + string.Concat(Enumerable.Repeat(";b", 64))).Should().Be("TooManyListElements");
        Render(new string(',', 100)).Should().Be("TooManyListElements");
        Render(Enumerable.Repeat("", 100).ToArray()).Should().Be("TooManyListElements");
    }

    // Linear work shows as termination: 100,000 offers with parameters and a megabyte of white space.
    [Fact]
    public void Read_HugeListWithRaisedLimit_IsReadOnce()
    {
        var value = string.Join(" , ", Enumerable.Repeat("a;b=\"\\c\"", 100_000)) + new string(' ', 1_000_000) + "x";
        var reader = new WebSocketExtensionReader(value, int.MaxValue);
        var count = 0;
        while (reader.Read())
            count++;
        count.Should().Be(99_999);
        reader.Error.Should().Be(WebSocketHandshakeError.ExtensionsMalformed);
    }

    // What the writer writes, the reader reads; what the reader reads of arbitrary text never throws.
    [Fact]
    public void Read_RandomText_NeverThrowsAndReadsItsOwnRendering()
    {
        const string Alphabet = "aB1,;=\"\\ \t'é\0";
        var random = new Random(6455);
        var readable = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var text = new StringBuilder();
            for (var length = random.Next(12); length > 0; length--)
                text.Append(Alphabet[random.Next(Alphabet.Length)]);

            var rendered = Render(text.ToString());
            if (rendered is "ExtensionsMalformed")
                continue;
            readable++;
            Render(rendered.Replace('|', ',')).Should().Be(rendered);
        }
        readable.Should().BeGreaterThan(100);
    }

    [Fact]
    public void Read_Steady_AllocatesNothing()
    {
        WebSocketHeaderValues values = "permessage-deflate; client_max_window_bits; server_max_window_bits=\"10\", x-other";
        long before = 0;
        var sum = 0;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            var reader = new WebSocketExtensionReader(values);
            while (reader.Read())
            {
                sum += reader.Current.HasRepeatedParameter ? 1 : 0;
                foreach (var parameter in reader.Current.Parameters)
                    sum += parameter.Value.Length;
            }
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        sum.Should().Be(400);
    }

    private static string Render(WebSocketHeaderValues values)
    {
        var text = new StringBuilder();
        var reader = new WebSocketExtensionReader(values);
        while (reader.Read())
        {
            if (text.Length > 0)
                text.Append('|');
            text.Append(reader.Current.Name);
            foreach (var parameter in reader.Current.Parameters)
            {
                text.Append(';').Append(parameter.Name);
                if (parameter.HasValue)
                    text.Append('=').Append(parameter.Value);
            }
        }
        return reader.Error == WebSocketHandshakeError.None ? text.ToString() : reader.Error.ToString();
    }
}
