using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace RealtimeKit.WebSockets.Tests.Connection.Kit;

/// <summary>Each wire with each value.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CombinatorialWiresAttribute(params object[] values) : DataAttribute
{
    /// <summary>The values.</summary>
    public object[] Values => values;

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. from wire in Enum.GetValues<Wire>() from value in values select new TheoryDataRow(wire, value)]);

    /// <inheritdoc/>
    public override bool SupportsDiscoveryEnumeration() => true;
}
