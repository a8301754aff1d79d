package incident

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// maxLines is how many issues a list names before it counts the rest.
const maxLines = 20

// ActiveNow greets a new subscription with what is open at Microsoft, in one
// message: these issues get no root of their own. It is empty of issues where
// none matches, and says so.
func ActiveNow(sub Subscription, known []Known) bot.Message {
	var openNow []Known
	for _, k := range known {
		if !k.Issue.Resolved && Matches(sub, k.Issue) {
			openNow = append(openNow, k)
		}
	}
	var m bot.Message
	if len(openNow) == 0 {
		m.Add(bot.Paragraph{Text: bot.T("Microsoft has nothing open for " + choice(sub) + " now. From here on this channel is told.")})
		return m
	}
	sortWorst(openNow)
	verb := " are"
	if len(openNow) == 1 {
		verb = " is"
	}
	m.Add(bot.Paragraph{Text: bot.B(count(len(openNow), "issue") + verb + " open at Microsoft now for " + choice(sub))})
	m.Add(listLines(openNow)...)
	m.Add(bot.Note{Text: bot.T("New ones get a message of their own from here on.")})
	return m
}

// choice says what a subscription is about.
func choice(sub Subscription) string {
	if len(sub.Services) == 0 {
		return "any service"
	}
	if len(sub.Services) > 4 {
		return count(len(sub.Services), "service")
	}
	return strings.Join(sub.Services, ", ")
}

// sortWorst puts incidents before advisories, then the worse status, then the
// newer.
func sortWorst(known []Known) {
	slices.SortStableFunc(known, func(a, b Known) int {
		if a.Issue.Advisory() != b.Issue.Advisory() {
			if a.Issue.Advisory() {
				return 1
			}
			return -1
		}
		if d := gradeOf(b.Issue.Status) - gradeOf(a.Issue.Status); d != 0 {
			return int(d)
		}
		return b.Issue.Start.Compare(a.Issue.Start)
	})
}

func listLines(known []Known) []bot.Part {
	var parts []bot.Part
	for n, k := range known {
		if n == maxLines {
			parts = append(parts, bot.Note{Text: bot.T("And " + count(len(known)-n, "more issue") + ".")})
			break
		}
		parts = append(parts, bot.Paragraph{Text: bot.Join(bot.B(k.Issue.mark()+" · "+serviceName(&k.Issue)), bot.T(" · "), issueLine(k))})
	}
	return parts
}

// issueLine is an issue on one line, beginning with its ID.
func issueLine(k Known) bot.Text {
	t := bot.Join(bot.Link(k.Issue.ID, AlertLink(k.Issue.ID)), bot.T(": "+Notice(k.Issue, 160)))
	if !k.Issue.Start.IsZero() {
		t = append(append(t, bot.Span{Text: " Since "}), bot.When(k.Issue.Start, bot.DateTime)...)
	}
	return t
}

// FreshFor is how old a reading may be to be told as how things are.
const FreshFor = 5 * time.Minute

// Blind reports whether service health cannot be said to be known at a time:
// it was never read, or the last good reading is too old.
func (w Watch) Blind(at time.Time) bool { return w.Good.IsZero() || at.Sub(w.Good) > FreshFor }

// Health says how Microsoft's services are, worst first, only what is not fine.
// overviews is what healthOverviews answered at the last good reading, or
// nothing where it is not read; known are the issues that the store has.
// Nothing is called fine that was not read.
func Health(overviews []Service, known []Known, watch Watch, at time.Time) bot.Message {
	var m bot.Message
	blind := watch.Blind(at)
	if blind {
		m.Add(bot.Paragraph{Text: blindLine(watch, at)})
		if watch.Good.IsZero() {
			return m
		}
	}
	rows := healthRows(overviews, known)
	for n, r := range rows {
		if n == maxLines {
			m.Add(bot.Note{Text: bot.T("And " + count(len(rows)-n, "more service") + " with issues.")})
			break
		}
		m.Add(bot.Paragraph{Text: r.text()})
	}
	bad := 0
	for _, r := range rows {
		if r.listed {
			bad++
		}
	}
	m.Add(healthFoot(len(overviews)-bad, len(overviews) > 0, len(rows) > 0, blind, ago(at.Sub(watch.Good))))
	return fit(m, "")
}

// HealthAll is [Health] with the services that are fine by name. None is called
// fine that was not read.
func HealthAll(overviews []Service, known []Known, watch Watch, at time.Time) bot.Message {
	m := Health(overviews, known, watch, at)
	bad := map[string]bool{}
	for _, r := range healthRows(overviews, known) {
		bad[ServiceKey(r.name)] = true
	}
	var names []string
	for _, s := range overviews {
		if !bad[ServiceKey(s.Name)] {
			names = append(names, oneLine(s.Name))
		}
	}
	if len(names) == 0 || watch.Good.IsZero() {
		return m
	}
	head := bot.B("🟢 Fine")
	if watch.Blind(at) {
		head = bot.B("Fine at the last reading")
	}
	m.Add(bot.Paragraph{Text: bot.Join(head, bot.T(": "+strings.Join(names, ", ")))})
	return fit(m, "")
}

func healthFoot(others int, counted, bad, blind bool, read string) bot.Part {
	var says string
	switch {
	case counted && bad:
		says = count(others, "other service") + " fine"
	case counted && others == 1:
		says = "The one service there is fine"
	case counted:
		says = "All " + count(others, "service") + " fine"
	case bad:
		says = "Nothing else is open"
	default:
		says = "Microsoft has nothing open"
	}
	if blind {
		return bot.Note{Text: bot.T("As of the last reading, " + read + ": " + strings.ToLower(says[:1]) + says[1:] + ".")}
	}
	if !bad {
		return bot.Paragraph{Text: bot.T(says + ", read " + read + ".")}
	}
	return bot.Note{Text: bot.T(says + ", read " + read + ".")}
}

// healthRow is one service that is not fine.
type healthRow struct {
	name   string
	status string
	listed bool // healthOverviews lists it
	issues []Known
}

func healthRows(overviews []Service, known []Known) []healthRow {
	byKey := map[string]*healthRow{}
	var all []*healthRow
	row := func(name string) *healthRow {
		key := ServiceKey(name)
		if byKey[key] == nil {
			byKey[key] = &healthRow{name: name}
			all = append(all, byKey[key])
		}
		return byKey[key]
	}
	for _, s := range overviews {
		if r := row(s.Name); !r.listed || gradeOf(s.Status) > gradeOf(r.status) {
			r.status, r.listed = s.Status, true
		}
	}
	for _, k := range known {
		if !k.Issue.Resolved {
			r := row(serviceName(&k.Issue))
			r.issues = append(r.issues, k)
		}
	}
	var out []healthRow
	for _, r := range all {
		if len(r.issues) == 0 && gradeOf(r.status) == fine {
			continue
		}
		sortWorst(r.issues)
		out = append(out, *r)
	}
	slices.SortStableFunc(out, func(a, b healthRow) int {
		if d := b.rank() - a.rank(); d != 0 {
			return d
		}
		return strings.Compare(fold(a.name), fold(b.name))
	})
	return out
}

func (r healthRow) incident() bool {
	if len(r.issues) == 0 {
		return gradeOf(r.status) == interrupted
	}
	return !r.issues[0].Issue.Advisory()
}

// rank orders services: those with an incident first, then by status.
func (r healthRow) rank() int {
	worst := fine
	if r.listed {
		worst = gradeOf(r.status)
	}
	for _, k := range r.issues {
		worst = max(worst, gradeOf(k.Issue.Status))
	}
	if r.incident() {
		return 100 + int(worst)
	}
	return int(worst)
}

func (r healthRow) text() bot.Text {
	mark := markAdvisory + " Advisory"
	if r.incident() {
		mark = markIncident + " Incident"
	}
	status := r.status
	if !r.listed || gradeOf(status) == fine && len(r.issues) > 0 {
		status = r.issues[0].Issue.Status
	}
	lines := []bot.Text{bot.Join(bot.B(mark+" · "+r.name), bot.T(": "+StatusWords(status)))}
	for n, k := range r.issues {
		if n == 5 {
			lines = append(lines, bot.T("and "+count(len(r.issues)-n, "more issue")))
			break
		}
		lines = append(lines, bot.Join(bot.T("• "), issueLine(k)))
	}
	return bot.Lines(lines...)
}
