using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.Samples.Showcase;

/// <summary>Somebody on the field.</summary>
internal sealed class Player(byte id, WebSocketConnection connection)
{
    private const float Speed = 380;

    private readonly RateLimit _rate = new(perSecond: 120, burst: 120);
    private Task _sending = connection.SendAsync(new byte[] { id }, WebSocketMessageType.Binary).AsTask();   // who you are
    private ulong _input;   // keys in the low byte, the input's number above: one word, which the loop reads whole

    public byte Id { get; } = id;

    public float X { get; set; }

    public float Y { get; set; }

    public ushort Score { get; set; }

    private (byte Keys, uint Number) Input
    {
        get
        {
            var input = Volatile.Read(ref _input);
            return ((byte)input, (uint)(input >> 8));
        }
    }

    /// <summary>Takes an input: the number u32, and the keys that are down u8 (left 1, right 2, up 4, down 8).</summary>
    public void Read(in ReadOnlySequence<byte> message)
    {
        Span<byte> input = stackalloc byte[5];
        if (message.Length != input.Length || !_rate.TryTake())
            return;
        message.CopyTo(input);
        Volatile.Write(ref _input, (ulong)BinaryPrimitives.ReadUInt32LittleEndian(input) << 8 | input[4]);
    }

    public void Move(float seconds, float minimum, float right, float bottom)
    {
        var keys = Input.Keys;
        float x = (keys >> 1 & 1) - (keys & 1);
        float y = (keys >> 3 & 1) - (keys >> 2 & 1);
        var way = Speed * seconds * (x != 0 && y != 0 ? 0.7071f : 1);
        X = Math.Clamp(X + x * way, minimum, right);
        Y = Math.Clamp(Y + y * way, minimum, bottom);
    }

    public void Write(Span<byte> frame)
    {
        var (keys, number) = Input;
        frame[0] = Id;
        frame[1] = keys;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[2..], (ushort)X);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[4..], (ushort)Y);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], Score);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], number);
    }

    /// <summary>Sends a frame, unless the one before has not found room yet: then this one is left out.</summary>
    public void Send(PreparedWebSocketMessage frame)
    {
        if (!_sending.IsCompleted)
            return;
        var sending = connection.SendAsync(frame);
        _sending = sending.IsCompletedSuccessfully ? Task.CompletedTask : sending.AsTask();
    }
}
