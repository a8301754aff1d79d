package chat

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"keyturn/sim/slack"
)

// viewModel is everything on the page.
type viewModel struct {
	Title        string
	Me           persona
	People       []persona
	Channels     []room
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
	Try         []string
}

// persona is somebody the visitor can be.
type persona struct {
	ID, Name, Title, Initials, Link string
	Hue, Pings                      int
	Me, Modal                       bool
}

// room is one line of the sidebar.
type room struct {
	ID, Name, Link, Note string
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
	st := p.cfg.Slack.Snapshot()
	viewer, ok := choosePersona(st, q.Get("as"))
	if !ok {
		return nil, errors.New("there is nobody in this workspace to be; give the simulator some users")
	}
	direct, err := p.cfg.Slack.DirectID(viewer.ID)
	if err != nil {
		return nil, err
	}
	st = p.cfg.Slack.Snapshot()
	d := newDrawer(&st, viewer, p.cfg.Now(), p.cfg.ImageOrigins)
	v := &viewModel{Title: p.cfg.Title, Try: p.cfg.Try, At: q.Get("at")}
	if v.At == "" {
		v.At = d.firstRoom(direct)
	}
	p.markRead(&st, viewer.ID, v.At)
	d.openRoom(v, q)
	if n, err := strconv.Atoi(q.Get("portal")); err == nil && n >= 0 && n < len(p.cfg.Portals) {
		v.Portal = &p.cfg.Portals[n]
		v.CloseThread = d.address(v.At, "")
	}
	p.sidebar(d, v, direct)
	v.Modal = d.modal()
	return v, nil
}

func choosePersona(st slack.State, id string) (slack.User, bool) {
	people := slices.DeleteFunc(st.Users, func(u slack.User) bool { return u.Bot || u.Deleted })
	for _, u := range people {
		if u.ID == id {
			return u, true
		}
	}
	if len(people) == 0 {
		return slack.User{}, false
	}
	return people[0], true
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
		v.Closed = d.viewer.RealName + " is not in this channel."
		return
	}
	v.Topic, v.Members = ch.Topic, len(ch.Members)
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

// sidebar fills in people and places with what waits there for the viewer.
func (p *page) sidebar(d *drawer, v *viewModel, direct string) {
	for _, u := range d.st.Users {
		if u.Bot || u.Deleted {
			continue
		}
		person := persona{ID: u.ID, Name: u.RealName, Title: titleOf(u), Initials: initials(u.RealName), Hue: d.hue(u.ID), Me: u.ID == d.viewer.ID,
			Pings: p.pings(d.st, u.ID), Link: d.sameRoom(u.ID, v.At)}
		person.Modal = slices.ContainsFunc(d.st.Views, func(o slack.View) bool { return o.User == u.ID })
		if person.Me {
			v.Me = person
		}
		v.People = append(v.People, person)
	}
	for _, ch := range d.st.Channels {
		if !member(ch, d.viewer.ID) || ch.Deleted {
			continue
		}
		r := p.room(d, ch, v.At)
		switch {
		case ch.ID == direct:
			r.Name = d.st.App.BotName
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

// sameRoom is where somebody else would look at what the viewer looks at; their
// own first room where they cannot.
func (d *drawer) sameRoom(user, at string) string {
	q := url.Values{"as": {user}}
	if ch := d.channels[at]; at == "home" || ch.Kind != slack.Direct && member(ch, user) {
		q.Set("at", at)
	}
	return "?" + q.Encode()
}

func titleOf(u slack.User) string {
	switch {
	case u.Stranger:
		return cmp.Or(u.Title, "another workspace")
	case u.Guest:
		return cmp.Or(u.Title, "guest")
	}
	return u.Title
}

func (p *page) room(d *drawer, ch slack.Channel, current string) room {
	r := room{ID: ch.ID, Name: ch.Name, Link: d.address(ch.ID, ""), Private: ch.Kind == slack.Private, Current: ch.ID == current}
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
