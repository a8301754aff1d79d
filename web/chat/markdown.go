package chat

import (
	"html/template"
	"regexp"
	"strings"
)

var (
	mdLink   = regexp.MustCompile(`\[([^\]\n]+)\]\((https?://[^\s)]+)\)`)
	mdBold   = regexp.MustCompile(`\*\*([^*\n]+)\*\*|__([^_\n]+)__`)
	mdItalic = regexp.MustCompile(`(^|[^*\w])\*([^*\s][^*\n]*)\*`)
	mdCode   = regexp.MustCompile("`([^`\n]+)`")
	mdItem   = regexp.MustCompile(`^\s*(?:[-*+]|\d+[.)])\s+(.*)$`)
	mdHead   = regexp.MustCompile(`^#{1,6}\s+(.*)$`)
)

// markdown draws a markdown block, roughly: headings, lists, fences, bold,
// italic, code and links. What it does not know stays readable as text.
func (d *drawer) markdown(text string) template.HTML {
	var b strings.Builder
	fence, listing := false, false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			if listing {
				b.WriteString("</ul>")
				listing = false
			}
			b.WriteString(map[bool]string{true: "</pre>", false: "<pre>"}[fence])
			fence = !fence
			continue
		}
		if fence {
			b.WriteString(template.HTMLEscapeString(line) + "\n")
			continue
		}
		item := mdItem.FindStringSubmatch(line)
		if (item != nil) != listing {
			b.WriteString(map[bool]string{true: "</ul>", false: "<ul>"}[listing])
			listing = !listing
		}
		switch head := mdHead.FindStringSubmatch(line); {
		case item != nil:
			b.WriteString("<li>" + mdInline(item[1]) + "</li>")
		case head != nil:
			b.WriteString("<h4>" + mdInline(head[1]) + "</h4>")
		case strings.TrimSpace(line) != "":
			b.WriteString("<p>" + mdInline(line) + "</p>")
		}
	}
	if fence {
		b.WriteString("</pre>")
	}
	if listing {
		b.WriteString("</ul>")
	}
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

// mdInline escapes first and marks afterwards, so no mark can bring HTML in.
// Addresses are kept away from the marks.
func mdInline(line string) string {
	s := template.HTMLEscapeString(emoji(line))
	var b strings.Builder
	rest := 0
	for _, hit := range mdLink.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(mdMarks(s[rest:hit[0]]))
		b.WriteString(`<a href="` + s[hit[4]:hit[5]] + `" target="_blank" rel="noopener noreferrer">` + mdMarks(s[hit[2]:hit[3]]) + `</a>`)
		rest = hit[1]
	}
	b.WriteString(mdMarks(s[rest:]))
	return b.String()
}

func mdMarks(s string) string {
	s = mdCode.ReplaceAllString(s, "<code>$1</code>")
	s = mdBold.ReplaceAllString(s, "<strong>$1$2</strong>")
	return mdItalic.ReplaceAllString(s, "$1<em>$2</em>")
}
