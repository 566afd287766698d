static class Check
{
    // It is what runs this test.
    public static Task RunAsync(string snippet)
    {
        var script = new FileInfo(Path.Combine(Documents.Repository, snippet.Trim()));
        script.Exists.Should().BeTrue();
        script.UnixFileMode.HasFlag(UnixFileMode.UserExecute).Should().BeTrue();
        return Task.CompletedTask;
    }
}
