package incident

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// room is a channel as its people see it: it takes acts as the engine would,
// drawing roots at the moment of sending.
type room struct {
	name    string
	sub     Subscription
	desk    Desk
	all     bool              // everything that Microsoft says is to be told here
	roots   map[string]string // what stands under a key now
	replies map[string]bool
	told    map[string]int // change ID -> times
	last    map[string]time.Time
}

type story struct {
	t      *rapid.T
	now    time.Time
	watch  Watch
	known  map[string]*Known
	rooms  []*room
	issued map[string]time.Time // each change that tells something, with when it was read
}

func newStory(t *rapid.T) *story {
	s := &story{t: t, now: time.Date(2026, 10, 24, 9, 0, 0, 0, time.UTC), known: map[string]*Known{}, issued: map[string]time.Time{}}
	night := Quiet{From: "22:00", To: "06:00"}
	for _, r := range []*room{
		{name: "as it comes", sub: Subscription{}, all: true},
		{name: "everything live, quiet at night", sub: Subscription{Style: Live, Zone: "Europe/Berlin", Quiet: night}, all: true},
		{name: "one digest a day", sub: Subscription{Style: DigestOnly, DigestAt: "02:30", Zone: "Europe/Berlin"}, all: true},
		{name: "Exchange only, resolved", sub: Subscription{Style: ResolvedOnly, Services: []string{"Exchange Online"}}},
		{name: "maintenance", sub: Subscription{Style: Live, Quiet: Quiet{From: "20:00", To: "08:00", Incidents: true},
			Maintenance: []Window{{From: s.now.Add(3 * time.Hour), To: s.now.Add(20 * time.Hour), Services: []string{"Teams"}}}}, all: true},
	} {
		r.sub.ID, r.sub.Made = r.name, s.now
		r.roots, r.replies, r.told, r.last = map[string]string{}, map[string]bool{}, map[string]int{}, map[string]time.Time{}
		s.rooms = append(s.rooms, r)
	}
	return s
}

func (s *story) facts() Facts {
	var f Facts
	for _, k := range s.known {
		f.Issues = append(f.Issues, *k)
	}
	slices.SortFunc(f.Issues, func(a, b Known) int { return order(a.Issue.ID > b.Issue.ID, b.Issue.ID > a.Issue.ID) })
	return f
}

// restart keeps only what is on disk.
func (s *story) restart() {
	again(s.t, &s.watch)
	again(s.t, &s.known)
	for _, r := range s.rooms {
		again(s.t, &r.sub)
		again(s.t, &r.desk)
	}
}

func again[T any](t *rapid.T, v *T) {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var fresh T
	if err := json.Unmarshal(b, &fresh); err != nil {
		t.Fatal(err)
	}
	*v = fresh
}

func (s *story) read(issues []Issue) {
	o := Reading(s.watch, func(id string) (*Known, bool) { k, ok := s.known[id]; return k, ok }, issues, s.now)
	s.watch = o.Watch
	for _, k := range o.Known {
		s.known[k.Issue.ID] = &k
	}
	for _, x := range o.Told {
		for _, c := range x.Changes {
			if id := ChangeID(x.Known.Issue.ID, c); tells(c) {
				if _, twice := s.issued[id]; twice {
					s.t.Fatalf("two changes are called %s", id)
				}
				s.issued[id] = s.now
			}
		}
	}
	for _, r := range s.rooms {
		var acts []Act
		r.desk, acts = r.desk.Tell(r.sub, o.Told, o.Gap, s.now)
		s.act(r, acts)
	}
}

func (s *story) wake() {
	for _, r := range s.rooms {
		if due := r.desk.Due(r.sub); due.After(s.now) {
			continue
		}
		var acts []Act
		r.desk, acts = r.desk.Wake(r.sub, s.facts(), s.now)
		s.act(r, acts)
		if due := r.desk.Due(r.sub); !due.After(s.now) {
			s.t.Fatalf("%s: after waking at %v it is due at %v", r.name, s.now, due)
		}
	}
}

func (s *story) draw(r *room, a Act) string {
	if a.Kind == ActGroup {
		g, ok := r.desk.Group(a.Group)
		if !ok {
			s.t.Fatalf("%s: there is no group %s", r.name, a.Group)
		}
		return drawn(GroupMessage(g, s.facts()))
	}
	return drawn(Root(*s.known[a.Issue], r.sub, Options{}))
}

func (s *story) act(r *room, acts []Act) {
	for _, a := range acts {
		switch a.Kind {
		case ActRoot, ActGroup:
			r.roots[a.Key] = s.draw(r, a)
		case ActReply:
			if r.roots[a.Under] == "" {
				s.t.Fatalf("%s: a reply to %s, which has no root", r.name, a.Issue)
			}
			fallthrough
		case ActSay:
			if r.replies[a.Key] || a.Key == "" || a.Message.Empty() {
				s.t.Fatalf("%s: %q is sent twice or says nothing", r.name, a.Key)
			}
			r.replies[a.Key] = true
		}
		for _, id := range a.Covers {
			r.told[id]++
			if a.Kind != ActReply {
				continue
			}
			if s.issued[id].Before(r.last[a.Issue]) {
				s.t.Fatalf("%s: the thread of %s is out of order", r.name, a.Issue)
			}
			r.last[a.Issue] = s.issued[id]
		}
	}
}

// settle checks what everybody has read once nothing waits any more.
func (s *story) settle() {
	for range 4 {
		s.now = s.now.Add(20 * time.Hour)
		s.wake()
	}
	for _, r := range s.rooms {
		if n := len(r.desk.Waiting) + len(r.desk.Held); n > 0 {
			s.t.Fatalf("%s: %d changes wait for ever", r.name, n)
		}
		for id := range s.issued {
			if n := r.told[id]; n > 1 || r.all && n == 0 {
				s.t.Fatalf("%s: %s was told %d times", r.name, id, n)
			}
		}
		for id := range r.told {
			if _, ok := s.issued[id]; !ok {
				s.t.Fatalf("%s: %s never happened", r.name, id)
			}
		}
		for id := range r.desk.Roots {
			if r.desk.Storm.group(id) >= 0 {
				s.t.Fatalf("%s: %s has two roots", r.name, id)
			}
			if got, want := r.roots[RootKey(id)], s.draw(r, Act{Kind: ActRoot, Issue: id}); got != want {
				s.t.Fatalf("%s: the root of %s shows\n%s\nbut it is\n%s", r.name, id, got, want)
			}
		}
		for _, g := range r.desk.Storm.Groups {
			if got, want := r.roots[groupKey(g.ID)], s.draw(r, Act{Kind: ActGroup, Group: g.ID}); got != want {
				s.t.Fatalf("%s: the group shows\n%s\nbut it is\n%s", r.name, got, want)
			}
		}
	}
}

// microsoft changes its issues in all the ways that it has.
type microsoft struct {
	t      *rapid.T
	issues []Issue
	n      int
}

var storyServices = []string{"Exchange Online", "Microsoft Teams", "SharePoint Online", "Microsoft 365 suite"}

func (m *microsoft) change(now time.Time) {
	open := func() *Issue {
		if len(m.issues) == 0 || rapid.IntRange(0, 9).Draw(m.t, "another") < 3 {
			m.begin(now)
		}
		return &m.issues[rapid.IntRange(0, len(m.issues)-1).Draw(m.t, "which")]
	}
	is := open()
	skew := time.Duration(rapid.IntRange(-3, 3).Draw(m.t, "skew")) * time.Second
	is.Modified = now.Add(skew)
	m.n++
	post := Post{Created: now.Add(skew), Content: fmt.Sprintf("Current status: finding %d.", m.n)}
	switch rapid.IntRange(0, 9).Draw(m.t, "what") {
	case 0, 1:
		is.Posts = append(is.Posts, post)
	case 2:
		is.Resolved, is.Status, is.End = true, "serviceRestored", now
		post.Content = fmt.Sprintf("Final status: repaired %d.", m.n)
		is.Posts = append(is.Posts, post)
	case 3:
		is.Resolved, is.Status, is.End = false, "serviceDegradation", time.Time{}
		is.Posts = append(is.Posts, post)
	case 4:
		is.Status = rapid.SampledFrom([]string{"investigating", "serviceInterruption", "extendedRecovery", "somethingNew"}).Draw(m.t, "status")
	case 5:
		is.Classification = rapid.SampledFrom([]string{"advisory", "incident", "Incident"}).Draw(m.t, "class")
	case 6:
		if n := len(is.Posts); n > 0 { // an edit
			is.Posts = slices.Clone(is.Posts)
			is.Posts[n-1].Content = fmt.Sprintf("Current status: edited %d.", m.n)
		}
	case 7:
		is.Title = fmt.Sprintf("Another title %d", m.n)
	case 8:
		is.Posts = append(is.Posts, Post{Created: now, Content: "A post-incident report has been published."})
		is.Status = "postIncidentReviewPublished"
	case 9:
		for range rapid.IntRange(1, 8).Draw(m.t, "storm") {
			m.begin(now)
		}
	}
}

func (m *microsoft) begin(now time.Time) {
	n := len(m.issues)
	m.n++
	m.issues = append(m.issues, Issue{ID: "EX" + strconv.Itoa(100+n), Title: fmt.Sprintf("Trouble %d", n), Service: storyServices[m.n%len(storyServices)],
		Classification: []string{"incident", "advisory"}[m.n%2], Status: "serviceDegradation", Impact: fmt.Sprintf("Users see trouble %d.", n),
		Start: now, Modified: now, Posts: []Post{{Created: now, Content: fmt.Sprintf("Current status: first word %d.", m.n)}}})
}

// page is what one reading lists: some issues are missing, some stand twice,
// one may come from a server that lags.
func (m *microsoft) page(before []Issue) []Issue {
	var out []Issue
	for i, is := range m.issues {
		switch rapid.IntRange(0, 11).Draw(m.t, "listed") {
		case 0:
			continue
		case 1:
			out = append(out, is)
		case 2:
			if i < len(before) {
				out = append(out, before[i])
				continue
			}
		}
		is.Posts = slices.Clone(is.Posts)
		sortPosts(is.Posts)
		out = append(out, is)
	}
	return out
}

func tellStory(t *rapid.T) {
	s, m := newStory(t), &microsoft{t: t}
	for range rapid.IntRange(0, 3).Draw(t, "open at first") {
		m.begin(s.now.Add(-time.Hour))
	}
	s.read(m.issues)
	var before []Issue
	for range rapid.IntRange(1, 14).Draw(t, "readings") {
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			m.change(s.now)
		}
		switch wait := rapid.IntRange(0, 9).Draw(t, "wait"); wait {
		case 0: // Microsoft cannot be read, or Keyturn is down
			s.watch = Failed(s.watch, "no", s.now)
			if rapid.Bool().Draw(t, "told") {
				s.watch = ToldSilence(s.watch)
			}
			s.now = s.now.Add(time.Duration(rapid.IntRange(10, 600).Draw(t, "minutes")) * time.Minute)
		case 1, 2:
			for range rapid.IntRange(1, 30).Draw(t, "quiet hours") {
				s.now = s.now.Add(28 * time.Minute)
				s.wake()
				s.watch.Good = s.now // readings in which nothing changes
			}
		default:
			s.now = s.now.Add(2 * time.Minute)
		}
		if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
			s.restart()
		}
		s.wake()
		s.read(m.page(before))
		before = slices.Clone(m.issues)
	}
	s.now = s.now.Add(2 * time.Minute)
	s.read(m.issues)
	for _, is := range m.issues {
		if k := s.known[is.ID]; k == nil || k.Issue.Resolved != is.Resolved && !is.Modified.Before(k.Issue.Modified) {
			t.Fatalf("%s is not known as it is", is.ID)
		}
	}
	s.settle()
}

// storyChecks is how many timelines are played.
var storyChecks = 1000

// Generated timelines in five channels: new posts, edits, endings, returns,
// readings that miss, repeat or lag, skewed clocks, silences, restarts. Each
// issue has one root in a channel, each change is told once, by itself or in a
// message that names it, in order, and the roots end as the issues do.
// KEYTURN_LONG=1 plays ten times as many.
func TestEveryChangeIsToldOnceInEveryChannel(t *testing.T) {
	checks := storyChecks
	if os.Getenv("KEYTURN_LONG") != "" {
		checks = 10000
	}
	f := flag.Lookup("rapid.checks")
	was := f.Value.String()
	if n, err := strconv.Atoi(was); err == nil {
		checks = max(checks, n)
	}
	if testing.Short() {
		checks = min(checks, 100)
	}
	if err := f.Value.Set(strconv.Itoa(checks)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Value.Set(was); err != nil {
			t.Error(err)
		}
	}()
	rapid.Check(t, tellStory)
}
