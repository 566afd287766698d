using System.IO.Pipelines;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using RealtimeKit.ServerSentEvents;

namespace RealtimeKit.Topics.Tests;

public sealed class TopicEventStreamTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Later = DateTimeOffset.UnixEpoch.AddYears(90);

    private readonly Pipe _pipe = new();
    private readonly List<DateTimeOffset?> _extensions = [];
    private Func<TopicAccess, ValueTask<bool>> _authorize = static access => new(access.User.HasClaim("may", access.Topic));

    public TopicEventStreamTests() => Hub = new TopicHub(options: new TopicsOptions().Topic("**", topic => topic.AuthorizeSubscribe = access => _authorize(access)));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TopicHub Hub { get; }

    public ValueTask DisposeAsync() => Hub.DisposeAsync();

    private static ClaimsPrincipal Ada(params string[] topics) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "ada"), .. topics.Select(topic => new Claim("may", topic))], "test"));

    /// <summary>Opens a stream, which can be refreshed.</summary>
    /// <returns>The stream, and the key that its client is told.</returns>
    private async Task<(TopicEventStream Stream, string Key)> OpenAsync(params string[] topics)
    {
        var stream = new TopicEventStream(Hub, "ada", takesTopics: true)
        {
            Refresh = (_, expires) =>
            {
                _extensions.Add(expires);
                return true;
            },
        };
        var request = new TopicRequest { User = Ada("a", "b", "c"), UserId = "ada", Topics = topics, GetQuery = _ => null, Host = this };
        await stream.OpenAsync(request, endAtGap: false, Cancel);
        _ = stream.RunAsync(new ServerSentEventWriter(_pipe.Writer), Cancel);
        var read = await _pipe.Reader.ReadAsync(Cancel);
        var opening = Encoding.UTF8.GetString(read.Buffer.FirstSpan);
        _pipe.Reader.AdvanceTo(read.Buffer.End);
        var data = opening.Split('\n').First(line => line.StartsWith("data: ", StringComparison.Ordinal))["data: ".Length..];
        return (stream, JsonSerializer.Deserialize(data, TopicStreamJson.Default.TopicStreamOpening)!.Stream);
    }

    private async Task<IReadOnlyList<string>> PostAsync(TopicStreamChange change, ClaimsPrincipal user, CancellationToken aborted) =>
        await TopicStreams.ChangeAsync(Hub, change, "ada", user, Later, aborted);

    private static TopicStreamChange Refreshing(string key) => new(key, null, null, null, Refresh: true);

    [Fact]
    public async Task Refresh_RightsThatWereLost_AreTakenBeforeItAnswers()
    {
        var (stream, key) = await OpenAsync("a", "b", "c");

        var topics = await PostAsync(Refreshing(key), Ada("b"), Cancel);

        topics.Should().Equal("b");
        stream.Subscription.Topics.Should().Equal("b");
        _extensions.Should().Equal(Later);
    }

    [Fact]
    public async Task Refresh_AbortedWhileATopicIsAuthorized_ExtendsAndTakesNothing()
    {
        var (stream, key) = await OpenAsync("a", "b", "c");
        using var abort = new CancellationTokenSource();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _authorize = async access =>
        {
            if (access.Topic == "b")
            {
                asked.TrySetResult();
                await Task.Delay(Timeout.Infinite, access.CancellationToken);
            }

            return false;
        };

        var refreshing = PostAsync(Refreshing(key), Ada(), abort.Token);
        await asked.Task.WaitAsync(Until.Bound, Cancel);
        await abort.CancelAsync();

        await refreshing.Awaiting(refreshing => refreshing).Should().ThrowAsync<OperationCanceledException>();
        _extensions.Should().BeEmpty();
        stream.Subscription.Topics.Should().Equal("a", "b", "c");
        stream.Subscription.User!.HasClaim("may", "a").Should().BeTrue("the stream goes on under the authentication that it had");
    }

    [Fact]
    public async Task Refresh_AuthorizationFails_ExtendsNothingAndCanBeTriedAgain()
    {
        var (stream, key) = await OpenAsync("a", "b", "c");
        var authorize = _authorize;
        _authorize = access => access.Topic == "b" ? throw new TimeoutException() : authorize(access);

        await this.Awaiting(test => test.PostAsync(Refreshing(key), Ada("a"), Cancel)).Should().ThrowAsync<TimeoutException>();
        _extensions.Should().BeEmpty();
        stream.Subscription.Topics.Should().Equal("a", "b", "c");

        _authorize = authorize;
        (await PostAsync(Refreshing(key), Ada("a"), Cancel)).Should().Equal("a");
        _extensions.Should().Equal(Later);
    }

    [Fact]
    public async Task Refresh_NotAccepted_TakesNothing()
    {
        var (stream, key) = await OpenAsync("a", "b");
        stream.Refresh = static (_, _) => false;

        var refused = await this.Awaiting(test => test.PostAsync(Refreshing(key), Ada(), Cancel)).Should().ThrowAsync<TopicRefusedException>();

        refused.Which.StatusCode.Should().Be(403);
        stream.Subscription.Topics.Should().Equal("a", "b");
    }

    [Fact]
    public async Task Refresh_WhileATopicIsBeingAdded_AsksForThatOneToo()
    {
        var (stream, key) = await OpenAsync("a");
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var authorize = _authorize;
        _authorize = async access =>
        {
            if (access is { Topic: "b", IsResume: false })
            {
                asked.SetResult();
                await goesOn.Task;
            }

            return await authorize(access);
        };

        var adding = PostAsync(new TopicStreamChange(key, ["b"], null, null), Ada("a", "b", "c"), Cancel);
        await asked.Task.WaitAsync(Until.Bound, Cancel);
        var refreshing = PostAsync(Refreshing(key), Ada("a"), Cancel);
        goesOn.SetResult();
        await adding;
        await refreshing;

        stream.Subscription.Topics.Should().Equal("a");
    }
}
