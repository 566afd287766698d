using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RealtimeKit.Docs.Tests;

/// <summary>A web application on a free port of the loopback: made of a snippet, or what a snippet talks to.</summary>
public sealed class Site : IAsyncDisposable
{
    private static readonly AsyncLocal<Dictionary<string, string>?> Addresses = new();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly IHost _host;
    private readonly Task _program;

    private Site(IHost host, Task program)
    {
        _host = host;
        _program = program;
        Address = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }

    public IServiceProvider Services => _host.Services;

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    public Uri Uri(string path) => new(Address, path);

    public Uri Ws(string path) => new UriBuilder(Uri(path)) { Scheme = "ws" }.Uri;

    /// <summary>Starts an application that is put together here.</summary>
    public static Task<Site> StartAsync(Action<WebApplication> map, Action<WebApplicationBuilder>? build = null) => StartAsync(builder =>
    {
        build?.Invoke(builder);
        var app = builder.Build();
        map(app);
        return app;
    });

    /// <summary>Starts an application that is built here.</summary>
    public static async Task<Site> StartAsync(Func<WebApplicationBuilder, WebApplication> build)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = build(builder);
        await app.StartAsync(Until.Cancelled);
        return new Site(app, Task.CompletedTask);
    }

    /// <summary>Runs a whole program, as <c>dotnet run</c> would, until its host has started.</summary>
    internal static async Task<Site> RunAsync(MethodInfo entryPoint)
    {
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isThisProgram = new AsyncLocal<bool>();
        using var listening = DiagnosticListener.AllListeners.Subscribe(new Observer<DiagnosticListener>(listener =>
        {
            if (listener.Name == "Microsoft.Extensions.Hosting")
                listener.Subscribe(new Observer<KeyValuePair<string, object?>>(said =>
                {
                    if (isThisProgram.Value && said.Key == "HostBuilt")
                        built.TrySetResult((IHost)said.Value!);
                }));
        }));
        isThisProgram.Value = true;
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "None", "--contentRoot", AppContext.BaseDirectory];
        var program = Task.Run(() => entryPoint.Invoke(null, entryPoint.GetParameters().Length == 0 ? [] : [arguments]) as Task ?? Task.CompletedTask);
        if (await Task.WhenAny(built.Task, program) == program)
            await program;
        var host = await built.Task;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(started.SetResult);
        if (await Task.WhenAny(started.Task, program) == program)
            await program;
        return new Site(host, program);
    }

    /// <summary>From here on, and in what is called from here, localhost:5080 in snippets is this site.</summary>
    public void UseForSnippets() => UseForSnippets("localhost:5080", Address.Authority);

    /// <summary>From here on, and in what is called from here, one address in snippets is another.</summary>
    public static void UseForSnippets(string written, string meant) => Addresses.Value = new(Addresses.Value ?? []) { [written] = meant };

    /// <summary>An address that stands in a snippet: where it leads in this test.</summary>
    public static string Redirect(string address)
    {
        foreach (var (written, meant) in Addresses.Value ?? throw new InvalidOperationException($"No address stands for {address} here."))
            address = address.Replace(written, meant, StringComparison.Ordinal);
        return address;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        using var patience = new CancellationTokenSource(Patience);
        await _host.StopAsync(patience.Token);
        await _program.WaitAsync(Patience);
        if (_program.IsCompletedSuccessfully && _host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }

    private sealed class Observer<T>(Action<T> next) : IObserver<T>
    {
        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void OnNext(T value) => next(value);
    }
}
