package commands

import (
	"fmt"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/recommend"
)

// Decide is the choke point that every request passes.
func (t *Table) Decide(d *engine.Draft, r bot.Request) (bot.Reply, error) {
	switch r.Kind {
	case bot.Joined, bot.Left, bot.Uninstalled, bot.Revoked:
		return bot.Reply{}, life(d, r)
	}
	const membersOnly = "I only answer members of this organisation. Nothing was done."
	if r.Guest {
		return say(membersOnly).Denied("a guest, or of another organisation"), nil
	}
	if r.Kind == bot.HomeOpened {
		return bot.Reply{}, homeOpened(d, r)
	}
	run, level, args, unknown := t.intent(r)
	if run == nil {
		return *unknown, nil
	}
	tenant, bound, refusal, err := tenantOf(d, r)
	if err != nil || refusal != nil {
		return orEmpty(refusal), err
	}
	tenant, err = d.Effective(tenant)
	if err != nil {
		return bot.Reply{}, err
	}
	a := &Ask{Draft: d, Request: r, Tenant: tenant, Args: args, Table: t}
	var known bool
	if a.Person, known = tenant.Who(r.From); !known && r.Unsure {
		if guest, err := d.Guest(tenant, r.From); err != nil || guest {
			return say(membersOnly).Denied("a guest, or of another organisation"), err
		}
	}
	if tenant.Inactive[a.Person.ID] != "" { // who acts is not away
		d.Back(tenant, a.Person.ID)
	}
	if no := a.may(level); no != nil {
		return *no, nil
	}
	if !bound && r.Action != actBind {
		a.bind(tenant)
	}
	return run(a)
}

func orEmpty(r *bot.Reply) bot.Reply {
	if r == nil {
		return bot.Reply{}
	}
	return *r
}

// intent finds what a request asks for, or the answer to one that nobody
// knows.
func (t *Table) intent(r bot.Request) (run func(*Ask) (bot.Reply, error), level Level, args []string, unknown *bot.Reply) {
	if r.Kind == bot.Clicked || r.Kind == bot.Submitted {
		for _, c := range t.Clicks {
			if c.Action == r.Action {
				return c.Run, c.Level, nil, nil
			}
		}
		no := say("This button is from an older version of Keyturn and does nothing now. Type " + t.Command + " to see what you can do.")
		return nil, nobody, nil, &no
	}
	words := t.courteous(strings.Fields(r.Text))
	if len(words) == 0 {
		return menuVerb, Member, nil, nil
	}
	words = t.spoken(words)
	if v, ok := t.Verb(words[0]); ok && t.command(words) {
		return v.Run, v.Level, words[1:], nil
	}
	if w, ok := t.freely(words); ok {
		return w.run, w.level, w.args, nil
	}
	no := t.unknown(words)
	return nil, nobody, nil, &no
}

// unknown answers words that are no command: what was probably meant, and, for
// several words, to look for them.
func (t *Table) unknown(words []string) bot.Reply {
	word := clipped(words[0], 40)
	said := strings.Join(words, " ")
	v, near := t.Nearest(words[0])
	m := bot.Say(bot.T("I do not know "), bot.C(word), bot.T(". "), bot.C(t.Command+" help"), bot.T(" lists what I can do."))
	if len(words) > 1 && !near {
		m = bot.Say(bot.T("I do not understand “"+clipped(said, 80)+"”. Name the product, what you see, or an error code; "), bot.C(t.Command+" help"), bot.T(" lists what I can do."))
	}
	buttons := []bot.Button{}
	if offers := t.offers(plainWords(said)); len(offers) > 0 {
		m = bot.Say(bot.T("Did you mean "), codes(offers), bot.T("? Nothing is done before you choose."))
		for i, o := range offers {
			b := bot.Button{Label: o, Action: actVerb, Value: o}
			if i == 0 {
				b.Style = bot.Primary
			}
			buttons = append(buttons, b)
		}
		m.Add(bot.Buttons{Items: append(buttons, bot.Button{Label: "Help", Action: actVerb, Value: "help"})})
		return bot.Private(m)
	}
	if near {
		meant := clipped(strings.Join(append([]string{v.Name}, words[1:]...), " "), 200)
		m = bot.Say(bot.T("I do not know "), bot.C(word), bot.T(". Did you mean "), bot.C(v.Name), bot.T("?"))
		buttons = append(buttons, bot.Button{Label: clipped(meant, 40), Action: actVerb, Value: meant, Style: bot.Primary})
	}
	if sentence := len(words) > 3 || len(words) > 1 && !near; sentence && !recommend.Parse(said).Empty() {
		buttons = append(buttons, bot.Button{Label: "Is it Microsoft?", Action: actVerb, Value: "recommend " + clipped(said, recommend.MaxQuery), Says: "Is it Microsoft: look for what may explain it"})
	}
	m.Add(bot.Buttons{Items: append(buttons, bot.Button{Label: "Help", Action: actVerb, Value: "help"})})
	return bot.Private(m)
}

// codes are commands to choose from.
func codes(list []string) bot.Text {
	var out bot.Text
	for i, c := range list {
		if i > 0 {
			out = bot.Join(out, bot.T(" or "))
		}
		out = bot.Join(out, bot.C(c))
	}
	return out
}

// tenantOf finds the tenant that a place speaks for, and whether the place is
// bound to it: a channel is at its first use. A direct message is never bound,
// and asks where the workspace speaks for several.
func tenantOf(d *engine.Draft, r bot.Request) (t *bot.Tenant, bound bool, refusal *bot.Reply, err error) {
	env := d.Env()
	speaking := env.Speaking(r.Place.Platform, r.Place.Team)
	if len(speaking) == 0 {
		no := say("This workspace is not connected to any Microsoft 365 tenant of this Keyturn, so I have done nothing. An owner can add it to the configuration.").Denied("a workspace of no tenant")
		return nil, false, &no, nil
	}
	binds := r.Place.Channel != "" && !r.Place.Direct()
	if binds {
		id, ok, err := d.Bound(r.Place.Root())
		if err != nil {
			return nil, false, nil, err
		}
		if ok {
			for _, t := range speaking {
				if t.ID == id {
					return t, true, nil, nil
				}
			}
			no := say("This channel belongs to another tenant, which this workspace may not speak for. I have done nothing. An owner can mend that in the configuration.").Denied("a channel of another tenant")
			return nil, false, &no, nil
		}
	}
	if !binds && len(speaking) > 1 {
		if t, err := about(d, r, speaking); err != nil || t != nil {
			return t, true, nil, err
		}
	}
	if len(speaking) == 1 || r.Action == actBind { // bindClick chooses by the button's value
		return speaking[0], !binds, nil, nil
	}
	m := bot.Say(bot.T("Which tenant is this about? A channel keeps its tenant from then on."))
	var buttons []bot.Button
	for _, t := range speaking {
		buttons = append(buttons, bot.Button{Label: t.Name, Action: actBind, Value: string(t.ID) + "\n" + words(r)})
	}
	m.Add(bot.Buttons{Items: buttons})
	no := bot.Private(m)
	return nil, false, &no, nil
}

// lacks is what the log says of whoever is not of a level.
var lacks = map[Level]string{nobody: "for nobody", Member: "no member", Known: "not among the people of the tenant", Holder: "holds no role", Owner: "no owner"}

// may says no where the person is not of the level, and who is.
func (a *Ask) may(level Level) *bot.Reply {
	ok := false
	switch level {
	case Member:
		ok = true
	case Known:
		ok = a.Person.ID != ""
	case Holder:
		for _, r := range bot.Roles {
			ok = ok || (a.Person.ID != "" && a.Tenant.Holds(a.Person.ID, r))
		}
	case Owner:
		ok = a.Person.ID != "" && a.Tenant.Holds(a.Person.ID, bot.Owner)
	}
	if ok {
		return nil
	}
	var owners []string
	for _, o := range a.Tenant.Owners {
		if p, found := a.Tenant.Person(o); found {
			owners = append(owners, p.Name)
		}
	}
	why, fix := "I do not know your account for "+a.Tenant.Name, "can add you in the configuration, and then give you a role with "+a.command()+" roles"
	if a.Person.ID != "" {
		why, fix = "You hold no role for "+a.Tenant.Name+" that allows this", "can give you one with "+a.command()+" roles"
	}
	if level == Owner {
		why, fix = "Only owners of "+a.Tenant.Name+" may do this", "can do it"
	}
	no := sayf("%s, so I have done nothing. %s %s.%s You can always ask for health and help.",
		why, named(owners, "An owner"), fix, a.doubt()).Denied(lacks[level])
	return &no
}

// command is what people type before a verb.
func (a *Ask) command() string {
	if a.Table == nil {
		return "/keyturn"
	}
	return a.Table.Command
}

// doubt says which groups might have helped and cannot be told now.
func (a *Ask) doubt() string {
	for _, r := range bot.Roles {
		if d := a.Tenant.Doubts[r]; d != "" {
			return " " + d
		}
	}
	return ""
}

func named(names []string, otherwise string) string {
	if len(names) == 0 {
		return otherwise
	}
	return strings.Join(names, " or ")
}

// say is a private answer of one sentence or two.
func say(s string) bot.Reply { return bot.Private(bot.Say(bot.T(s))) }

func sayf(format string, args ...any) bot.Reply { return say(fmt.Sprintf(format, args...)) }
