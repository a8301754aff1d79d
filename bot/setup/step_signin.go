package setup

import (
	"fmt"
	"strings"

	"keyturn/bot"
)

// signInEntra reads Keyturn's own sign-in registration back.
func signInEntra() Spec {
	return Spec{
		ID: StepSignInEntra, Title: "Keyturn's sign-in at Entra", Role: bot.EntraAdmin, Minutes: 2,
		When: func(c Context) bool {
			return c.Tenant.SignIn.EntraClientID != "" && c.Tenant.Mode(bot.Graph) != bot.NoCalls
		},
		Only:    "where the configuration names the registration and its mode is not none",
		What:    "Reads Keyturn's own sign-in registration: single tenant, its redirect, its key, its permissions.",
		Trap:    "It was made by hand when Keyturn was installed. A client secret on it would be a second key that nobody watches.",
		Undo:    "Only reads.",
		IfWaits: "Approvals run as the approver, so no step of the Entra team can begin.",
		API: &API{Auto: true, Verify: func(c Context) []bot.Call {
			id := c.Tenant.SignIn.EntraClientID
			return []bot.Call{
				graphGet("app", appByClient(id, "id,appId,displayName,signInAudience,web,requiredResourceAccess,passwordCredentials,keyCredentials"), "Reads the sign-in registration"),
				graphGet("federated", "/applications(appId="+odata(id)+")/federatedIdentityCredentials", "Reads whether it signs in by federation"),
			}
		}, Prove: proveSignInEntra},
	}
}

func proveSignInEntra(c Context, r Reading) Finding {
	want := c.Tenant.SignIn
	fix := "An Entra admin can correct it: " + entraApp(c, want.EntraClientID, "Overview") + " (`keyturn manifest entra` prints how it should be)."
	if r.Missing("app") {
		return Finding{Problem: refuse("The tenant has no registration with Keyturn's client ID "+want.EntraClientID+".",
			"Compare the client ID and the tenant in the configuration with the portal, or make the registration: `keyturn manifest entra` prints it.")}
	}
	if f := r.Failed("app"); f != nil {
		return Finding{Problem: trouble(f, "")}
	}
	var proof, wrong []string
	if a := r.Get("app", "signInAudience"); a == "AzureADMyOrg" {
		proof = append(proof, "single tenant")
	} else {
		wrong = append(wrong, "it accepts accounts of other organisations ("+a+"), expected AzureADMyOrg")
	}
	if want.EntraRedirect != "" {
		if contains(r.Strings("app", "web.redirectUris"), want.EntraRedirect) {
			proof = append(proof, "redirect "+want.EntraRedirect)
		} else {
			wrong = append(wrong, "the redirect URI "+want.EntraRedirect+" is missing under platform Web")
		}
	}
	granted := requested(r.List("app", "requiredResourceAccess"), "Scope")
	var names, missing []string
	for _, p := range SignInPermissions() {
		switch {
		case granted[p.ID]:
			names = append(names, p.Name)
		case !p.Optional:
			missing = append(missing, p.Name)
		}
	}
	if len(missing) > 0 {
		wrong = append(wrong, "it does not list the delegated permission "+strings.Join(missing, ", "))
	} else {
		proof = append(proof, "delegated permissions listed: "+strings.Join(names, ", "))
	}
	keys, secrets := len(r.List("app", "keyCredentials")), len(r.List("app", "passwordCredentials"))
	federated := len(r.List("federated", "value"))
	switch {
	case secrets > 0:
		wrong = append(wrong, fmt.Sprintf("it has %s; if a secret is your choice, skip this check with that as the reason", count(secrets, "client secret", "client secrets")))
	case keys > 0:
		proof = append(proof, count(keys, "public key", "public keys")+" and no client secret")
	case federated > 0:
		proof = append(proof, count(federated, "federated credential", "federated credentials")+" and no client secret")
	default:
		wrong = append(wrong, "it has neither a key nor a federated credential")
	}
	if len(wrong) > 0 {
		return Finding{Problem: refuse("Keyturn's sign-in registration is not as it should be: "+strings.Join(wrong, "; ")+".", fix)}
	}
	return Finding{Proof: proof}
}

// requested lists the Microsoft Graph permissions of a type that a
// registration asks for.
func requested(access []Item, kind string) map[string]bool {
	out := map[string]bool{}
	for _, a := range access {
		if a.Get("resourceAppId") != graphAppID {
			continue
		}
		for _, p := range a.List("resourceAccess") {
			if p.Get("type") == kind {
				out[p.Get("id")] = true
			}
		}
	}
	return out
}

// signInServiceNow reads Keyturn's sign-in client on the instance back.
func signInServiceNow() Spec {
	return Spec{
		ID: StepSignInServiceNow, Title: "Keyturn's sign-in at ServiceNow", Role: bot.ServiceNowAdmin, Minutes: 2,
		When: func(c Context) bool {
			return c.WithServiceNow() && c.Tenant.SignIn.ServiceNowClientID != "" && c.Tenant.Mode(bot.ServiceNow) != bot.NoCalls
		},
		Only:    "with a ServiceNow instance, where the configuration names the client and its mode is not none",
		What:    "Reads Keyturn's own sign-in client in Application Registry.",
		Trap:    "The account that signs in needs oauth_admin to see the entry. Without it the entry looks as if it were not there.",
		Undo:    "Only reads.",
		IfWaits: "Approvals run as the approver, so no step of the ServiceNow team can begin.",
		API: &API{Auto: true, Verify: func(c Context) []bot.Call {
			return []bot.Call{rows("client", "oauth_entity", "client_id="+c.Tenant.SignIn.ServiceNowClientID, "sys_id,name,client_id,type,active,default_grant_type", "Reads the sign-in client")}
		}, Prove: func(c Context, r Reading) Finding {
			id := c.Tenant.SignIn.ServiceNowClientID
			if f := r.Failed("client"); f != nil && !r.Missing("client") {
				return Finding{Problem: trouble(f, "Sign in with an account that holds oauth_admin.")}
			}
			it, ok := first(r.List("client", "result"), map[string]string{"client_id": id})
			switch {
			case !ok:
				return Finding{Problem: refuse("Application Registry on "+c.Run.Instance+" shows no entry with Keyturn's client ID "+id+".",
					"Sign in with an account that holds oauth_admin, or make the entry: System OAuth > Application Registry > New > Create an OAuth API endpoint for external clients.")}
			case it.Get("type") != "client":
				return Finding{Problem: refuse("The entry "+it.Get("name")+" has the type "+it.Get("type")+", not client.",
					"Make an entry of the kind “OAuth API endpoint for external clients” and put its client ID into the configuration.")}
			case it.Get("active") != "true":
				return Finding{Problem: refuse("The entry "+it.Get("name")+" is not active.", "Tick Active: "+record(c, "oauth_entity", it.Get("sys_id")))}
			}
			return Finding{Proof: []string{"entry “" + it.Get("name") + "”, type client, active"}}
		}},
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
