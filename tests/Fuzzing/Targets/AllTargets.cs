namespace RealtimeKit.Fuzzing;

internal static class AllTargets
{
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new HeaderTarget(), new FramesTarget(), new UnmaskTarget(), new Utf8Target(),
        new InflateTarget(), new DeflateTarget(), new ExtensionsTarget(), new CursorTarget(),
        new SseTarget(), new SseWriteTarget(), new HandshakeTarget(), new FragmentsTarget(),
        new FramesBclTarget(), new WebPubSubTarget(),
    ];

    public static FuzzTarget Find(string name) =>
        List.FirstOrDefault(target => target.Name == name) ?? throw new ArgumentException($"There is no target {name}: {string.Join(", ", List.Select(static target => target.Name))}.");
}
