package setup

import (
	"strings"

	"keyturn/bot"
)

const unattendedSecret = "sn.client_secret"

// unattendedClient is the client ID of the registry entry that a run makes:
// one per run, since its secret is sealed with the run.
func unattendedClient(run string) string { return "keyturn-" + run }

// unattended makes the ServiceNow user and sign-in with which Keyturn keeps
// incidents in step when nobody is signed in.
func unattended() Spec {
	return Spec{
		ID: StepUnattended, Title: "ServiceNow sign-in for unattended work", Role: bot.ServiceNowAdmin, Minutes: 5, FourEyes: true,
		When:    withInstance,
		Only:    "with a ServiceNow instance",
		What:    "Makes the user " + userUnattended + " (web services only, the least role for incidents) and a client-credentials sign-in for it. The secret is made here and never shown.",
		Trap:    "The property that allows client credentials counts for the whole instance: every registry entry with a user can then use that grant. The role is sn_incident_write, because it reaches incidents and nothing else; only where the instance lacks it, itil is used, which reaches more tables.",
		Undo:    "Undo removes the registry entry and the role, switches the user off and puts the property back.",
		IfWaits: "Channels work without it. No ServiceNow incident is made.",
		API: &API{
			Keys: []string{"random:" + unattendedSecret},
			Read: readUnattended, Plan: planUnattended,
			Verify: verifyUnattended, Prove: proveUnattended, Back: backUnattended,
		},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "Users", recordList(c, "sys_user") },
			Do: always(
				"System Properties: make "+grantProperty+", type true | false, value true.",
				"User Administration > Users: make the user "+userUnattended+", tick Active and “Web service access only”.",
				"Give it the role sn_incident_write, or itil where that does not exist.",
				"Leave the registry entry to me: choose [Try again], and I plan only what is missing. Its secret is made here, so that nobody has to type one.",
			),
			Leave: "Do NOT make the registry entry by hand: its secret would have to travel through somebody's clipboard.",
		},
	}
}

func readUnattended(Context) []bot.Call {
	return []bot.Call{
		rows("property", "sys_properties", "name="+grantProperty, "sys_id,name,value", "Reads whether client credentials are allowed"),
		rows("user", "sys_user", "user_name="+userUnattended, "sys_id,user_name,active,locked_out,web_service_access_only", "Looks for the user"),
		rows("roles", "sys_user_role", "nameINsn_incident_write,itil", "sys_id,name", "Looks for the least role for incidents"),
		rows("held", "sys_user_has_role", "user.user_name="+userUnattended, "sys_id,user,user.user_name,role,role.name,inherited", "Reads the roles of the user"),
		rows("entry", "oauth_entity", "nameSTARTSWITH"+nameUnattended, "sys_id,name,client_id,type,active,default_grant_type,user", "Looks for the registry entry"),
	}
}

// leastRole is the narrowest role that the instance has for incidents.
func leastRole(r Reading) (id, name string) {
	for _, name := range []string{"sn_incident_write", "itil"} {
		if it, ok := first(r.List("roles", "result"), map[string]string{"name": name}); ok && isID(it.Get("sys_id")) {
			return it.Get("sys_id"), name
		}
	}
	return "", ""
}

func planUnattended(c Context, r Reading) (Proposal, *Problem) {
	for _, id := range []string{"property", "user", "roles", "held", "entry"} {
		if f := r.Failed(id); f != nil && !r.Missing(id) {
			return Proposal{}, trouble(f, "Sign in with an account that holds admin.")
		}
	}
	if !c.Has(unattendedSecret) {
		return Proposal{}, refuse("The secret for the registry entry has not been made.", "Try again; if it stays so, Keyturn cannot write its store.")
	}
	role, roleName := leastRole(r)
	if role == "" {
		return Proposal{}, refuse("The instance has neither the role sn_incident_write nor itil, or this account may not see roles.", "Sign in with an account that holds admin, or activate the Incident plugin.")
	}
	var p Proposal
	p.Facts = map[string]string{}
	p.property(r)
	user, problem := p.user(r)
	if problem != nil {
		return Proposal{}, problem
	}
	p.grant(r, user, role, roleName)
	p.entry(c, r, user)
	return p, nil
}

func (p *Proposal) property(r Reading) {
	it, ok := first(r.List("property", "result"), map[string]string{"name": grantProperty})
	switch {
	case ok && it.Get("value") == "true":
		p.Exists = append(p.Exists, "Client credentials are allowed on the instance already.")
	case ok && it.ID() != "":
		call := update("property", "sys_properties", it.ID(), body{"value": "true"}, "Allows client credentials on the instance")
		call.Makes = &bot.Made{Kind: "sys_properties", ID: it.ID(), Name: grantProperty, Before: earlierValue(it.Get("value"))}
		p.Calls = append(p.Calls, call)
		p.Facts["sn.property"] = it.ID()
	default:
		call := insert("property", "sys_properties", body{"name": grantProperty, "value": "true", "type": "boolean", "description": "Allows the client credentials grant. Set for Keyturn."}, "Makes the property that allows client credentials")
		call.Save = map[string]string{"sn.property": "result.sys_id"}
		call.Look = lookRow("sys_properties", "name="+grantProperty, "sys_id,name,value", map[string]string{"name": grantProperty}, map[string]string{"sn.property": "sys_id"})
		call.Makes = &bot.Made{Kind: "sys_properties", ID: "{sn.property}", Name: grantProperty}
		p.Calls = append(p.Calls, call)
	}
}

// earlierValue records a property's value for going back. Anything that could
// be read as a placeholder goes back as false, the platform's default.
func earlierValue(v string) string {
	if !harmless(v) {
		v = "false"
	}
	return string(asJSON(body{"value": v}))
}

// user plans the user and gives its sys_id, or the place for it.
func (p *Proposal) user(r Reading) (string, *Problem) {
	it, ok := first(r.List("user", "result"), map[string]string{"user_name": userUnattended})
	if !ok {
		call := insert("user", "sys_user", body{"user_name": userUnattended, "first_name": "Keyturn", "last_name": "integration",
			"active": "true", "web_service_access_only": "true"}, "Makes the user "+userUnattended+", for web services only")
		call.Save = map[string]string{FactServiceNowUser: "result.sys_id"}
		call.Look = lookRow("sys_user", "user_name="+userUnattended, "sys_id,user_name", map[string]string{"user_name": userUnattended}, map[string]string{FactServiceNowUser: "sys_id"})
		call.Makes = &bot.Made{Kind: "sys_user", ID: "{" + FactServiceNowUser + "}", Name: userUnattended}
		p.Calls = append(p.Calls, call)
		return "{" + FactServiceNowUser + "}", nil
	}
	id := it.ID()
	if id == "" {
		return "", refuse("ServiceNow answered without the user's sys_id.", "Try again.")
	}
	var roles []string
	for _, h := range all(r.List("held", "result"), map[string]string{"user.user_name": userUnattended}) {
		name := h.Walked("role.name")
		if name == "admin" || name == "security_admin" {
			return "", refuse("The user "+userUnattended+" exists and holds "+name+".", "Unattended work must not run with that. Take the role away, or delete the user if nobody needs it, then try again.")
		}
		roles = append(roles, name)
	}
	p.Facts[FactServiceNowUser] = id
	says := "The user " + userUnattended + " exists"
	if len(roles) > 0 {
		says += ", with the roles " + strings.Join(roles, ", ")
	}
	p.Exists = append(p.Exists, says+".")
	if it.Get("active") != "true" || it.Get("web_service_access_only") != "true" || it.Get("locked_out") == "true" {
		p.Calls = append(p.Calls, update("user", "sys_user", id, body{"active": "true", "web_service_access_only": "true", "locked_out": "false"}, "Sets the user to active and web services only"))
	}
	return id, nil
}

func (p *Proposal) grant(r Reading, user, role, name string) {
	if it, ok := first(r.List("held", "result"), map[string]string{"user.user_name": userUnattended, "role": role}); ok {
		p.Facts["sn.user.grant"] = it.Get("sys_id")
		return
	}
	call := insert("role", "sys_user_has_role", body{"user": user, "role": role}, "Gives the user the role "+name)
	call.Save = map[string]string{"sn.user.grant": "result.sys_id"}
	call.Look = lookRow("sys_user_has_role", "user="+user+"^role="+role, "sys_id,user,role", map[string]string{"user": user, "role": role}, map[string]string{"sn.user.grant": "sys_id"})
	call.Makes = &bot.Made{Kind: "sys_user_has_role", ID: "{sn.user.grant}", Name: name + " of " + userUnattended}
	p.Calls = append(p.Calls, call)
}

func (p *Proposal) entry(c Context, r Reading, user string) {
	client := unattendedClient(c.Run.ID)
	p.Facts[FactServiceNowClientID] = client
	entry := "{sn.entry}"
	var others []string
	found := false
	for _, it := range r.List("entry", "result") {
		switch {
		case it.Get("client_id") == client && it.ID() != "":
			found = true
			entry = it.ID()
			p.Facts["sn.entry"] = entry
			if it.Get("type") == "client" && it.Get("active") == "true" && it.Get("default_grant_type") == "client_credentials" && it.Get("user") == user {
				p.Exists = append(p.Exists, "The registry entry of this run exists.")
				return
			}
		case strings.HasPrefix(it.Get("name"), nameUnattended):
			others = append(others, it.Get("name"))
		}
	}
	if len(others) > 0 {
		p.Exists = append(p.Exists, "Entries of earlier runs stay: "+quoted(others)+". The guide cleanup removes them.")
	}
	if !found {
		call := typed(insert("entry", "oauth_entity", body{"name": nameUnattended + " (" + c.Run.ID + ")", "type": "client", "client_id": client,
			"client_secret": "{{" + unattendedSecret + "}}", "active": "true"}, "Makes the registry entry with a secret that was made here"))
		call.Save = map[string]string{"sn.entry": "result.sys_id"}
		call.Look = lookRow("oauth_entity", "client_id="+client, "sys_id,client_id", map[string]string{"client_id": client}, map[string]string{"sn.entry": "sys_id"})
		call.Makes = &bot.Made{Kind: "oauth_entity", ID: "{sn.entry}", Name: nameUnattended + " (" + c.Run.ID + ")"}
		p.Calls = append(p.Calls, call)
	}
	// Apart from the secret: in a write of displayed values the user would be
	// looked up by name.
	p.Calls = append(p.Calls, update("entry-user", "oauth_entity", entry, body{"type": "client", "active": "true", "default_grant_type": "client_credentials", "user": user}, "Ties the entry to the user and to the client credentials grant"))
}

func verifyUnattended(c Context) []bot.Call {
	test := bot.Call{ID: "incident", System: bot.ServiceNow, Method: "GET", As: "unattended", Lag: true, What: "Signs in as the user and reads one incident",
		Path: table("incident") + "?sysparm_limit=1&sysparm_fields=sys_id,number"}
	return append(readUnattended(c), test)
}

func proveUnattended(c Context, r Reading) Finding {
	it, ok := first(r.List("entry", "result"), map[string]string{"client_id": unattendedClient(c.Run.ID)})
	if !ok {
		return Finding{Problem: refuse("The registry entry of this run is not there.", "Try again: I plan what is missing.")}
	}
	user, ok := first(r.List("user", "result"), map[string]string{"user_name": userUnattended})
	if !ok {
		return Finding{Problem: refuse("The user "+userUnattended+" is not there.", "Try again: I plan what is missing.")}
	}
	switch {
	case user.Get("active") != "true", user.Get("web_service_access_only") != "true":
		return Finding{Problem: refuse("The user "+userUnattended+" is not active, or not limited to web services.", "Try again: the calls set both.")}
	case it.Get("default_grant_type") != "client_credentials", it.Get("user") != user.Get("sys_id"), it.Get("active") != "true":
		return Finding{Problem: refuse("The registry entry is not active, not tied to the user, or not set to client credentials.", "Try again: the calls set all three.")}
	}
	if p, ok := first(r.List("property", "result"), map[string]string{"name": grantProperty}); !ok || p.Get("value") != "true" {
		return Finding{Problem: refuse("The property "+grantProperty+" is not true.", "Try again: the calls set it.")}
	}
	var roles []string
	for _, h := range all(r.List("held", "result"), map[string]string{"user.user_name": userUnattended}) {
		if name := h.Walked("role.name"); !contains(roles, name) {
			roles = append(roles, name)
		}
	}
	for _, bad := range []string{"admin", "security_admin"} {
		if contains(roles, bad) {
			return Finding{Problem: refuse("The user "+userUnattended+" holds "+bad+".", "Take that role away: unattended work must not run with it.")}
		}
	}
	if f := r.Failed("incident"); f != nil {
		return Finding{Problem: trouble(f, "The entry is there, but the user could not sign in and read an incident.")}
	}
	return Finding{
		Proof: []string{"user " + userUnattended + " active, web services only, roles: " + strings.Join(roles, ", "),
			"registry entry active, client credentials, tied to the user",
			"client credentials allowed on the instance",
			"signed in as the user and read the incident table"},
		Facts: map[string]string{FactServiceNowClientID: it.Get("client_id"), FactServiceNowUser: user.Get("sys_id"), "sn.entry": it.Get("sys_id")},
	}
}

func backUnattended(c Context) []bot.Call {
	var calls []bot.Call
	mine := func(kind, id string) bool {
		_, ok := object(c, bot.ObjectKey(bot.ServiceNow, kind, id))
		return id != "" && ok
	}
	if id := c.Fact("sn.entry"); mine("oauth_entity", id) {
		calls = append(calls, remove("undo-entry", "oauth_entity", id, "Removes the registry entry with its secret"))
	}
	if id := c.Fact("sn.user.grant"); mine("sys_user_has_role", id) {
		calls = append(calls, remove("undo-role", "sys_user_has_role", id, "Takes the role away"))
	}
	if id := c.Fact(FactServiceNowUser); mine("sys_user", id) {
		off := fineGone(update("undo-user", "sys_user", id, body{"active": "false", "locked_out": "true"}, "Switches the user off"))
		off.Unmakes = bot.ObjectKey(bot.ServiceNow, "sys_user", id)
		calls = append(calls, off)
	}
	if id := c.Fact("sn.property"); id != "" {
		if o, ok := object(c, bot.ObjectKey(bot.ServiceNow, "sys_properties", id)); ok {
			calls = append(calls, restoreRow("undo-property", o))
		}
	}
	return calls
}

// restoreRow puts a ServiceNow row back to what it was, or removes it where
// there was none.
func restoreRow(id string, o bot.Object) bot.Call {
	if o.Before == "" {
		return remove(id, o.Kind, o.ID, "Removes "+o.Name+", which was not there before")
	}
	return bot.Call{ID: id, System: bot.ServiceNow, Method: "PATCH", Path: table(o.Kind) + "/" + o.ID, Body: []byte(o.Before),
		What: "Puts " + o.Name + " back to what it was", Unmakes: o.Key}
}
