using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using RealtimeKit.AspNetCore;
using RealtimeKit.Redis;
using RealtimeKit.Topics;
using RealtimeKit.WebSockets;

static class Harness
{
    public static void Build(WebApplicationBuilder builder)
    {
/*SNIPPET*/
    }
}
