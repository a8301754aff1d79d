package commands

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
)

// maxPeople is how many people a form offers: whoever holds the role is always
// among them.
const maxPeople = 100

// roleClick opens the form for one role; submitting it comes back here.
func roleClick(a *Ask) (bot.Reply, error) {
	name, seen, _ := strings.Cut(a.Request.Value, "/")
	role := bot.Role(name)
	if !slices.Contains(granted(), role) {
		return say("Who is an owner stands in the configuration and cannot be changed in chat. I have changed nothing."), nil
	}
	if a.Request.Kind == bot.Clicked {
		f := a.roleForm(role)
		return bot.Reply{Form: &f}, nil
	}
	if seen != a.seats(role) {
		return bot.Reply{Errors: map[string]string{"holders": "Somebody changed this role meanwhile. Close this form and open it again."}}, nil
	}
	to := map[bot.PersonID]bot.Hold{}
	for _, p := range a.offered(role) {
		holder := slices.Contains(a.Request.Input["holders"], string(p.ID))
		backup := slices.Contains(a.Request.Input["backups"], string(p.ID))
		held := bot.NotHeld
		switch {
		case holder && backup:
			return bot.Reply{Errors: map[string]string{"backups": p.Name + " cannot be both. A backup is asked when the holders let a step wait."}}, nil
		case holder:
			held = bot.AsHolder
		case backup:
			held = bot.AsBackup
		}
		if held != a.Tenant.Held(p.ID, role) {
			to[p.ID] = held
		}
	}
	if len(to) == 0 {
		return sayf("Nothing changed: %s.", label(role)), nil
	}
	if err := a.grant(role, to); err != nil {
		return bot.Reply{}, err
	}
	return a.roles()
}

func (a *Ask) roleForm(role bot.Role) bot.Form {
	f := bot.Form{Action: actRole, Value: string(role) + "/" + a.seats(role), Title: heading(role), Submit: "Change"}
	f.Intro = append(f.Intro, bot.Paragraph{Text: bot.T("It counts at once, also in setups that are under way. The other owners are told, and it stands in the audit trail.")})
	if a.Tenant.Managed[role].Group != "" {
		f.Intro = append(f.Intro, bot.Paragraph{Text: bot.T("Whoever is in the user group " + a.Tenant.Managed[role].Group + " holds it too. What you choose here counts over that.")})
	}
	holders := bot.Input{Name: "holders", Label: "Holders", Kind: bot.Choices, Optional: true, Hint: "They are asked, and may approve."}
	backups := bot.Input{Name: "backups", Label: "Backups", Kind: bot.Choices, Optional: true, Hint: "They may approve too, and are asked when the holders let a step wait."}
	for _, p := range a.offered(role) {
		o := bot.Option{Value: string(p.ID), Label: p.Name}
		holders.Options, backups.Options = append(holders.Options, o), append(backups.Options, o)
		switch a.Tenant.Held(p.ID, role) {
		case bot.AsHolder:
			holders.Values = append(holders.Values, o.Value)
		case bot.AsBackup:
			backups.Values = append(backups.Values, o.Value)
		}
	}
	f.Inputs = []bot.Input{holders, backups}
	return f
}

// offered lists the people of a role's form: who holds it, then the others.
func (a *Ask) offered(role bot.Role) []bot.Person {
	var hold, rest []bot.Person
	for _, p := range a.Tenant.People {
		if a.Tenant.Holds(p.ID, role) {
			hold = append(hold, p)
		} else {
			rest = append(rest, p)
		}
	}
	return append(hold, rest[:min(len(rest), max(0, maxPeople-len(hold)))]...)
}

// seats names who holds a role as a form saw it, so that two owners do not
// undo each other's change unseen.
func (a *Ask) seats(role bot.Role) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(a.Tenant.Holders[role], a.Tenant.Backups[role])))
	return hex.EncodeToString(sum[:6])
}
