package setup

import (
	"encoding/json"
	"strings"

	"keyturn/bot"
)

// mapping asks how ServiceNow incidents are to be filled.
func mapping() Spec {
	return Spec{
		ID: StepMapping, Title: "How ServiceNow incidents are filled", Role: bot.ServiceNowAdmin, Minutes: 5,
		When:    withInstance,
		Only:    "with a ServiceNow instance",
		What:    "Asks for assignment group, caller, category, resolution code, the highest priority and automatic resolving.",
		Trap:    "Names count, not sys_ids. The next step looks every one up on the instance before anything is made.",
		Undo:    "Nothing is written; the form can be filled in again.",
		IfWaits: "Channels work without it. No ServiceNow incident is made.",
		Guided:  &Guided{Word: "Fill in the form", Ask: askMapping, Accept: acceptMapping},
	}
}

// mappingAsked are the inputs of the form.
var mappingAsked = []string{"group", "caller", "category", "subcategory", "close_code", "priority", "resolve", "services", "columns"}

func askMapping(c Context) []bot.Input {
	fill := func(name, otherwise string) []string {
		if v := c.Fact("incident.ask." + name); v != "" {
			return []string{v}
		}
		if otherwise == "" {
			return nil
		}
		return []string{otherwise}
	}
	return []bot.Input{
		{Name: "group", Label: "Assignment group", Hint: "Every incident goes there unless a service says otherwise", Kind: bot.Line, Example: "Service Desk", Values: fill("group", ""), Max: 80},
		{Name: "caller", Label: "Caller (User ID)", Hint: "Who the incident is reported by", Kind: bot.Line, Values: fill("caller", userUnattended), Max: 40},
		{Name: "category", Label: "Category", Hint: "As the incident form shows it", Kind: bot.Line, Example: "Software", Values: fill("category", "Software"), Max: 80},
		{Name: "subcategory", Label: "Subcategory", Hint: "Leave empty for none", Kind: bot.Line, Values: fill("subcategory", ""), Optional: true, Max: 80},
		{Name: "close_code", Label: "Resolution code", Hint: "Used when Microsoft resolves its incident", Kind: bot.Line, Values: fill("close_code", "Closed/Resolved by Caller"), Max: 80},
		{Name: "priority", Label: "Highest priority", Hint: "No incident of mine is more urgent than this", Kind: bot.Choice, Values: fill("priority", "3"), Options: []bot.Option{
			{Value: "1", Label: "1 - Critical"}, {Value: "2", Label: "2 - High"}, {Value: "3", Label: "3 - Moderate"}, {Value: "4", Label: "4 - Low"}, {Value: "5", Label: "5 - Planning"}}},
		{Name: "resolve", Label: "Resolve when Microsoft resolves", Hint: "Otherwise I only add a work note", Kind: bot.Choice, Values: fill("resolve", "yes"),
			Options: []bot.Option{{Value: "yes", Label: "Yes, resolve the incident"}, {Value: "no", Label: "No, a person does"}}},
		{Name: "services", Label: "Services that go elsewhere", Hint: "One a line: service = group, or service = group / CI", Kind: bot.Area, Example: "Exchange Online = Messaging / Exchange Online", Values: fill("services", ""), Optional: true, Max: 2000},
		{Name: "columns", Label: "Further columns", Hint: "One a line: column = value, where the instance demands more", Kind: bot.Area, Example: "contact_type = monitoring", Values: fill("columns", ""), Optional: true, Max: 2000},
	}
}

// acceptMapping checks what can be checked without the instance.
func acceptMapping(_ Context, in map[string]string) (map[string]string, map[string]string) {
	facts, wrong := map[string]string{}, map[string]string{}
	for _, name := range mappingAsked {
		v := strings.TrimSpace(strings.ReplaceAll(in[name], "\r\n", "\n"))
		for _, line := range strings.Split(v, "\n") {
			if why := plainText(line); why != "" {
				wrong[name] = why
			}
		}
		if v == "" && (name == "group" || name == "caller" || name == "category" || name == "close_code") {
			wrong[name] = "This is needed for every incident."
		}
		facts["incident.ask."+name] = v
	}
	if p := facts["incident.ask.priority"]; len(p) != 1 || p < "1" || p > "5" {
		wrong["priority"] = "Choose a priority from 1 to 5."
	}
	if r := facts["incident.ask.resolve"]; r != "yes" && r != "no" {
		wrong["resolve"] = "Choose yes or no."
	}
	for _, name := range []string{"services", "columns"} {
		if _, bad := pairLines(facts["incident.ask."+name]); bad != "" && wrong[name] == "" {
			wrong[name] = "The line “" + bad + "” has no “=”: write one pair a line."
		}
	}
	columns, _ := pairLines(facts["incident.ask.columns"])
	for _, p := range columns {
		if !columnName(p[0]) || strings.HasPrefix(p[0], "sys_") {
			wrong["columns"] = "“" + p[0] + "” is not a column that can be set: write the column's name in lower case, such as contact_type."
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return facts, nil
}

// pairLines reads lines of "name = value". It gives the first line that is
// none.
func pairLines(s string) (pairs [][2]string, bad string) {
	for _, line := range strings.Split(s, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || value == "" {
			return nil, line
		}
		pairs = append(pairs, [2]string{name, value})
	}
	return pairs, ""
}

func columnName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// route is where the incidents of one service go.
type route struct {
	Group string `json:"group,omitempty"` // sys_id
	CI    string `json:"ci,omitempty"`    // sys_id
}

// routes reads "service = group / CI" with names still in it.
func routes(c Context) map[string]route {
	out := map[string]route{}
	pairs, _ := pairLines(c.Fact("incident.ask.services"))
	for _, p := range pairs {
		group, ci, _ := strings.Cut(p[1], "/")
		out[p[0]] = route{Group: strings.TrimSpace(group), CI: strings.TrimSpace(ci)}
	}
	return out
}

func furtherColumns(c Context) map[string]string {
	out := map[string]string{}
	pairs, _ := pairLines(c.Fact("incident.ask.columns"))
	for _, p := range pairs {
		out[p[0]] = p[1]
	}
	return out
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(b)
}
