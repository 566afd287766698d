using FluentAssertions.Execution;

namespace RealtimeKit.Security.Tests;

/// <summary>Shows that a test can fail: the same attack, with the limit off, must break the same assertions.</summary>
internal static class Proof
{
    /// <summary>Fails unless the assertions do.</summary>
    public static void FailsWithoutTheLimit(Action assertions) =>
        assertions.Should().Throw<AssertionFailedException>("with the limit off the attack succeeds");

    /// <inheritdoc cref="FailsWithoutTheLimit(Action)"/>
    public static async Task FailsWithoutTheLimitAsync(Func<Task> assertions) =>
        await assertions.Should().ThrowAsync<AssertionFailedException>("with the limit off the attack succeeds");
}
