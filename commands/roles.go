package commands

import (
	"maps"
	"slices"
	"strings"

	"keyturn/bot"
)

// granted lists the roles that owners give in chat: who is an owner stands in
// the configuration alone.
func granted() []bot.Role {
	return slices.DeleteFunc(slices.Clone(bot.Roles), func(r bot.Role) bool { return r == bot.Owner })
}

// label is how a role is called where people look it up.
func label(r bot.Role) string {
	if r == bot.Requester {
		return "may start a setup"
	}
	return r.Title()
}

// heading is [label] where it begins a line, or is a button.
func heading(r bot.Role) string {
	says := label(r)
	return strings.ToUpper(says[:1]) + says[1:]
}

// rolesVerb shows who holds which role, or changes it for an owner.
func rolesVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) > 0 {
		if no := a.may(Owner); no != nil {
			return *no, nil
		}
		return a.changeByWords()
	}
	return a.roles()
}

// roles shows who holds which role, with backups, and what is missing.
func (a *Ask) roles() (bot.Reply, error) {
	m := bot.Say(bot.B("Roles for " + a.Tenant.Name))
	var items []bot.Pair
	var buttons []bot.Button
	for _, role := range bot.Roles {
		holders := a.Tenant.Holders[role]
		if role == bot.Owner {
			holders = a.Tenant.Owners
		}
		value := a.names(holders)
		if value == "" {
			value = "⛔ nobody: steps of this role wait until an owner names somebody"
			if role == bot.Requester {
				value = "nobody but those who hold another role"
			}
		}
		if backups := a.names(a.Tenant.Backups[role]); backups != "" {
			value += " · backup: " + backups
		}
		if g := a.Tenant.Managed[role]; g.Group != "" {
			value += " · whoever is in the user group " + g.Group + " holds it"
		}
		items = append(items, bot.Pair{Label: heading(role), Value: bot.T(value)})
		if role != bot.Owner {
			buttons = append(buttons, bot.Button{Label: heading(role), Action: actRole, Value: string(role), Says: "Change who holds " + label(role)})
		}
	}
	m.Add(bot.Pairs{Items: items})
	gaps := a.Tenant.Gaps()
	for _, k := range slices.Sorted(maps.Keys(gaps)) {
		m.Add(bot.Paragraph{Text: bot.T("⛔ " + gaps[k])})
	}
	if a.may(Owner) != nil {
		m.Add(bot.Note{Text: bot.T("Owners change this. Who is an owner stands in the configuration.")})
		return bot.Private(m), nil
	}
	m.Add(bot.Paragraph{Text: bot.T("Change who holds:")}, bot.Buttons{Items: buttons})
	if err := a.linked(&m); err != nil {
		return bot.Reply{}, err
	}
	m.Add(bot.Note{Text: bot.T("The same by command: " + a.Table.Command + " roles give entra-admin <name>, or: give entra-admin <name> as backup, take entra-admin <name>. Who is an owner stands in the configuration.")})
	return bot.Private(m), nil
}

// names lists people, saying who cannot act.
func (a *Ask) names(list []bot.PersonID) string {
	var names []string
	for _, p := range list {
		n := a.name(p)
		if !a.Tenant.Active(p) {
			n += " (cannot act now)"
		}
		names = append(names, n)
	}
	return strings.Join(names, ", ")
}

// changeByWords is: give <role> <person> [as backup] · take <role> <person> ·
// group <role> on|off.
func (a *Ask) changeByWords() (bot.Reply, error) {
	use := "Write for example: " + a.Table.Command + " roles give entra-admin " + a.someone() + ". Or: take entra-admin, or give entra-admin with \"as backup\" at the end. I have changed nothing."
	if len(a.Args) < 3 {
		return say(use), nil
	}
	if strings.EqualFold(a.Args[0], "unlink") {
		return a.unlink(a.Args[1:])
	}
	act, role := strings.ToLower(a.Args[0]), bot.Role(strings.ToLower(a.Args[1]))
	if role == bot.Owner {
		return say("Who is an owner stands in the configuration and cannot be changed in chat. I have changed nothing."), nil
	}
	if !role.Known() {
		var known []string
		for _, r := range granted() {
			known = append(known, string(r))
		}
		return sayf("There is no role %q. The roles are: %s. I have changed nothing.", a.Args[1], strings.Join(known, ", ")), nil
	}
	rest := strings.Join(a.Args[2:], " ")
	held := bot.AsHolder
	switch act {
	case "group":
		return a.manage(role, strings.ToLower(rest))
	case "take":
		held = bot.NotHeld
	case "give":
		if who, backup := strings.CutSuffix(strings.ToLower(rest), " as backup"); backup {
			held, rest = bot.AsBackup, rest[:len(who)]
		}
	default:
		return say(use), nil
	}
	p, no := a.find(rest)
	if no != "" {
		return say(no + " I have changed nothing."), nil
	}
	if a.Tenant.Held(p, role) == held {
		return sayf("%s is that already: %s, %s.", a.name(p), label(role), held), nil
	}
	if err := a.grant(role, map[bot.PersonID]bot.Hold{p: held}); err != nil {
		return bot.Reply{}, err
	}
	return a.roles()
}

func (a *Ask) someone() string {
	for _, p := range a.Tenant.People {
		return p.Name
	}
	return "<name>"
}

// find finds one person of the configuration by a mention, a name or the
// beginning of one. Chat chooses among these and never adds to them.
func (a *Ask) find(who string) (id bot.PersonID, no string) {
	if acc, err := bot.ParseAccount(who); err == nil {
		if p, ok := a.Tenant.Who(acc); ok {
			return p.ID, ""
		}
		return "", "I do not know that account for " + a.Tenant.Name + ". An owner adds people in the configuration; then they can be given a role here."
	}
	who = strings.TrimPrefix(strings.TrimSpace(who), "@")
	var hits []bot.Person
	for _, p := range a.Tenant.People {
		switch {
		case strings.EqualFold(p.Name, who):
			return p.ID, ""
		case who != "" && strings.HasPrefix(strings.ToLower(p.Name), strings.ToLower(who)):
			hits = append(hits, p)
		}
	}
	switch len(hits) {
	case 1:
		return hits[0].ID, ""
	case 0:
		return "", "I know nobody called \"" + short(who) + "\" for " + a.Tenant.Name + ". An owner adds people in the configuration; then they can be given a role here."
	}
	return "", "\"" + short(who) + "\" may be " + hits[0].Name + " or " + hits[1].Name + ". Write the whole name."
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// grant records who holds a role from now on, tells the owners and the people,
// and has open runs ask those who hold it now.
func (a *Ask) grant(role bot.Role, to map[bot.PersonID]bot.Hold) error {
	var said []string
	fresh := map[bot.Role][]bot.PersonID{}
	for _, p := range slices.Sorted(maps.Keys(to)) {
		held := to[p]
		a.Grant(a.Tenant, bot.Grant{Role: role, Person: p, Held: held, By: a.Person.ID})
		a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "role", Note: string(role) + ": " + string(p) + " " + string(held)})
		said = append(said, a.name(p)+" "+becomes(role, held))
		if held == bot.AsHolder {
			fresh[role] = append(fresh[role], p)
		}
		if !slices.Contains(a.Tenant.Owners, p) {
			a.Draft.Tell(a.Tenant, p, bot.Say(bot.T(a.Person.Name+" changed a role for "+a.Tenant.Name+": you now "+strings.TrimPrefix(becomes(role, held), "now ")+".")))
		}
	}
	return a.rolesChanged(strings.Join(said, "; "), fresh)
}

// rolesChanged tells the owners and reseats the open runs.
func (a *Ask) rolesChanged(what string, fresh map[bot.Role][]bot.PersonID) error {
	m := bot.Say(bot.T(a.Person.Name+" changed roles for "+a.Tenant.Name+": "+what+"."), bot.T(" If that was not agreed, change it back: it counts at once."))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Roles", Action: actVerb, Value: "roles", Says: "Roles: who holds which role"}}})
	for _, o := range a.Tenant.Owners {
		a.Draft.Tell(a.Tenant, o, m)
	}
	if err := a.Reseat(a.Tenant, fresh); err != nil {
		return err
	}
	conf, ok := a.Env().Tenant(a.Tenant.ID)
	if !ok {
		return nil
	}
	var err error
	a.Tenant, err = a.Effective(conf)
	return err
}

func becomes(role bot.Role, held bot.Hold) string {
	what := role.Title()
	if role == bot.Requester {
		what = "the right to start a setup"
	}
	switch held {
	case bot.AsHolder:
		return "now holds " + what
	case bot.AsBackup:
		return "is now backup for " + what
	}
	return "no longer holds " + what
}

// manage declares that whoever is in a role's Slack user group holds the role,
// or that the group only pings.
func (a *Ask) manage(role bot.Role, word string) (bot.Reply, error) {
	group := a.Tenant.Groups[role][bot.Slack]
	team := a.slackTeam()
	switch {
	case group == "" || team == "":
		return sayf("The configuration names no Slack user group for %s, so I have changed nothing. An owner can add one under groups.", label(role)), nil
	case word != "on" && word != "off":
		return sayf("Write: %s roles group %s on, when only admins can change who is in that user group; or off. I have changed nothing.", a.Table.Command, role), nil
	case (word == "on") == (a.Tenant.Managed[role].Group == group):
		return sayf("That is so already for %s.", label(role)), nil
	}
	on := word == "on"
	a.Manage(a.Tenant, bot.Membership{Role: role, Team: team, Group: group, By: a.Person.ID}, on)
	what := "the user group " + group + " only pings; being in it gives nothing any more"
	if on {
		what = "whoever is in the user group " + group + " now holds " + label(role) + ". I read it every ten minutes; while it cannot be read, being in it counts for nobody"
	}
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "role", Note: string(role) + ": user group " + group + " " + word})
	if err := a.rolesChanged(what, nil); err != nil {
		return bot.Reply{}, err
	}
	return a.roles()
}

func (a *Ask) slackTeam() string {
	for _, w := range a.Tenant.Teams {
		if w.Platform == bot.Slack {
			return w.ID
		}
	}
	return ""
}
