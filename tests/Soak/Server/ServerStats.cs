using System.Text.Json.Serialization;

namespace RealtimeKit.Soak;

/// <summary>What the server tells about itself.</summary>
/// <param name="Requests">Requests that have not ended, this one left out; a connection is one.</param>
/// <param name="Armed">Entries in the timer wheel.</param>
/// <param name="Rents">Buffers rented so far.</param>
/// <param name="Returns">Buffers returned so far.</param>
/// <param name="Abandoned">Buffers left to the collector because a receiver held them when its connection ended.</param>
/// <param name="Outstanding">Buffers rented now.</param>
/// <param name="Misuse">What the checking pool has found.</param>
/// <param name="Managed">Bytes of the managed heap, after a collection where one was asked for.</param>
/// <param name="WorkingSet">Bytes of the process.</param>
/// <param name="CpuMilliseconds">CPU time of the process.</param>
internal sealed record ServerStats(
    int Requests, int Armed, long Rents, long Returns, long Abandoned, int Outstanding, string[] Misuse, long Managed, long WorkingSet, long CpuMilliseconds);

[JsonSerializable(typeof(ServerStats))]
internal sealed partial class ServerStatsJson : JsonSerializerContext;
