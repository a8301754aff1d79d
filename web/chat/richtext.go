package chat

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// richText draws a rich_text block.
func (d *drawer) richText(block map[string]any) template.HTML {
	var b strings.Builder
	for _, part := range maps(block["elements"]) {
		d.richPart(&b, part)
	}
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

func (d *drawer) richPart(b *strings.Builder, part map[string]any) {
	inner := func() {
		for _, el := range maps(part["elements"]) {
			d.richInline(b, el)
		}
	}
	switch part["type"] {
	case "rich_text_section":
		b.WriteString(`<div class="rich">`)
		inner()
		b.WriteString("</div>")
	case "rich_text_preformatted":
		b.WriteString("<pre>")
		inner()
		b.WriteString("</pre>")
	case "rich_text_quote":
		b.WriteString("<blockquote>")
		inner()
		b.WriteString("</blockquote>")
	case "rich_text_list":
		d.richList(b, part)
	default:
		b.WriteString(cannotDraw("rich text part", str(part["type"])))
	}
}

func (d *drawer) richList(b *strings.Builder, part map[string]any) {
	tag, start := "ul", ""
	if part["style"] == "ordered" {
		tag = "ol"
		if offset, _ := part["offset"].(float64); offset > 0 {
			start = ` start="` + strconv.Itoa(int(offset)+1) + `"`
		}
	}
	indent, _ := part["indent"].(float64)
	level := strconv.Itoa(min(max(int(indent), 0), 8))
	b.WriteString("<" + tag + ` class="indent` + level + `"` + start + ">")
	for _, item := range maps(part["elements"]) {
		b.WriteString("<li>")
		d.richPart(b, item)
		b.WriteString("</li>")
	}
	b.WriteString("</" + tag + ">")
}

func (d *drawer) richInline(b *strings.Builder, el map[string]any) {
	style, _ := el["style"].(map[string]any)
	var tags []string
	for _, s := range []struct{ name, tag string }{{"bold", "strong"}, {"italic", "em"}, {"strike", "s"}, {"underline", "u"}, {"code", "code"}} {
		if on, _ := style[s.name].(bool); on {
			tags = append(tags, s.tag)
		}
	}
	for _, t := range tags {
		b.WriteString("<" + t + ">")
	}
	d.richLeaf(b, el)
	for i := len(tags) - 1; i >= 0; i-- {
		b.WriteString("</" + tags[i] + ">")
	}
}

func (d *drawer) richLeaf(b *strings.Builder, el map[string]any) {
	switch el["type"] {
	case "text":
		b.WriteString(string(d.plainText(str(el["text"]))))
	case "link":
		address, label := str(el["url"]), str(el["text"])
		if label == "" {
			label = address
		}
		if !safeLink(address) {
			b.WriteString(string(d.plainText(label)))
			return
		}
		d.link(b, address, wireEscape.Replace(label))
	case "user":
		d.mention(b, str(el["user_id"]), "")
	case "usergroup":
		d.groupMention(b, str(el["usergroup_id"]), "")
	case "channel":
		d.channelLink(b, str(el["channel_id"]), "")
	case "broadcast":
		b.WriteString(`<span class="mention loud">@` + escape(str(el["range"])) + `</span>`)
	case "emoji":
		b.WriteString(escape(":" + str(el["name"]) + ":"))
	case "color":
		b.WriteString("<code>" + escape(str(el["value"])) + "</code>")
	case "date":
		stamp, _ := el["timestamp"].(float64)
		d.date(b, strconv.FormatInt(int64(stamp), 10)+"^"+str(el["format"])+"^"+str(el["url"]), str(el["fallback"]))
	default:
		b.WriteString(cannotDraw("rich text element", str(el["type"])))
	}
}

// wireEscape is the opposite of decode.
var wireEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func cannotDraw(what, kind string) string {
	return `<span class="unknown" role="note">Cannot draw a ` + escape(what) + ` of type “` + escape(wireEscape.Replace(kind)) + `”.</span>`
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

// maps lists the objects of a JSON array.
func maps(v any) []map[string]any {
	if already, ok := v.([]map[string]any); ok {
		return already
	}
	items, _ := v.([]any)
	all := make([]map[string]any, 0, len(items))
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// clockTime is a message's time of day in the viewer's zone.
func (d *drawer) clockTime(at time.Time) string { return at.In(d.zone).Format("15:04") }
