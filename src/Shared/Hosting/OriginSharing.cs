namespace RealtimeKit;

/// <summary>Which origin a response names in <c>Access-Control-Allow-Origin</c>.</summary>
internal enum OriginSharing : byte
{
    None,
    WithThis,
    WithAny,
}
