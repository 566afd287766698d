namespace RealtimeKit.WebSockets;

/// <summary>What the bytes of a send are, and what is still to be done with them.</summary>
internal enum SendForm : byte
{
    /// <summary>A message to be sent as it is.</summary>
    Message,

    /// <summary>A message that has been compressed.</summary>
    Compressed,

    /// <summary>A message to be compressed in its turn: its form depends on the messages before it (RFC 7692 §7.1.1).</summary>
    Compressible,

    /// <summary>Whole frames as they go to the wire.</summary>
    Frames,

    /// <summary>Whole messages in unmasked frames of which those with RSV1 are <see cref="Compressible"/>.</summary>
    Batch,
}
