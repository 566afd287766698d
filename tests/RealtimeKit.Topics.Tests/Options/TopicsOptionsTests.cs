namespace RealtimeKit.Topics.Tests;

public class TopicsOptionsTests
{
    [Theory]
    [InlineData("scores/*", "scores/42", true)]
    [InlineData("scores/*", "scores/", true)]
    [InlineData("scores/*", "scores", false)]
    [InlineData("scores/*", "scores/42/goals", false)]
    [InlineData("scores/**", "scores/42/goals", true)]
    [InlineData("**/small", "a/b/small", true)]
    [InlineData("**/small", "a/b/smaller", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a/b", false)]
    [InlineData("**", "a/b", true)]
    [InlineData("a*b*c", "axxbyyc", true)]
    [InlineData("a*b*c", "axxbyy", false)]
    [InlineData("user-*-inbox", "user-7-inbox", true)]
    [InlineData("Exact", "exact", false)]
    public void Resolve_Pattern_MatchesAsDocumented(string pattern, string topic, bool isMatch)
    {
        var options = new TopicsOptions().Topic(pattern, matched => matched.MaxLag = 1);

        (options.Resolve(topic) != options.Default).Should().Be(isMatch);
    }

    [Fact]
    public void Resolve_SeveralMatches_TakesTheFirstAndCopiesTheDefault()
    {
        var options = new TopicsOptions();
        options.Default.HistoryCount = 7;
        options.Topic("a/*", topic => topic.MaxLag = 1).Topic("a/**", topic => topic.MaxLag = 2);

        (options.Resolve("a/x").MaxLag, options.Resolve("a/x").HistoryCount).Should().Be((1, 7));
        options.Resolve("a/x/y").MaxLag.Should().Be(2);
    }

    [Fact]
    public void Resolve_HostilePatternAndName_EndsSoon()
    {
        var options = new TopicsOptions().Topic(string.Concat(Enumerable.Repeat("**a", 80)) + "b", _ => { });

        options.Resolve(new string('a', 256)).Should().BeSameAs(options.Default);
    }

    [Theory]
    [InlineData("scores/42", true)]
    [InlineData("ü€😀", true)]
    [InlineData("", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u0085", false)]
    [InlineData("\ud800", false)]
    public void IsValid_Name_IsAsDocumented(string name, bool isValid)
    {
        TopicName.IsValid(name).Should().Be(isValid);
        TopicName.IsValid(new string('x', 256)).Should().BeTrue();
        TopicName.IsValid(new string('x', 257)).Should().BeFalse();
        TopicName.IsValid(new string('ü', 129)).Should().BeFalse("that is 258 bytes as UTF-8");
    }

    [Fact]
    public void Set_OutOfRange_IsRefused()
    {
        var topic = new TopicOptions();
        var options = new TopicsOptions();
        Action[] wrong =
        [
            () => topic.HistoryCount = 0,
            () => topic.HistoryBytes = -1,
            () => topic.HistoryAge = TimeSpan.Zero,
            () => topic.MaxLag = -1,
            () => options.BatchCount = 0,
            () => options.BatchBytes = 0,
            () => options.MaxTopicsPerSubscription = 0,
            () => options.MaxQueuedBytesPerConnection = 0,
            () => options.MaxTopics = 0,
            () => options.MaxPayloadSize = 0,
            () => options.IdleTopicLifetime = TimeSpan.FromTicks(-1),
            () => options.PresenceLifetime = TimeSpan.FromSeconds(1),
        ];

        foreach (var set in wrong)
            set.Should().Throw<ArgumentOutOfRangeException>();
        options.Invoking(options => options.Topic("", _ => { })).Should().Throw<ArgumentException>();
        topic.HistoryAge = Timeout.InfiniteTimeSpan;
    }
}
