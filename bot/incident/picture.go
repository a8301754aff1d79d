package incident

import (
	"slices"
	"strings"
	"time"
)

// Level is how bad a service was on a day. The order counts.
type Level int

// The levels.
const (
	LevelNotRead Level = iota // nobody has looked: never drawn as fine
	LevelFine
	LevelAdvisory
	LevelIncident
	LevelOutage // a service interruption
)

// Word says a level.
func (l Level) Word() string {
	switch l {
	case LevelFine:
		return "nothing published"
	case LevelAdvisory:
		return "advisory"
	case LevelIncident:
		return "incident"
	case LevelOutage:
		return "interruption"
	}
	return "not read"
}

// HeatMap is services by day, for a picture. Cells holds a row for each
// service, with a level for each day.
type HeatMap struct {
	Days     []time.Time // midnights in the zone, one a day, oldest first
	Services []string    // worst first
	Cells    [][]Level
	More     int // services with issues that are left out
}

// heatRows is how many services a heat map shows: more cannot be read in chat.
const heatRows = 15

// HeatMapOf draws what is known of the last days up to a time, with the days
// of a zone. The day of the last good reading is the last that is known; what
// follows is not read. A service without issues has no row.
//
// A status of Microsoft's has no history, so an issue counts with the status
// that it has now, and a resolved one by its class alone; what readings saw on
// the days themselves (kept) is worse where it was worse.
func HeatMapOf(known []Known, kept []Day, watch Watch, at time.Time, days int, zone *time.Location) HeatMap {
	h := HeatMap{}
	y, mo, d := at.In(zone).Date()
	for n := days - 1; n >= 0; n-- {
		h.Days = append(h.Days, TimeOfDay("00:00").on(y, mo, d-n, zone))
	}
	rows := map[string][]Level{}
	names := map[string]string{}
	for _, k := range known {
		key := ServiceKey(serviceName(&k.Issue))
		r := rows[key]
		if r == nil {
			r = h.empty(watch, at)
		}
		if h.mark(r, &k.Issue, watch, at) {
			rows[key] = r
			if names[key] == "" || serviceName(&k.Issue) < names[key] {
				names[key] = serviceName(&k.Issue)
			}
		}
	}
	h.remember(kept, rows, names, watch, at)
	keys := make([]string, 0, len(rows))
	for key := range rows {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if d := weight(rows[b]) - weight(rows[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if len(keys) > heatRows {
		h.More = len(keys) - heatRows
		keys = keys[:heatRows]
	}
	for _, key := range keys {
		h.Services = append(h.Services, names[key])
		h.Cells = append(h.Cells, rows[key])
	}
	return h
}

// remember raises days to what readings saw on them.
func (h HeatMap) remember(kept []Day, rows map[string][]Level, names map[string]string, watch Watch, at time.Time) {
	for _, day := range kept {
		n := slices.IndexFunc(h.Days, func(d time.Time) bool { return d.Format(time.DateOnly) == day.Date })
		if n < 0 {
			continue
		}
		for name, level := range day.Levels {
			key := ServiceKey(name)
			if rows[key] == nil {
				rows[key] = h.empty(watch, at)
			}
			rows[key][n] = max(rows[key][n], level)
			if names[key] == "" || name < names[key] {
				names[key] = name
			}
		}
	}
}

// end is when a day of the map is over.
func (h HeatMap) end(n int) time.Time {
	if n+1 < len(h.Days) {
		return h.Days[n+1]
	}
	return h.Days[n].AddDate(0, 0, 1)
}

func (h HeatMap) empty(watch Watch, at time.Time) []Level {
	r := make([]Level, len(h.Days))
	for n := range r {
		if !watch.Good.IsZero() && !h.Days[n].After(watch.Good) && !h.Days[n].After(at) {
			r[n] = LevelFine
		}
	}
	return r
}

// mark raises the days of an issue. False means that it touches none.
func (h HeatMap) mark(r []Level, i *Issue, watch Watch, at time.Time) bool {
	begin, end := i.Start, watch.Good
	if begin.IsZero() {
		begin = i.Modified
	}
	if i.Resolved {
		end = ended(i)
	}
	if end.After(at) {
		end = at
	}
	level, touched := levelOf(i), false
	for n := range r {
		if begin.Before(h.end(n)) && !end.Before(h.Days[n]) {
			touched = true
			r[n] = max(r[n], level)
		}
	}
	return touched
}

func levelOf(i *Issue) Level {
	switch {
	case i.Advisory():
		return LevelAdvisory
	case gradeOf(i.Status) == interrupted:
		return LevelOutage
	}
	return LevelIncident
}

func weight(r []Level) int {
	n := 0
	for _, l := range r {
		switch l {
		case LevelAdvisory:
			n++
		case LevelIncident:
			n += 40
		case LevelOutage:
			n += 1600
		}
	}
	return n
}

// HeatMapWords says what a heat map shows: for each service on how many days
// there was what, the worst first.
func HeatMapWords(h HeatMap) string {
	if len(h.Days) == 0 {
		return "There is nothing to draw."
	}
	last := h.Days[len(h.Days)-1]
	head := h.Days[0].Format("2 Jan") + " to " + last.Format("2 Jan 2006") + ": "
	if len(h.Services) == 0 {
		return head + "Microsoft published no issue that is known here."
	}
	var rows []string
	for n, s := range h.Services {
		rows = append(rows, s+" "+rowWords(h.Cells[n]))
	}
	words := head + strings.Join(rows, "; ") + "."
	if h.More > 0 {
		words += " " + capital(count(h.More, "more service")) + " with issues left out."
	}
	return words
}

func rowWords(r []Level) string {
	n := map[Level]int{}
	for _, l := range r {
		n[l]++
	}
	var parts []string
	for _, l := range []Level{LevelOutage, LevelIncident, LevelAdvisory, LevelNotRead} {
		if n[l] > 0 {
			parts = append(parts, l.Word()+" on "+count(n[l], "day"))
		}
	}
	return strings.Join(parts, ", ")
}

// Timeline is one issue over time, for a picture.
type Timeline struct {
	ID      string
	Service string
	Title   string
	Level   Level
	Start   time.Time
	End     time.Time // the last moment drawn
	Over    bool      // resolved at End
	Events  []Event   // by time
}

// Event is one point of a timeline.
type Event struct {
	At    time.Time
	Label string // a few words
	Over  bool   // from here on the issue is resolved, until an event that is not
}

// eventLabel is how many characters a label has at most.
const eventLabel = 100

// TimelineOf draws an issue up to a time: its begin, every post that says
// something, and its end. zone is that of the times.
func TimelineOf(k Known, at time.Time, zone *time.Location) Timeline {
	i := &k.Issue
	t := Timeline{ID: i.ID, Service: serviceName(i), Title: oneLine(Convert(i.Title).Plain()), Level: levelOf(i), Start: i.Start.In(zone), End: at.In(zone), Over: i.Resolved}
	if i.Start.IsZero() {
		t.Start = k.First.In(zone)
		if len(i.Posts) > 0 && !i.Posts[0].Created.IsZero() {
			t.Start = i.Posts[0].Created.In(zone)
		}
	}
	add := func(when time.Time, label string, over bool) {
		t.Events = append(t.Events, Event{At: when.In(zone), Label: CutAtSentence(label, eventLabel), Over: over})
	}
	add(t.Start, "Began", false)
	seen, said := map[string]bool{}, map[string]bool{}
	for n := range i.Posts {
		p := &i.Posts[n]
		d := digestOf(*p)
		if p.Created.IsZero() || d.nothing || seen[d.gist] && !d.review {
			continue
		}
		seen[d.gist] = true
		label := news(oneLine(brief(section(d.sections, FinalStatus, Status, Unlabelled, MoreInfo)).Plain()), said)
		if d.review {
			if seen["review"] {
				continue
			}
			seen["review"] = true
			label = "Post-incident review published"
		}
		if label == "" {
			label = "Update"
		}
		add(p.Created, label, i.Resolved && !p.Created.Before(ended(i)))
	}
	if !k.Reopened.IsZero() {
		add(k.Reopened, "Re-opened", false)
	}
	if i.Resolved {
		add(ended(i), "Resolved", true)
	}
	slices.SortStableFunc(t.Events, func(a, b Event) int { return a.At.Compare(b.At) })
	if i.Resolved && len(t.Events) > 0 {
		t.End = t.Events[len(t.Events)-1].At
	}
	if !t.End.After(t.Start) {
		t.End = t.Start.Add(time.Hour)
	}
	return t
}

// news is a text from its first sentence on that no earlier one had: posts that
// repeat what is known differ further below.
func news(text string, said map[string]bool) string {
	const bullets = "-–• "
	all := sentences(text)
	first := slices.IndexFunc(all, func(s string) bool { return !said[fold(strings.TrimLeft(s, bullets))] })
	for _, s := range all {
		said[fold(strings.TrimLeft(s, bullets))] = true
	}
	if first < 0 {
		return text
	}
	return strings.TrimLeft(strings.Join(all[first:], " "), bullets)
}

// TimelineWords says what a timeline shows.
func TimelineWords(t Timeline) string {
	words := t.ID + ", " + t.Service + ": "
	for n, e := range t.Events {
		if n > 0 {
			words += "; "
		}
		words += e.At.Format("2 Jan 15:04 MST") + " " + strings.TrimRight(e.Label, ".")
	}
	if !t.Over {
		words += "; not resolved by " + t.End.Format("2 Jan 15:04 MST")
	}
	if strings.HasSuffix(words, ellipsis) {
		return words
	}
	return words + "."
}
