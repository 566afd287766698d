namespace RealtimeKit.ServerSentEvents.Tests;
public class PlaceholderTests { [Fact] public void Runs() => 1.Should().Be(1); }
