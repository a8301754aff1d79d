package chat

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// shortcodes are the emoji names that a bot is likely to write out.
var shortcodes = map[string]string{
	"white_check_mark": "✅", "ballot_box_with_check": "☑️", "x": "❌", "no_entry": "⛔", "warning": "⚠️", "hourglass_flowing_sand": "⏳",
	"red_circle": "🔴", "large_yellow_circle": "🟡", "large_green_circle": "🟢", "large_blue_circle": "🔵", "white_circle": "⚪", "black_circle": "⚫",
	"information_source": "ℹ️", "lock": "🔒", "key": "🔑", "rocket": "🚀", "eyes": "👀", "wave": "👋", "tada": "🎉", "bell": "🔔", "mag": "🔍",
}

var shortcode = regexp.MustCompile(`:([a-z0-9_+-]+):`)

func emoji(text string) string {
	if !strings.Contains(text, ":") {
		return text
	}
	return shortcode.ReplaceAllStringFunc(text, func(code string) string {
		if e, ok := shortcodes[strings.Trim(code, ":")]; ok {
			return e
		}
		return code
	})
}

var dateToken = regexp.MustCompile(`\{[a-z_]+\}`)

// date draws <!date^unix^tokens^link|fallback> in the viewer's zone.
func (d *drawer) date(b *strings.Builder, what, fallback string) {
	stamp, rest, _ := strings.Cut(what, "^")
	tokens, link, _ := strings.Cut(rest, "^")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		b.WriteString(escape(fallback))
		return
	}
	at := time.Unix(unix, 0).In(d.zone)
	shown := dateToken.ReplaceAllStringFunc(tokens, func(t string) string { return d.dateWord(at, strings.Trim(t, "{}")) })
	text := `<time datetime="` + at.UTC().Format(time.RFC3339) + `" title="` + escape(at.Format("Monday, 2 January 2006, 15:04:05 MST")) + `">` + escape(shown) + `</time>`
	if safeLink(decode.Replace(link)) {
		text = `<a href="` + escape(link) + `" target="_blank" rel="noopener noreferrer">` + text + `</a>`
	}
	b.WriteString(text)
}

func (d *drawer) dateWord(at time.Time, token string) string {
	base, pretty := strings.CutSuffix(token, "_pretty")
	if pretty {
		if word := d.relativeDay(at); word != "" {
			return word
		}
	}
	switch base {
	case "date_num":
		return at.Format("2006-01-02")
	case "date":
		return at.Format("January ") + ordinal(at.Day()) + at.Format(", 2006")
	case "date_short":
		return at.Format("Jan 2, 2006")
	case "date_long":
		return at.Format("Monday, January ") + ordinal(at.Day()) + at.Format(", 2006")
	case "time":
		return at.Format("15:04")
	case "time_secs":
		return at.Format("15:04:05")
	case "ago":
		return ago(d.now.Sub(at))
	}
	return "{" + token + "}"
}

func (d *drawer) relativeDay(at time.Time) string {
	day := func(t time.Time) int {
		y, m, dd := t.In(d.zone).Date()
		return int(time.Date(y, m, dd, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	}
	switch day(at) - day(d.now) {
	case -1:
		return "yesterday"
	case 0:
		return "today"
	case 1:
		return "tomorrow"
	}
	return ""
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

func ago(past time.Duration) string {
	format := "%d %s ago"
	if past < 0 {
		past, format = -past, "in %d %s"
	}
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if n := int(past / unit.long); n > 0 {
			name := unit.name
			if n > 1 {
				name += "s"
			}
			return fmt.Sprintf(format, n, name)
		}
	}
	return "just now"
}
