package setup

import (
	"strings"

	"keyturn/bot"
)

// scopedTables are the tables of Global that the app has to read.
var scopedTables = []string{"oauth_entity", "oauth_entity_profile"}

const crossScopeError = "Read operation against 'oauth_entity' from scope 'x_mioms_m365_assis' has been refused due to the table's cross-scope access policy"

// crossScope lets the app read the OAuth registry.
func crossScope() Spec {
	return Spec{
		ID: StepCrossScope, Title: "Cross-scope read of the OAuth registry", Role: bot.ServiceNowAdmin, Minutes: 2,
		What:    "Reads whether other scopes may read oauth_entity and oauth_entity_profile, and opens both for reading on approval.",
		Trap:    "Every scoped app on the instance can then read both tables, not this one alone. Without it Setup says: “" + crossScopeError + "”.",
		Undo:    "Undo puts both tables back to what they were; the values are recorded before the change.",
		IfWaits: "Setup opens with an error and offers no OAuth profile.",
		API: &API{Read: readCrossScope, Plan: planCrossScope, Verify: readCrossScope, Prove: proveCrossScope,
			Back: func(c Context) []bot.Call {
				var calls []bot.Call
				for _, o := range c.Objects {
					if o.Step == string(StepCrossScope) && o.Run == c.Run.ID && o.Removed.IsZero() && o.Before != "" {
						calls = append(calls, restoreRow("undo-"+dashed(o.Name), o))
					}
				}
				return calls
			}},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "Tables", recordList(c, "sys_db_object") },
			Do: always(
				"Choose Global in the application picker (globe icon).",
				"Open the table oauth_entity, tab Application Access.",
				"Accessible from: All application scopes. Tick Can read, and save.",
				"Do the same for oauth_entity_profile.",
				"Then choose the check.",
			),
		},
	}
}

func readCrossScope(Context) []bot.Call {
	return []bot.Call{
		rows("tables", "sys_db_object", "nameIN"+strings.Join(scopedTables, ","), "sys_id,name,access,read_access", "Reads who may read both tables"),
		rows("privileges", "sys_scope_privilege", "source_scope.scope="+appScope+"^target_nameIN"+strings.Join(scopedTables, ","), "sys_id,source_scope,source_scope.scope,target_name,operation,status", "Reads the app's own privileges"),
	}
}

func readable(it Item) bool { return it.Get("access") == "public" && it.Get("read_access") == "true" }

func planCrossScope(c Context, r Reading) (Proposal, *Problem) {
	if f := r.Failed("tables"); f != nil {
		return Proposal{}, trouble(f, "Sign in with an account that holds admin.")
	}
	var p Proposal
	for _, name := range scopedTables {
		it, ok := first(r.List("tables", "result"), map[string]string{"name": name})
		if !ok || it.ID() == "" || !harmless(it.Get("access")+it.Get("read_access")) {
			return Proposal{}, refuse("I cannot see the table "+name+" in the table list.", "Sign in with an account that holds admin.")
		}
		if readable(it) {
			p.Exists = append(p.Exists, name+" may be read from all application scopes.")
			continue
		}
		call := update("open-"+dashed(name), "sys_db_object", it.ID(), body{"access": "public", "read_access": "true"}, "Lets all application scopes read "+name)
		call.Makes = &bot.Made{Kind: "sys_db_object", ID: it.ID(), Name: name,
			Before: original(c, "sys_db_object", it.ID(), body{"access": it.Get("access"), "read_access": it.Get("read_access")})}
		p.Calls = append(p.Calls, call)
		p.Exists = append(p.Exists, name+": accessible from “"+it.Get("access")+"”, can read "+it.Get("read_access")+".")
	}
	for _, it := range refusedPrivileges(r) {
		call := update("privilege-"+dashed(it.Get("target_name")), "sys_scope_privilege", it.ID(), body{"status": "allowed"}, "Allows the app to read "+it.Get("target_name"))
		call.Makes = &bot.Made{Kind: "sys_scope_privilege", ID: it.ID(), Name: "read of " + it.Get("target_name"),
			Before: original(c, "sys_scope_privilege", it.ID(), body{"status": it.Get("status")})}
		p.Calls = append(p.Calls, call)
		p.Exists = append(p.Exists, "The app's privilege to read "+it.Get("target_name")+" is "+it.Get("status")+".")
	}
	return p, nil
}

// original is what a row was before Keyturn first changed it: a second change
// must not forget the first.
func original(c Context, tab, id string, now body) string {
	if o, ok := object(c, bot.ObjectKey(bot.ServiceNow, tab, id)); ok && o.Before != "" {
		return o.Before
	}
	return string(asJSON(now))
}

func refusedPrivileges(r Reading) []Item {
	var out []Item
	for _, it := range r.List("privileges", "result") {
		if it.Walked("source_scope.scope") == appScope && contains(scopedTables, it.Get("target_name")) &&
			it.Get("operation") == "read" && it.Get("status") != "allowed" && it.ID() != "" && harmless(it.Get("status")) {
			out = append(out, it)
		}
	}
	return out
}

func proveCrossScope(_ Context, r Reading) Finding {
	if f := r.Failed("tables"); f != nil {
		return Finding{Problem: trouble(f, "Sign in with an account that holds admin.")}
	}
	var proof []string
	for _, name := range scopedTables {
		it, ok := first(r.List("tables", "result"), map[string]string{"name": name})
		if !ok || !readable(it) {
			return Finding{Problem: refuse("Other scopes still cannot read "+name+".", "Tables > "+name+" > Application Access: All application scopes, Can read. Do it in the Global scope, or [Try again].")}
		}
		proof = append(proof, name+": all application scopes, can read")
	}
	if bad := refusedPrivileges(r); len(bad) > 0 {
		return Finding{Problem: refuse("The app's own privilege to read "+bad[0].Get("target_name")+" is "+bad[0].Get("status")+".", "Set it to Allowed under Application Cross-Scope Access, or [Try again].")}
	}
	return Finding{Proof: proof}
}

// account is the linked ServiceNow account of the step's person, or "".
func account(c Context, id StepID) string {
	s := c.Run.Step(id)
	if s == nil {
		return ""
	}
	who := s.Holder
	if s.By != "" {
		who = s.By
	}
	p, _ := c.Tenant.Person(who)
	return p.Admin[bot.ServiceNow]
}

// switchScope is the human's part: their own scope, and Setup without error.
func switchScope() Spec {
	return Spec{
		ID: StepScope, Title: "Switch scope and open Setup", Role: bot.ServiceNowAdmin, Minutes: 2,
		What:    "The ServiceNow admin switches to the app's scope and sees that Setup opens without the error.",
		Trap:    "Only the application picker switches your own session. The wizard must run in the app's scope, the registry work before it in Global.",
		Undo:    "Switch back to Global with the same picker.",
		IfWaits: "The wizard cannot begin.",
		API: &API{Verify: func(c Context) []bot.Call {
			user := account(c, StepScope)
			if user == "" || plainText(user) != "" {
				return nil
			}
			return []bot.Call{
				rows("scope", "sys_scope", "scope="+appScope, "sys_id,scope,name", "Reads the app's scope"),
				rows("current", "sys_user_preference", "name=apps.current_app^user.user_name="+user, "sys_id,name,value,user,user.user_name", "Reads which scope you work in"),
			}
		}, Prove: proveScope},
		Guided: &Guided{
			Word: "Say what Setup shows",
			Link: func(c Context) (string, string) { return "ServiceNow", portal(c, "servicenow") },
			Do: always(
				"Globe icon > Application scope (older releases: Settings > Developer > Applications).",
				"Choose Microsoft 365 support integration.",
				"Open Microsoft 365 Support > Setup.",
				"Look whether the page shows an error. Leave it open, and press nothing on it.",
			),
			Leave: "Do NOT press Agree yet: the wizard waits until the Microsoft 365 admin is ready too.",
			Ask: func(Context) []bot.Input {
				return []bot.Input{{Name: "setup", Label: "Setup", Hint: "What the page shows", Kind: bot.Choice, Options: []bot.Option{
					{Value: "fine", Label: "It opens without an error"},
					{Value: "refused", Label: "Read operation against 'oauth_entity' ... has been refused"},
					{Value: "scope", Label: "The app is not in the application picker"},
					{Value: "other", Label: "Another error"},
				}}}
			},
			Accept: func(_ Context, in map[string]string) (map[string]string, map[string]string) {
				switch in["setup"] {
				case "fine":
					return map[string]string{"sn.setup": "opens"}, nil
				case "refused":
					return nil, map[string]string{"setup": "The table is not readable from other scopes, or the page is from before. Reload it; if the error stays, have the step “Cross-scope read of the OAuth registry” checked again."}
				case "scope":
					return nil, map[string]string{"setup": "Then the app is not installed, or your account may not develop in its scope. Look under System Applications > All, or use an account that holds admin."}
				}
				return nil, map[string]string{"setup": "Look under System Logs > All with the filter x_mioms_m365_assi, which covers both spellings, and skip this step with the reason if the wizard opens all the same."}
			},
		},
	}
}

// proveScope reads the person's stored scope where it can be read; where not,
// it finds nothing, and the person's word stands.
func proveScope(c Context, r Reading) Finding {
	user := account(c, StepScope)
	scope, ok := first(r.List("scope", "result"), map[string]string{"scope": appScope})
	current, known := first(r.List("current", "result"), map[string]string{"user.user_name": user, "name": "apps.current_app"})
	if user == "" || !ok || !known {
		return Finding{}
	}
	if current.Get("value") != scope.Get("sys_id") {
		return Finding{Problem: refuse("ServiceNow has another scope stored for "+user+".", "Choose "+scope.Get("name")+" in the application picker, then check again.")}
	}
	return Finding{Proof: []string{"the stored scope of " + user + " is " + scope.Get("name")}}
}
