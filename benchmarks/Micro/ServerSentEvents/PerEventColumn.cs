using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace RealtimeKit.Benchmarks.Micro.ServerSentEvents;

/// <summary>Nanoseconds for one event, of the fastest iteration: the figure that a busy machine disturbs least.</summary>
internal sealed class PerEventColumn : IColumn
{
    public string Id => nameof(PerEventColumn);

    public string ColumnName => "Best/event";

    public string Legend => "Time of the fastest iteration, for one event";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } statistics)
            return "?";
        var events = StreamSamples.Count((StreamSample)benchmarkCase.Parameters["Sample"]);
        return (statistics.Min / events).ToString("N1", CultureInfo.InvariantCulture) + " ns";
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public override string ToString() => ColumnName;
}

internal sealed class PerEventConfig : ManualConfig
{
    public PerEventConfig()
    {
        AddColumn(new PerEventColumn());
        HideColumns("Error", "StdDev", "RatioSD", "Median", "Gen0", "Gen1", "Gen2", "Alloc Ratio");
    }
}
