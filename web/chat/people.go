package chat

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// Person says which accounts of Slack and Teams belong to one human being.
type Person struct {
	Slack string // Slack user ID, "" has no account there
	Teams string // Entra object ID, "" has no account there
	Name  string // default: as the account has it
	Title string // what they do; default: as the account has it
}

// human is a person whom the visitor can be, with their accounts.
type human struct {
	ID, Name, Title string
	Slack           slack.User // the zero value without an account
	Teams           teams.User
}

// humans joins the accounts of both systems: as Config.People says, and the
// others by their name. What belongs to nobody yet is somebody of their own.
func (p *page) humans(st *slack.State, tm *teams.State) []human {
	var all []human
	here := map[string]slack.User{}
	there := map[string]teams.User{}
	for _, u := range st.Users {
		if !u.Bot && !u.Deleted {
			here[u.ID] = u
		}
	}
	for _, u := range tm.Users {
		there[u.ID] = u
	}
	for _, entry := range p.cfg.People {
		h := human{Name: entry.Name, Title: entry.Title, Slack: here[entry.Slack], Teams: there[entry.Teams]}
		delete(here, entry.Slack)
		delete(there, entry.Teams)
		all = append(all, h)
	}
	for _, u := range st.Users {
		if _, free := here[u.ID]; free {
			all = append(all, human{Slack: u})
		}
	}
	for _, u := range tm.Users {
		if _, free := there[u.ID]; !free {
			continue
		}
		at := slices.IndexFunc(all, func(h human) bool { return h.Teams.ID == "" && strings.EqualFold(h.Slack.RealName, u.Name) })
		if at < 0 {
			all = append(all, human{})
			at = len(all) - 1
		}
		all[at].Teams = u
	}
	all = slices.DeleteFunc(all, func(h human) bool { return h.Slack.ID == "" && h.Teams.ID == "" })
	for i := range all {
		all[i].complete()
	}
	return all
}

func (h *human) complete() {
	h.ID = cmp.Or(h.Slack.ID, h.Teams.ID)
	h.Name = cmp.Or(h.Name, h.Slack.RealName, h.Teams.Name)
	h.Title = cmp.Or(h.Title, titleOf(h.Slack))
	if h.Title == "" && h.Teams.Guest {
		h.Title = "guest"
	}
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

// chooseHuman finds a person by the ID of any of their accounts; without a hit
// it is the first one.
func chooseHuman(all []human, id string) (human, bool) {
	for _, h := range all {
		if id != "" && (h.Slack.ID == id || h.Teams.ID == id) {
			return h, true
		}
	}
	if len(all) == 0 {
		return human{}, false
	}
	return all[0], true
}

// sameRoom is where somebody else would look at what the viewer looks at; their
// own first room where they cannot.
func (d *drawer) sameRoom(h human, at string, tm *teamsDrawer) string {
	q := url.Values{"as": {h.ID}}
	ch, known := d.channels[at]
	switch {
	case at == "home" && h.Slack.ID != "", known && ch.Kind != slack.Direct && member(ch, h.Slack.ID):
		q.Set("at", at)
	case tm != nil && h.Teams.ID != "" && tm.personal(at):
		q.Set("at", tm.server.PersonalID(h.Teams.ID))
	case tm != nil && slices.Contains(tm.members(at), h.Teams.ID):
		q.Set("at", at)
	}
	return "?" + q.Encode()
}

// first is the given name, for a narrow strip.
func first(name string) (given, rest string) {
	given, rest, _ = strings.Cut(name, " ")
	return given, rest
}
