using System.Net;

namespace RealtimeKit.Listener;

/// <summary>Serves one request and ends its response; where it throws, its caller does.</summary>
internal delegate Task RequestHandler(HttpListenerContext context, CancellationToken stopping);
