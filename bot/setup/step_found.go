package setup

import (
	"encoding/json"
	"strings"

	"keyturn/bot"
)

// found is one thing that a discovery believes to belong to this setup, with
// the reason.
type found struct {
	Kind   string `json:"kind"`             // "application", or the ServiceNow table
	ID     string `json:"id"`               // what addresses it: object ID or sys_id
	Key    string `json:"key"`              // the inventory's ID of it
	Name   string `json:"name"`             // for people
	Why    string `json:"why"`              // the evidence
	Client string `json:"client,omitempty"` // client ID, of registrations and registry entries
	Before string `json:"before,omitempty"` // JSON of what to put back; "" with Restore is: remove
	// Restore marks a row that is put back, not removed.
	Restore bool `json:"restore,omitempty"`
	// Weak marks evidence that other integrations share: listed, never chosen
	// by default.
	Weak    bool `json:"weak,omitempty"`
	Secrets int  `json:"secrets,omitempty"`
	// Hand marks what a person named: it was not read. A registration is addressed
	// by its client ID then.
	Hand bool `json:"hand,omitempty"`
}

const (
	factFoundEntra       = "found.entra"
	factFoundServiceNow  = "found.servicenow"
	factFoundApp         = "found.app" // version of the app on the instance
	factChosenEntra      = "chosen.entra"
	factChosenServiceNow = "chosen.servicenow"
)

func foundIn(c Context, fact string) []found {
	var out []found
	if json.Unmarshal([]byte(c.Fact(fact)), &out) != nil {
		return nil
	}
	return out
}

// tag is what stands for the item in a form. Grants of roles are chosen
// together, and so are switches.
func (f found) tag() string {
	switch {
	case f.Kind == "sys_user_has_role" || f.Kind == "sys_group_has_role":
		return "roles"
	case f.Restore && !f.Weak:
		return "switches"
	}
	return f.ID
}

// chosen is what was found and is to go: what its owner ticked, or all strong
// evidence where nobody was asked.
func chosen(c Context, foundFact, chosenFact string, kinds ...string) []found {
	ticked := commas(c.Fact(chosenFact))
	asked := c.Has(chosenFact)
	var out []found
	for _, f := range foundIn(c, foundFact) {
		if asked && !contains(ticked, f.tag()) || !asked && f.Weak || !isID(f.ID) {
			continue
		}
		if len(kinds) == 0 || contains(kinds, f.Kind) {
			out = append(out, f)
		}
	}
	return out
}

func chosenApps(c Context) []found {
	return chosen(c, factFoundEntra, factChosenEntra, "application")
}

func chosenRows(c Context, restore bool, kinds ...string) []found {
	var out []found
	for _, f := range chosen(c, factFoundServiceNow, factChosenServiceNow, kinds...) {
		if f.Restore == restore {
			out = append(out, f)
		}
	}
	return out
}

// cleans reports whether the cleanup covers a guide's part.
func cleans(c Context, guide GuideID) bool {
	part := c.Option(OptionCleanup)
	return part == "" || part == string(guide)
}

func cleansConnector(c Context) bool { return c.WithServiceNow() && cleans(c, Connector) }

// evidence says what was found, a sentence each.
func evidence(list []found) []string {
	var out []string
	grants := 0
	for _, f := range list {
		if f.tag() == "roles" {
			grants++
			continue
		}
		says := f.Name + ": " + f.Why
		if f.Weak {
			says += " (not chosen by itself)"
		}
		out = append(out, says)
	}
	if grants > 0 {
		out = append(out, count(grants, "grant of a role", "grants of roles")+" that this setup uses")
	}
	return out
}

// choose asks an owner what goes. The evidence stands beside every choice.
func choose(id StepID, role bot.Role, where, foundFact, chosenFact string) Spec {
	return Spec{
		ID: id, Title: "What goes and what stays " + where, Role: role, Minutes: 3, NoSkip: true,
		When:    func(c Context) bool { return len(foundIn(c, foundFact)) > 0 },
		Only:    "where anything was found",
		What:    "Shows everything that was found with the evidence; its owner ticks what goes. Nothing is removed yet.",
		Trap:    "Evidence is no proof: another integration of the same instance can look alike. Untick what you do not recognise.",
		Undo:    "Nothing is written; each removal has its own approval.",
		IfWaits: "Nothing is removed " + where + ".",
		Guided: &Guided{
			Word: "Choose",
			Do: func(c Context) []bot.Text {
				lines := evidence(foundIn(c, foundFact))
				if len(lines) > 6 {
					lines = append(lines[:5:5], count(len(lines)-5, "further finding is", "further findings are")+" in the form")
				}
				return do(lines...)
			},
			Ask: func(c Context) []bot.Input {
				list := foundIn(c, foundFact)
				in := bot.Input{Name: "remove", Label: "What goes", Hint: "What is not ticked stays as it is", Kind: bot.Choices, Optional: true}
				seen := map[string]bool{}
				for _, f := range list {
					if seen[f.tag()] {
						continue
					}
					seen[f.tag()] = true
					in.Options = append(in.Options, option(f, list))
					if !f.Weak {
						in.Values = append(in.Values, f.tag())
					}
				}
				return []bot.Input{in}
			},
			Accept: func(c Context, in map[string]string) (map[string]string, map[string]string) {
				var keep []string
				known := map[string]bool{}
				for _, f := range foundIn(c, foundFact) {
					known[f.tag()] = true
				}
				for _, t := range commas(in["remove"]) {
					if !known[t] {
						return nil, map[string]string{"remove": "One of the choices is not among what was found. Open the form again."}
					}
					keep = append(keep, t)
				}
				return map[string]string{chosenFact: strings.Join(keep, ",")}, nil
			},
		},
	}
}

func option(f found, list []found) bot.Option {
	switch f.tag() {
	case "roles":
		n := 0
		for _, x := range list {
			if x.tag() == "roles" {
				n++
			}
		}
		return bot.Option{Value: "roles", Label: count(n, "grant of a role", "grants of roles"), Hint: f.Why}
	case "switches":
		var names []string
		for _, x := range list {
			if x.tag() == "switches" {
				names = append(names, x.Name)
			}
		}
		return bot.Option{Value: "switches", Label: "Put back " + briefly(names), Hint: f.Why}
	}
	if f.Restore {
		return bot.Option{Value: f.tag(), Label: "Close " + f.Name + " for other scopes", Hint: f.Why}
	}
	return bot.Option{Value: f.tag(), Label: f.Name, Hint: f.Why}
}

// briefly keeps a label short.
func briefly(names []string) string {
	if len(names) > 2 {
		return names[0] + " and " + count(len(names)-1, "other", "others")
	}
	return list(names)
}
