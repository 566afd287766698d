using System.Text;

namespace RealtimeKit.Topics.Tests;

public class TopicCursorTests
{
    [Fact]
    public void TryParse_WhatToStringMade_GivesTheSame()
    {
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var cursor = RandomCursor(random);

            var parsed = TopicCursor.TryParse(cursor.ToString(), out var again);

            parsed.Should().BeTrue();
            again.ToArray().Should().Equal(cursor.ToArray());
        }
    }

    [Fact]
    public void TryParse_EveryTruncation_IsRefusedOrAPrefixOfWholeTopics()
    {
        var cursor = TopicCursor.Empty
            .With("scores/42", new TopicPosition(1_700_000_000_000, 3))
            .With("ü", new TopicPosition(5, ulong.MaxValue))
            .With("c", new TopicPosition(ulong.MaxValue, 0));
        var text = cursor.ToString();

        var whole = 0;
        for (var length = 0; length < text.Length; length++)
        {
            if (!TopicCursor.TryParse(text.AsSpan(0, length), out var shorter))
            {
                shorter.Should().BeSameAs(TopicCursor.Empty);
                continue;
            }

            whole++;
            shorter.ToArray().Should().Equal(cursor.Take(shorter.Count));
        }

        whole.Should().Be(3, "only the cuts before the first, second and third topic leave whole topics");
    }

    [Fact]
    public void TryParse_EveryChangedCharacter_NeverThrowsAndKeepsOneFormPerCursor()
    {
        var text = TopicCursor.Empty.With("scores/42", new TopicPosition(1_700_000_000_000, 300)).With("b", new TopicPosition(1, 1)).ToString();
        var changed = text.ToCharArray();
        for (var i = 0; i < changed.Length; i++)
        {
            for (var c = (char)0; c < 300; c++)
            {
                changed[i] = c;
                if (TopicCursor.TryParse(changed, out var cursor))
                    cursor.ToString().Should().Be(new string(changed), "two texts of one cursor would be two cursors");
            }

            changed[i] = text[i];
        }
    }

    [Fact]
    public void TryParse_RandomBase64_NeverThrowsAndKeepsOneFormPerCursor()
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var random = new Random(2);
        for (var i = 0; i < 50_000; i++)
        {
            var text = "1" + new string(random.GetItems<char>(Alphabet, random.Next(0, 80)));
            if (TopicCursor.TryParse(text, out var cursor))
                cursor.ToString().Should().Be(text);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("2")]
    [InlineData("1A")]
    [InlineData("1AAA=")]
    [InlineData("1AABh\n")]
    [InlineData("1 AABh")]
    public void TryParse_NotACursor_IsRefused(string text) => TopicCursor.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void TryParse_TopicTwice_IsRefused()
    {
        var one = TopicCursor.Empty.With("a", new TopicPosition(1, 1)).ToString();

        TopicCursor.TryParse(one + one[1..], out _).Should().BeFalse();
    }

    [Theory]
    [InlineData("a\n")]
    [InlineData("\u0000")]
    [InlineData("\u0085")]
    public void TryParse_NameThatNoTopicHas_IsRefused(string name)
    {
        var record = new byte[CursorRecord.MaxLength];
        var length = CursorRecord.Write(name, new TopicPosition(1, 1), record);

        TopicCursor.TryParse("1" + Encoding.ASCII.GetString(record, 0, length), out _).Should().BeFalse();
    }

    [Fact]
    public void TryParse_LongestAndLonger_IsReadAndRefused()
    {
        var cursor = TopicCursor.Empty;
        for (var i = 0; i < 127; i++)
            cursor = cursor.With($"t{i:000}", new TopicPosition(1, 1));

        cursor.ToString().Length.Should().BeLessThanOrEqualTo(TopicCursor.MaxLength);
        TopicCursor.TryParse(new string('A', 5000), out _).Should().BeFalse();
        TopicCursor.TryParse("1" + new string('A', 4095), out _).Should().BeFalse();
    }

    [Fact]
    public void With_CouldBecomeTooLong_ThrowsAlthoughItIsStillShort()
    {
        var cursor = TopicCursor.Empty;
        var add = () =>
        {
            for (var i = 0; i < 1000; i++)
                cursor = cursor.With($"topic-number-{i:000}", new TopicPosition(1, 0));
        };

        add.Should().Throw<TopicLimitException>();
        cursor = cursor.Aggregate(TopicCursor.Empty, (longest, pair) => longest.With(pair.Key, new TopicPosition(ulong.MaxValue, ulong.MaxValue)));
        cursor.ToString().Length.Should().BeInRange(4000, TopicCursor.MaxLength);
        TopicCursor.TryParse(cursor.ToString(), out var again).Should().BeTrue();
        again.ToArray().Should().Equal(cursor.ToArray());
    }

    [Fact]
    public void ToString_AnyCursor_IsSafeInUrlAndHeader()
    {
        var random = new Random(3);
        for (var i = 0; i < 500; i++)
            RandomCursor(random).ToString().Should().MatchRegex("^[A-Za-z0-9_-]+$");
    }

    [Fact]
    public void Without_Topic_LeavesTheOthers()
    {
        var cursor = TopicCursor.Empty.With("a", new TopicPosition(1, 1)).With("b", new TopicPosition(2, 2)).With("c", new TopicPosition(3, 3));

        cursor.Without("b").Select(pair => pair.Key).Should().Equal("a", "c");
        cursor.With("b", new TopicPosition(9, 9)).Select(pair => pair.Value.Epoch).Should().Equal(1UL, 9UL, 3UL);
        cursor.Without("x").Should().BeSameAs(cursor);
    }

    [Fact]
    public void CursorText_RandomMoves_IsAlwaysTheTextOfTheCursor()
    {
        var random = new Random(4);
        var text = new CursorText();
        var cursor = TopicCursor.Empty;
        for (var i = 0; i < 5000; i++)
        {
            var topic = "topic" + random.Next(12);
            if (random.Next(10) == 0)
            {
                text.Remove(topic);
                cursor = cursor.Without(topic);
            }
            else
            {
                var position = new TopicPosition((ulong)random.NextInt64() >> random.Next(64), (ulong)random.NextInt64() >> random.Next(64));
                text.Set(topic, position);
                cursor = cursor.With(topic, position);
            }

            Encoding.ASCII.GetString(text.Text).Should().Be(cursor.ToString());
        }
    }

    [Fact]
    public void Position_TextForm_ReadsBackAndOrders()
    {
        var position = new TopicPosition(ulong.MaxValue, ulong.MaxValue);
        Span<byte> utf8 = stackalloc byte[TopicPosition.MaxLength];
        Span<char> text = stackalloc char[TopicPosition.MaxLength];

        position.TryFormat(utf8, out var bytes).Should().BeTrue();
        position.TryFormat(text, out var chars).Should().BeTrue();

        (bytes, chars).Should().Be((41, 41));
        TopicPosition.TryParse(position.ToString(), out var parsed).Should().BeTrue();
        parsed.Should().Be(position);
        foreach (var wrong in (string[])["", "-", "1-", "-1", "1", "1-2-3", "+1-2", "1- 2", "18446744073709551616-0"])
            TopicPosition.TryParse(wrong, out _).Should().BeFalse(wrong);
        (new TopicPosition(1, 9) < new TopicPosition(2, 0)).Should().BeTrue();
        for (var length = 0; length < 41; length++)
            position.TryFormat(utf8[..length], out _).Should().BeFalse();
    }

    private static TopicCursor RandomCursor(Random random)
    {
        var cursor = TopicCursor.Empty;
        for (var i = random.Next(6); i > 0; i--)
        {
            var name = new string(random.GetItems<char>("abc/ üß€", random.Next(1, 30))) + i;
            cursor = cursor.With(name, new TopicPosition((ulong)random.NextInt64() >> random.Next(64), (ulong)random.NextInt64() >> random.Next(64)));
        }

        return cursor;
    }
}
