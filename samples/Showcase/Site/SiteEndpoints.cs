using System.Net;
using System.Text;

namespace RealtimeKit.Samples.Showcase;

/// <summary>The pages: put together once, from a layout, a view each, and the source that serves them.</summary>
internal static class SiteEndpoints
{
    public static void MapSite(this WebApplication app)
    {
        var layout = Read("layout.html");
        foreach (var page in Page.All)
            Map(app, $"/{page.Path}", layout, page.Title, View(page), page.Path);

        var cards = string.Concat(Page.All.Select(page =>
            $"<li><a href=\"/{page.Path}\"><span class=\"tag\">{page.Protocol}</span><h2>{page.Title}</h2><p>{page.Lead}</p></a></li>\n"));
        Map(app, "/", layout, "RealtimeKit showcase", Read("index.html").Replace("{cards}", cards, StringComparison.Ordinal), "index");
    }

    private static string View(Page page)
    {
        var sources = string.Concat(page.Sources.Select((file, index) =>
            $"<details{(index == 0 ? " open" : "")}><summary>{file}</summary><pre tabindex=\"0\" role=\"region\" aria-label=\"{file}\"><code>{CSharpView.ToHtml(Read(file))}</code></pre></details>\n"));

        return Read("page.html")
            .Replace("{title}", page.Title, StringComparison.Ordinal)
            .Replace("{lead}", page.Lead, StringComparison.Ordinal)
            .Replace("{protocol}", page.Protocol, StringComparison.Ordinal)
            .Replace("{view}", Read($"{page.Path}.html"), StringComparison.Ordinal)
            .Replace("{sources}", sources, StringComparison.Ordinal);
    }

    private static void Map(WebApplication app, string path, string layout, string title, string content, string name)
    {
        var navigation = string.Concat(Page.All.Select(page =>
            $"<li><a href=\"/{page.Path}\"{(page.Path == name ? " aria-current=\"page\"" : "")}>{page.Title}</a></li>"));
        var html = Encoding.UTF8.GetBytes(layout
            .Replace("{title}", name == "index" ? title : $"{title} · RealtimeKit showcase", StringComparison.Ordinal)
            .Replace("{navigation}", navigation, StringComparison.Ordinal)
            .Replace("{name}", name, StringComparison.Ordinal)
            .Replace("{content}", content, StringComparison.Ordinal));
        app.MapGet(path, () => Results.Bytes(html, "text/html; charset=utf-8"));
    }

    private static string Read(string name)
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException(name);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
