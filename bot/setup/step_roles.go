package setup

import (
	"fmt"
	"strings"

	"keyturn/bot"
)

// appRoles gives the viewers' role and checks that nobody holds the other.
func appRoles() Spec {
	return Spec{
		ID: StepRoles, Title: "Who sees service health in ServiceNow", Role: bot.ServiceNowAdmin, Minutes: 3, NoSkip: true,
		What:    "Gives " + roleInsights + " to the users or the group that the start form named, and checks that nobody holds " + roleManage + ".",
		Trap:    "Nobody gets " + roleManage + ": it opens cases with Microsoft support, and this setup leaves that out. If somebody holds it, I name them.",
		Undo:    "Undo takes back what this step gave.",
		IfWaits: "The tab in the incident form stays hidden from everybody.",
		API:     &API{Read: readRoles, Plan: planRoles, Verify: readRoles, Prove: proveRoles, Back: backRoles},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "Users", recordList(c, "sys_user") },
			Do: always(
				"Give the role "+roleInsights+" to the users or the group, under User Administration.",
				"Look at the role "+roleManage+": take it from everybody who holds it.",
				"Then choose the check.",
			),
		},
	}
}

func insightsUsers(c Context) []string {
	var out []string
	for _, u := range commas(c.Option(OptionUsers)) {
		if plainText(u) == "" {
			out = append(out, u)
		}
	}
	return out
}

func insightsGroup(c Context) string {
	if g := strings.TrimSpace(c.Option(OptionGroup)); plainText(g) == "" {
		return g
	}
	return ""
}

func readRoles(c Context) []bot.Call {
	calls := []bot.Call{
		rows("roles", "sys_user_role", "nameSTARTSWITH"+appScope, "sys_id,name", "Looks up the app's roles"),
		rows("held", "sys_user_has_role", "role.nameSTARTSWITH"+appScope, "sys_id,user,user.user_name,user.name,role,role.name,inherited", "Reads which users hold them"),
		rows("groups-held", "sys_group_has_role", "role.nameSTARTSWITH"+appScope, "sys_id,group,group.name,role,role.name", "Reads which groups hold them"),
	}
	if users := insightsUsers(c); len(users) > 0 {
		calls = append(calls, rows("users", "sys_user", "user_nameIN"+strings.Join(users, ","), "sys_id,user_name,name,active", "Looks up the users"))
	}
	if g := insightsGroup(c); g != "" {
		calls = append(calls, rows("group", "sys_user_group", "name="+g, "sys_id,name,active", "Looks up the group"))
	}
	return calls
}

func planRoles(c Context, r Reading) (Proposal, *Problem) {
	for _, id := range []string{"roles", "held", "groups-held"} {
		if f := r.Failed(id); f != nil && !r.Missing(id) {
			return Proposal{}, trouble(f, "Sign in with an account that holds user_admin or admin.")
		}
	}
	role, ok := first(r.List("roles", "result"), map[string]string{"name": roleInsights})
	if !ok || role.ID() == "" {
		return Proposal{}, refuse("The instance has no role "+roleInsights+".", "The app is not installed, or this account may not see its roles.")
	}
	p := Proposal{Facts: map[string]string{}}
	var unknown []string
	for i, name := range insightsUsers(c) {
		it, ok := first(r.List("users", "result"), map[string]string{"user_name": name})
		if !ok || it.ID() == "" || it.Get("active") == "false" {
			unknown = append(unknown, "user "+name)
			continue
		}
		if _, has := first(r.List("held", "result"), map[string]string{"user": it.ID(), "role.name": roleInsights}); has {
			p.Exists = append(p.Exists, name+" has the role already.")
			continue
		}
		fact := fmt.Sprintf("sn.insights.%d", i+1)
		p.Calls = append(p.Calls, giveRole("sys_user_has_role", "user", it.ID(), role.ID(), name, fact, fmt.Sprintf("user-%d", i+1)))
	}
	if g := insightsGroup(c); g != "" {
		it, ok := first(r.List("group", "result"), map[string]string{"name": g})
		switch _, has := first(r.List("groups-held", "result"), map[string]string{"group": it.ID(), "role.name": roleInsights}); {
		case !ok || it.ID() == "" || it.Get("active") == "false":
			unknown = append(unknown, "group "+g)
		case has:
			p.Exists = append(p.Exists, "The group "+g+" has the role already.")
		default:
			p.Calls = append(p.Calls, giveRole("sys_group_has_role", "group", it.ID(), role.ID(), g, "sn.insights.group", "group"))
		}
	}
	if len(unknown) > 0 {
		return Proposal{}, refuse("The instance has no active "+list(unknown)+".", "The start form named them. Correct the name on the instance, or give the role by hand and choose the check.")
	}
	if len(insightsUsers(c)) == 0 && insightsGroup(c) == "" {
		p.Exists = append(p.Exists, "The start form named nobody, so I give the role to nobody.")
	}
	return p, nil
}

func giveRole(tab, column, who, role, name, fact, id string) bot.Call {
	call := insert(id, tab, body{column: who, "role": role}, "Gives "+roleInsights+" to "+name)
	call.Save = map[string]string{fact: "result.sys_id"}
	call.Look = lookRow(tab, column+"="+who+"^role="+role, "sys_id,"+column+",role", map[string]string{column: who, "role": role}, map[string]string{fact: "sys_id"})
	call.Makes = &bot.Made{Kind: tab, ID: "{" + fact + "}", Name: roleInsights + " of " + name}
	return call
}

func proveRoles(c Context, r Reading) Finding {
	for _, id := range []string{"roles", "held", "groups-held"} {
		if f := r.Failed(id); f != nil {
			return Finding{Problem: trouble(f, "Sign in with an account that holds user_admin or admin.")}
		}
	}
	held, groups := r.List("held", "result"), r.List("groups-held", "result")
	var bad []string
	for _, it := range all(held, map[string]string{"role.name": roleManage}) {
		bad = append(bad, it.Walked("user.user_name"))
	}
	for _, it := range all(groups, map[string]string{"role.name": roleManage}) {
		bad = append(bad, "the group "+it.Walked("group.name"))
	}
	if len(bad) > 0 {
		return Finding{Problem: refuse(roleManage+" is held by "+list(bad)+". With it they can open cases with Microsoft support.",
			"Take the role away under User Administration > Roles, then [I fixed it, check].")}
	}
	var proof, missing []string
	for _, u := range insightsUsers(c) {
		if _, ok := first(held, map[string]string{"user.user_name": u, "role.name": roleInsights}); ok {
			proof = append(proof, u+" has "+roleInsights)
		} else {
			missing = append(missing, u)
		}
	}
	if g := insightsGroup(c); g != "" {
		if _, ok := first(groups, map[string]string{"group.name": g, "role.name": roleInsights}); ok {
			proof = append(proof, "the group "+g+" has "+roleInsights)
		} else {
			missing = append(missing, "the group "+g)
		}
	}
	if len(missing) > 0 {
		return Finding{Problem: refuse(roleInsights+" is missing for "+list(missing)+".", "Try again: the calls give it.")}
	}
	return Finding{Proof: append(proof, "no user and no group is listed with "+roleManage)}
}

func backRoles(c Context) []bot.Call {
	var calls []bot.Call
	for _, o := range c.Objects {
		if o.Run == c.Run.ID && o.Step == string(StepRoles) && o.Removed.IsZero() && isID(o.ID) {
			calls = append(calls, remove(fmt.Sprintf("undo-%d", len(calls)+1), o.Kind, o.ID, "Takes back "+o.Name))
		}
	}
	return calls
}
