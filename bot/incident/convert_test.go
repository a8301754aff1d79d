package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

func TestConvertReadsLikeThePage(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain text keeps its paragraphs":        {"Title: A\n\nUser impact: B\r\n \r\nMore", "Title: A\n\nUser impact: B\n\nMore"},
		"entities without any tag":               {"Q&amp;A&nbsp;&#8594; &quot;x&quot; &lt;y&gt;", "Q&A → \"x\" <y>"},
		"entities encoded twice":                 {"a&amp;nbsp;b &amp;amp; c", "a b & c"},
		"paragraphs, breaks and source newlines": {"<p>One</p>\n<p>Two<br>\nThree<br/><br/>Four</p>", "One\n\nTwo\nThree\n\nFour"},
		"empty paragraphs leave no hole":         {"<p>One</p><p>\n</p><p>&nbsp;</p><p>Two</p>", "One\n\nTwo"},
		"lists": {"<ul>\n<li>a\n</li>\n<li><p>b</p><ul><li>c</li></ul></li></ul><ol><li>x<li>y</ol><p>z</p>",
			"• a\n• b\n   ◦ c\n1. x\n2. y\n\nz"},
		"lists in lists":          {"<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>", "• a\n   ◦ b\n      ▪ c"},
		"cells that are empty":    {"<table><tr><td>a</td><td></td><td>b</td></tr><tr><td>c</td><td>d</td><td>&nbsp;</td></tr></table>", "a |  | b\nc | d"},
		"a list that goes on":     {"<ol start=\"3\"><li>third</li></ol>", "3. third"},
		"a table with a header":   {"<table><tr><th>Name</th><th>Value</th></tr><tr><td><p>a</p><p>b</p></td><td>1</td></tr></table>after", "Name | Value\na b | 1\n\nafter"},
		"a table around one text": {"<table><tr><td><p>One</p><p>Two</p></td></tr></table>", "One\n\nTwo"},
		"a table never closed":    {"<table><tr><td>a<td>b<tr><td>c", "a | b\nc"},
		"a table in a table":      {"<table><tr><td>a</td><td><table><tr><td>b</td><td>c</td></tr></table></td></tr></table>", "a | b | c"},
		"pictures":                {`See<img src="x"> and <img alt="the new button" src="y">.`, "See [picture] and [picture: the new button] ."},
		"comments, style, script": {"a<!-- no --><style>p{}</style><script>alert('<p>')</script>b", "ab"},
		"a comment never closed":  {"a<!-- b <b>c</b>", "a b c"},
		"a style never closed":    {"a<style>b<p>c", "ab\n\nc"},
		"code keeps its lines":    {"<pre>if a {\n  b\n}</pre>then", "if a {\n  b\n}\n\nthen"},
		"placeholders stay":       {"Run <code>Get-X -Name <table-name></code> on <device name> if 3 < 4 and <3", "Run Get-X -Name <table-name> on <device name> if 3 < 4 and <3"},
		"XML that was not escaped": {"set <OEMCameraControlsEnabled>true</OEMCameraControlsEnabled>",
			"set <OEMCameraControlsEnabled>true</OEMCameraControlsEnabled>"},
		"an item that lost its bracket":   {"<ul><liadmins can act</li><li>b</li></ul>", "• admins can act\n• b"},
		"what is left of comments":        {"<p>a</p><p--><b>b</b></p><b-->c", "a\n\nb\n\nc"},
		"words stored as attributes":      {`<no action="" is="" required.<ul=""><li>Tell users</li>`, "<no action is required.\n• Tell users"},
		"a tag cut off at the end":        {`More at <a href="https://exa`, "More at"},
		"a bracket at the end":            {"a <", "a <"},
		"nothing":                         {"", ""},
		"odd characters":                  {"\ufeffa\u00a0b\u202fc\u200bd\ufffce\u2028f\u2011g\u202eh\x00i\u0085j", "a b cde\nf-ghi\nj"},
		"a whole conversation in one row": {"a<hr>b<div>c</div>d", "a\nb\nc\nd"},
		"backslashes before line ends":    {"One\\\n\nTwo \\  \nC:\\\nC:\\temp\\\nthe end\\", "One\n\nTwo\nC:\\\nC:\\temp\\\nthe end\\"},
		"broken bytes":                    {"a\xffb", "a\ufffdb"},
		"a mention is only text":          {"Hi <!channel> and <@U123>", "Hi <!channel> and <@U123>"},
	} {
		if d := cmp.Diff(c.want, Convert(c.in).Plain()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestLinksAndStylesSurviveAndDangerousLinksDoNot(t *testing.T) {
	for in, want := range map[string]string{
		`<b>Bold</b> <i>it</i><s>x</s>`:                                     "**Bold** _it_x",
		`<a href=" https://a.example/?x=1&amp;y=2 "target="_blank">a</a>`:   "[a](https://a.example/?x=1&y=2)",
		`<a href="mailto:x@y.example">mail</a>`:                             "[mail](mailto:x@y.example)",
		`<a href="javascript:alert(1)">click</a>`:                           "click",
		`<a href="ms-windows-store://x">store</a> <a>none</a>`:              "store none",
		`<a href="https://a.example"></a>`:                                  "[https://a.example](https://a.example)",
		`<a href="https://a.example"><a href="https://b.example">b</a></a>`: "[b](https://b.example)",
		`see https://aka.ms/x. And (http://b.example/y)`:                    "see [https://aka.ms/x](https://aka.ms/x). And ([http://b.example/y](http://b.example/y))",
		`<p><b>open <i>never closed</p><p>plain</p>`:                        "**open** _**never closed**_\n\nplain",
		`<h3>Head</h3>text`:                                                 "**Head**\n\ntext",
		`<a href=https://a.example/x>bare</a>`:                              "[bare](https://a.example/x)",
	} {
		if got := styled(Convert(in)); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestConvertIsQuickOnHostileText(t *testing.T) {
	for _, piece := range []string{"<", "<!--", "<style>", "<a href=\"", "<b>", "<ul><li>", "<table><tr><td>", "&amp;", "<x '", "</p>", "http", "Status:"} {
		text := strings.Repeat(piece, 200_000/len(piece))
		begin := time.Now()
		Sections(Convert(text))
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("200 KB of %q took %v", piece, took)
		}
	}
}

func TestSectionsAreFoundHoweverTheyAreWritten(t *testing.T) {
	glued := "Title: Forms may failUser Impact: Users see FormsMore info: More info: They see 'x'.Current status : We look.Scope of impact: Any.Next update by: Monday, 2:30 PM UTCRoot Cause: A change"
	want := []Section{{Title, bot.T("Forms may fail")}, {UserImpact, bot.T("Users see Forms")}, {MoreInfo, bot.T("They see 'x'.")},
		{Status, bot.T("We look.")}, {Scope, bot.T("Any.")}, {NextUpdate, bot.T("Monday, 2:30 PM UTC")}, {RootCause, bot.T("A change")}}
	if d := cmp.Diff(want, Sections(bot.T(glued))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTextWithoutLabelsStaysWhole(t *testing.T) {
	for _, s := range []string{
		"A post-incident report has been published.",
		"The business impact: none. We fixed the root cause: a cable, at 12:30: done.",
		"",
	} {
		got := Sections(bot.T(s))
		if s == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0].Label != Unlabelled || got[0].Text.Plain() != s {
			t.Errorf("%q was taken apart: %v", s, got)
		}
	}
	mixed := Sections(bot.T("We are aware of a problem.\n\nUser impact: None\n\nThis is preliminary."))
	if len(mixed) != 2 || mixed[0].Text.Plain() != "We are aware of a problem." || mixed[1].Text.Plain() != "None\n\nThis is preliminary." {
		t.Errorf("text before the first label is lost: %v", mixed)
	}
}

func TestTextIsCutWhereAReaderWouldPause(t *testing.T) {
	text := "Users can't sign in, e.g. with a key. It began at 8 a.m. today (see \"Start\"). We are looking into it."
	for max, want := range map[int]string{
		1000: text,
		80:   "Users can't sign in, e.g. with a key. It began at 8 a.m. today (see \"Start\").",
		60:   "Users can't sign in, e.g. with a key.",
		20:   "Users can't sign…",
		0:    "",
	} {
		if got := CutAtSentence(text, max); got != want {
			t.Errorf("cut to %d: %q, want %q", max, got, want)
		}
	}
	if got := CutAtSentence(strings.Repeat("x", 50)+"👩‍💻"+strings.Repeat("y", 50), 53); strings.Contains(got, "👩") || length(got) > 53 {
		t.Errorf("an emoji was cut apart: %q", got)
	}
	linked := bot.Join(bot.T("Read "), bot.Link("the long guide to everything", "https://a.example"), bot.T(" now."))
	if got := styled(CutText(linked, 14)); got != "Read [the long](https://a.example)…" {
		t.Errorf("a cut link: %s", got)
	}
}

func TestLongTextFitsThePlatformsBlocksAndLosesNothing(t *testing.T) {
	var long strings.Builder
	for range 300 {
		long.WriteString("This is a sentence about a problem that users may notice. ")
	}
	long.WriteString("\n\n" + strings.Repeat("x", 6000))
	parts := Paragraphs(Convert(long.String()))
	got := 0
	for _, p := range parts {
		n := length(p.(bot.Paragraph).Text.Plain())
		if n > pieceSize {
			t.Errorf("a paragraph has %d characters", n)
		}
		got += n
	}
	if want := length(strings.TrimSpace(long.String())); got < want-len(parts)*2-2 {
		t.Errorf("%d of %d characters are left", got, want)
	}
}

func TestOnlyRealAdviceIsAWorkaround(t *testing.T) {
	for text, want := range map[string]string{
		"More info: It fails. Users may also open the files through SharePoint Online as another potential workaround. Sorry.": "Users may also open the files through SharePoint Online as another potential workaround.",
		"Workaround: Use the app.\n\nCurrent status: We look.":                                                                 "Use the app.",
		"Current status: There's no workaround that users can apply.":                                                          "",
		"Current status: We're working on a workaround that users may apply.":                                                  "",
		"Current status: In the meantime, we recommend that users print from the desktop app":                                  "In the meantime, we recommend that users print from the desktop app",
		"Current status: In the meantime, we're continuing our analysis.":                                                      "",
	} {
		if got := workaround(Sections(Convert(text))).Plain(); got != want {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
}

func FuzzConvert(f *testing.F) {
	for _, story := range SampleStories() {
		for _, raw := range story {
			for _, p := range parse(f, raw).Posts {
				f.Add(p.Content)
			}
		}
	}
	for _, s := range []string{"<liadmins", "<p--", "<a href='x", "<table><td><tr></table></td>", "<!--", "&amp;amp;lt;", "<pre>\n</pre>", "<ul><ul><li><ol>", "http://", "a\u202eb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := Convert(s)
		plain := out.Plain()
		if strings.Contains(plain, "\n\n\n") && !strings.Contains(s, "<pre") {
			t.Errorf("a hole in %q", plain)
		}
		if strings.ContainsAny(plain, "\x00\r\u00a0\u200b\ufeff\ufffc\u2028\u202e") {
			t.Errorf("odd characters in %q", plain)
		}
		for _, sp := range out {
			if sp.Text == "" || sp.Link != "" && safeLink(sp.Link) == "" {
				t.Errorf("a useless span: %+v", sp)
			}
		}
		if !strings.ContainsAny(s, "<&\\") {
			if d := cmp.Diff(strings.Fields(tidy(s)), strings.Fields(plain)); d != "" {
				t.Errorf("words of plain text changed (-want +got):\n%s", d)
			}
		}
		kept := 0
		for _, sec := range Sections(out) {
			kept += len(sec.Text.Plain())
		}
		if kept > len(plain) {
			t.Errorf("sections hold more than the text")
		}
		for _, max := range []int{1, 10, 100} {
			if n := length(CutAtSentence(plain, max)); n > max {
				t.Errorf("cut to %d, got %d", max, n)
			}
		}
		digestOf(Post{Content: s})
	})
}
