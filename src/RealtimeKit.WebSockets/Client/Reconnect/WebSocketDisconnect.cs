namespace RealtimeKit.WebSockets;

/// <summary>Why a <see cref="ReconnectingWebSocket"/> is not connected.</summary>
/// <param name="CloseResult">How the connection ended; <see langword="null"/> where none was made.</param>
/// <param name="Error">Why none was made; <see langword="null"/> where one was.</param>
/// <param name="Failures">How many attempts in a row have failed or given a connection that did not last, this one included.</param>
/// <param name="IsTransient">Whether it would reconnect by itself.</param>
public readonly record struct WebSocketDisconnect(WebSocketCloseResult? CloseResult, Exception? Error, int Failures, bool IsTransient);
