package chat

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// viewModel is everything on the page.
type viewModel struct {
	Title        string
	Me           persona
	People       []persona
	HasSlack     bool
	Channels     []room
	TeamsPlaces  []places
	Direct, Home room
	Threads      []room
	Portals      []room

	At          string
	Room        *room
	Topic       string
	Members     int
	Closed      string // why nobody can write here
	Entries     []entry
	HomeBlocks  []node
	HomePlace   place
	Thread      []entry
	ThreadTS    string
	CloseThread string
	Portal      *Portal
	Modal       *modal
	Dialog      *dialog
	Try, AllTry []string
	Hint        string // of the composer
	Add         *offer // the bot is not here yet
}

// persona is somebody the visitor can be.
type persona struct {
	ID, Name, Given, Rest, Title, Initials, Link string
	Hue, Pings                                   int
	Me, Modal                                    bool
}

// room is one line of the sidebar.
type room struct {
	ID, Name, Link, Note string
	Mark                 string // before its name: "# ", "🔒 "
	Private, Current     bool
	Unread, Pings        int
}

// modal is the form in front of a person.
type modal struct {
	ID, Hash, Title, Submit, Close string
	Revision                       int
	Blocks                         []node
	Place                          place
	Above                          bool // another lies under it
}

func (p *page) view(q url.Values) (*viewModel, error) {
	st, tm := p.states()
	people := p.humans(&st, &tm)
	viewer, ok := chooseHuman(people, q.Get("as"))
	if !ok {
		return nil, errors.New("there is nobody here to be; give the simulators some users")
	}
	direct, err := p.direct(viewer)
	if err != nil {
		return nil, err
	}
	st, tm = p.states()
	d := newDrawer(&st, viewer.Slack, p.cfg.Now(), p.cfg.ImageOrigins)
	d.as, d.menu = viewer.ID, p.cfg.Menu
	td := p.teamsDrawer(d, &tm, viewer)
	v := &viewModel{Title: p.cfg.Title, At: q.Get("at"), AllTry: p.cfg.Try, HasSlack: p.cfg.Slack != nil && viewer.Slack.ID != ""}
	if v.At == "" {
		v.At = cmp.Or(d.firstRoom(direct), td.firstRoom())
	}
	if inTeams(v.At) {
		td.openRoom(v, q)
		p.markTeamsRead(&tm, viewer.ID, v.At)
	} else {
		p.markRead(&st, viewer.ID, v.At)
		v.Try, v.Hint = p.cfg.Try, ", or /keyturn …"
		d.openRoom(v, q)
	}
	if n, err := strconv.Atoi(q.Get("portal")); err == nil && n >= 0 && n < len(p.cfg.Portals) {
		v.Portal = &p.cfg.Portals[n]
		v.CloseThread = d.address(v.At, "")
	}
	p.strip(d, td, v, people)
	p.sidebar(d, v, direct)
	td.sidebar(p, v)
	v.Modal = d.modal()
	if v.Modal == nil {
		v.Dialog = td.dialog()
	}
	return v, nil
}

// states are what the simulators know; of one that is not there, nothing.
func (p *page) states() (st slack.State, tm teams.State) {
	if p.cfg.Slack != nil {
		st = p.cfg.Slack.Snapshot()
	}
	if p.cfg.Teams != nil {
		tm = p.cfg.Teams.Snapshot()
	}
	return st, tm
}

// direct is the person's Slack conversation with the bot.
func (p *page) direct(h human) (string, error) {
	if p.cfg.Slack == nil || h.Slack.ID == "" {
		return "", nil
	}
	return p.cfg.Slack.DirectID(h.Slack.ID)
}

func (d *drawer) firstRoom(direct string) string {
	for _, ch := range d.st.Channels {
		if ch.Kind != slack.Direct && member(ch, d.viewer.ID) && !ch.Deleted && !ch.Archived {
			return ch.ID
		}
	}
	return direct
}

// openRoom fills in the middle of the page.
func (d *drawer) openRoom(v *viewModel, q url.Values) {
	if v.At == "home" {
		home := d.st.Homes[d.viewer.ID]
		blocks := home.DrawnBlocks()
		v.HomePlace = place{View: "home", Values: slack.StateValues(blocks, home.Typed)}
		v.HomeBlocks = d.nodes(blocks, v.HomePlace)
		return
	}
	ch, ok := d.channels[v.At]
	if !ok || ch.Deleted || !member(ch, d.viewer.ID) {
		v.Closed = cmp.Or(d.viewer.RealName, "This person") + " is not in this channel."
		return
	}
	v.Topic = ch.Topic
	if ch.Kind != slack.Direct {
		v.Members = len(ch.Members)
	}
	if ch.Archived {
		v.Closed = "This channel is archived."
	} else if ch.ReadOnly && !d.viewer.Admin {
		v.Closed = "Only admins may post here."
	}
	v.Entries = d.channelEntries(ch.ID)
	if ts := q.Get("thread"); ts != "" {
		v.ThreadTS, v.Thread = ts, d.threadEntries(ch.ID, ts)
		v.CloseThread = d.address(ch.ID, "")
	}
}

// strip fills in the people that the visitor can be.
func (p *page) strip(d *drawer, td *teamsDrawer, v *viewModel, people []human) {
	for i, h := range people {
		given, rest := first(h.Name)
		person := persona{ID: h.ID, Name: h.Name, Given: given, Rest: rest, Title: h.Title, Initials: initials(h.Name), Hue: i % 8, Me: h.ID == d.as,
			Pings: p.pings(d.st, h.Slack.ID) + td.pings(p, h), Link: d.sameRoom(h, v.At, td)}
		person.Modal = slices.ContainsFunc(d.st.Views, func(o slack.View) bool { return o.User == h.Slack.ID }) || td.hasDialog(h.Teams.ID)
		if person.Me {
			v.Me = person
		}
		v.People = append(v.People, person)
	}
}

// sidebar fills in the places of Slack with what waits there for the viewer.
func (p *page) sidebar(d *drawer, v *viewModel, direct string) {
	for _, ch := range d.st.Channels {
		if !member(ch, d.viewer.ID) || ch.Deleted {
			continue
		}
		r := p.room(d, ch, v.At)
		switch {
		case ch.ID == direct:
			r.Name, r.Mark = d.st.App.BotName, "" // a conversation of two, no channel
			v.Direct = r
		case ch.Kind != slack.Direct:
			v.Channels = append(v.Channels, r)
		}
		if r.Current {
			v.Room = &r
		}
	}
	v.Home = room{ID: "home", Name: "Home", Link: d.address("home", ""), Current: v.At == "home"}
	for i, portal := range p.cfg.Portals {
		v.Portals = append(v.Portals, room{Name: portal.Name, Note: portal.Role, Link: d.address(v.At, "") + "&portal=" + strconv.Itoa(i),
			Current: v.Portal == &p.cfg.Portals[i]})
	}
	v.Threads = d.threads(v.ThreadTS)
}

func (p *page) room(d *drawer, ch slack.Channel, current string) room {
	r := room{ID: ch.ID, Name: ch.Name, Mark: "# ", Link: d.address(ch.ID, ""), Private: ch.Kind == slack.Private, Current: ch.ID == current}
	if r.Private {
		r.Mark = "🔒 "
	}
	if ch.Archived {
		r.Note = "archived"
	}
	seen := at(p.seen(d.viewer.ID, ch.ID))
	for _, m := range d.st.Messages {
		if m.Channel == ch.ID && !m.Deleted && m.User != d.viewer.ID && m.Subtype == "" && (m.ThreadTS == "" || m.Broadcast) && at(m.TS).After(seen) {
			r.Unread++
		}
	}
	for _, n := range d.st.Notifications {
		if n.Channel == ch.ID && n.User == d.viewer.ID && n.Missed == "" && at(n.TS).After(seen) {
			r.Pings++
		}
	}
	return r
}

// threads are those the viewer has a part in, newest first.
func (d *drawer) threads(current string) []room {
	type thread struct {
		root slack.Message
		last string
		mine bool
	}
	found := map[string]*thread{}
	for _, m := range d.st.Messages {
		if m.Deleted || m.ThreadTS == "" || !member(d.channels[m.Channel], d.viewer.ID) || d.channels[m.Channel].Kind == slack.Direct {
			continue
		}
		key := m.Channel + m.ThreadTS
		if found[key] == nil {
			found[key] = &thread{root: slack.Message{Channel: m.Channel, TS: m.ThreadTS}}
		}
		found[key].last = m.TS
		found[key].mine = found[key].mine || m.User == d.viewer.ID
	}
	for _, m := range d.st.Messages {
		if t := found[m.Channel+m.TS]; t != nil {
			t.root = m
			t.mine = t.mine || m.User == d.viewer.ID
		}
	}
	for _, n := range d.st.Notifications {
		for _, m := range d.st.Messages {
			if n.User == d.viewer.ID && n.TS == m.TS && n.Channel == m.Channel {
				if t := found[m.Channel+cmp.Or(m.ThreadTS, m.TS)]; t != nil {
					t.mine = true
				}
			}
		}
	}
	var list []*thread
	for _, t := range found {
		if t.mine && !t.root.Deleted {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *thread) int { return at(b.last).Compare(at(a.last)) })
	var rooms []room
	for _, t := range list[:min(len(list), 6)] {
		rooms = append(rooms, room{Name: firstWords(t.root), Note: "#" + d.channels[t.root.Channel].Name, Link: d.address(t.root.Channel, t.root.TS),
			Current: t.root.TS == current})
	}
	return rooms
}

func (d *drawer) modal() *modal {
	for _, view := range slices.Backward(d.st.Views) {
		if view.User != d.viewer.ID {
			continue
		}
		blocks := view.DrawnBlocks()
		m := &modal{ID: view.ID, Hash: view.Hash, Revision: view.Revision, Above: view.Previous != ""}
		m.Place = place{View: view.ID, Values: slack.StateValues(blocks, view.Typed), Errors: view.Errors}
		m.Blocks = d.nodes(blocks, m.Place)
		m.Title, m.Submit, m.Close = view.Words("title"), view.Words("submit"), cmp.Or(view.Words("close"), "Close")
		return m
	}
	return nil
}

// seen is the newest message of a channel that a person has looked at.
func (p *page) seen(person, channel string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read[person][channel]
}

func (p *page) markRead(st *slack.State, person, channel string) {
	newest := ""
	for _, m := range st.Messages {
		if m.Channel == channel {
			newest = m.TS
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read[person] == nil {
		p.read[person] = map[string]string{}
	}
	p.read[person][channel] = newest
}

// pings counts what reached for a person and was not looked at yet.
func (p *page) pings(st *slack.State, person string) int {
	n := 0
	for _, note := range st.Notifications {
		if note.User == person && note.Missed == "" && at(note.TS).After(at(p.seen(person, note.Channel))) {
			n++
		}
	}
	return n
}

// dayName is the divider above a day's first message.
func (d *drawer) dayName(when time.Time) string {
	switch d.relativeDay(when) {
	case "today":
		return "Today"
	case "yesterday":
		return "Yesterday"
	}
	return when.In(d.zone).Format("Monday, 2 January")
}
