package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// When many issues come at once, most of them share one root.
const (
	StormWindow = 10 * time.Minute
	StormSize   = 5 // that many new issues within the window are a storm
	stormOwn    = 3 // so many of the worst of one reading keep a root of their own
)

// Storm is what is known of many issues coming at once in one channel:
//
//	calm --[StormSize] new issues in [StormWindow]--> storm --none for as long--> calm
//
// During a storm new issues share the group's root, except the worst. A member
// leaves its group when something worth a reply changes: from then on it has a
// root of its own, and the group's root says so. A member belongs to exactly
// one group, and never has a root of its own at the same time.
type Storm struct {
	Recent []Arrival `json:"recent,omitempty"` // new issues of the last window, by time
	Groups []Group   `json:"groups,omitempty"`
}

// Arrival is an issue that was told as new.
type Arrival struct {
	Issue   string    `json:"issue"`
	Service string    `json:"service"`
	Class   string    `json:"class"`
	At      time.Time `json:"at"`
}

// Group is the root that issues of one storm share.
type Group struct {
	ID      string    `json:"id"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`                // the last arrival
	Arrived []Arrival `json:"arrived"`           // all that came with the storm, in order
	Members []string  `json:"members,omitempty"` // those whose root it is; the others have one of their own
}

func (s Storm) clone() Storm {
	s.Recent, s.Groups = slices.Clone(s.Recent), slices.Clone(s.Groups)
	for i := range s.Groups {
		g := &s.Groups[i]
		g.Arrived, g.Members = slices.Clone(g.Arrived), slices.Clone(g.Members)
	}
	return s
}

// group is the index of the group whose root an issue shares, or -1.
func (s Storm) group(issue string) int {
	return slices.IndexFunc(s.Groups, func(g Group) bool { return slices.Contains(g.Members, issue) })
}

// leave takes an issue out of its group.
func (s *Storm) leave(issue string) {
	if i := s.group(issue); i >= 0 {
		g := &s.Groups[i]
		g.Members = slices.Delete(g.Members, slices.Index(g.Members, issue), slices.Index(g.Members, issue)+1)
	}
}

// next takes the issues that are told as new at a time, and says which of them
// share which group's root. since is from when on arrivals count together.
func (s *Storm) next(fresh []Told, since, at time.Time) map[string]string {
	s.Recent = slices.DeleteFunc(s.Recent, func(a Arrival) bool { return at.Sub(a.At) > StormWindow })
	before := len(s.Recent)
	for _, t := range fresh {
		s.Recent = append(s.Recent, Arrival{Issue: t.Known.Issue.ID, Service: serviceName(&t.Known.Issue), Class: t.Known.Issue.Class(), At: at})
	}
	placed := map[string]string{}
	if len(fresh) == 0 || len(s.Recent) < StormSize {
		return placed
	}
	worst := worstOf(fresh)
	if len(worst) == len(fresh) {
		return placed
	}
	g := s.running(at)
	if g == nil {
		from := since
		if before > 0 && s.Recent[0].At.Before(from) {
			from = s.Recent[0].At
		}
		s.Groups = append(s.Groups, Group{ID: "storm-" + at.UTC().Format("20060102T150405"), From: from})
		g = &s.Groups[len(s.Groups)-1]
		g.Arrived = slices.Clone(s.Recent[:before])
	}
	g.To = at
	g.Arrived = append(g.Arrived, s.Recent[before:]...)
	for _, t := range fresh {
		id := t.Known.Issue.ID
		if worst[id] {
			continue
		}
		g.Members = append(g.Members, id)
		placed[id] = g.ID
	}
	return placed
}

// running is the group of a storm that is not over.
func (s *Storm) running(at time.Time) *Group {
	if n := len(s.Groups); n > 0 && at.Sub(s.Groups[n-1].To) <= StormWindow {
		return &s.Groups[n-1]
	}
	return nil
}

// worstOf picks the few issues of one reading that must not stand in a list:
// interruptions, and incidents of the whole suite.
func worstOf(fresh []Told) map[string]bool {
	all := make([]Known, 0, len(fresh))
	for _, t := range fresh {
		all = append(all, t.Known)
	}
	sortWorst(all)
	out := map[string]bool{}
	for _, k := range all {
		suite := ServiceKey(k.Issue.Service) == "365 suite"
		if len(out) < stormOwn && !k.Issue.Advisory() && (suite || gradeOf(k.Issue.Status) == interrupted) {
			out[k.Issue.ID] = true
		}
	}
	return out
}

// news are the changes that a group's root tells now: the arrival of those
// that joined it.
func (g Group) news(placed map[string]string, live []Told, covered map[string]bool) []string {
	var out []string
	for _, t := range live {
		if placed[t.Known.Issue.ID] != g.ID {
			continue
		}
		for _, c := range t.Changes {
			if id := ChangeID(t.Known.Issue.ID, c); !covered[id] {
				out = append(out, id)
			}
		}
	}
	return out
}

// forget drops what the store does not keep any more.
func (s *Storm) forget(kept func(issue string) bool) {
	for i := range s.Groups {
		g := &s.Groups[i]
		gone := func(id string) bool { return !kept(id) }
		g.Members = slices.DeleteFunc(g.Members, gone)
	}
	s.Groups = slices.DeleteFunc(s.Groups, func(g Group) bool {
		return !slices.ContainsFunc(g.Arrived, func(a Arrival) bool { return kept(a.Issue) })
	})
}

// Group finds a storm's group by its ID.
func (d Desk) Group(id string) (Group, bool) {
	i := slices.IndexFunc(d.Storm.Groups, func(g Group) bool { return g.ID == id })
	if i < 0 {
		return Group{}, false
	}
	return d.Storm.Groups[i], true
}

// GroupMessage is the root that the issues of a storm share. It does not depend
// on the clock. Every issue that came with the storm has a line that begins
// with its ID: its members how they stand now, the worst first, then those that
// have a message of their own, which says how they stand.
func GroupMessage(g Group, f Facts) bot.Message {
	var here []Known
	for _, id := range g.Members {
		if k, ok := f.issue(id); ok {
			here = append(here, k)
		}
	}
	sortWorst(here)
	var lines []bot.Text
	for _, k := range here {
		lines = append(lines, bot.Join(bot.Link(k.Issue.ID, AlertLink(k.Issue.ID)),
			bot.T(" "+k.Issue.mark()+" · "+serviceName(&k.Issue)+": "+Notice(k.Issue, 120))))
	}
	for _, a := range g.Arrived {
		if !slices.Contains(g.Members, a.Issue) {
			lines = append(lines, bot.Join(bot.Link(a.Issue, AlertLink(a.Issue)), bot.T(" · "+a.Service+": has its own message")))
		}
	}
	var m bot.Message
	m.Add(bot.Paragraph{Text: bot.Join(bot.B(g.head()), stormTime(g), bot.T(g.mostIn()))})
	m.Add(Paragraphs(bot.Lines(lines...))...)
	m.Add(bot.Note{Text: bot.T("One message for all of them, because they came together. When Microsoft says something new about one, it gets a message of its own.")})
	return fit(m, "")
}

// order sorts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// head says how many came, as they were when they came.
func (g Group) head() string {
	incidents, n := 0, len(g.Arrived)
	for _, a := range g.Arrived {
		if a.Class == "incident" {
			incidents++
		}
	}
	switch incidents {
	case n:
		return markIncident + " " + count(n, "new incident")
	case 0:
		return markAdvisory + " " + fmt.Sprintf("%d new advisories", n)
	}
	return markIncident + " " + count(n, "new issue")
}

func stormTime(g Group) bot.Text {
	d := g.To.Sub(g.From)
	if d > 2*StormWindow {
		return bot.Join(bot.T(" from "), bot.When(g.From, bot.DateTime), bot.T(" to "), bot.When(g.To, styleAfter(g.From, g.To)))
	}
	return bot.T(" in " + strings.Replace(span(max(d, time.Minute)), "min", "minutes", 1))
}

// mostIn names the service that more than half of the issues are of.
func (g Group) mostIn() string {
	n, all := map[string]int{}, len(g.Arrived)
	for _, a := range g.Arrived {
		n[a.Service]++
	}
	for _, name := range slices.Sorted(maps.Keys(n)) {
		switch {
		case n[name] == all:
			return ", all in " + name
		case 2*n[name] > all:
			return ", most in " + name
		}
	}
	return ""
}

func idList(known []Known) string {
	s := ""
	for i, k := range known {
		switch {
		case i > 0 && i == len(known)-1:
			s += " and "
		case i > 0:
			s += ", "
		}
		s += k.Issue.ID
	}
	return s
}
