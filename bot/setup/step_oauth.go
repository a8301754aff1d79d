package setup

import (
	"slices"
	"strings"

	"keyturn/bot"
)

// writtenKey says which of Entra's secrets the registry entry was given: the
// value cannot be read back.
const writtenKey = "sn.oauth.key_id"

// oauthProvider is the third-party OAuth provider in Application Registry.
func oauthProvider() Spec {
	return Spec{
		ID: StepOAuth, Title: "OAuth provider in Application Registry", Role: bot.ServiceNowAdmin, Minutes: 4,
		What:    "Makes the OAuth provider in the Global scope with Entra's client ID, secret and token URL, and sets its default profile to client credentials.",
		Trap:    "The entry must be in the Global scope, and new entries land in the scope that your account works in. One that landed elsewhere is deleted and made again.",
		Undo:    "Undo deletes the entry; its profile and tokens go with it.",
		IfWaits: "The wizard has no OAuth profile to choose.",
		API: &API{Read: readProvider, Plan: planProvider, Verify: readProvider, Prove: proveProvider,
			Back: func(c Context) []bot.Call {
				if id := c.Fact("sn.oauth_entity"); isID(id) {
					return []bot.Call{remove("undo-provider", "oauth_entity", id, "Deletes the OAuth provider with its profile")}
				}
				return nil
			}},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "Application Registry", recordList(c, "oauth_entity") },
			Do: always(
				"Do this together with the Entra admin, at one screen. Choose Global in the application picker (globe icon).",
				"New > Connect to a third party OAuth Provider. Enter the values below; Default Grant type: Client Credentials.",
				"The Entra admin makes a further secret in the portal and types its value into Client Secret. It is in no chat and in no form of mine.",
				"Submit, and open the entry again.",
				"OAuth Entity Profiles: the default profile has the grant type Client Credentials.",
				"Then choose the check.",
			),
			Copy: func(c Context) []bot.Copy {
				return []bot.Copy{
					{Label: "Name", Value: nameProvider}, {Label: "Client ID", Value: c.Fact(FactEntraClientID)},
					{Label: "Token URL", Value: tokenURL(c)}, {Label: "Redirect URL", Value: redirects(c.Run.Instance)[0]},
				}
			},
			Leave: "Nobody pastes the secret into a chat.",
		},
	}
}

func tokenURL(c Context) string { return portal(c, "authority") + "/" + directory(c) + "/oauth2/token" }

// tokenURLs are the spellings of the token URL that name this tenant.
func tokenURLs(c Context) []string {
	var out []string
	for _, base := range []string{portal(c, "authority"), "https://login.microsoftonline.com"} {
		for _, name := range []string{c.Tenant.Directory, c.Tenant.Domain} {
			if name != "" {
				out = append(out, base+"/"+name+"/oauth2/token")
			}
		}
	}
	return out
}

func readProvider(c Context) []bot.Call {
	return []bot.Call{
		rows("types", "sys_choice", "name=oauth_entity^element=type", "name,element,value,label", "Reads how the instance stores the type OAuth Provider"),
		rows("entry", "oauth_entity", "client_id="+c.Fact(FactEntraClientID)+"^ORname="+nameProvider,
			"sys_id,name,type,client_id,token_url,redirect_url,default_grant_type,active,sys_scope", "Looks for the entry"),
		rows("profile", "oauth_entity_profile", "oauth_entity.client_id="+c.Fact(FactEntraClientID)+"^default=true",
			"sys_id,name,oauth_entity,oauth_entity.client_id,grant_type,default", "Looks for its default profile"),
	}
}

// providerType is the stored value of the choice OAuth Provider: releases
// differ.
func providerType(r Reading) (value, note string) {
	list := all(r.List("types", "result"), map[string]string{"name": "oauth_entity", "element": "type"})
	for _, it := range list {
		if strings.EqualFold(it.Get("label"), "OAuth Provider") && plainText(it.Get("value")) == "" {
			return it.Get("value"), ""
		}
	}
	for _, known := range []string{"oauth_provider", "consumer"} {
		if _, ok := first(list, map[string]string{"value": known}); ok {
			return known, ""
		}
	}
	return "oauth_provider", "The list of types could not be read, so the type is written as oauth_provider."
}

func planProvider(c Context, r Reading) (Proposal, *Problem) {
	clientID := c.Fact(FactEntraClientID)
	if f := r.Failed("entry"); f != nil && !r.Missing("entry") {
		return Proposal{}, trouble(f, "Sign in with an account that holds oauth_admin.")
	}
	if !c.Has(entraSecret) {
		return Proposal{}, refuse("The secret was made by hand, so I do not have it and cannot write it.", "Make the entry by hand, together with the Entra admin, then choose the check.")
	}
	p := Proposal{Facts: map[string]string{}}
	mine := all(r.List("entry", "result"), map[string]string{"client_id": clientID})
	if len(mine) > 1 {
		return Proposal{}, refuse("Application Registry has "+count(len(mine), "entry", "entries")+" with this client ID.", "Delete all but one: the wizard offers every profile, and the wrong one is easily chosen.")
	}
	for _, it := range r.List("entry", "result") {
		if it.Get("name") == nameProvider && it.Get("client_id") != clientID {
			return Proposal{}, refuse("An entry called “"+nameProvider+"” belongs to another client ID, "+it.Get("client_id")+". Names are unique.",
				"Rename or delete it if it is a leftover, then try again: "+record(c, "oauth_entity", it.Get("sys_id")))
		}
	}
	kind, note := providerType(r)
	if note != "" {
		p.Exists = append(p.Exists, note)
	}
	want := map[string]string{"type": kind, "default_grant_type": "client_credentials", "active": "true"}
	if len(mine) == 1 && mine[0].ID() != "" {
		it := mine[0]
		p.Exists = append(p.Exists, "The entry “"+it.Get("name")+"” exists.")
		if scope := it.Get("sys_scope"); scope != "global" {
			p.Exists = append(p.Exists, "It is in the scope "+scope+", not in Global: it is deleted and made again.")
			return p.with(remove("wrong-scope", "oauth_entity", it.ID(), "Deletes the entry that landed in the scope "+scope)).newProvider(c, kind), nil
		}
		return p.sameProvider(c, r, it, want), nil
	}
	return p.newProvider(c, kind), nil
}

func (p Proposal) newProvider(c Context, kind string) Proposal {
	clientID := c.Fact(FactEntraClientID)
	create := typed(insert("entry", "oauth_entity", body{
		"name": nameProvider, "type": kind, "client_id": clientID, "client_secret": "{{" + entraSecret + "}}",
		"default_grant_type": "client_credentials", "token_url": tokenURL(c), "redirect_url": redirects(c.Run.Instance)[0],
		"send_client_credentials_as": "request_body_parameter", "active": "true", "sys_scope": "global",
	}, "Makes the OAuth provider with Entra's client ID and secret"))
	create.Save = map[string]string{"sn.oauth_entity": "result.sys_id"}
	// In whichever scope it landed: the read back says where it has to be.
	create.Look = lookRow("oauth_entity", "client_id="+clientID, "sys_id,client_id", map[string]string{"client_id": clientID}, map[string]string{"sn.oauth_entity": "sys_id"})
	create.Makes = &bot.Made{Kind: "oauth_entity", ID: "{sn.oauth_entity}", Name: nameProvider}
	find := lagging(rows("profile", "oauth_entity_profile", "oauth_entity={sn.oauth_entity}^default=true", "sys_id,name", "Finds the default profile that ServiceNow makes by itself"))
	find.Save = map[string]string{"sn.oauth_profile": "result.0.sys_id"}
	return p.with(create, find, setGrant("{sn.oauth_profile}"))
}

func setGrant(profile string) bot.Call {
	return update("grant", "oauth_entity_profile", profile, body{"grant_type": "client_credentials"}, "Sets the default profile to client credentials")
}

func (p Proposal) sameProvider(c Context, r Reading, it Item, want map[string]string) Proposal {
	p.Facts["sn.oauth_entity"] = it.ID()
	fix := body{}
	for column, value := range want {
		if it.Get(column) != value {
			fix[column] = value
		}
	}
	if !slices.Contains(tokenURLs(c), it.Get("token_url")) {
		fix["token_url"] = tokenURL(c)
	}
	if !slices.Contains(redirects(c.Run.Instance), it.Get("redirect_url")) {
		fix["redirect_url"] = redirects(c.Run.Instance)[0]
	}
	if len(fix) > 0 {
		p.Calls = append(p.Calls, update("entry", "oauth_entity", it.ID(), fix, "Corrects the entry: "+strings.Join(sorted(fix), ", ")))
	}
	if c.Fact(writtenKey) != c.Fact(entraSecretKey) {
		p.Exists = append(p.Exists, "Its secret cannot be read back, so it is written again.")
		p.Calls = append(p.Calls, typed(update("secret", "oauth_entity", it.ID(), body{"client_secret": "{{" + entraSecret + "}}"}, "Writes Entra's secret into the entry")))
	}
	profile, ok := first(r.List("profile", "result"), map[string]string{"oauth_entity": it.ID(), "default": "true"})
	switch {
	case !ok || profile.ID() == "":
		find := lagging(rows("profile", "oauth_entity_profile", "oauth_entity="+it.ID()+"^default=true", "sys_id,name", "Finds the default profile"))
		find.Save = map[string]string{"sn.oauth_profile": "result.0.sys_id"}
		p.Calls = append(p.Calls, find, setGrant("{sn.oauth_profile}"))
	case profile.Get("grant_type") != "client_credentials":
		p.Calls = append(p.Calls, setGrant(profile.ID()))
	}
	return p
}

func proveProvider(c Context, r Reading) Finding {
	if f := r.Failed("entry"); f != nil && !r.Missing("entry") {
		return Finding{Problem: trouble(f, "Sign in with an account that holds oauth_admin.")}
	}
	mine := all(r.List("entry", "result"), map[string]string{"client_id": c.Fact(FactEntraClientID)})
	if len(mine) == 0 {
		return Finding{Problem: refuse("Application Registry shows no entry with the client ID "+c.Fact(FactEntraClientID)+".", "Compare the client ID in the form, or try again and let me make the entry.")}
	}
	if len(mine) > 1 {
		return Finding{Problem: refuse("Application Registry has "+count(len(mine), "entry", "entries")+" with this client ID.", "Delete all but one, then check again.")}
	}
	it := mine[0]
	where := record(c, "oauth_entity", it.Get("sys_id"))
	switch {
	case it.Get("sys_scope") != "global":
		return Finding{Problem: refuse("The entry is in the scope "+it.Get("sys_scope")+", not in Global.", "Choose Global in the application picker, then [Try again]: I delete the entry and make it there.")}
	case !slices.Contains(tokenURLs(c), it.Get("token_url")):
		return Finding{Problem: refuse("The token URL of the entry is "+it.Get("token_url")+", expected "+tokenURL(c)+".", "Correct it: "+where)}
	case it.Get("default_grant_type") != "client_credentials":
		return Finding{Problem: refuse("The default grant type of the entry is "+it.Get("default_grant_type")+".", "Set it to Client Credentials: "+where)}
	case it.Get("active") != "true":
		return Finding{Problem: refuse("The entry is not active.", "Tick Active: "+where)}
	}
	profile, ok := first(r.List("profile", "result"), map[string]string{"oauth_entity": it.Get("sys_id"), "default": "true"})
	if !ok {
		return Finding{Problem: absent("The entry has no default profile yet.", "ServiceNow makes it within a few seconds. Check again.")}
	}
	if g := profile.Get("grant_type"); g != "client_credentials" {
		return Finding{Problem: refuse("The default profile has the grant type "+g+".", "Set it to Client Credentials, or [Try again].")}
	}
	f := Finding{
		Proof: []string{"entry in Global, active, client ID and token URL as they should be", "default profile “" + profile.Get("name") + "” with client credentials"},
		Facts: map[string]string{"sn.oauth_entity": it.Get("sys_id"), "sn.oauth_profile": profile.Get("sys_id"), "sn.oauth_profile_name": profile.Get("name")},
	}
	if byHand(c, StepOAuth) {
		if _, known := object(c, bot.ObjectKey(bot.ServiceNow, "oauth_entity", it.Get("sys_id"))); !known {
			f.Objects = append(f.Objects, bot.Object{Key: bot.ObjectKey(bot.ServiceNow, "oauth_entity", it.Get("sys_id")), System: bot.ServiceNow,
				Kind: "oauth_entity", ID: it.Get("sys_id"), Name: it.Get("name"), Link: where})
		}
	} else {
		f.Facts[writtenKey] = c.Fact(entraSecretKey)
	}
	return f
}
