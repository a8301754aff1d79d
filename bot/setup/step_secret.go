package setup

import (
	"time"

	"keyturn/bot"
)

const (
	entraSecret    = "entra.secret"
	entraSecretKey = "entra.secret.key_id"
)

// clientSecret is the secret with which ServiceNow signs in.
func clientSecret() Spec {
	return Spec{
		ID: StepEntraSecret, Title: "Client secret for ServiceNow", Role: bot.EntraAdmin, Minutes: 2, NoSkip: true, FourEyes: true,
		Accepts: appAdmins,
		What:    "Asks the tenant's policy first, makes one client secret and proves it with a token. It goes to ServiceNow without being shown.",
		Trap:    "Entra shows a secret's value once. Nobody has to copy it: it is sealed here and written to ServiceNow by the next step. It never goes to the Microsoft 365 admin.",
		Undo:    "Undo removes the secret; tokens issued before live on for about an hour.",
		IfWaits: "The ServiceNow team cannot make the OAuth provider.",
		// Where ServiceNow is not called, a secret that was sealed here could go
		// nowhere: another would be typed there, that nobody watches.
		Hand: func(c Context) bool {
			return c.Tenant.Mode(bot.ServiceNow) == bot.NoCalls && c.Tenant.Mode(bot.Graph) != bot.NoCalls
		},
		API: &API{Read: readSecret, Plan: planSecret, Verify: verifySecret, Prove: proveSecret, Unaided: unaidedSecret,
			Back: func(c Context) []bot.Call {
				if !isGUID(c.Fact(entraSecretKey)) || !isGUID(c.Fact(FactEntraClientID)) {
					return nil
				}
				return []bot.Call{removeSecret(c, "undo-secret", c.Fact(entraSecretKey), "Removes the client secret")}
			}},
		Guided: &Guided{
			Link: func(c Context) (string, string) {
				return "Certificates & secrets", entraApp(c, c.Fact(FactEntraClientID), "Credentials")
			},
			Do: always(
				"Let Keyturn make the secret if you can: then nobody ever sees its value.",
				"By hand: Client secrets > New client secret, with the description below.",
				"Keep the page open: you type the value into ServiceNow's form yourself, together with the ServiceNow admin.",
				"Then choose the check.",
			),
			Copy:  func(c Context) []bot.Copy { return []bot.Copy{{Label: "Description", Value: SecretName(c.Run.ID)}} },
			Leave: "Do NOT paste the value into a chat, a form of mine or a mail.",
		},
	}
}

func readSecret(c Context) []bot.Call {
	id := c.Fact(FactEntraClientID)
	return []bot.Call{
		graphGet("policy", "/policies/defaultAppManagementPolicy", "Asks whether the tenant allows client secrets"),
		graphGet("assigned", "/applications(appId="+odata(id)+")/appManagementPolicies", "Asks whether this registration has a policy of its own"),
		graphGet("app", appByClient(id, "id,appId,createdDateTime,passwordCredentials"), "Reads which secrets exist"),
	}
}

func planSecret(c Context, r Reading) (Proposal, *Problem) {
	if !isGUID(c.Fact(FactEntraClientID)) {
		return Proposal{}, refuse("The client ID of the registration is not known.", "Finish the step before, then try again.")
	}
	if f := r.Failed("app"); f != nil {
		return Proposal{}, trouble(f, "")
	}
	created, _ := time.Parse(time.RFC3339, r.Get("app", "createdDateTime"))
	rule := readSecretRule(r, created)
	var p Proposal
	name := SecretName(c.Run.ID)
	var lost []string
	others := 0
	for _, s := range r.List("app", "passwordCredentials") {
		switch {
		case s.Get("displayName") != name:
			others++
		case s.Get("keyId") == c.Fact(entraSecretKey) && c.Has(entraSecret):
			p.Exists = append(p.Exists, "The secret of this run exists, until "+day(s.Get("endDateTime"))+".")
			return p, nil
		case isGUID(s.Get("keyId")):
			lost = append(lost, s.Get("keyId"))
		}
	}
	if rule.forbidden {
		return Proposal{}, &Problem{Kind: bot.KindPolicy,
			Says: "Your tenant does not allow client secrets: " + rule.policy + " forbids adding them. The app on ServiceNow needs one.",
			Fix:  "An Entra admin can assign an app management policy to this one registration as an exemption, then [Try again]."}
	}
	end := secretEnd(c, rule)
	switch {
	case rule.unread != "":
		p.Exists = append(p.Exists, "I could not read the tenant's policy for secrets ("+rule.unread+"). If it forbids them, Entra says so when the call is made.")
	case rule.longest > 0:
		p.Exists = append(p.Exists, "A secret may live "+days(rule.longest)+" here: "+rule.policy+" says so.")
	default:
		p.Exists = append(p.Exists, "The tenant's policy allows client secrets.")
	}
	if others > 0 {
		p.Exists = append(p.Exists, count(others, "other secret exists and stays", "other secrets exist and stay")+".")
	}
	for i, id := range lost {
		call := removeSecret(c, "lost-"+string(rune('a'+min(i, 25))), id, "Removes a secret of this run whose value nobody has")
		p.Calls = append(p.Calls, call)
	}
	return p.with(addSecret(c, name, end)), nil
}

func (p Proposal) with(calls ...bot.Call) Proposal {
	p.Calls = append(p.Calls, calls...)
	return p
}

func addSecret(c Context, name string, end time.Time) bot.Call {
	app := "/applications(appId=" + odata(c.Fact(FactEntraClientID)) + ")"
	call := lagging(graphWrite("secret", "POST", app+"/addPassword", body{"passwordCredential": body{
		"displayName": name, "endDateTime": end.Format(time.RFC3339),
	}}, "Makes a client secret that expires on "+end.Format("2 Jan 2006")))
	call.Save = map[string]string{entraSecretKey: "keyId", FactEntraSecretEnd: "endDateTime"}
	call.Seal = map[string]string{entraSecret: "secretText"}
	drop := fineGone(graphWrite("drop", "POST", app+"/removePassword", body{"keyId": "{found}"}, "Removes the half-made secret, whose value is lost"))
	call.Look = &bot.Look{Path: app + "?$select=id,passwordCredentials", List: "passwordCredentials", Match: map[string]string{"displayName": name}, Key: "keyId", Remove: &drop}
	call.Makes = &bot.Made{Kind: "secret", ID: "{" + entraSecretKey + "}", Name: name, Expires: "{" + FactEntraSecretEnd + "}", Link: entraApp(c, c.Fact(FactEntraClientID), "Credentials")}
	return call
}

func removeSecret(c Context, id, keyID, what string) bot.Call {
	call := fineGone(graphWrite(id, "POST", "/applications(appId="+odata(c.Fact(FactEntraClientID))+")/removePassword", body{"keyId": keyID}, what))
	call.Unmakes = bot.ObjectKey(bot.Graph, "secret", keyID)
	return call
}

func verifySecret(c Context) []bot.Call {
	calls := []bot.Call{lagging(readSecret(c)[2])}
	if c.Has(entraSecret) {
		calls = append(calls, mint(c, "token", "", c.Fact(FactEntraClientID), map[string]string{"client_secret": "{{" + entraSecret + "}}"}, "Asks for a token with the new secret"))
	}
	return calls
}

// unaidedSecret records a secret that a person made, so that its end is watched.
func unaidedSecret(c Context, _ Reading) Finding {
	if id, end := c.Fact(entraSecretKey), instant(c.Fact(FactEntraSecretEnd)); isGUID(id) && !end.IsZero() {
		return Finding{Objects: []bot.Object{secretObject(c, id, end)}}
	}
	return Finding{}
}

func secretObject(c Context, id string, end time.Time) bot.Object {
	return bot.Object{Key: bot.ObjectKey(bot.Graph, "secret", id), System: bot.Graph, Kind: "secret", ID: id,
		Name: SecretName(c.Run.ID), Link: entraApp(c, c.Fact(FactEntraClientID), "Credentials"), Expires: end}
}

func proveSecret(c Context, r Reading) Finding {
	if f := r.Failed("app"); f != nil {
		return Finding{Problem: trouble(f, "")}
	}
	match := map[string]string{"displayName": SecretName(c.Run.ID)}
	if c.Has(entraSecret) {
		match["keyId"] = c.Fact(entraSecretKey)
	}
	s, ok := first(r.List("app", "passwordCredentials"), match)
	if !ok {
		fix := "Try again: I make one."
		if c.Tenant.Mode(bot.ServiceNow) == bot.NoCalls {
			fix = "Make one with exactly this description, then check again. A description cannot be changed afterwards: delete the one that has another."
		}
		return Finding{Problem: absent("The registration has no secret called "+SecretName(c.Run.ID)+".", fix)}
	}
	proof := []string{"secret " + SecretName(c.Run.ID) + " present, until " + day(s.Get("endDateTime"))}
	facts := map[string]string{entraSecretKey: s.Get("keyId"), FactEntraSecretEnd: s.Get("endDateTime")}
	if !c.Has(entraSecret) {
		return Finding{Facts: facts, Proof: append(proof, "made by hand: its value is not with me, so no token was asked for"),
			Objects: []bot.Object{secretObject(c, s.Get("keyId"), instant(s.Get("endDateTime")))}}
	}
	if f := r.Failed("token"); f != nil {
		return Finding{Problem: trouble(f, "The secret is there, but no token was issued for it.")}
	}
	return Finding{Facts: facts, Proof: append(proof, "a token was issued for client ID "+c.Fact(FactEntraClientID))}
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func day(s string) string {
	if t := instant(s); !t.IsZero() {
		return t.UTC().Format("2 Jan 2006")
	}
	return s
}
