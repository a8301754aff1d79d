package incident

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"keyturn/test/beside"
)

var (
	comment  = regexp.MustCompile(`(?s)<!--.*?-->|<style[^>]*>.*?</style>`)
	knownTag = regexp.MustCompile(`(?i)</?(p|div|br|hr|ul|ol|li|b|i|u|s|a|em|strong|span|font|img|table|thead|tbody|tr|td|th|h[1-6]|code|pre|sup|sub)(\s[^>]*|/|="")?>`)
	entity   = regexp.MustCompile(`&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);`)
)

// wordCount is the multiset of words in a text.
func wordCount(s string) map[string]int {
	n := map[string]int{}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		n[strings.ToLower(w)]++
	}
	return n
}

// stripped is a text with its markup cut out the simple way. Style tags vanish
// so that a word which is bold in its middle stays one word.
func stripped(s string) string {
	s = comment.ReplaceAllString(s, "")
	s = knownTag.ReplaceAllStringFunc(s, func(t string) string {
		switch strings.ToLower(strings.Trim(strings.Fields(t)[0], "</>")) {
		case "b", "i", "u", "s", "a", "em", "strong", "span", "font", "code", "sup", "sub":
			return ""
		}
		return " "
	})
	return tidy(html.UnescapeString(s))
}

func checkConverted(t *testing.T, id, raw string) {
	t.Helper()
	out := Convert(raw)
	plain := out.Plain()
	if m := entity.FindString(plain); m != "" && !strings.Contains(raw, "&amp;"+m[1:]) {
		t.Errorf("%s: readers see the entity %q", id, m)
	}
	if m := knownTag.FindString(plain); m != "" && !strings.Contains(raw, "&lt;") {
		t.Errorf("%s: readers see the tag %q", id, m)
	}
	if strings.ContainsAny(plain, "\u00a0\u202f\u200b\ufeff\ufffc\u2028\r\x00") || strings.Contains(plain, "\n\n\n") {
		t.Errorf("%s: odd characters or a hole in the text: %q", id, plain)
	}
	want, got := wordCount(stripped(raw)), wordCount(plain)
	for w, n := range want {
		if got[w] < n {
			t.Errorf("%s: the word %q stands %d times in Microsoft's text and %d times in ours", id, w, n, got[w])
		}
	}
	added := 0
	for w, n := range got {
		if w != "picture" {
			added += max(0, n-want[w])
		}
	}
	if images := strings.Count(strings.ToLower(raw), "<img"); added > 25*images+12*len(regexp.MustCompile(`(?i)<ol|<a\s`).FindAllString(raw, -1))+len(regexp.MustCompile(`(?i)<li`).FindAllString(raw, -1)) {
		t.Errorf("%s: %d words are ours, not Microsoft's", id, added)
	}
	for _, s := range out {
		if s.Link != "" && safeLink(s.Link) == "" {
			t.Errorf("%s: a link leads to %q", id, s.Link)
		}
	}
}

func TestRealIssuesLoseNothingAndShowNoMarkup(t *testing.T) {
	f, err := ParseFile(beside.Data(t, "graph/issues.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Issues) == 0 {
		t.Fatal("the file of real issues holds none")
	}
	for _, is := range f.Issues {
		for i, p := range is.Posts {
			checkConverted(t, is.ID, p.Content)
			if i > 0 && p.Created.Before(is.Posts[i-1].Created) {
				t.Errorf("%s: posts are not in the order of time", is.ID)
			}
			kept := 0
			for _, s := range Sections(Convert(p.Content)) {
				kept += len(strings.Fields(s.Text.Plain()))
			}
			if all := len(strings.Fields(Convert(p.Content).Plain())); kept < all-30 {
				t.Errorf("%s: sections hold %d of %d words", is.ID, kept, all)
			}
		}
		k := Known{Issue: is}
		for name, m := range map[string]int{"root": size(Root(k, Subscription{}, Options{}).Parts), "history": size(History(k).Parts)} {
			if m > maxMessage || m == 0 {
				t.Errorf("%s: the %s has %d characters", is.ID, name, m)
			}
		}
	}
}

func TestRealMessageCenterPostsLoseNothingAndShowNoMarkup(t *testing.T) {
	b := beside.Data(t, "graph/messages.json")
	f, err := ParseFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Announcements) == 0 || len(f.Issues) != 0 {
		t.Fatalf("%d posts and %d issues", len(f.Announcements), len(f.Issues))
	}
	for _, a := range f.Announcements {
		checkConverted(t, a.ID, a.Body)
		if n := size(Announce(a).Parts); n > maxMessage || n < length(a.Title)/2 {
			t.Errorf("%s: the message has %d characters", a.ID, n)
		}
	}
}

func TestRealHealthOverviewIsRead(t *testing.T) {
	b := beside.Data(t, "health/healthOverviews-tenant-2022.json")
	services, err := ParseServices(json.RawMessage(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(services) != 29 {
		t.Errorf("%d services, want 29", len(services))
	}
	bad := 0
	for _, s := range services {
		if gradeOf(s.Status) != fine {
			bad++
		}
	}
	if bad != 3 {
		t.Errorf("%d services are not fine, want Exchange Online, Intune and Defender", bad)
	}
}
