using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace RealtimeKit.WebSockets.Tests.Bridges;

/// <summary>Both implementations, in both roles, with each of the values.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CombinatorialContractAttribute(params int[] values) : DataAttribute
{
    public IReadOnlyList<int> Values => values;

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        var rows =
            from implementation in Enum.GetValues<Implementation>()
            from isServer in new[] { true, false }
            from value in values
            select (ITheoryDataRow)new TheoryDataRow(implementation, isServer, value);
        return new([.. rows]);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
