using System.Text.Json.Serialization;

namespace RealtimeKit.Soak;

/// <summary>What the server tells about itself.</summary>
/// <param name="Requests">Requests that have not ended, this one left out; a connection is one.</param>
/// <param name="Armed">Entries in the timer wheel.</param>
/// <param name="Timers">Timers of the clock that are to fire once.</param>
/// <param name="Periodic">Timers of the clock that fire again and again.</param>
/// <param name="SinceStandstill">Seconds since the process, or its clock, last stood still for so long that deadlines began anew.</param>
/// <param name="Threads">Threads of the pool.</param>
/// <param name="Rents">Buffers rented so far.</param>
/// <param name="Returns">Buffers returned so far.</param>
/// <param name="Abandoned">Buffers left to the collector because a receiver held them when its connection ended.</param>
/// <param name="Outstanding">Buffers rented now.</param>
/// <param name="Misuse">What the checking pool has found.</param>
/// <param name="Renters">Who has rented what is out, a few.</param>
/// <param name="Managed">Bytes in objects that the last collection of all generations has left.</param>
/// <param name="HostPool">Bytes of that heap in the blocks that the host's own pool keeps for its next connections.</param>
/// <param name="WorkingSet">Bytes of the process.</param>
/// <param name="CpuMilliseconds">CPU time of the process.</param>
internal sealed record ServerStats(
    int Requests, int Armed, int Timers, int Periodic, double SinceStandstill, int Threads, long Rents, long Returns, long Abandoned, int Outstanding, string[] Misuse, string[] Renters, long Managed, long HostPool, long WorkingSet, long CpuMilliseconds)
{
    /// <summary>The heap without the host's pool, which is as large as the peak has made it and shrinks slowly.</summary>
    public long Own => Managed - HostPool;
}

[JsonSerializable(typeof(ServerStats))]
internal sealed partial class ServerStatsJson : JsonSerializerContext;
