package setup

import (
	"slices"
	"sort"
	"strings"

	"keyturn/bot"
)

// incidents looks the mapping up on the instance and proves it with one test
// incident that is cancelled at once.
func incidents() Spec {
	return Spec{
		ID: StepIncidents, Title: "A test incident in ServiceNow", Role: bot.ServiceNowAdmin, Minutes: 3,
		When:    func(c Context) bool { return c.WithServiceNow() && !skipped(c, StepUnattended, StepMapping) },
		Only:    "with a ServiceNow instance, unless the sign-in or the form was skipped",
		What:    "Looks up every name of the form and the columns that the instance demands, makes one test incident as " + userUnattended + " and cancels it.",
		Trap:    "Assignment rules and notifications of the instance apply to the test incident as to any other: the group may get a message about it.",
		Undo:    "The test incident stays, cancelled, as a trace. Nothing else is made.",
		IfWaits: "Channels work without it. No ServiceNow incident is made.",
		API:     &API{Read: readIncidents, Plan: planIncidents, Verify: verifyIncidents, Prove: proveIncidents},
		Guided:  &Guided{Word: "Correct it", Ask: askMapping, Accept: acceptMapping},
	}
}

func testCorrelation(c Context) string { return "keyturn-test-" + c.Run.ID }

const incidentFields = "sys_id,number,state,assignment_group,caller_id,category,correlation_id"

func readIncidents(c Context) []bot.Call {
	groups, cis := []string{c.Fact("incident.ask.group")}, []string{}
	for _, name := range sorted(routes(c)) {
		groups = append(groups, routes(c)[name].Group)
		if ci := routes(c)[name].CI; ci != "" {
			cis = append(cis, ci)
		}
	}
	calls := []bot.Call{
		rows("groups", "sys_user_group", "nameIN"+strings.Join(groups, ","), "sys_id,name,active", "Looks up the groups"),
		rows("caller", "sys_user", "user_name="+c.Fact("incident.ask.caller"), "sys_id,user_name,name,active", "Looks up the caller"),
		rows("choices", "sys_choice", "nameINincident,task^elementINcategory,subcategory,close_code,state^inactive=false", "name,element,value,label,inactive", "Reads categories, resolution codes and states"),
		rows("columns", "sys_dictionary", "nameINincident,task^mandatory=true^active=true", "name,element,column_label,default_value,mandatory,active", "Reads which columns the instance demands"),
		rows("test", "incident", "correlation_idSTARTSWITH"+testCorrelation(c), incidentFields, "Looks for a test incident of this run"),
	}
	if len(cis) > 0 {
		calls = append(calls, rows("cis", "cmdb_ci", "nameIN"+strings.Join(cis, ","), "sys_id,name", "Looks up the configuration items"))
	}
	return calls
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// resolved is the mapping with sys_ids and stored values.
type resolved struct {
	facts   map[string]string
	columns map[string]string
}

func planIncidents(c Context, r Reading) (Proposal, *Problem) {
	m, problem := resolve(c, r)
	if problem != nil {
		return Proposal{}, problem
	}
	p := Proposal{Facts: m.facts}
	tests := r.List("test", "result")
	for _, it := range tests {
		if !strings.HasPrefix(it.Get("correlation_id"), testCorrelation(c)) || it.ID() == "" || it.Get("assignment_group") != m.facts[FactIncidentGroup] {
			continue
		}
		p.Facts["incident.test_id"] = it.ID()
		p.Exists = append(p.Exists, "The test incident "+it.Get("number")+" exists.")
		if it.Get("state") != m.facts[FactIncidentCancelled] {
			p.Calls = append(p.Calls, cancelTest(m, it.ID()))
		}
		return p, nil
	}
	correlation := testCorrelation(c)
	if n := len(tests); n > 0 {
		correlation += "-" + string(rune('a'+min(n, 25)))
	}
	b := body{
		"short_description": "Keyturn test: this incident is cancelled at once",
		"description":       "Made by Keyturn to prove that incidents of Microsoft 365 reach the right group. Nothing has to be done.",
		"impact":            "3", "urgency": "3",
		"assignment_group": m.facts[FactIncidentGroup], "caller_id": m.facts[FactIncidentCaller],
		"category":       m.facts[FactIncidentCategory],
		"correlation_id": correlation, "correlation_display": "Keyturn",
	}
	if s := m.facts[FactIncidentSubcategory]; s != "" {
		b["subcategory"] = s
	}
	for column, value := range m.columns {
		b[column] = value
	}
	create := insert("create", "incident", b, "Makes one test incident for "+c.Fact("incident.ask.group")+", with the lowest impact and urgency")
	create.As = "unattended"
	create.Save = map[string]string{"incident.test_id": "result.sys_id", "incident.test_number": "result.number"}
	create.Look = lookRow("incident", "correlation_id="+correlation, incidentFields, map[string]string{"correlation_id": correlation},
		map[string]string{"incident.test_id": "sys_id", "incident.test_number": "number"})
	create.Look.Twice = bot.SecondIncident(m.facts[FactIncidentCancelled], m.facts[FactIncidentCloseCode])
	p.Calls = append(p.Calls, create, cancelTest(m, "{incident.test_id}"))
	return p, nil
}

func cancelTest(m resolved, id string) bot.Call {
	call := update("cancel", "incident", id, body{"state": m.facts[FactIncidentCancelled], "close_code": m.facts[FactIncidentCloseCode],
		"close_notes": "Test incident of Keyturn, cancelled as planned."}, "Cancels it")
	call.As = "unattended"
	// A cancelled incident takes no further change from its maker: an attempt
	// that was cut off after the call must not make it again.
	call.Look = &bot.Look{Path: row("cancelled", "incident", id, "sys_id,state", "").Path, Match: map[string]string{"result.state": m.facts[FactIncidentCancelled]}}
	return call
}

func resolve(c Context, r Reading) (resolved, *Problem) {
	again := "Correct the form, then I look again."
	if c.Fact("incident.ask.group") == "" {
		return resolved{}, refuse("The form has not been filled in.", again)
	}
	for _, id := range []string{"groups", "caller", "choices"} {
		if f := r.Failed(id); f != nil {
			return resolved{}, trouble(f, "Sign in with an account that may read users, groups and choices.")
		}
	}
	m := resolved{facts: map[string]string{
		FactIncidentPriority: c.Fact("incident.ask.priority"), FactIncidentResolve: c.Fact("incident.ask.resolve"),
	}, columns: furtherColumns(c)}
	var wrong []string
	group := func(name string) string {
		it, ok := first(r.List("groups", "result"), map[string]string{"name": name})
		if !ok || it.Get("active") == "false" || it.ID() == "" {
			wrong = append(wrong, "no active group is called “"+name+"”")
		}
		return it.ID()
	}
	m.facts[FactIncidentGroup] = group(c.Fact("incident.ask.group"))
	caller, ok := first(r.List("caller", "result"), map[string]string{"user_name": c.Fact("incident.ask.caller")})
	if !ok || caller.Get("active") == "false" || caller.ID() == "" {
		wrong = append(wrong, "no active user has the User ID “"+c.Fact("incident.ask.caller")+"”")
	}
	m.facts[FactIncidentCaller] = caller.ID()
	for _, x := range []struct{ fact, ask, element, what string }{
		{FactIncidentCategory, "category", "category", "category"},
		{FactIncidentSubcategory, "subcategory", "subcategory", "subcategory"},
		{FactIncidentCloseCode, "close_code", "close_code", "resolution code"},
	} {
		typed := c.Fact("incident.ask." + x.ask)
		if typed == "" {
			continue
		}
		value, known := choice(r, x.element, typed)
		if value == "" {
			wrong = append(wrong, "the instance has no "+x.what+" “"+typed+"”, it has: "+strings.Join(known, ", "))
		}
		m.facts[x.fact] = value
	}
	m.facts[FactIncidentCancelled] = "8"
	for _, label := range []string{"Canceled", "Cancelled"} {
		if v, _ := choice(r, "state", label); v != "" {
			m.facts[FactIncidentCancelled] = v
		}
	}
	services := map[string]route{}
	for _, name := range sorted(routes(c)) {
		to := routes(c)[name]
		out := route{Group: group(to.Group)}
		if to.CI != "" {
			it, ok := first(r.List("cis", "result"), map[string]string{"name": to.CI})
			if !ok || it.ID() == "" {
				wrong = append(wrong, "no configuration item is called “"+to.CI+"”")
			}
			out.CI = it.ID()
		}
		services[name] = out
	}
	for _, it := range r.List("columns", "result") {
		if demanded(it) && m.columns[it.Get("element")] == "" {
			wrong = append(wrong, "the instance demands "+it.Get("column_label")+" ("+it.Get("element")+"): add it under Further columns")
		}
	}
	if len(wrong) > 0 {
		return resolved{}, refuse("The form does not fit the instance: "+strings.Join(wrong, "; ")+".", again)
	}
	m.facts[FactIncidentColumns] = compact(m.columns)
	m.facts[FactIncidentServices] = compact(services)
	return m, nil
}

// choice finds the stored value for what a person typed, the label or the
// value; rows of incident win over those of task. known lists the labels.
func choice(r Reading, element, typed string) (value string, known []string) {
	for _, tab := range []string{"incident", "task"} {
		for _, it := range all(r.List("choices", "result"), map[string]string{"name": tab, "element": element}) {
			if it.Get("inactive") == "true" || !harmless(it.Get("value")) {
				continue
			}
			if strings.EqualFold(it.Get("label"), typed) || it.Get("value") == typed {
				return it.Get("value"), nil
			}
			if l := it.Get("label"); !slices.Contains(known, l) {
				known = append(known, l)
			}
		}
	}
	return "", known
}

// demanded reports whether a mandatory column is one that neither the form
// nor the platform fills.
func demanded(it Item) bool {
	if it.Get("mandatory") != "true" || it.Get("active") == "false" || it.Get("default_value") != "" {
		return false
	}
	switch it.Get("element") {
	case "", "number", "state", "incident_state", "short_description", "description", "caller_id", "assignment_group", "category",
		"impact", "urgency", "priority", "correlation_id", "correlation_display", "opened_by", "opened_at", "close_code", "close_notes":
		return false
	}
	return !strings.HasPrefix(it.Get("element"), "sys_")
}

func verifyIncidents(c Context) []bot.Call {
	id := c.Fact("incident.test_id")
	if id == "" {
		return []bot.Call{rows("test", "incident", "correlation_id="+testCorrelation(c), incidentFields, "Looks for the test incident")}
	}
	call := row("test", "incident", id, incidentFields, "Reads the test incident back")
	call.As = "unattended"
	return []bot.Call{call}
}

func proveIncidents(c Context, r Reading) Finding {
	if f := r.Failed("test"); f != nil {
		return Finding{Problem: trouble(f, "The test incident could not be read back.")}
	}
	get := func(field string) string { return r.Get("test", "result."+field) }
	if c.Fact("incident.test_id") == "" {
		get = func(string) string { return "" }
	}
	switch {
	case get("sys_id") == "" || !strings.HasPrefix(get("correlation_id"), testCorrelation(c)):
		return Finding{Problem: refuse("There is no test incident of this run.", "Try again: the calls make one.")}
	case get("assignment_group") != c.Fact(FactIncidentGroup):
		return Finding{Problem: refuse("The test incident "+get("number")+" landed in another group than "+c.Fact("incident.ask.group")+".", "An assignment rule of the instance moved it. Change the rule or the form, then try again.")}
	case get("state") != c.Fact(FactIncidentCancelled):
		return Finding{Problem: refuse("The test incident "+get("number")+" is not cancelled.", "Cancel it in ServiceNow, then check again: "+record(c, "incident", get("sys_id")))}
	}
	proof := []string{"test incident " + get("number") + " reached the group " + c.Fact("incident.ask.group") + " and is cancelled"}
	if get("category") == c.Fact(FactIncidentCategory) && get("caller_id") == c.Fact(FactIncidentCaller) {
		proof = append(proof, "caller and category as mapped")
	}
	return Finding{Proof: proof}
}
