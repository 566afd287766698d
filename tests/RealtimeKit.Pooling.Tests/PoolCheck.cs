using System.Reflection;
using System.Runtime.CompilerServices;
using RealtimeKit.Tests;
using Xunit.v3;

// One test at a time: what is out after a test is that test's.
[assembly: Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: RealtimeKit.Pooling.Tests.PoolCheck]

namespace RealtimeKit.Pooling.Tests;

/// <summary>After each test, no buffer was misused, and every one has come back.</summary>
internal sealed class PoolCheckAttribute : BeforeAfterTestAttribute
{
    // Taking a stack at each rent costs more than the tests.
    private const string Stacks = "REALTIMEKIT_POOL_STACKS";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    public static CheckingPool Pool { get; private set; } = null!;

    // Before the packages rent for the first time: they read once which pool it is.
#pragma warning disable CA2255 // A test assembly is an application.
    [ModuleInitializer]
    internal static void Install() => Pool = CheckingPool.Install(Environment.GetEnvironmentVariable(Stacks) is not null);
#pragma warning restore CA2255

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        // What a test has ended may still be giving back its last buffer.
        var deadline = Environment.TickCount64 + (long)Bound.TotalMilliseconds;
        while (Pool.Outstanding > 0 && Environment.TickCount64 < deadline)
            Thread.Sleep(1);
        string[] found = [.. Pool.FindMisuse(), .. Pool.FindOutstanding()];
        Pool.Forget();
        if (found.Length > 0)
            Assert.Fail($"{found.Length} buffers were misused or not returned. With {Stacks}=1 it is told by whom.\n{string.Join("\n", found.Take(3))}");
    }
}
