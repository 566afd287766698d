using System.Reflection;

namespace RealtimeKit.Security.Tests;

internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(pair => pair.Key == "RepoRoot").Value!;
}
