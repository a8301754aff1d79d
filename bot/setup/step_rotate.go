package setup

import (
	"strings"

	"keyturn/bot"
)

// rotateOld are the key IDs at Entra that are removed in the end.
const rotateOld = "rotate.old"

// replaced is the credential that the run replaces.
func replaced(c Context) (bot.Object, bool) { return object(c, c.Option(OptionRotate)) }

// rotateLook finds the registration that the credential belongs to.
func rotateLook() Spec {
	return Spec{
		ID: StepRotateLook, Title: "What is replaced", Role: bot.EntraAdmin, Minutes: 1, NoSkip: true,
		What: "Looks for the credential on its registration, and for what depends on it.",
		When: rotatesAtEntra, Only: forEntra,
		IfWaits: "The credential ends as it would have.",
		API: &API{Auto: true, Verify: func(c Context) []bot.Call {
			if o, _ := replaced(c); o.Kind == "secret" {
				return []bot.Call{graphGet("app", appByName(UniqueConnector(c.Run.Instance), "id,appId,displayName,passwordCredentials"), "Looks for the secret on its registration")}
			}
			return []bot.Call{readReaderApp()}
		}, Prove: proveRotateLook},
	}
}

func proveRotateLook(c Context, r Reading) Finding {
	o, ok := replaced(c)
	if !ok {
		return Finding{Problem: refuse("The inventory no longer has what this run was to replace.", "Cancel the run.")}
	}
	if r.Missing("app") {
		return Finding{Problem: refuse("The registration of “"+o.Name+"” was not found under the name that Keyturn gives it.", "If it was made by hand or deleted, replace the credential by hand, and cancel this run.")}
	}
	if f := r.Failed("app"); f != nil {
		return Finding{Problem: trouble(f, "")}
	}
	client := r.Get("app", "appId")
	if !isGUID(client) || !isGUID(r.Get("app", "id")) {
		return Finding{Problem: refuse("Entra answered without the registration's IDs.", "Try again in a minute.")}
	}
	if o.Kind != "secret" {
		old := strings.Join(keyIDs(ours(c, r.List("app", "keyCredentials"))), ",")
		return Finding{Proof: []string{"registration " + r.Get("app", "displayName") + ", client ID " + client},
			Facts: map[string]string{"reader.app_id": r.Get("app", "id"), FactReaderClientID: client, rotateOld: old}}
	}
	s, ok := first(r.List("app", "passwordCredentials"), map[string]string{"keyId": o.ID})
	if !ok {
		return Finding{Problem: refuse("The registration has no secret with the ID "+o.ID+" any more, so there is nothing to replace.", "Cancel the run.")}
	}
	return Finding{Proof: []string{"secret " + secretLabel(s) + ", on the registration with client ID " + client},
		Facts: map[string]string{"entra.app_id": r.Get("app", "id"), FactEntraClientID: client, rotateOld: o.ID}}
}

// ours are the keys that runs of Keyturn made, without the one of this run: a
// key of somebody else is none of our business.
func ours(c Context, keys []Item) []Item {
	var out []Item
	for _, k := range keys {
		if name := k.Get("displayName"); strings.HasPrefix(name, SecretName("")) && name != SecretName(c.Run.ID) {
			out = append(out, k)
		}
	}
	return out
}

func keyIDs(keys []Item) []string {
	var out []string
	for _, k := range keys {
		if id := k.Get("keyId"); isGUID(id) {
			out = append(out, id)
		}
	}
	return out
}

// rotateReader puts the new key to use: service health is read with it.
func rotateReader() Spec {
	return Spec{
		ID: StepRotateReader, Title: "Service health is read with the new key", Role: bot.EntraAdmin, Minutes: 1, NoSkip: true, When: rotates("application"), Only: forReader,
		What:    "Reads service health with the new key. From then on Keyturn uses it; the consent stays as it is.",
		IfWaits: "The old key stays in use.",
		API: &API{Auto: true, Verify: func(Context) []bot.Call {
			return []bot.Call{lagging(asReader(graphGet("health", "/admin/serviceAnnouncement/healthOverviews?$top=1", "Reads service health with the new key")))}
		}, Prove: func(_ Context, r Reading) Finding {
			if f := r.Failed("health"); f != nil {
				return Finding{Problem: trouble(f, "A new key can take a minute to be known everywhere.")}
			}
			return Finding{Proof: []string{"service health was read with the new key", "the new key is in use"}}
		}},
	}
}

// rotateUse proves that ServiceNow signs in with the new secret.
func rotateUse() Spec {
	return Spec{
		ID: StepRotateUse, Title: "ServiceNow signs in with the new secret", Role: bot.ServiceNowAdmin, Minutes: 2, NoSkip: true, When: rotates("secret"), Only: forSecrets,
		What:    "Has ServiceNow ask Microsoft for a token, and looks into the instance's log of outgoing calls.",
		Trap:    "ServiceNow keeps a token for an hour: only a call after the new secret was written says anything.",
		IfWaits: "Both secrets stay valid, and the old one is not removed.",
		API: &API{Verify: func(c Context) []bot.Call {
			return []bot.Call{rows("log", "sys_outbound_http_log", "ORDERBYDESCsys_created_on",
				"sys_created_on,url,url_hostname,hostname,response_status,http_status", "Reads the log of outgoing calls")}
		}, Prove: proveRotateUse},
		Guided: &Guided{
			Link: func(c Context) (string, string) { return "OAuth provider", recordList(c, "oauth_entity") },
			Do: always(
				"Open the entry “"+nameProvider+"”.",
				"Related links > Get OAuth Token. It says that the token flow was completed.",
				"Then choose the check.",
			),
		},
	}
}

func proveRotateUse(c Context, r Reading) Finding {
	if !r.OK("log") {
		return Finding{} // the person's word stands
	}
	from := since(c, StepRotateUse).UTC().Format("2006-01-02 15:04:05")
	login := hostOf(portal(c, "authority"))
	for _, it := range r.List("log", "result") {
		if host := logHost(it); it.Get("sys_created_on") < from || (host != loginHost && host != login) {
			continue
		}
		if s := logStatus(it); s != "200" {
			return Finding{Problem: garbled(c, orNone(s), "The old secret is still valid, so nothing has stopped.")}
		}
		return Finding{Proof: []string{"token request answered 200 at " + it.Get("sys_created_on") + " UTC"}}
	}
	return Finding{}
}

// rotateRemove removes what was replaced.
func rotateRemove() Spec {
	return Spec{
		ID: StepRotateRemove, Title: "Remove the old one", Role: bot.EntraAdmin, Minutes: 1, When: rotatesAtEntra, Only: forEntra,
		What:    "Removes the old secret or key from the registration. The new one is in use and proved.",
		Trap:    "Whoever else copied the old secret stops working at once.",
		Undo:    "A removed secret cannot come back.",
		IfWaits: "The old one stays valid until it ends.",
		API: &API{Read: readRotated, Plan: planRotateRemove, Verify: readRotated, Prove: func(c Context, r Reading) Finding {
			if r.Missing("app") {
				return Finding{Proof: []string{"the registration is not there any more"}}
			}
			if f := r.Failed("app"); f != nil {
				return Finding{Problem: trouble(f, "")}
			}
			if len(oldOnes(c, r)) > 0 {
				return Finding{Problem: absent("The old one is still on the registration.", "Removing can take a minute to show. Check again, or [Try again].")}
			}
			return Finding{Proof: []string{"the old one is not on the registration any more"}}
		}},
	}
}

func readRotated(c Context) []bot.Call {
	if o, _ := replaced(c); o.Kind == "secret" {
		return []bot.Call{graphGet("app", appByClient(c.Fact(FactEntraClientID), "id,appId,passwordCredentials"), "Reads which secrets are there")}
	}
	return []bot.Call{readReaderApp()}
}

// oldOnes are the credentials to remove that are still there.
func oldOnes(c Context, r Reading) []Item {
	var out []Item
	for _, id := range strings.Split(c.Fact(rotateOld), ",") {
		for _, list := range []string{"passwordCredentials", "keyCredentials"} {
			if it, ok := first(r.List("app", list), map[string]string{"keyId": id}); ok && id != "" {
				out = append(out, it)
			}
		}
	}
	return out
}

func planRotateRemove(c Context, r Reading) (Proposal, *Problem) {
	var p Proposal
	if o, _ := replaced(c); r.ByHand() {
		if o.Kind == "secret" {
			return p.with(removeSecret(c, "remove", o.ID, "Removes the old secret “"+o.Name+"”")), nil
		}
		return p, nil // the list of keys is not known, and is sent as a whole
	}
	if r.Missing("app") {
		p.Exists = append(p.Exists, "The registration is not there any more.")
		return p, nil
	}
	if f := r.Failed("app"); f != nil {
		return Proposal{}, trouble(f, "")
	}
	old := oldOnes(c, r)
	if len(old) == 0 {
		p.Exists = append(p.Exists, "The old one is not there any more.")
		return p, nil
	}
	if o, _ := replaced(c); o.Kind == "secret" {
		return p.with(removeSecret(c, "remove", o.ID, "Removes the old secret "+secretLabel(old[0]))), nil
	}
	var keep []any
	for _, k := range r.List("app", "keyCredentials") {
		if placeholder.Match(k.raw) {
			return Proposal{}, refuse("A key on the registration has a name that I cannot send back unchanged.", "Remove the old key in the portal: "+entraApp(c, c.Fact(FactReaderClientID), "Credentials"))
		}
		if _, gone := first(old, map[string]string{"keyId": k.Get("keyId")}); !gone {
			keep = append(keep, k.raw)
		}
	}
	return p.with(graphWrite("remove", "PATCH", "/applications/"+c.Fact("reader.app_id"), body{"keyCredentials": keep}, "Removes "+count(len(old), "old key", "old keys")+", and leaves the others as they are")), nil
}

// rotatesAtEntra reports whether a run replaces a credential of a registration.
func rotatesAtEntra(c Context) bool { return rotates("secret")(c) || rotates("application")(c) }

// rotatedEntry is the sys_id of the registry entry that the run replaces, also
// after it was removed.
func rotatedEntry(c Context) string {
	id, _ := strings.CutPrefix(c.Option(OptionRotate), bot.ObjectKey(bot.ServiceNow, "oauth_entity", ""))
	return id
}

// rotateEntryRemove removes the registry entry that was in use before.
func rotateEntryRemove() Spec {
	read := func(c Context) []bot.Call {
		return []bot.Call{rows("old", "oauth_entity", "sys_id="+rotatedEntry(c), "sys_id,name,client_id", "Looks for the entry that was in use")}
	}
	return Spec{
		ID: StepRotateEntry, Title: "Remove the old registry entry", Role: bot.ServiceNowAdmin, Minutes: 1, When: rotates("oauth_entity"), Only: forEntry,
		What:    "Removes the entry in Application Registry that was in use before, with its secret. The new one is in use and proved.",
		Trap:    "Whoever else signs in with the old entry stops working at once.",
		Undo:    "A removed entry does not come back; the new one stays in use.",
		IfWaits: "The old secret stays valid: it has no end of its own.",
		API: &API{Read: read, Verify: read,
			Plan: func(c Context, r Reading) (Proposal, *Problem) {
				if p := complete(r, asAdmin); p != nil {
					return Proposal{}, p
				}
				var p Proposal
				it, ok := first(r.List("old", "result"), map[string]string{"sys_id": rotatedEntry(c)})
				switch {
				case !ok:
					p.Exists = append(p.Exists, "The old entry is not there any more.")
					return p, nil
				case it.Get("client_id") == unattendedClient(c.Run.ID) || !strings.HasPrefix(it.Get("name"), nameUnattended):
					return Proposal{}, refuse("The row is “"+it.Get("name")+"”, which is not the entry to replace.", "Look at it: "+record(c, "oauth_entity", rotatedEntry(c)))
				}
				return p.with(remove("remove", "oauth_entity", rotatedEntry(c), "Removes the old entry “"+it.Get("name")+"”")), nil
			},
			Prove: func(c Context, r Reading) Finding {
				if p := complete(r, asAdmin); p != nil {
					return Finding{Problem: p}
				}
				if _, ok := first(r.List("old", "result"), map[string]string{"sys_id": rotatedEntry(c)}); ok {
					return Finding{Problem: refuse("The old entry is still there.", "Try again: I plan what is left.")}
				}
				return Finding{Proof: []string{"the old entry is not there any more"}}
			}},
	}
}
