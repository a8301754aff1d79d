package teams

import (
	"net/http"

	"keyturn/sim"
)

// control serves /_sim.
func (s *Server) control() http.Handler {
	return sim.Control(func() any { return s.Snapshot() }, &s.Journal, &s.Faults, s.acts())
}

// ask is the body of the twins that need no type of their own. Where is a team, a
// channel or a chat; "" is the person's own scope.
type ask struct {
	User         string         `json:"user"`
	Conversation string         `json:"conversation"`
	Activity     string         `json:"activity"`
	Text         string         `json:"text"`
	Dialog       string         `json:"dialog"`
	Action       string         `json:"action"`
	Inputs       map[string]any `json:"inputs"`
	Type         string         `json:"type"`
	Remove       bool           `json:"remove"`
	Where        string         `json:"where"`
	By           string         `json:"by"`
	Name         string         `json:"name"`
	Down         bool           `json:"down"`
	Raw          map[string]any `json:"raw"`
}

func (s *Server) acts() map[string]sim.Act {
	outcome := func(run func(a ask) (Outcome, error)) sim.Act { return sim.Twin(run) }
	plain := func(run func(a ask) error) sim.Act {
		return sim.Twin(func(a ask) (any, error) { return sim.Done, run(a) })
	}
	return map[string]sim.Act{
		"say":             sim.Twin(s.Write),
		"click":           sim.Twin(s.Click),
		"submit":          outcome(func(a ask) (Outcome, error) { return s.Press(a.User, a.Dialog, a.Action, a.Inputs) }),
		"dismiss":         plain(func(a ask) error { return s.Dismiss(a.User, a.Dialog) }),
		"look":            outcome(func(a ask) (Outcome, error) { return s.Look(a.User, a.Conversation, a.Activity) }),
		"edit":            outcome(func(a ask) (Outcome, error) { return s.Edit(a.User, a.Conversation, a.Activity, a.Text) }),
		"withdraw":        outcome(func(a ask) (Outcome, error) { return s.Withdraw(a.User, a.Conversation, a.Activity) }),
		"react":           outcome(func(a ask) (Outcome, error) { return s.React(a.User, a.Conversation, a.Activity, a.Type, !a.Remove) }),
		"install":         outcome(func(a ask) (Outcome, error) { return s.Install(a.User, a.Where) }),
		"uninstall":       outcome(func(a ask) (Outcome, error) { return s.Uninstall(a.User, a.Where) }),
		"upgrade":         outcome(func(a ask) (Outcome, error) { return s.Upgrade(a.User, a.Where) }),
		"block":           plain(func(a ask) error { return s.Block(a.User, !a.Remove) }),
		"add-member":      outcome(func(a ask) (Outcome, error) { return s.AddMember(a.User, a.Where, a.By) }),
		"remove-member":   outcome(func(a ask) (Outcome, error) { return s.RemoveMember(a.User, a.Where, a.By) }),
		"create-channel":  outcome(func(a ask) (Outcome, error) { return s.CreateChannel(a.Where, a.Name) }),
		"delete-channel":  outcome(func(a ask) (Outcome, error) { return s.DeleteChannel(a.Where) }),
		"restore-channel": outcome(func(a ask) (Outcome, error) { return s.RestoreChannel(a.Where) }),
		"rename-channel":  outcome(func(a ask) (Outcome, error) { return s.RenameChannel(a.Where, a.Name) }),
		"rename-team":     outcome(func(a ask) (Outcome, error) { return s.RenameTeam(a.Where, a.Name) }),
		"archive-team":    outcome(func(a ask) (Outcome, error) { return s.ArchiveTeam(a.Where) }),
		"unarchive-team":  outcome(func(a ask) (Outcome, error) { return s.UnarchiveTeam(a.Where) }),
		"delete-team":     outcome(func(a ask) (Outcome, error) { return s.DeleteTeam(a.Where) }),
		"activity":        outcome(func(a ask) (Outcome, error) { return s.SendActivity(a.User, a.Conversation, a.Raw) }),
		"raw":             sim.Twin(s.SendRaw),
		"resend":          outcome(func(ask) (Outcome, error) { return s.Resend() }),
		"refuse":          sim.Twin(func(r Refusal) (any, error) { return sim.Done, s.Refuse(r) }),
		"allow":           plain(func(a ask) error { s.Allow(a.Conversation); return nil }),
		"rotate-keys":     plain(func(ask) error { return s.RotateKeys() }),
		"outage":          plain(func(a ask) error { s.SetOutage(a.Down); return nil }),
		"personal":        sim.Twin(func(a ask) (any, error) { return map[string]any{"conversation": s.PersonalID(a.User)}, nil }),
	}
}
