package slack

import (
	"net/http"

	"keyturn/sim"
)

// control serves /_sim.
func (s *Server) control() http.Handler {
	return sim.Control(func() any { return s.Snapshot() }, &s.Journal, &s.Faults, s.acts())
}

// ask is the body of the twins that need no type of their own.
type ask struct {
	User    string         `json:"user"`
	Channel string         `json:"channel"`
	Thread  string         `json:"thread"`
	TS      string         `json:"ts"`
	Text    string         `json:"text"`
	View    string         `json:"view"`
	Values  map[string]any `json:"values"`
	All     bool           `json:"all"`
	By      string         `json:"by"`
	Name    string         `json:"name"`
	Group   string         `json:"group"`
	Users   []string       `json:"users"`
}

func (s *Server) acts() map[string]sim.Act {
	outcome := func(run func(a ask) (Outcome, error)) sim.Act { return sim.Twin(run) }
	return map[string]sim.Act{
		"type":           sim.Twin(s.Type),
		"click":          sim.Twin(s.Click),
		"raw":            sim.Twin(s.SendRaw),
		"slash":          outcome(func(a ask) (Outcome, error) { return s.slashTwin(a) }),
		"mention":        outcome(func(a ask) (Outcome, error) { return s.Mention(a.User, a.Channel, a.Thread, a.Text) }),
		"dm":             outcome(func(a ask) (Outcome, error) { return s.DM(a.User, a.Text) }),
		"post":           outcome(func(a ask) (Outcome, error) { return s.PostAs(a.User, a.Channel, a.Thread, a.Text) }),
		"submit":         outcome(func(a ask) (Outcome, error) { return s.Submit(a.User, a.View, a.Values) }),
		"close":          outcome(func(a ask) (Outcome, error) { return s.Close(a.User, a.View, a.All) }),
		"home":           outcome(func(a ask) (Outcome, error) { return s.OpenHome(a.User) }),
		"resend":         outcome(func(ask) (Outcome, error) { return s.Resend() }),
		"archive":        outcome(func(a ask) (Outcome, error) { return s.Archive(a.Channel) }),
		"unarchive":      outcome(func(a ask) (Outcome, error) { return s.Unarchive(a.Channel) }),
		"delete-channel": outcome(func(a ask) (Outcome, error) { return s.DeleteChannel(a.Channel) }),
		"rename":         outcome(func(a ask) (Outcome, error) { return s.Rename(a.Channel, a.Name) }),
		"remove-bot":     outcome(func(a ask) (Outcome, error) { return s.RemoveBot(a.Channel) }),
		"invite-bot":     outcome(func(a ask) (Outcome, error) { return s.InviteBot(a.Channel, a.By) }),
		"join":           outcome(func(a ask) (Outcome, error) { return s.Join(a.User, a.Channel, a.By) }),
		"leave":          outcome(func(a ask) (Outcome, error) { return s.Leave(a.User, a.Channel) }),
		"deactivate":     outcome(func(a ask) (Outcome, error) { return s.Deactivate(a.User) }),
		"uninstall":      outcome(func(ask) (Outcome, error) { return s.Uninstall(), nil }),
		"reinstall":      sim.Twin(func(ask) (any, error) { s.Reinstall(); return sim.Done, nil }),
		"reload":         sim.Twin(func(a ask) (any, error) { s.Reload(a.User); return sim.Done, nil }),
		"delete-message": sim.Twin(func(a ask) (any, error) { return sim.Done, s.DeleteMessage(a.Channel, a.TS) }),
		"group":          sim.Twin(func(a ask) (any, error) { return sim.Done, s.SetGroup(a.Group, a.Users) }),
		"disconnect":     sim.Twin(func(a ask) (any, error) { s.Disconnect(a.Name); return sim.Done, nil }),
		"tick":           sim.Twin(func(ask) (any, error) { return map[string]any{"tried": s.Tick()}, nil }),
		"direct": sim.Twin(func(a ask) (any, error) {
			id, err := s.DirectID(a.User)
			return map[string]any{"channel": id}, err
		}),
	}
}

func (s *Server) slashTwin(a ask) (Outcome, error) {
	if a.Thread != "" {
		return s.SlashInThread(a.User, a.Channel, a.Thread, a.Text)
	}
	return s.Slash(a.User, a.Channel, a.Text)
}
