using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace RealtimeKit.Samples.Showcase;

/// <summary>C# source as HTML.</summary>
internal static partial class CSharpView
{
    /// <summary>The file without its usings and namespace, in colour.</summary>
    public static string ToHtml(string source)
    {
        var code = Preamble().Replace(source.ReplaceLineEndings("\n"), "").Trim('\n');
        var html = new StringBuilder();
        var written = 0;
        foreach (System.Text.RegularExpressions.Match token in Tokens().Matches(code))
        {
            html.Append(WebUtility.HtmlEncode(code[written..token.Index]));
            var kind = token.Groups.Cast<Group>().Skip(1).First(group => group.Success).Name;
            html.Append("<span class=\"").Append(kind).Append("\">").Append(WebUtility.HtmlEncode(token.Value)).Append("</span>");
            written = token.Index + token.Length;
        }

        return html.Append(WebUtility.HtmlEncode(code[written..])).ToString();
    }

    [GeneratedRegex(@"\A(?:\s*using [^;]+;[^\n]*\n)*\s*namespace [^;]+;\n")]
    private static partial Regex Preamble();

    [GeneratedRegex("""
        (?<c>///[^\n]*)
        |(?<r>//[^\n]*)
        |(?<s>[$@]*"(?:\\.|[^"\\\n])*"(?:u8)?|'(?:\\.|[^'\\\n])')
        |\b(?<k>abstract|as|async|await|base|bool|break|byte|case|catch|class|const|continue|default|do|double|else|enum|false|finally|float|for|foreach|get|if|in|init|int|interface|internal|is|lock|long|namespace|new|not|null|object|or|and|out|override|params|partial|private|protected|public|readonly|record|ref|return|sbyte|sealed|set|static|string|struct|switch|this|throw|true|try|uint|ulong|ushort|using|value|var|void|when|where|while|with|yield)\b
        |\b(?<n>\d[\d_]*(?:\.\d+)?f?)\b
        |\b(?<t>[A-Z]\w*)(?=[<?\[ .(>])
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Tokens();
}
