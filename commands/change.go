package commands

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// changesAsked are the rules for change numbers that a guide's runs come under:
// of the systems that its people work in.
func (a *Ask) changesAsked(g *setup.Guide) bot.ChangeRules {
	roles := rolesOf(g, a.Tenant)
	works := func(s bot.System) bool {
		switch s {
		case bot.Graph:
			return slices.Contains(roles, bot.EntraAdmin) || slices.Contains(roles, bot.PrivilegedRoleAdmin)
		case bot.ServiceNow:
			return slices.Contains(roles, bot.ServiceNowAdmin)
		}
		return slices.Contains(roles, bot.M365Admin)
	}
	var out bot.ChangeRules
	for _, rule := range a.Tenant.Changes {
		if !rule.Apart || slices.ContainsFunc(rule.Systems, works) {
			out = append(out, rule)
		}
	}
	return out
}

// changeField names the input of a rule's number.
func changeField(rule bot.ChangeRule) string {
	if !rule.Apart {
		return "change"
	}
	return "change." + string(rule.Systems[0])
}

// askChange adds an input for each change number that a guide's runs need.
func (a *Ask) askChange(f *bot.Form, g *setup.Guide) {
	for _, rule := range a.changesAsked(g) {
		in := bot.Input{Name: changeField(rule), Label: "Change number", Kind: bot.Line, Example: rule.Example, Hint: "Your organisation wants one on every approval."}
		if rule.Apart {
			in.Label, in.Hint = "Change number for "+rule.Names(), "Your organisation wants one for what is done there."
		}
		if rule.Read {
			in.Hint += " I read it in ServiceNow: it has to be approved and in its window."
		}
		if rule.Says != "" {
			in.Hint = rule.Says
		}
		in.Optional = a.spared(rule, f)
		f.Inputs = append(f.Inputs, in)
	}
}

// spared reports whether a number may be left out of a form that offers to go
// without the only system that it is for.
func (a *Ask) spared(rule bot.ChangeRule, f *bot.Form) bool {
	return slices.Equal(rule.Systems, []bot.System{bot.ServiceNow}) && rule.Apart &&
		slices.ContainsFunc(f.Inputs, func(in bot.Input) bool {
			return in.Name == "instance" && slices.ContainsFunc(in.Options, func(o bot.Option) bool { return o.Value == "none" })
		})
}

// changes reads the change numbers of a form: the one of the only rule, or one
// for each system. wrong has what is to be corrected, by input.
func (a *Ask) changes(g *setup.Guide, instance string, wrong map[string]string) (one string, each map[bot.System]string) {
	for _, rule := range a.changesAsked(g) {
		number := strings.TrimSpace(a.Request.One(changeField(rule)))
		if rule.Apart && number == "" && instance == "" && slices.Equal(rule.Systems, []bot.System{bot.ServiceNow}) {
			continue // nothing is done there
		}
		if no := changeWrong(rule, number); no != "" {
			wrong[changeField(rule)] = no
		}
		if !rule.Apart {
			return number, nil
		}
		if each == nil {
			each = map[bot.System]string{}
		}
		for _, s := range rule.Systems {
			each[s] = number
		}
	}
	return "", each
}

// changeWrong says why a number is none for a rule; "" where it is.
func changeWrong(rule bot.ChangeRule, number string) string {
	switch ok, err := regexp.MatchString("^(?:"+rule.Pattern+")$", number); {
	case number == "" && rule.Apart:
		return "Your organisation wants a change number for " + rule.Names() + " here."
	case number == "":
		return "Your organisation wants a change number here."
	case rule.Pattern != "" && (err != nil || !ok):
		return fmt.Sprintf("That does not look like a change number. It looks like %s.", rule.Example)
	}
	return ""
}
