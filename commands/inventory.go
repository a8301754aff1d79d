package commands

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// mostReplaced is how many credentials the inventory offers to replace: those
// that end first.
const mostReplaced = 5

// inventoryVerb lists what exists: where, approved by whom, and when it ends.
// "inventory replace ID" begins to replace a credential.
func inventoryVerb(a *Ask) (bot.Reply, error) {
	objects, err := a.Objects(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	if len(a.Args) >= 2 && strings.EqualFold(a.Args[0], "replace") {
		return a.replaceNamed(objects, a.Args[1])
	}
	objects = slices.DeleteFunc(append(objects, a.Tenant.Own...), func(o bot.Object) bool { return !o.Removed.IsZero() })
	if !slices.ContainsFunc(objects, func(o bot.Object) bool { return o.Run != "" || setup.Ends(o) }) {
		return sayf("Keyturn has made nothing for %s.", a.Tenant.Name), nil
	}
	slices.SortStableFunc(objects, func(x, y bot.Object) int {
		if c := strings.Compare(string(x.System), string(y.System)); c != 0 {
			return c
		}
		return x.At.Compare(y.At)
	})
	m := bot.Say(bot.B("What Keyturn made for " + a.Tenant.Name))
	for _, part := range parted(objects) {
		lines := []bot.Text{bot.B(part[0].System.Name())}
		for _, o := range part {
			lines = append(lines, a.inventoryLine(o))
		}
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
	}
	m.Add(a.replacing(objects)...)
	m.Add(bot.Note{Text: bot.Join(bot.T("I tell the holders and the owners 60, 30, 14, 7 days and a day before something ends, and once a year of what does not end by itself. "), bot.C(a.Table.Command+" inventory replace ID"), bot.T(" replaces it."))})
	return bot.Private(m), nil
}

// parted puts objects of one system together.
func parted(objects []bot.Object) [][]bot.Object {
	var out [][]bot.Object
	for i, o := range objects {
		if i == 0 || objects[i-1].System != o.System {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], o)
	}
	return out
}

func (a *Ask) inventoryLine(o bot.Object) bot.Text {
	name := bot.B(o.Name)
	if o.Link != "" {
		name = bot.Link(o.Name, o.Link)
	}
	line := bot.Join(bot.T("• "+setup.KindWords(o.Kind)+" "), name)
	if o.ID != "" && o.ID != o.Name && o.Run != "" {
		line = bot.Join(line, bot.T(" "), bot.C(o.ID))
	}
	switch {
	case o.Run == "":
		line = bot.Join(line, bot.T(" · named in the configuration"))
	case o.By != "":
		line = bot.Join(line, bot.T(" · approved by "+a.name(o.By)+" "), bot.When(o.At, bot.DateOnly), bot.T(", run "+o.Run))
	default:
		line = bot.Join(line, bot.T(" · found "), bot.When(o.At, bot.DateOnly), bot.T(", run "+o.Run))
	}
	if o.Expires.IsZero() {
		if why := setup.Endless(o); why != "" {
			line = bot.Join(line, bot.T(" · "+why))
		}
		return line
	}
	switch days := int(o.Expires.Sub(a.Now) / (24 * time.Hour)); {
	case !a.Now.Before(o.Expires):
		return bot.Join(line, bot.T(" · ⛔ ended "), bot.When(o.Expires, bot.DateOnly))
	case days <= 60:
		return bot.Join(line, bot.T(" · expires "), bot.When(o.Expires, bot.DateOnly), bot.T(fmt.Sprintf(", in %d days", days)))
	}
	return bot.Join(line, bot.T(" · expires "), bot.When(o.Expires, bot.DateOnly))
}

// replacing are the buttons for what can be replaced.
func (a *Ask) replacing(objects []bot.Object) []bot.Part {
	objects = slices.DeleteFunc(slices.Clone(objects), func(o bot.Object) bool { return !setup.Replaceable(a.Tenant, o) })
	slices.SortStableFunc(objects, func(x, y bot.Object) int {
		if x.Expires.IsZero() != y.Expires.IsZero() { // what has no end comes last
			return strings.Compare(setup.Endless(x), setup.Endless(y))
		}
		return x.Expires.Compare(y.Expires)
	})
	var buttons []bot.Button
	for _, o := range objects[:min(len(objects), mostReplaced)] {
		buttons = append(buttons, bot.Button{Label: "Replace " + o.Name, Action: setup.ActReplace, Value: setup.ReplaceValue(a.Tenant.ID, o), Says: "Replace " + o.Name})
	}
	if len(buttons) == 0 {
		return nil
	}
	return []bot.Part{bot.Buttons{Items: buttons}}
}

func (a *Ask) replaceNamed(objects []bot.Object, name string) (bot.Reply, error) {
	for _, o := range objects {
		if o.ID == name || o.Name == name || o.Key == name {
			return a.replace(o.Key)
		}
	}
	return sayf("The inventory of %s has nothing with the ID %q. Type %s inventory to see the IDs.", a.Tenant.Name, name, a.Table.Command), nil
}

func replaceClick(a *Ask) (bot.Reply, error) {
	_, key := setup.ReadReplaceValue(a.Request.Value)
	return a.replace(key)
}

// replace asks whether a credential is to be replaced: who is asked, and for a
// change number where the tenant wants one.
func (a *Ask) replace(key string) (bot.Reply, error) {
	o, no, err := a.toReplace(key)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	g := a.replaceGuide(o)
	f := bot.Form{Action: actReplace, Value: setup.ReplaceValue(a.Tenant.ID, o), Title: "Replace a credential", Submit: "Start"}
	f.Intro = append(f.Intro, bot.Paragraph{Text: bot.Join(bot.B(o.Name), ending(o), bot.T(". "+g.What))},
		bot.Paragraph{Text: bot.Lines(a.people(g)...)})
	a.askChange(&f, g)
	return bot.Reply{Form: &f}, nil
}

// ending says when a credential ends, or why it does not.
func ending(o bot.Object) bot.Text {
	if why := setup.Endless(o); why != "" {
		return bot.T(": " + why)
	}
	return bot.Join(bot.T(", which expires "), bot.When(o.Expires, bot.DateOnly))
}

// toReplace finds a credential of the inventory that can be replaced now, or
// says why it cannot.
func (a *Ask) toReplace(key string) (bot.Object, *bot.Reply, error) {
	objects, err := a.Objects(a.Tenant.ID)
	if err != nil {
		return bot.Object{}, nil, err
	}
	n := slices.IndexFunc(objects, func(o bot.Object) bool { return o.Key == key && o.Removed.IsZero() })
	if n < 0 {
		no := sayf("That is no longer in the inventory of %s: it was removed or replaced.", a.Tenant.Name)
		return bot.Object{}, &no, nil
	}
	o := objects[n]
	if setup.Unreachable(a.Tenant, o) {
		no := sayf("I cannot replace %s: I call nothing at ServiceNow here, so I cannot put a new secret there, and I show the one that I make to nobody. While an operator sets sign_in to delegated for ServiceNow, I can. To end it without a new one, delete the entry there: no ServiceNow incident is made by me any more then.", o.Name)
		return o, &no, nil
	}
	if !setup.Replaceable(a.Tenant, o) {
		no := sayf("I cannot replace %s: it is no credential of its own, or the configuration names it.", o.Name)
		return o, &no, nil
	}
	runs, err := a.Runs(a.Tenant.ID)
	if err != nil {
		return o, nil, err
	}
	for _, r := range runs {
		if r.State == setup.RunOpen && r.Guide == setup.Rotate && r.Options[setup.OptionRotate] == o.Key {
			no, err := a.pointTo(r)
			return o, &no, err
		}
	}
	return o, nil, nil
}

// replaceGuide is the guide with only the steps that apply to a credential.
func (a *Ask) replaceGuide(o bot.Object) *setup.Guide {
	g, ok := a.Env().Guide(setup.Rotate)
	if !ok {
		return &setup.Guide{ID: setup.Rotate}
	}
	own := *g
	c := setup.Context{Run: &setup.Run{Options: map[string]string{setup.OptionRotate: o.Key}}, Tenant: a.Tenant, Objects: []bot.Object{o}}
	own.Steps = slices.DeleteFunc(slices.Clone(g.Steps), func(s setup.Spec) bool { return s.When != nil && !s.When(c) })
	return &own
}

// replaceForm begins the run.
func replaceForm(a *Ask) (bot.Reply, error) {
	_, key := setup.ReadReplaceValue(a.Request.Value)
	o, no, err := a.toReplace(key)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	return a.beginRun(a.replaceGuide(o), map[string]string{setup.OptionRotate: o.Key}, nil, o.Key)
}
