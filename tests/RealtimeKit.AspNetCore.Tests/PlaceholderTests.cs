namespace RealtimeKit.AspNetCore.Tests;
public class PlaceholderTests { [Fact] public void Runs() => 1.Should().Be(1); }
