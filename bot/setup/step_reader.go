package setup

import (
	"crypto/sha1" //nolint:gosec // Entra names certificates by their SHA-1 thumbprint
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"keyturn/bot"
)

const readerKey = "reader.key"

func needsReader(c Context) bool {
	return !c.Tenant.Reader.Configured() || c.Option(OptionReader) == "new"
}

func wantsMessages(c Context) bool { return c.Option(OptionMessages) != "no" }

// readerApp is the registration with which Keyturn reads service health.
func readerApp() Spec {
	return Spec{
		ID: StepReaderApp, Title: "Registration for reading service health", Role: bot.EntraAdmin, Minutes: 3, NoSkip: true, FourEyes: true,
		Accepts: appAdmins,
		When:    needsReader,
		Only:    "where the configuration has no reader",
		What:    "Makes a single-tenant registration that asks for ServiceHealth.Read.All, and for ServiceMessage.Read.All where message center posts are wanted, with the public half of a key made here.",
		Trap:    "This is Keyturn's own registration, not the one for ServiceNow. It can read service health once a Privileged Role Administrator has consented, and nothing before.",
		Undo:    "Undo deletes the registration; Entra keeps it restorable for 30 days.",
		IfWaits: "No incident reaches a channel, and the consent cannot be asked for.",
		API: &API{
			Keys: []string{readerKey},
			Read: func(c Context) []bot.Call {
				return []bot.Call{readReaderApp(), principals("principals", nameReader)}
			},
			Plan: planReader, Verify: verifyReader, Prove: proveReader, Unaided: unaidedReader,
			Back: func(c Context) []bot.Call { return deleteApp(c.Fact("reader.app_id"), UniqueReader) },
		},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "App registrations", entraApps(c) },
			Do: always(
				"[Give me the script] has the same calls, to run with your own account. The key is made here, and only its public half is in them.",
				"When it is done, choose the check.",
			),
		},
	}
}

func readReaderApp() bot.Call {
	return graphGet("app", appByName(UniqueReader, "id,appId,displayName,signInAudience,requiredResourceAccess,keyCredentials"), "Looks for the reader registration")
}

// principals looks for the service principal of a registration by its name,
// since it cannot be addressed before the client ID is known.
func principals(id, name string) bot.Call {
	return graphGet(id, "/servicePrincipals?$filter="+esc("displayName eq "+odata(name))+"&$select=id,appId,displayName", "Looks for its service principal")
}

func readerPermissions(c Context) []string {
	if wantsMessages(c) {
		return []string{roleServiceHealth, roleServiceMessage}
	}
	return []string{roleServiceHealth}
}

func permissionName(id string) string {
	switch id {
	case roleServiceHealth:
		return "ServiceHealth.Read.All"
	case roleServiceMessage:
		return "ServiceMessage.Read.All"
	}
	return id
}

func permissionNames(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = permissionName(id)
	}
	return strings.Join(names, ", ")
}

// thumbprint is how Entra identifies an uploaded certificate.
func thumbprint(der string) string {
	raw, err := base64.StdEncoding.DecodeString(der)
	if err != nil || len(raw) == 0 {
		return ""
	}
	sum := sha1.Sum(raw) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}

// sameThumbprint compares with what Entra says, which is base64 or hex
// depending on who uploaded the key.
func sameThumbprint(said, der string) bool {
	ours := thumbprint(der)
	if ours == "" || said == "" {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(ours)
	return said == ours || err == nil && strings.EqualFold(said, hex.EncodeToString(raw))
}

// holdsKey reports whether one of the keys is the certificate.
func holdsKey(keys []Item, der string) bool {
	for _, k := range keys {
		if der != "" && (k.Get("key") == der || sameThumbprint(k.Get("customKeyIdentifier"), der)) {
			return true
		}
	}
	return false
}

func planReader(c Context, r Reading) (Proposal, *Problem) {
	der := c.Fact(readerKey + ".der")
	if der == "" {
		return Proposal{}, refuse("The key for the reader has not been made.", "Try again; if it stays so, Keyturn cannot write its store.")
	}
	if f := r.Failed("app"); f != nil && !r.Missing("app") {
		return Proposal{}, trouble(f, "")
	}
	if r.ByHand() && c.Option(OptionRotate) != "" {
		return Proposal{}, nil // the list of keys is not known, and is sent as a whole
	}
	var p Proposal
	clientID := "{reader.client_id}"
	b := body{
		"displayName":            nameReader,
		"signInAudience":         "AzureADMyOrg",
		"requiredResourceAccess": requiredAccess(readerPermissions(c)),
	}
	fine := false
	if r.OK("app") {
		id, app := r.Get("app", "id"), r.Get("app", "appId")
		if !isGUID(app) || !isGUID(id) {
			return Proposal{}, refuse("Entra answered without the registration's IDs.", "Try again in a minute.")
		}
		clientID = app
		p.Facts = map[string]string{"reader.app_id": id, FactReaderClientID: app}
		p.Exists = append(p.Exists, "The registration "+nameReader+" exists, client ID "+app+".")
		keys := r.List("app", "keyCredentials")
		for _, k := range keys {
			if placeholder.Match(k.raw) {
				return Proposal{}, refuse("A key on the registration has a name that I cannot send back unchanged.", "Remove it in the portal, then try again: "+entraApp(c, app, "Credentials"))
			}
		}
		hasKey := holdsKey(keys, der)
		if n := len(keys); !hasKey && n > 0 {
			p.Exists = append(p.Exists, "It has "+count(n, "key", "keys")+" of earlier runs, which stay.")
		}
		asks := requested(r.List("app", "requiredResourceAccess"), "Role")
		same := len(asks) == len(readerPermissions(c))
		for _, id := range readerPermissions(c) {
			same = same && asks[id]
		}
		fine = hasKey && same && r.Get("app", "signInAudience") == "AzureADMyOrg"
		if !hasKey {
			b["keyCredentials"] = withKey(c, keys, der)
		}
	} else {
		b["keyCredentials"] = withKey(c, nil, der)
	}
	if !fine {
		write := upsert("app", "/applications(uniqueName="+odata(UniqueReader)+")", b, "Makes the registration, or brings it up to date: single tenant, "+permissionNames(readerPermissions(c))+", the public key")
		write.Makes = &bot.Made{Kind: "application", ID: UniqueReader, Name: nameReader, Expires: "{" + readerKey + ".until}"}
		ids := lagging(graphGet("ids", appByName(UniqueReader, "id,appId"), "Reads its IDs"))
		ids.Save = map[string]string{"reader.app_id": "id", FactReaderClientID: "appId"}
		p.Calls = append(p.Calls, write, ids)
	}
	return p.withPrincipal(r, clientID, nameReader, "reader.sp_id"), nil
}

// requiredAccess lists Microsoft Graph application permissions on a
// registration, so that the consent page shows them.
func requiredAccess(ids []string) []body {
	var access []body
	for _, id := range ids {
		access = append(access, body{"id": id, "type": "Role"})
	}
	return []body{{"resourceAppId": graphAppID, "resourceAccess": access}}
}

// withKey is the registration's keys with ours: the list is replaced as a
// whole, so the others are sent back as they were read, except a key of this
// run that nobody holds any more.
func withKey(c Context, keys []Item, der string) []any {
	var out []any
	for _, k := range keys {
		if k.Get("displayName") != SecretName(c.Run.ID) {
			out = append(out, json.RawMessage(k.raw))
		}
	}
	return append(out, body{
		"type": "AsymmetricX509Cert", "usage": "Verify", "key": der,
		"displayName": SecretName(c.Run.ID), "customKeyIdentifier": thumbprint(der),
	})
}

// withPrincipal adds the service principal to a proposal, unless it was found.
func (p Proposal) withPrincipal(r Reading, clientID, name, fact string) Proposal {
	if it, ok := first(r.List("principals", "value"), map[string]string{"appId": clientID}); ok {
		p.Facts[fact] = it.Get("id")
		p.Exists = append(p.Exists, "Its service principal exists.")
		return p
	}
	path := "/servicePrincipals(appId=" + odata(clientID) + ")"
	read := lagging(graphGet("principal-id", path+"?$select=id", "Reads the service principal's ID"))
	read.Save = map[string]string{fact: "id"}
	p.Calls = append(p.Calls, lagging(upsert("principal", path, body{"displayName": name}, "Makes its service principal, without which it cannot sign in")), read)
	return p
}

func deleteApp(id, key string) []bot.Call {
	if !isGUID(id) {
		return nil
	}
	c := fineGone(graphWrite("delete-app", "DELETE", "/applications/"+id, nil, "Deletes the registration with its credentials; restorable for 30 days"))
	c.Unmakes = bot.ObjectKey(bot.Graph, "application", key)
	return []bot.Call{c}
}

func verifyReader(c Context) []bot.Call {
	calls := []bot.Call{lagging(readReaderApp())}
	if id := c.Fact(FactReaderClientID); id != "" {
		calls = append(calls,
			lagging(graphGet("principal", "/servicePrincipals(appId="+odata(id)+")?$select=id,appId", "Reads the service principal back")),
			mint(c, "token", "reader", id, map[string]string{
				"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
				"client_assertion":      "{{assertion}}",
			}, "Asks for a token with the new key"))
	} else {
		calls = append(calls, principals("principals", nameReader))
	}
	return calls
}

// unaidedReader tries the key that was made here on the registration that a
// person made or gave it to.
func unaidedReader(c Context, r Reading) Finding {
	if _, asked := r["token"]; !asked {
		return Finding{}
	}
	if f := r.Failed("token"); f != nil {
		return Finding{Problem: trouble(f, "No token was issued for the key that was made here. Compare the client ID, and whether the registration has the key; a new one can take a minute to be known.")}
	}
	return Finding{Proof: []string{"a token was issued for the key"}, Objects: []bot.Object{{System: bot.Graph, Kind: "application", ID: UniqueReader, Name: nameReader,
		Link: entraApp(c, c.Fact(FactReaderClientID), "Overview"), Expires: instant(c.Fact(readerKey + ".until"))}}}
}

func proveReader(c Context, r Reading) Finding {
	if r.Missing("app") {
		return Finding{Problem: absent("There is no registration "+nameReader+" yet.", "Approve the calls, or run the script, then check again.")}
	}
	if f := r.Failed("app"); f != nil {
		return Finding{Problem: trouble(f, "")}
	}
	if a := r.Get("app", "signInAudience"); a != "AzureADMyOrg" {
		return Finding{Problem: refuse("The registration accepts accounts of other organisations ("+a+").", "Try again: the calls set it to this tenant only.")}
	}
	if !holdsKey(r.List("app", "keyCredentials"), c.Fact(readerKey+".der")) {
		return Finding{Problem: absent("The registration does not have the key that was made here.", "Try again: the calls upload its public half.")}
	}
	asks := requested(r.List("app", "requiredResourceAccess"), "Role")
	for _, id := range readerPermissions(c) {
		if !asks[id] {
			return Finding{Problem: absent("The registration does not ask for "+permissionName(id)+".", "Try again: the calls add it.")}
		}
	}
	facts := map[string]string{"reader.app_id": r.Get("app", "id"), FactReaderClientID: r.Get("app", "appId")}
	proof := []string{"single tenant", "asks for " + permissionNames(readerPermissions(c)), "the public key made here is on it"}
	principal := r.Get("principal", "id")
	if _, asked := r["token"]; !asked {
		it, _ := first(r.List("principals", "value"), map[string]string{"appId": r.Get("app", "appId")})
		if it.Get("id") == "" {
			return Finding{Problem: absent("The registration has no service principal.", "Try again: the calls make it.")}
		}
		return Finding{Facts: facts, More: true, Problem: refuse("The registration is there, but its key has not been tried yet.", "Try again: I read it and ask for a token.")}
	}
	if f := r.Failed("principal"); f != nil {
		return Finding{Problem: trouble(f, "The service principal is missing or not replicated yet.")}
	}
	if f := r.Failed("token"); f != nil {
		return Finding{Problem: trouble(f, "The registration is there, but no token was issued for its key.")}
	}
	facts["reader.sp_id"] = principal
	return Finding{Proof: append(proof, "service principal present", "a token was issued for the key"), Facts: facts}
}

// readerConsent is the consent to the reader's permissions, on Microsoft's
// own page. Keyturn never asks for the right to consent by itself.
func readerConsent() Spec {
	return Spec{
		ID: StepReaderConsent, Title: "Consent to reading service health", Role: bot.PrivilegedRoleAdmin, Minutes: 3, NoSkip: true,
		Accepts: []string{"Privileged Role Administrator", "Global Administrator"},
		When:    needsReader,
		Only:    "where the configuration has no reader",
		What:    "A Privileged Role Administrator consents on Microsoft's own page; I notice by reading service health.",
		Trap:    "Application Administrator is not enough: Microsoft lets only a Privileged Role Administrator or Global Administrator consent to Microsoft Graph application permissions. If you hold the role in PIM, activate it first.",
		Undo:    "Delete the enterprise application's permission in Entra, or the registration.",
		IfWaits: "Nothing can be read, so no incident is posted. I keep looking.",
		API: &API{Poll: true, Verify: func(c Context) []bot.Call {
			calls := []bot.Call{asReader(graphGet("health", "/admin/serviceAnnouncement/healthOverviews?$top=1", "Reads service health with the reader"))}
			if wantsMessages(c) {
				calls = append(calls, asReader(graphGet("messages", "/admin/serviceAnnouncement/messages?$top=1", "Reads one message center post with the reader")))
			}
			if sp := c.Fact("reader.sp_id"); isGUID(sp) {
				calls = append(calls, graphGet("grants", "/servicePrincipals/"+sp+"/appRoleAssignments", "Reads what was consented to"))
			}
			return calls
		}, Prove: proveConsent},
		Guided: &Guided{
			Link: func(c Context) (string, string) {
				return "Microsoft's consent page", portal(c, "login") + "/" + directory(c) + "/adminconsent?client_id=" + c.Fact(FactReaderClientID)
			},
			Do: func(c Context) []bot.Text {
				return do(
					"Open the link. The address begins with "+portal(c, "login")+"; sign in with the account that holds the role.",
					"The page names "+nameReader+" and asks for: "+permissionNames(readerPermissions(c))+". If it asks for anything else, do not accept, and tell the requester.",
					"Accept. The page may end on an error about a reply address: the consent counts all the same.",
					"I look every few moments and go on by myself.",
				)
			},
		},
	}
}

func asReader(c bot.Call) bot.Call {
	c.As = "reader"
	return c
}

func proveConsent(c Context, r Reading) Finding {
	if f := r.Failed("health"); f != nil {
		if f.System != bot.Login && (f.Kind == bot.KindForbidden || f.Kind == bot.KindSignIn) {
			p := absent("Consent to ServiceHealth.Read.All has not arrived yet. A fresh one can take some minutes; I keep looking.", f.Fix)
			p.Code, p.Request = f.Code, f.RequestID
			return Finding{Problem: p}
		}
		return Finding{Problem: trouble(f, "")}
	}
	proof := []string{"service health was read with the reader"}
	facts := map[string]string{FactReaderMessages: "no"}
	if r.OK("messages") {
		facts[FactReaderMessages] = "yes"
		proof = append(proof, "a message center post could be read")
	} else if f := r.Failed("messages"); f != nil {
		proof = append(proof, "message center posts could not be read ("+shortly(f)+"); they are optional, so digests of them stay off")
	}
	if r.OK("grants") {
		var names []string
		for _, it := range r.List("grants", "value") {
			if id := it.Get("appRoleId"); id == roleServiceHealth || id == roleServiceMessage {
				names = append(names, permissionName(id))
			}
		}
		if len(names) > 0 {
			proof = append(proof, "consented: "+strings.Join(names, ", "))
		}
	}
	return Finding{Proof: proof, Facts: facts}
}

func shortly(f *bot.Failure) string {
	if f.Code != "" {
		return f.Code
	}
	return strings.TrimRight(f.Says, ".")
}
