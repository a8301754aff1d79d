package setup

import (
	"fmt"
	"net/url"
	"strings"

	"keyturn/bot"
)

const discoverFields = "id,appId,displayName,uniqueName,signInAudience,web,requiredResourceAccess,passwordCredentials"

// discoverEntra looks for what either guide, or a person years ago, left at
// Entra.
func discoverEntra() Spec {
	return Spec{
		ID: StepDiscoverEntra, Title: "Find what is left at Entra", Role: bot.EntraAdmin, Minutes: 1,
		What:    "Looks for registrations by Keyturn's own names and by redirect URLs on the instance, and for their secrets. Writes nothing.",
		Trap:    "A registration that only shares the redirect host may belong to another integration. Such finds are named and left alone unless their owner ticks them.",
		Undo:    "Only reads.",
		IfWaits: "Nothing can be removed at Entra, and ServiceNow's entries cannot be told apart by client ID.",
		API:     &API{Auto: true, Verify: searchEntra, Prove: proveDiscoverEntra},
	}
}

func searchEntra(c Context) []bot.Call {
	var calls []bot.Call
	if cleans(c, Direct) {
		calls = append(calls, graphGet("reader", appByName(UniqueReader, discoverFields), "Looks for the health reader by its unique name"))
	}
	if cleansConnector(c) {
		calls = append(calls,
			graphGet("connector", appByName(UniqueConnector(c.Run.Instance), discoverFields), "Looks for the registration for ServiceNow by its unique name"),
			graphGet("named", "/applications?$filter="+esc("startswith(displayName,"+odata(nameConnector)+")")+"&$select="+discoverFields+"&$top=100", "Looks for registrations by display name"))
		var by []string
		for _, u := range redirects(c.Run.Instance) {
			by = append(by, "web/redirectUris/any(u:u eq "+odata(u)+")")
		}
		calls = append(calls, search("redirects", "/applications", strings.Join(by, " or "), discoverFields, "Looks for registrations that redirect to the instance"),
			graphGet("page", "/applications?$select="+discoverFields+"&$top=999", "Reads the registrations, in case the search by redirect is refused"))
	}
	for i, o := range c.Objects {
		if o.System != bot.Graph || o.Kind != "application" || !o.Removed.IsZero() || o.ID == UniqueReader || o.ID == UniqueConnector(c.Run.Instance) {
			continue
		}
		path := appByName(o.ID, discoverFields)
		if isGUID(o.ID) {
			path = appByClient(o.ID, discoverFields)
		}
		calls = append(calls, graphGet(fmt.Sprintf("recorded-%d", i+1), path, "Looks for “"+o.Name+"”, which the inventory names"))
	}
	return calls
}

func proveDiscoverEntra(c Context, r Reading) Finding {
	var apps []Item
	for _, id := range sorted(r) {
		f := r.Failed(id)
		switch {
		case f == nil:
		case r.Missing(id), id == "redirects" && r.OK("page"), id == "page" && r.OK("redirects"):
			continue
		default:
			return Finding{Problem: trouble(f, "The search is not complete, so I do not say what is left.")}
		}
		if list := r.List(id, "value"); list != nil {
			apps = append(apps, list...)
		} else if r.Get(id, "appId") != "" {
			apps = append(apps, Item{r[id].Answer.Body})
		}
	}
	var all []found
	var proof, apart []string
	seen := map[string]bool{}
	secrets := 0
	for _, it := range apps {
		client := it.Get("appId")
		if seen[client] || !isGUID(client) || !isGUID(it.Get("id")) {
			continue
		}
		seen[client] = true
		f, note := judgeApp(c, it)
		if note != "" {
			apart = append(apart, note)
		}
		if f.Why == "" {
			continue
		}
		f.Secrets = len(it.List("passwordCredentials"))
		if f.Secrets > 0 {
			f.Why += "; it has " + count(f.Secrets, "client secret", "client secrets")
		}
		if !f.Weak {
			secrets += f.Secrets
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		proof = append(proof, "no registration of this setup was found by unique name, display name, redirect or inventory")
	}
	proof = append(append(proof, evidence(all)...), apart...)
	if r.Failed("redirects") != nil && (Item{r["page"].Answer.Body}).Walked("@odata.nextLink") != "" {
		proof = append(proof, "the search by redirect was refused, so redirects were compared for the first 999 registrations only")
	}
	out := Finding{Proof: proof, Facts: map[string]string{factFoundEntra: compact(all), "found.secrets": fmt.Sprint(secrets)}}
	for _, f := range all {
		key := bot.ObjectKey(bot.Graph, "application", f.Key)
		if _, known := object(c, key); !known && !f.Weak {
			out.Objects = append(out.Objects, bot.Object{Key: key, System: bot.Graph, Kind: "application", ID: f.Key, Name: f.Name, Link: entraApp(c, f.Client, "Overview")})
		}
	}
	return out
}

// judgeApp says why a registration is believed to belong to this setup. Why
// is empty where it is not; note tells people of one that stays.
func judgeApp(c Context, it Item) (f found, note string) {
	client, name, unique := it.Get("appId"), it.Get("displayName"), it.Get("uniqueName")
	f = found{Kind: "application", ID: it.Get("id"), Key: client, Client: client, Name: "“" + name + "” (" + client + ")"}
	switch client {
	case c.Tenant.SignIn.EntraClientID:
		return found{}, f.Name + " is Keyturn's own sign-in and stays"
	case c.Tenant.Reader.ClientID:
		return found{}, f.Name + " is the reader that the configuration names and stays"
	}
	if unique == UniqueReader || unique == UniqueConnector(c.Run.Instance) {
		f.Key = unique
		f.Why = "its unique name is Keyturn's own"
		if unique == UniqueReader && !cleans(c, Direct) || unique != UniqueReader && !cleans(c, Connector) {
			return found{}, ""
		}
		return f, ""
	}
	if _, ok := object(c, bot.ObjectKey(bot.Graph, "application", client)); ok {
		f.Why = "the inventory names it"
		return f, ""
	}
	if !cleansConnector(c) {
		return found{}, ""
	}
	here, elsewhere := redirectsAt(it, c.Run.Instance)
	switch {
	case contains(it.Strings("web.redirectUris"), redirects(c.Run.Instance)[1]):
		f.Why = "its redirect URL auth_redirect.do on the instance is a spelling that Microsoft's guide has and ServiceNow never generates"
	case strings.HasPrefix(name, nameConnector) && !elsewhere:
		f.Why = "its name is the one that the guide connector gives, and it redirects nowhere else"
	case here && modest(it):
		f.Why = "it redirects to the instance and asks for no permission beyond User.Read, as Microsoft's guide says; other integrations can look like that"
		f.Weak = true
	case here:
		return found{}, f.Name + " redirects to the instance too, but asks for other permissions, so it belongs to another integration and stays"
	default:
		return found{}, ""
	}
	return f, ""
}

func redirectsAt(it Item, instance string) (here, elsewhere bool) {
	for _, s := range it.Strings("web.redirectUris") {
		u, err := url.Parse(s)
		if err == nil && strings.EqualFold(u.Hostname(), instance) {
			here = true
		} else {
			elsewhere = true
		}
	}
	return here, elsewhere
}

// modest reports whether a registration asks for nothing beyond User.Read,
// which the portal adds by itself.
func modest(it Item) bool {
	for _, a := range it.List("requiredResourceAccess") {
		for _, p := range a.List("resourceAccess") {
			if a.Get("resourceAppId") != graphAppID || p.Get("id") != scopeUserRead {
				return false
			}
		}
	}
	return true
}
