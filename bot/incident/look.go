package incident

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// Filter is what a list of issues is asked for.
type Filter struct {
	Service string // one service by any of its names; "" is all
	All     bool   // resolved ones too; otherwise what is open
	Watch   Watch  // how the reading stands, so that an empty list is no green light by mistake
	At      time.Time
	// Services are the tenant's own, for one that has no issue.
	Services []string
}

// Takes reports whether an issue is in the list: one of the service, or an
// incident of the whole suite that names it.
func (f Filter) Takes(i *Issue) bool {
	return (f.Service == "" || touches(*i, []string{f.Service})) && (f.All || !i.Resolved)
}

// List is the answer to a question for issues: open ones worst first, then,
// where asked for, the resolved ones, the newest first.
func List(known []Known, f Filter) bot.Message {
	var opened, over []Known
	services := slices.Clone(f.Services)
	for _, k := range known {
		services = append(services, serviceName(&k.Issue))
		switch {
		case !f.Takes(&k.Issue):
		case !k.Issue.Resolved:
			opened = append(opened, k)
		default:
			over = append(over, k)
		}
	}
	sortWorst(opened)
	slices.SortStableFunc(over, func(a, b Known) int { return ended(&b.Issue).Compare(ended(&a.Issue)) })
	var m bot.Message
	if f.Watch.Blind(f.At) {
		m.Add(bot.Paragraph{Text: blindLine(f.Watch, f.At)})
	}
	of := ""
	if f.Service != "" {
		of = " for " + oneLine(f.Service)
	}
	if len(opened)+len(over) == 0 {
		m.Add(bot.Paragraph{Text: bot.T(emptyList(f, of, services))})
		return m
	}
	if len(opened) > 0 {
		m.Add(bot.Paragraph{Text: bot.B(capital(count(len(opened), "issue")) + " open" + of)})
		m.Add(listLines(opened)...)
	} else {
		m.Add(bot.Paragraph{Text: bot.T("Nothing is open" + of + ".")})
	}
	if len(over) > 0 {
		m.Add(bot.Paragraph{Text: bot.B(capital(count(len(over), "issue")) + " resolved" + of)})
		m.Add(overLines(over)...)
	}
	return fit(m, "")
}

func emptyList(f Filter, of string, services []string) string {
	if f.Service != "" && !hasService(services, f.Service) {
		if near := Suggest(f.Service, services); len(near) > 0 {
			return "I know no issue of “" + oneLine(f.Service) + "”. Did you mean " + strings.Join(near[:min(3, len(near))], ", ") + "?"
		}
	}
	switch {
	case f.Watch.Good.IsZero():
		return "No issue is known" + of + ", because nothing has been read yet."
	case f.Watch.Blind(f.At):
		return "As of the last reading, " + ago(f.At.Sub(f.Watch.Good)) + ", nothing was open" + of + "."
	case f.All:
		return "No issue is known" + of + ", read " + ago(f.At.Sub(f.Watch.Good)) + "."
	}
	return "Microsoft has nothing open" + of + ", read " + ago(f.At.Sub(f.Watch.Good)) + "."
}

func overLines(over []Known) []bot.Part {
	var parts []bot.Part
	for n, k := range over {
		if n == maxLines {
			parts = append(parts, bot.Note{Text: bot.T("And " + count(len(over)-n, "more resolved issue") + ".")})
			break
		}
		parts = append(parts, bot.Paragraph{Text: bot.Join(bot.B(k.Issue.mark()+" · "+serviceName(&k.Issue)), bot.T(" · "),
			bot.Link(k.Issue.ID, AlertLink(k.Issue.ID)), bot.T(": "+Notice(k.Issue, 120)), lasted(&k.Issue, " Lasted"))})
	}
	return parts
}

// ended is when an issue was over, as far as Microsoft says.
func ended(i *Issue) time.Time {
	if i.End.IsZero() {
		return i.Modified
	}
	return i.End
}

// exported is an issue as it is given away: Microsoft's words and when Keyturn
// saw them, and no person.
type exported struct {
	Issue
	First    time.Time `json:"firstSeen"`
	Seen     time.Time `json:"lastChangeSeen"`
	Reopened time.Time `json:"reopened,omitzero"`
}

// ExportJSON is every issue with its posts as JSON, {"value": [...]}, by ID, in
// the names of Microsoft Graph. Who works on an issue is left out.
func ExportJSON(known []Known) ([]byte, error) {
	out := struct {
		Value []exported `json:"value"`
	}{Value: []exported{}}
	for _, k := range known {
		out.Value = append(out.Value, exported{Issue: k.Issue, First: k.First, Seen: k.Seen, Reopened: k.Reopened})
	}
	slices.SortStableFunc(out.Value, func(a, b exported) int { return strings.Compare(a.ID, b.ID) })
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("the issues cannot be written as JSON: %w", err)
	}
	return append(b, '\n'), nil
}

// Suggest gives the services of seen that a typed name may mean, the likeliest
// first; for "" all of them by name, each service once under the name that
// comes first.
func Suggest(typed string, seen []string) []string {
	type candidate struct {
		name string
		far  int
	}
	var all []candidate
	keys := map[string]bool{}
	sorted := slices.Clone(seen)
	slices.SortFunc(sorted, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
	want := ServiceKey(typed)
	for _, name := range sorted {
		key := ServiceKey(name)
		if key == "" || keys[key] {
			continue
		}
		far := min(distance(want, key), distance(fold(typed), fold(name)))
		switch {
		case want == "" || key == want:
			far = 0
		case strings.Contains(key, want) || strings.Contains(want, key):
			far = 1
		case far > max(2, len(want)/3):
			continue
		}
		keys[key] = true
		all = append(all, candidate{oneLine(name), far})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.far - b.far })
	var out []string
	for _, c := range all {
		out = append(out, c.name)
	}
	return out
}

// distance is how many letters have to be changed, added or taken away to get
// from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 80 || len(y) > 80 {
		return max(len(x), len(y))
	}
	before := make([]int, len(y)+1)
	for j := range before {
		before[j] = j
	}
	for i := range x {
		now := []int{i + 1}
		for j := range y {
			change := before[j]
			if x[i] != y[j] {
				change++
			}
			now = append(now, min(change, before[j+1]+1, now[j]+1))
		}
		before = now
	}
	return before[len(y)]
}
