package setup

import (
	"strings"

	"keyturn/bot"
)

func connectorName(c Context) string { return nameConnector + " (" + c.Run.Instance + ")" }

// redirects are both spellings of the redirect URL: Microsoft's guide says
// auth_redirect.do, ServiceNow generates oauth_redirect.do.
func redirects(host string) []string {
	return []string{"https://" + host + "/oauth_redirect.do", "https://" + host + "/auth_redirect.do"}
}

// entraRegistration is the registration that ServiceNow signs in with.
func entraRegistration() Spec {
	return Spec{
		ID: StepEntraApp, Title: "App registration for ServiceNow", Role: bot.EntraAdmin, Minutes: 3,
		Accepts: appAdmins,
		What:    "Makes a single-tenant registration, platform Web, with both redirect URLs, and its service principal.",
		Trap:    "There are two redirect URLs on purpose: Microsoft's guide says auth_redirect.do, ServiceNow itself generates oauth_redirect.do. The registration gets no API permission: the connector is admitted by its client ID, not by consent.",
		Undo:    "Undo deletes the registration; Entra keeps it restorable for 30 days.",
		IfWaits: "The ServiceNow team has nothing to enter in Application Registry.",
		API: &API{Read: readRegistration, Plan: planRegistration, Verify: verifyRegistration, Prove: proveRegistration,
			Back: func(c Context) []bot.Call { return deleteApp(c.Fact("entra.app_id"), UniqueConnector(c.Run.Instance)) }},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "App registrations", entraApps(c) },
			Do: always(
				"New registration, with the name below.",
				"Supported account types: accounts in this organizational directory only.",
				"Redirect URI: platform Web, with the first address below.",
				"Register, then Authentication > Add URI with the second address, and save.",
				"Add no API permission.",
			),
			Copy: func(c Context) []bot.Copy {
				u := redirects(c.Run.Instance)
				return []bot.Copy{{Label: "Name", Value: connectorName(c)}, {Label: "Redirect URI", Value: u[0]}, {Label: "Redirect URI", Value: u[1]}}
			},
		},
	}
}

const registrationFields = "id,appId,displayName,uniqueName,signInAudience,web,requiredResourceAccess"

func readRegistration(c Context) []bot.Call {
	return []bot.Call{
		graphGet("app", appByName(UniqueConnector(c.Run.Instance), registrationFields), "Looks for the registration of an earlier run"),
		graphGet("namesakes", "/applications?$filter="+esc("displayName eq "+odata(connectorName(c)))+"&$select="+registrationFields, "Looks for registrations of the same name"),
		principals("principals", connectorName(c)),
	}
}

func planRegistration(c Context, r Reading) (Proposal, *Problem) {
	if f := r.Failed("app"); f != nil && !r.Missing("app") {
		return Proposal{}, trouble(f, "")
	}
	unique := UniqueConnector(c.Run.Instance)
	uris := redirects(c.Run.Instance)
	p := Proposal{Facts: map[string]string{}}
	clientID, fine := "{"+FactEntraClientID+"}", false
	if r.OK("app") {
		id, app := r.Get("app", "id"), r.Get("app", "appId")
		if !isGUID(id) || !isGUID(app) {
			return Proposal{}, refuse("Entra answered without the registration's IDs.", "Try again in a minute.")
		}
		clientID = app
		p.Facts["entra.app_id"], p.Facts[FactEntraClientID] = id, app
		p.Exists = append(p.Exists, "The registration “"+r.Get("app", "displayName")+"” exists, client ID "+app+".")
		have := r.Strings("app", "web.redirectUris")
		fine = r.Get("app", "signInAudience") == "AzureADMyOrg" && contains(have, uris[0]) && contains(have, uris[1])
		for _, u := range have {
			if !contains(uris, u) {
				if plainText(u) != "" {
					return Proposal{}, refuse("The registration has a redirect URI that I cannot send back unchanged.", "Remove it in the portal, then try again: "+entraApp(c, app, "Authentication"))
				}
				uris = append(uris, u)
				p.Exists = append(p.Exists, "It has a further redirect URI, which stays: "+u+".")
			}
		}
	}
	for _, it := range r.List("namesakes", "value") {
		if it.Get("displayName") == connectorName(c) && it.Get("appId") != clientID {
			p.Exists = append(p.Exists, "Another registration has the same name, client ID "+it.Get("appId")+". I leave it alone.")
		}
	}
	if !fine {
		write := upsert("app", "/applications(uniqueName="+odata(unique)+")", body{
			"displayName": connectorName(c), "signInAudience": "AzureADMyOrg", "web": body{"redirectUris": uris},
		}, "Makes the registration, or brings it up to date: single tenant, both redirect URLs")
		write.Makes = &bot.Made{Kind: "application", ID: unique, Name: connectorName(c)}
		ids := lagging(graphGet("ids", appByName(unique, "id,appId"), "Reads its IDs"))
		ids.Save = map[string]string{"entra.app_id": "id", FactEntraClientID: "appId"}
		p.Calls = append(p.Calls, write, ids)
	}
	return p.withPrincipal(r, clientID, connectorName(c), "entra.sp_id"), nil
}

func verifyRegistration(c Context) []bot.Call {
	calls := readRegistration(c)
	for i := range calls {
		calls[i].Lag = i == 0 && !byHand(c, StepEntraApp)
	}
	if id := c.Fact(FactEntraClientID); id != "" {
		calls = append(calls, lagging(graphGet("principal", "/servicePrincipals(appId="+odata(id)+")?$select=id,appId", "Reads the service principal back")))
	}
	return calls
}

func proveRegistration(c Context, r Reading) Finding {
	var app Item
	switch {
	case r.OK("app"):
		app = Item{r["app"].Answer.Body}
	case !r.Missing("app"):
		return Finding{Problem: trouble(r.Failed("app"), "")}
	default:
		same := all(r.List("namesakes", "value"), map[string]string{"displayName": connectorName(c)})
		if len(same) == 0 {
			return Finding{Problem: absent("There is no registration called “"+connectorName(c)+"”.", "Give it exactly this name, or let me make it with [Try again].")}
		}
		if len(same) > 1 {
			return Finding{Problem: refuse(count(len(same), "registration has", "registrations have")+" this name, and I cannot tell which one is meant.", "Rename or delete the others, then check again.")}
		}
		app = same[0]
	}
	clientID := app.Get("appId")
	where := entraApp(c, clientID, "Authentication")
	if a := app.Get("signInAudience"); a != "AzureADMyOrg" {
		return Finding{Problem: refuse("The registration accepts accounts of other organisations ("+a+").", "Set it to this organizational directory only: "+where)}
	}
	have := app.Strings("web.redirectUris")
	for _, u := range redirects(c.Run.Instance) {
		if !contains(have, u) {
			return Finding{Problem: absent("The redirect URI "+u+" is missing under platform Web.", "Add it, then check again: "+where)}
		}
	}
	sp := r.Get("principal", "id")
	if it, ok := first(r.List("principals", "value"), map[string]string{"appId": clientID}); ok {
		sp = it.Get("id")
	}
	if sp == "" || (r.OK("principal") && !strings.EqualFold(r.Get("principal", "appId"), clientID)) {
		return Finding{Problem: absent("The registration has no service principal that I can find.", "Try again: I make it. Without it no token is issued.")}
	}
	f := Finding{
		Proof: []string{"single tenant", count(len(have), "redirect URI", "redirect URIs") + ", both spellings among them", "service principal present"},
		Facts: map[string]string{"entra.app_id": app.Get("id"), FactEntraClientID: clientID, "entra.sp_id": sp},
	}
	if app.Get("uniqueName") != UniqueConnector(c.Run.Instance) {
		f.Objects = append(f.Objects, bot.Object{Key: bot.ObjectKey(bot.Graph, "application", clientID), System: bot.Graph, Kind: "application",
			ID: clientID, Name: app.Get("displayName"), Link: entraApp(c, clientID, "Overview")})
	}
	return f
}
