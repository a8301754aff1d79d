package chat

import (
	"encoding/json"
	"slices"
	"strings"

	"keyturn/sim/teams"
)

// places is a titled part of the sidebar.
type places struct {
	Name  string
	Rooms []room
}

// sidebar fills in teams, chats and the viewer's threads.
func (t *teamsDrawer) sidebar(p *page, v *viewModel) {
	if t == nil || t.me.Teams.ID == "" {
		return
	}
	for _, team := range t.tm.Teams {
		if team.Deleted || !slices.Contains(team.Members, t.me.Teams.ID) {
			continue
		}
		group := places{Name: team.Name}
		for _, ch := range team.Channels {
			if s, ok := t.find(ch.ID); ok {
				r := t.room(p, s, v.At)
				if team.Archived {
					r.Note = "archived"
				}
				group.Rooms = append(group.Rooms, r)
			}
		}
		v.TeamsPlaces = append(v.TeamsPlaces, group)
	}
	chats := places{Name: "Chat"}
	own, _ := t.find(t.server.PersonalID(t.me.Teams.ID))
	r := t.room(p, own, v.At)
	r.Note = "personal"
	chats.Rooms = append(chats.Rooms, r)
	for i := range t.tm.Chats {
		if c := &t.tm.Chats[i]; !c.Personal && slices.Contains(c.Members, t.me.Teams.ID) {
			chats.Rooms = append(chats.Rooms, t.room(p, spot{chat: c, id: c.ID}, v.At))
		}
	}
	v.TeamsPlaces = append(v.TeamsPlaces, chats)
}

func (t *teamsDrawer) room(p *page, s spot, current string) room {
	r := room{ID: s.id, Name: s.name(t.tm.App.BotName), Link: t.address(s.id, ""), Current: s.id == current}
	seen := p.seen(t.me.ID, s.id)
	for _, m := range t.seen(s.id) {
		if m.From != t.me.Teams.ID && !m.Deleted && newer(m.ID, seen) {
			r.Unread++
		}
	}
	for _, n := range t.tm.Notifications {
		if base(n.Conversation) == s.id && t.waits(n, t.me.Teams.ID, seen) {
			r.Pings++
		}
	}
	return r
}

// base is a conversation without the thread.
func base(conversation string) string {
	id, _, _ := strings.Cut(conversation, ";")
	return id
}

// newer compares message IDs, which are milliseconds.
func newer(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }

// waits says whether a notification reached for somebody and was not looked at.
func (t *teamsDrawer) waits(n teams.Notification, user, seen string) bool {
	return n.User == user && n.Missed == "" && newer(n.Activity, seen)
}

// pings counts what waits for a person in Teams.
func (t *teamsDrawer) pings(p *page, h human) int {
	if t == nil || h.Teams.ID == "" {
		return 0
	}
	n := 0
	for _, note := range t.tm.Notifications {
		if t.waits(note, h.Teams.ID, p.seen(h.ID, base(note.Conversation))) {
			n++
		}
	}
	return n
}

func (p *page) markTeamsRead(tm *teams.State, person, conversation string) {
	newest := ""
	for _, m := range tm.Messages {
		if m.Conversation == conversation {
			newest = m.ID
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read[person] == nil {
		p.read[person] = map[string]string{}
	}
	p.read[person][conversation] = newest
}

// dialog is a task module in front of a person.
type dialog struct {
	ID, Title, URL string
	Card           *card
}

func (t *teamsDrawer) hasDialog(user string) bool {
	return t != nil && user != "" && slices.ContainsFunc(t.tm.Dialogs, func(d teams.Dialog) bool { return d.User == user })
}

func (t *teamsDrawer) dialog() *dialog {
	if t == nil || t.me.Teams.ID == "" {
		return nil
	}
	for _, open := range t.tm.Dialogs {
		if open.User != t.me.Teams.ID {
			continue
		}
		d := &dialog{ID: open.ID, Title: open.Title, URL: open.URL}
		if len(open.Card) > 0 {
			d.Card = t.card(json.RawMessage(open.Card), "dialog"+open.ID, open.Typed, redLine{Errors: open.Errors})
			d.Card.Dialog = open.ID
		}
		return d
	}
	return nil
}
