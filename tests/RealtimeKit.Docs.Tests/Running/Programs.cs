using System.Reflection;

namespace RealtimeKit.Docs.Tests;

/// <summary>Programs that stand in the documentation, for the harness of another snippet.</summary>
internal static class Programs
{
    /// <summary>Starts the web application that has a harness of this name.</summary>
    public static Task<Site> StartAsync(string name) =>
        Site.RunAsync(SnippetCompiler.Compile(Documents.Snippets.Single(snippet => snippet.Name == name)).EntryPoint!);

    /// <summary>Runs a program to its end.</summary>
    public static Task RunAsync(MethodInfo entryPoint) =>
        Task.Run(() => entryPoint.Invoke(null, BindingFlags.DoNotWrapExceptions, null, entryPoint.GetParameters().Length == 0 ? [] : [Array.Empty<string>()], null), Until.Cancelled);
}
