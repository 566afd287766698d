using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace RealtimeKit.Docs.Tests;

/// <summary>
/// Compiles a snippet with its harness: put where the harness says <c>/*SNIPPET*/</c>, or beside it, as a program of its own with nothing but
/// the usings that a web project has anyway. Errors and warnings are reported at the document's own lines.
/// </summary>
internal static partial class SnippetCompiler
{
    // The tests' internals are visible to it.
    private const string AssemblyName = "RealtimeKit.Docs.Snippets";

    private const string Placeholder = "/*SNIPPET*/";

    // What the SDK gives a web project with ImplicitUsings.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Net.Http.Json;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        """;

    private const string HarnessUsings = "using FluentAssertions; using RealtimeKit.Docs.Tests; using RealtimeKit.Tests; using Xunit;\n";

    private static readonly CSharpParseOptions Language = new(LanguageVersion.Latest, DocumentationMode.None);

    private static readonly Lazy<MetadataReference[]> References = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => (MetadataReference)MetadataReference.CreateFromFile(path))]);

    private static readonly Lazy<ISourceGenerator[]> Generators = new(() =>
    [
        .. Documents.Metadata("Generators").Split('|').SelectMany(path => Assembly.LoadFrom(path).GetTypes())
            .Where(type => !type.IsAbstract && type.GetCustomAttribute<GeneratorAttribute>() is not null)
            .Select(type => Activator.CreateInstance(type) switch
            {
                IIncrementalGenerator generator => generator.AsSourceGenerator(),
                var generator => (ISourceGenerator)generator!,
            }),
    ]);

    /// <summary>Compiles and loads; a program has an entry point, and what checks it has a <c>RunAsync</c> in a type called <c>Check</c>.</summary>
    public static Assembly Compile(Snippet snippet)
    {
        var harness = File.ReadAllText(Path.Combine(Documents.Repository, "tests/RealtimeKit.Docs.Tests/Harness", $"{snippet.Name}.cs"));
        var sources = new List<(string Path, string Text)> { ("ImplicitUsings.cs", ImplicitUsings) };
        var code = $"#line {snippet.Line} \"{snippet.Document}\"\n{Redirect(snippet.Text)}";
        var isProgram = snippet.Language == "csharp" && !harness.Contains(Placeholder, StringComparison.Ordinal);
        if (isProgram)
            sources.Add((snippet.Document, code));
        var placed = harness.Replace(Placeholder, snippet.Language == "csharp" ? $"\n{code}\n#line default\n" : "", StringComparison.Ordinal);
        sources.Add(($"Harness/{snippet.Name}.cs", HarnessUsings + placed));

        var compilation = CSharpCompilation.Create(
            AssemblyName,
            sources.Select(source => CSharpSyntaxTree.ParseText(SourceText.From(source.Text, Encoding.UTF8), Language, source.Path)),
            References.Value,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, concurrentBuild: false));
        Compilation complete = compilation;
        if (harness.Contains("JsonSerializerContext", StringComparison.Ordinal) || code.Contains("JsonSerializerContext", StringComparison.Ordinal))
            CSharpGeneratorDriver.Create(Generators.Value, parseOptions: Language).RunGeneratorsAndUpdateCompilation(compilation, out complete, out _);

        using var image = new MemoryStream();
        var result = complete.Emit(image);
        // CS1701: assemblies of the framework name each other's older versions. CS1998: an example may be async without an await.
        var faults = result.Diagnostics.Where(fault => fault.Severity >= DiagnosticSeverity.Warning && fault.Id is not ("CS1701" or "CS1702" or "CS1998"));
        string.Join('\n', faults).Should().BeEmpty($"{snippet} must compile");
        return Assembly.Load(image.ToArray());
    }

    /// <summary>Programs of the documentation talk to localhost and print: here, to what the harness has started, and to the test.</summary>
    private static string Redirect(string code) =>
        LocalAddress().Replace(code, "RealtimeKit.Docs.Tests.Site.Redirect($0)").Replace("Console.WriteLine(", "RealtimeKit.Docs.Tests.Printed.WriteLine(", StringComparison.Ordinal);

    [GeneratedRegex("\"(?:(?:ws|http)s?://(?:localhost|127\\.0\\.0\\.1):5080[^\"]*|localhost:6379)\"")]
    private static partial Regex LocalAddress();
}
