package main

import (
	"regexp"

	"keyturn/bot"
)

// changeConfig says whether work has to carry a change number: one rule for all
// systems, or a rule for each.
type changeConfig struct {
	Required    bool     `yaml:"required"`
	Pattern     string   `yaml:"pattern"`
	Example     string   `yaml:"example"`
	Explanation string   `yaml:"explanation"`
	Systems     []string `yaml:"systems"`         // entra, servicenow, admin_center; none is all
	Read        bool     `yaml:"read_servicenow"` // it has to be approved there, and in its window

	Entra       *changeSystem `yaml:"entra"`
	ServiceNow  *changeSystem `yaml:"servicenow"`
	AdminCenter *changeSystem `yaml:"admin_center"`
}

// changeSystem is the rule of one system.
type changeSystem struct {
	Source      string `yaml:"source"`
	Pattern     string `yaml:"pattern"`
	Example     string `yaml:"example"`
	Explanation string `yaml:"explanation"`
}

// changeSystems are the names of systems in rules for changes.
var changeSystems = map[string]bot.System{"entra": bot.Graph, "servicenow": bot.ServiceNow, "admin_center": bot.AdminCenter}

// rules checks the section and gives its rules.
func (c *changeConfig) rules(instance bool, where string, f *faults) bot.ChangeRules {
	each := c.each(instance, where, f)
	all := c.Required || c.Read || len(c.Systems) > 0 || c.Pattern+c.Example+c.Explanation != ""
	if len(each) > 0 || c.Entra != nil || c.ServiceNow != nil || c.AdminCenter != nil {
		if all {
			f.add("%s: there is one rule for all (required, pattern, systems, ...) and a rule for a system (entra, servicenow, admin_center): keep one form", where)
		}
		return each
	}
	rule := bot.ChangeRule{Pattern: c.Pattern, Example: c.Example, Says: c.Explanation, Read: c.Read}
	for _, name := range c.Systems {
		system, ok := changeSystems[name]
		if !ok {
			f.add("%s.systems: there is no system %q: write entra, servicenow or admin_center", where, name)
		}
		rule.Systems = append(rule.Systems, system)
	}
	if c.Read && !instance {
		f.add("%s.read_servicenow: there is no servicenow instance to read the change from", where)
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		f.add("%s.pattern: %v", where, err)
	}
	if !c.Required {
		return nil
	}
	return bot.ChangeRules{rule}
}

// each gives the rules of the systems that have one. Systems with the same rule
// have one number.
func (c *changeConfig) each(instance bool, where string, f *faults) bot.ChangeRules {
	var out bot.ChangeRules
	of := map[changeSystem]int{}
	for _, x := range []struct {
		name string
		rule *changeSystem
	}{{"entra", c.Entra}, {"servicenow", c.ServiceNow}, {"admin_center", c.AdminCenter}} {
		if x.rule == nil {
			continue
		}
		x.rule.check(x.name, instance, where+"."+x.name, f)
		if n, known := of[*x.rule]; known {
			out[n].Systems = append(out[n].Systems, changeSystems[x.name])
			continue
		}
		of[*x.rule] = len(out)
		out = append(out, bot.ChangeRule{Pattern: x.rule.Pattern, Example: x.rule.Example, Says: x.rule.Explanation, Read: x.rule.Source == "servicenow",
			Systems: []bot.System{changeSystems[x.name]}, Apart: true})
	}
	return out
}

func (s *changeSystem) check(name string, instance bool, where string, f *faults) {
	switch {
	case s.Source != "" && s.Source != "servicenow":
		f.add("%s.source: %q is none: write servicenow to have the change read there, or leave it out and give a pattern or an explanation", where, s.Source)
	case s.Source == "servicenow" && !instance:
		f.add("%s.source: there is no servicenow instance to read the change from", where)
	case s.Source == "servicenow" && name == "admin_center":
		f.add("%s.source: nothing is called in the admin center, so nobody's sign-in reads a change for it: give a pattern or an explanation", where)
	case s.Source == "" && s.Pattern == "" && s.Explanation == "":
		f.add("%s: say what a number looks like (pattern, with an example), what to write (explanation), or that it is read (source: servicenow)", where)
	}
	if name == "servicenow" && !instance {
		f.add("%s: there is no servicenow instance, so nothing is done there: leave this rule out", where)
	}
	if _, err := regexp.Compile(s.Pattern); err != nil {
		f.add("%s.pattern: %v", where, err)
	} else if s.Pattern != "" {
		if ok, err := regexp.MatchString("^(?:"+s.Pattern+")$", s.Example); err != nil || !ok {
			f.add("%s.example: give a number that fits the pattern: it is shown to whoever enters another", where)
		}
	}
}
