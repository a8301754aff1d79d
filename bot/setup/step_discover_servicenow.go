package setup

import (
	"strings"

	"keyturn/bot"
)

// discoverServiceNow looks for what is left on the instance.
func discoverServiceNow() Spec {
	return Spec{
		ID: StepDiscoverServiceNow, Title: "Find what is left on the instance", Role: bot.ServiceNowAdmin, Minutes: 1,
		When:    withInstance,
		Only:    "with a ServiceNow instance",
		What:    "Looks for the OAuth entries, the roles of the connector's app, the integration user, opened tables and the app itself. Writes nothing.",
		Trap:    "Rows that your account may not see look as if they were not there. Sign in with an account that holds admin.",
		Undo:    "Only reads.",
		IfWaits: "Nothing can be removed on the instance, and Entra's registrations have to wait for it.",
		API:     &API{Auto: true, Verify: searchServiceNow, Prove: proveDiscoverServiceNow},
	}
}

const entryFields = "sys_id,name,type,client_id,token_url,active,sys_scope"

func searchServiceNow(c Context) []bot.Call {
	query := "name=" + nameProvider + "^ORnameSTARTSWITH" + nameUnattended + "^ORtoken_urlLIKE" + hostOf(portal(c, "authority"))
	if clients := foundClients(c); len(clients) > 0 {
		query += "^ORclient_idIN" + strings.Join(clients, ",")
	}
	calls := []bot.Call{
		rows("entries", "oauth_entity", query, entryFields, "Looks for OAuth entries by name, token URL and the client IDs found at Entra"),
		rows("user", "sys_user", "user_name="+userUnattended, "sys_id,user_name,active", "Looks for the integration user"),
		rows("user-roles", "sys_user_has_role", "user.user_name="+userUnattended, "sys_id,user,user.user_name,role,role.name,inherited", "Reads its roles"),
		rows("app", "sys_store_app", "scope="+appScope, "sys_id,name,scope,version", "Looks for the connector's app"),
		rows("tables", "sys_db_object", "nameIN"+strings.Join(scopedTables, ","), "sys_id,name,access,read_access", "Reads who may read the OAuth registry"),
	}
	if cleansConnector(c) {
		calls = append(calls,
			rows("held", "sys_user_has_role", "role.nameSTARTSWITH"+appScope, "sys_id,user,user.user_name,role,role.name,inherited", "Reads which users hold the app's roles"),
			rows("groups-held", "sys_group_has_role", "role.nameSTARTSWITH"+appScope, "sys_id,group,group.name,role,role.name", "Reads which groups hold the app's roles"))
	}
	return calls
}

func foundClients(c Context) []string {
	var out []string
	for _, f := range foundIn(c, factFoundEntra) {
		if isGUID(f.Client) {
			out = append(out, f.Client)
		}
	}
	return out
}

func proveDiscoverServiceNow(c Context, r Reading) Finding {
	for _, id := range sorted(r) {
		if f := r.Failed(id); f != nil && !r.Missing(id) {
			return Finding{Problem: trouble(f, "The search is not complete, so I do not say what is left. Sign in with an account that holds admin.")}
		}
	}
	list, apart := judgeEntries(c, r)
	list = append(list, judgeRoles(c, r)...)
	list = append(list, judgeUser(c, r)...)
	list = append(list, judgeSwitches(c, r)...)
	var proof []string
	if len(list) == 0 {
		proof = append(proof, "no OAuth entry, role, user or switch of this setup was found")
	}
	proof = append(append(proof, evidence(list)...), apart...)
	out := Finding{Facts: map[string]string{factFoundServiceNow: compact(list)}}
	if app, ok := first(r.List("app", "result"), map[string]string{"scope": appScope}); ok && cleansConnector(c) {
		out.Facts[factFoundApp] = app.Get("version")
		proof = append(proof, "the app “"+app.Get("name")+"” is installed, version "+app.Get("version"))
	}
	out.Proof = proof
	for _, f := range list {
		key := bot.ObjectKey(bot.ServiceNow, f.Kind, f.ID)
		if _, known := object(c, key); !known && !f.Weak && !f.Restore {
			out.Objects = append(out.Objects, bot.Object{Key: key, System: bot.ServiceNow, Kind: f.Kind, ID: f.ID, Name: f.Name, Link: record(c, f.Kind, f.ID)})
		}
	}
	return out
}

func judgeEntries(c Context, r Reading) (list []found, apart []string) {
	strong := map[string]bool{}
	for _, f := range foundIn(c, factFoundEntra) {
		strong[f.Client] = strong[f.Client] || !f.Weak
	}
	for _, it := range r.List("entries", "result") {
		if it.ID() == "" {
			continue
		}
		name, client := it.Get("name"), it.Get("client_id")
		f := found{Kind: "oauth_entity", ID: it.ID(), Key: it.ID(), Client: client, Name: "OAuth entry “" + name + "”"}
		_, recorded := object(c, bot.ObjectKey(bot.ServiceNow, "oauth_entity", it.ID()))
		unattended := strings.HasPrefix(name, nameUnattended)
		switch {
		case client != "" && client == c.Tenant.SignIn.ServiceNowClientID:
			apart = append(apart, f.Name+" is Keyturn's own sign-in and stays")
			continue
		case unattended && !cleans(c, Direct), !unattended && !cleans(c, Connector):
			continue
		case recorded:
			f.Why = "the inventory names it"
		case unattended:
			f.Why = "its name is Keyturn's own"
		case strong[client]:
			f.Why = "its client ID is that of a registration found at Entra"
		case name == nameProvider:
			f.Why = "its name is the one that the guide connector gives"
		case contains(tokenURLs(c), it.Get("token_url")):
			f.Why = "its token URL is the older one of Microsoft's guide, for this tenant; other integrations can use it too"
			f.Weak = true
		default:
			continue
		}
		list = append(list, f)
	}
	return list, apart
}

func judgeRoles(c Context, r Reading) []found {
	var list []found
	add := func(it Item, kind, who, why string) {
		if it.ID() != "" && it.Get("inherited") != "true" {
			list = append(list, found{Kind: kind, ID: it.ID(), Key: it.ID(), Name: it.Walked("role.name") + " of " + who, Why: why})
		}
	}
	if cleansConnector(c) {
		for _, it := range r.List("held", "result") {
			if strings.HasPrefix(it.Walked("role.name"), appScope+".") {
				add(it, "sys_user_has_role", it.Walked("user.user_name"), "roles of the connector's app")
			}
		}
		for _, it := range r.List("groups-held", "result") {
			if strings.HasPrefix(it.Walked("role.name"), appScope+".") {
				add(it, "sys_group_has_role", "the group "+it.Walked("group.name"), "roles of the connector's app")
			}
		}
	}
	if cleans(c, Direct) {
		for _, it := range all(r.List("user-roles", "result"), map[string]string{"user.user_name": userUnattended}) {
			add(it, "sys_user_has_role", userUnattended, "roles of Keyturn's integration user")
		}
	}
	return list
}

func judgeUser(c Context, r Reading) []found {
	it, ok := first(r.List("user", "result"), map[string]string{"user_name": userUnattended})
	if !ok || it.ID() == "" || it.Get("active") == "false" || !cleans(c, Direct) {
		return nil
	}
	return []found{{Kind: "sys_user", ID: it.ID(), Key: it.ID(), Name: "User " + userUnattended, Why: "its user name is Keyturn's own"}}
}

// judgeSwitches lists settings with the value to put back: the recorded one,
// or for a table that nobody recorded the closed one, for its owner to agree
// to.
func judgeSwitches(c Context, r Reading) []found {
	var list []found
	recorded := map[string]bool{}
	for _, o := range c.Objects {
		if o.System != bot.ServiceNow || !o.Removed.IsZero() || !isID(o.ID) {
			continue
		}
		switch o.Kind {
		case "sys_db_object", "sys_scope_privilege":
			if o.Before != "" && cleans(c, Connector) {
				recorded[o.ID] = true
				list = append(list, found{Kind: o.Kind, ID: o.ID, Key: o.ID, Name: o.Name, Before: o.Before, Restore: true, Why: "its earlier value is in the inventory"})
			}
		case "sys_properties":
			if cleans(c, Direct) {
				list = append(list, found{Kind: o.Kind, ID: o.ID, Key: o.ID, Name: o.Name, Before: o.Before, Restore: true, Why: "a run of Keyturn set it"})
			}
		}
	}
	if !cleansConnector(c) {
		return list
	}
	for _, name := range scopedTables {
		it, ok := first(r.List("tables", "result"), map[string]string{"name": name})
		if !ok || !readable(it) || recorded[it.ID()] || it.ID() == "" {
			continue
		}
		list = append(list, found{Kind: "sys_db_object", ID: it.ID(), Key: it.ID(), Name: name, Restore: true, Weak: true, Before: `{"read_access":"false"}`,
			Why: "other scopes may read it, and nobody recorded what it was before; closing it can break other scoped apps"})
	}
	return list
}
