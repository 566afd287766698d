using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.AspNetCore;
using MQTTnet.Channel;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Formatter;
using RealtimeKit.AspNetCore.Tests.WebSockets;
using RealtimeKit.WebSockets;

namespace RealtimeKit.AspNetCore.Tests.Client;

/// <summary>
/// MQTT over WebSocket with MQTTnet: its broker on <see cref="WebSocketConnection.AsWebSocket"/> or on the framework's sockets, its client
/// on <see cref="WebSocketConnection.AsDuplexPipe"/> or on <c>ClientWebSocket</c>.
/// </summary>
public class MqttTests
{
    [Theory(Timeout = Until.Bound)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Publish_MqttNet_ArrivesOverTheBridges(bool isOurBroker, bool isOurClient)
    {
        await using var server = await TestServerHost.StartAsync(
            Wire.Pipes,
            app =>
            {
                if (isOurBroker)
                {
                    var adapter = app.Services.GetRequiredService<MqttWebSocketServerAdapter>();
                    app.MapWebSocket(
                        "/mqtt", new WebSocketEndpointOptions { SubProtocols = ["mqtt"] },
                        (connection, http) => adapter.RunWebSocketConnectionAsync(connection.AsWebSocket(), http));
                }
                else
                {
                    app.UseWebSockets();
                    app.MapMqtt("/mqtt");
                }

                app.UseMqttServer(_ => { });
            },
            builder =>
            {
                builder.Services.AddHostedMqttServer(options => options.WithoutDefaultEndpoint());
                builder.Services.AddMqttWebSocketServerAdapter();
                builder.Services.AddMqttConnectionHandler();
                builder.Services.AddConnections();
            });
        using var subscriber = NewClient(isOurClient, server.Uri("/mqtt"));
        using var publisher = NewClient(isOurClient, server.Uri("/mqtt"));
        var received = System.Threading.Channels.Channel.CreateUnbounded<byte[]>();
        subscriber.ApplicationMessageReceivedAsync += message =>
        {
            received.Writer.TryWrite(message.ApplicationMessage.Payload.ToArray());
            return Task.CompletedTask;
        };
        await ConnectAsync(subscriber, server.Uri("/mqtt"));
        await ConnectAsync(publisher, server.Uri("/mqtt"));
        await subscriber.SubscribeAsync("t/#", MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce, Until.Cancelled);
        foreach (var size in (int[])[0, 1, 100, 5_000, 200_000])
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            await publisher.PublishBinaryAsync("t/1", payload, MQTTnet.Protocol.MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Until.Cancelled);
            (await received.Reader.ReadAsync(Until.Cancelled)).AsSpan().SequenceEqual(payload).Should().BeTrue($"{size} bytes arrive as they were published");
        }

        await publisher.PingAsync(Until.Cancelled);
        await publisher.DisconnectAsync(cancellationToken: Until.Cancelled);
        await subscriber.DisconnectAsync(cancellationToken: Until.Cancelled);
        if (isOurBroker)
            await Until.TrueAsync(() => server.Logs.Ours.Count(record => record.Event.Name == "Closed") == 2);
    }

    private static IMqttClient NewClient(bool isOurs, Uri uri) =>
        isOurs ? new MqttClientFactory().CreateMqttClient(new PipeAdapterFactory(uri)) : new MqttClientFactory().CreateMqttClient();

    private static async Task ConnectAsync(IMqttClient client, Uri uri) =>
        (await client.ConnectAsync(new MqttClientOptionsBuilder().WithWebSocketServer(options => options.WithUri(uri.ToString())).Build(), Until.Cancelled))
            .ResultCode.Should().Be(MqttClientConnectResultCode.Success);

    private sealed class PipeAdapterFactory(Uri uri) : IMqttClientAdapterFactory
    {
        public IMqttChannelAdapter CreateClientAdapter(MqttClientOptions options, MqttPacketInspector packetInspector, IMqttNetLogger logger) =>
            new MqttChannelAdapter(new PipeChannel(uri), new MqttPacketFormatterAdapter(options.ProtocolVersion, new MqttBufferWriter(4096, 65535)), logger)
            {
                PacketInspector = packetInspector,
            };
    }

    private sealed class PipeChannel(Uri uri) : IMqttChannel
    {
        private IDuplexPipe? _pipe;
        private Stream _input = Stream.Null;

        public X509Certificate2? ClientCertificate => null;

        public EndPoint? RemoteEndPoint => null;

        public EndPoint? LocalEndPoint => null;

        public bool IsSecureConnection => false;

        public async Task ConnectAsync(CancellationToken cancellationToken)
        {
            var connection = await WebSocketClient.ConnectAsync(uri, new WebSocketClientOptions { SubProtocols = ["mqtt"] }, cancellationToken);
            _pipe = connection.AsDuplexPipe();
            _input = _pipe.Input.AsStream();
        }

        public async Task DisconnectAsync(CancellationToken cancellationToken)
        {
            if (_pipe is not null)
                await _pipe.Output.CompleteAsync();
        }

        public Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            _input.ReadAsync(buffer, offset, count, cancellationToken);

        public async Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken)
        {
            foreach (var segment in buffer)
                _pipe!.Output.Write(segment.Span);
            await _pipe!.Output.FlushAsync(cancellationToken);
        }

        public void Dispose() => _pipe?.Input.Complete();
    }
}
