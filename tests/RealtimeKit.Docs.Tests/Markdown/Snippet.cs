namespace RealtimeKit.Docs.Tests;

/// <summary>A fenced block of a document, with the hidden comment that says how it is tested.</summary>
/// <param name="Document">The document's path from the repository's root.</param>
/// <param name="Line">The number of the block's first line.</param>
/// <param name="Language">What stands behind the fence; empty where nothing does.</param>
/// <param name="Verb">The comment's verb: run, compile, same-as, tested-by, shown; empty without one.</param>
/// <param name="Name">What the verb is about: a harness, a file, or why the block is only shown.</param>
/// <param name="Text">The lines.</param>
public sealed record Snippet(string Document, int Line, string Language, string Verb, string Name, string Text)
{
    public override string ToString() => $"{Document}:{Line}";
}
