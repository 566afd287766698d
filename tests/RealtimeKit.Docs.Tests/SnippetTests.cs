using System.Reflection;
using System.Runtime.ExceptionServices;

namespace RealtimeKit.Docs.Tests;

/// <summary>Each fenced block of README.md and docs/ does what the text around it says, or at least compiles.</summary>
public class SnippetTests
{
    // Code must be compiled at least; what only shows bytes on the wire, say, may stand alone.
    private static readonly string[] Code = ["csharp", "cs", "js", "javascript", "ts", "html", "nginx", "haproxy", "json", "xml", "yaml"];

    public static TheoryData<string> Run => Named("run");

    public static TheoryData<string> Compiled => Named("compile");

    public static TheoryData<string> Copied => Named("same-as");

    public static TheoryData<string> TestedElsewhere => Named("tested-by");

    [Theory(Timeout = Until.Bound)]
    [MemberData(nameof(Run))]
    public async Task Snippet_Run_DoesWhatItSays(string name)
    {
        var snippet = Find("run", name);
        var assembly = SnippetCompiler.Compile(snippet);
        var check = assembly.GetType("Check")?.GetMethod("RunAsync", BindingFlags.Public | BindingFlags.Static);
        check.Should().NotBeNull($"Harness/{snippet.Name}.cs has a type Check with a static method RunAsync");
        await using var site = assembly.EntryPoint is { } entry && check!.GetParameters().Any(parameter => parameter.ParameterType == typeof(Site))
            ? await Site.RunAsync(entry)
            : null;
        var arguments = check!.GetParameters().Select(parameter =>
            parameter.ParameterType == typeof(Site) ? site
            : parameter.ParameterType == typeof(string) ? snippet.Text
            : (object?)(parameter.ParameterType == typeof(MethodInfo) ? assembly.EntryPoint : Until.Cancelled)).ToArray();
        await (Task)check.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
    }

    [Theory(Timeout = Until.Bound, SkipTestWithoutData = true)]
    [MemberData(nameof(Compiled))]
    public void Snippet_Compiled_HasNoWarning(string name) => SnippetCompiler.Compile(Find("compile", name)).Should().NotBeNull();

    [Theory]
    [MemberData(nameof(TestedElsewhere))]
    public void Snippet_TestedElsewhere_IsNamedThere(string name)
    {
        var snippet = Find("tested-by", name);
        Documents.ReadText(snippet.Name).Should().Contain(Path.GetFileName(snippet.Document), $"{snippet} says that it is tested there");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Copied))]
    public void Snippet_SameAs_IsTheFile(string name)
    {
        var snippet = Find("same-as", name);
        Documents.ReadText(snippet.Name).Should().Contain(snippet.Text, $"{snippet} says that it is {snippet.Name}");
    }

    [Fact]
    public void Snippets_All_SayHowTheyAreTested() =>
        Documents.Snippets.Where(snippet => snippet.Verb == "" || (snippet.Verb == "shown" && Code.Contains(snippet.Language))).Select(snippet => $"{snippet}")
            .Should().BeEmpty("a comment before each block says how it is tested, and code is never only shown: see docs/contributing.md");

    [Fact]
    public void Harnesses_All_AreForOneSnippet() =>
        Documents.Snippets.Where(snippet => snippet.Verb == "run").Select(snippet => snippet.Name).Should().OnlyHaveUniqueItems();

    [Fact]
    public void Harnesses_All_AreUsed() =>
        Directory.GetFiles(Path.Combine(Documents.Repository, "tests/RealtimeKit.Docs.Tests/Harness"))
            .Select(Path.GetFileNameWithoutExtension).Except(Documents.Snippets.Where(snippet => snippet.Verb is "run" or "compile").Select(snippet => snippet.Name)).Should().BeEmpty();

    [Fact]
    public void Compile_Wrong_ReportsTheDocumentsLine()
    {
        var wrong = Documents.Snippets.First(snippet => snippet.Verb == "run") with { Text = "int x = \"no number\";\n", Language = "csharp", Line = 4711 };
        var compile = () => SnippetCompiler.Compile(wrong);
        compile.Should().Throw<Exception>().WithMessage("*README.md(4711,*CS0029*");
    }

    private static TheoryData<string> Named(string verb) =>
        [.. Documents.Snippets.Where(snippet => snippet.Verb == verb).Select(NameOf).Distinct()];

    // By name, not by line, so that a test keeps its name when text is added above.
    private static Snippet Find(string verb, string name) =>
        Documents.Snippets.First(snippet => snippet.Verb == verb && NameOf(snippet) == name);

    // Several blocks may share a harness that only compiles them.
    private static string NameOf(Snippet snippet) => snippet.Verb == "compile" ? $"{snippet}" : $"{snippet.Document} {snippet.Name}";
}
