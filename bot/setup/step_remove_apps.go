package setup

import (
	"fmt"

	"keyturn/bot"
)

// m365Remove takes the repository and the application ID out of the admin
// center.
func m365Remove() Spec {
	return Spec{
		ID: StepM365Remove, Title: "Admin center: remove the support integration", Role: bot.M365Admin, Minutes: 3,
		When:    cleansConnector,
		Only:    "where the connector is to go",
		What:    "The Microsoft 365 admin deletes the repository and the application ID in the admin center.",
		Trap:    "Microsoft may have removed the panel together with the service. Then there is nothing to delete: say so below.",
		Undo:    "The same panel takes the values again, as long as it exists.",
		IfWaits: "The registration at Entra waits: the admin center should not name an application that is gone.",
		Guided: &Guided{
			Word: "Say what you found",
			Link: func(c Context) (string, string) { return "Org settings > Organization profile", orgSettings(c) },
			Do: func(c Context) []bot.Text {
				which := "the application ID that it shows"
				if n := len(applicationsFound(c)); n == 1 {
					which = "the application ID that stands below"
				} else if n > 1 {
					which = "the application ID, which is one of those below"
				}
				return do(
					"Organization profile > Support integration > Repositories.",
					"Delete the repository of this instance.",
					"Basic information: remove "+which+", and set the internal support tool back to what it was.",
					"Save.",
				)
			},
			Copy: applicationsFound,
			Ask: func(Context) []bot.Input {
				return []bot.Input{{Name: "panel", Label: "Support integration", Kind: bot.Choice, Options: []bot.Option{
					{Value: "removed", Label: "I removed repository and application ID"},
					{Value: "empty", Label: "The panel was empty"},
					{Value: "gone", Label: "The panel does not exist any more"},
				}}}
			},
			Accept: func(_ Context, in map[string]string) (map[string]string, map[string]string) {
				switch in["panel"] {
				case "removed", "empty", "gone":
					return map[string]string{"m365.removed": in["panel"]}, nil
				}
				return nil, map[string]string{"panel": "Choose what you found."}
			},
		},
	}
}

// applicationsFound are the IDs of the applications at Entra that look like the
// connector's; none where nothing was found, or too little to name one.
func applicationsFound(c Context) []bot.Copy {
	var out []bot.Copy
	for _, f := range foundIn(c, factFoundEntra) {
		if f.Key != UniqueReader && !f.Weak {
			out = append(out, bot.Copy{Label: "Application ID to issue Auth Token", Value: f.Client})
		}
	}
	return out
}

// appRemove uninstalls the connector's app.
func appRemove() Spec {
	return Spec{
		ID: StepAppRemove, Title: "Uninstall the app", Role: bot.ServiceNowAdmin, Minutes: 5,
		When:    func(c Context) bool { return cleansConnector(c) && c.Fact(factFoundApp) != "" },
		Only:    "where the connector is to go and its app was found",
		What:    "The ServiceNow admin uninstalls the connector's app; I look whether it is gone.",
		Trap:    "Uninstalling deletes the app's own tables with everything in them. Export what somebody still wants first.",
		Undo:    "The app can be installed again only as long as the ServiceNow Store offers it.",
		IfWaits: "An app without a service stays on the instance, with its roles and its tab in the incident form.",
		API: &API{Verify: func(Context) []bot.Call {
			return []bot.Call{rows("app", "sys_store_app", "scope="+appScope, "sys_id,name,scope,version", "Looks whether the app is still there")}
		}, Prove: func(_ Context, r Reading) Finding {
			if f := r.Failed("app"); f != nil && !r.Missing("app") {
				return Finding{Problem: trouble(f, asAdmin)}
			}
			if it, ok := first(r.List("app", "result"), map[string]string{"scope": appScope}); ok {
				return Finding{Problem: refuse("The app is still installed, version "+it.Get("version")+".", "Uninstalling can take some minutes. Check again, or skip this with the reason.")}
			}
			return Finding{Proof: []string{"no app with the scope " + appScope + " is installed"}}
		}},
		Guided: &Guided{
			Link: func(c Context) (string, string) {
				return "Installed store applications", recordList(c, "sys_store_app")
			},
			Do: always(
				"System Applications > All Available Applications > All, tab Installed.",
				"Open Microsoft 365 support integration.",
				"Related links > Uninstall. Read what it deletes, and confirm.",
				"Then choose the check.",
			),
		},
	}
}

// app is the address of a registration: by its object ID, or where only a
// person looked by its client ID.
func (f found) app() string {
	if f.Hand {
		return "/applications(appId=" + odata(f.Client) + ")"
	}
	return "/applications/" + f.ID
}

func readApps(c Context) []bot.Call {
	var calls []bot.Call
	for i, f := range chosenApps(c) {
		calls = append(calls, graphGet(fmt.Sprintf("app-%d", i+1), f.app()+"?$select=id,appId,displayName,passwordCredentials", "Reads "+f.Name))
	}
	return calls
}

// secretsRemove takes the secrets of the chosen registrations away.
func secretsRemove() Spec {
	return Spec{
		ID: StepSecretsRemove, Title: "Remove the client secrets at Entra", Role: bot.EntraAdmin, Minutes: 1,
		Accepts: appAdmins,
		When:    func(c Context) bool { n := 0; each(chosenApps(c), func(f found) { n += f.Secrets }); return n > 0 },
		Only:    "where a chosen registration has secrets",
		What:    "Removes every client secret of the chosen registrations, after the instance has stopped using them.",
		Trap:    "Removed secrets stop working at once, everywhere they were copied to.",
		Undo:    "A removed secret cannot come back; a new one can be made as long as the registration exists.",
		IfWaits: "A secret stays valid that nobody watches.",
		API: &API{Read: readApps,
			Plan: func(c Context, r Reading) (Proposal, *Problem) {
				if p := complete(r, ""); p != nil {
					return Proposal{}, p
				}
				var p Proposal
				if r.ByHand() {
					return p.knownSecrets(c), nil
				}
				for i, f := range chosenApps(c) {
					for j, s := range r.List(fmt.Sprintf("app-%d", i+1), "passwordCredentials") {
						key := s.Get("keyId")
						if !isGUID(key) {
							continue
						}
						call := fineGone(graphWrite(fmt.Sprintf("secret-%d-%d", i+1, j+1), "POST", f.app()+"/removePassword", body{"keyId": key},
							"Removes the secret "+secretLabel(s)+" of "+f.Name))
						call.Unmakes = bot.ObjectKey(bot.Graph, "secret", key)
						p.Calls = append(p.Calls, call)
					}
				}
				return p, nil
			},
			Verify: readApps,
			Prove: func(c Context, r Reading) Finding {
				if p := complete(r, ""); p != nil {
					return Finding{Problem: p}
				}
				var proof []string
				for i, f := range chosenApps(c) {
					id := fmt.Sprintf("app-%d", i+1)
					switch n := len(r.List(id, "passwordCredentials")); {
					case r.Missing(id):
						proof = append(proof, f.Name+" is not there any more")
					case n > 0:
						return Finding{Problem: absent(f.Name+" still has "+count(n, "client secret", "client secrets")+".", "Try again: I plan what is left.")}
					default:
						proof = append(proof, f.Name+" has no client secret")
					}
				}
				return Finding{Proof: proof}
			}},
	}
}

// knownSecrets removes the secrets that the inventory has, where nothing is read:
// those of the registration for ServiceNow.
func (p Proposal) knownSecrets(c Context) Proposal {
	for _, f := range chosenApps(c) {
		if f.Key != UniqueConnector(c.Run.Instance) {
			continue
		}
		for _, o := range c.Objects {
			if o.System != bot.Graph || o.Kind != "secret" || !o.Removed.IsZero() || !isGUID(o.ID) {
				continue
			}
			call := fineGone(graphWrite(fmt.Sprintf("secret-%d", len(p.Calls)+1), "POST", f.app()+"/removePassword", body{"keyId": o.ID}, "Removes the secret “"+o.Name+"” of "+f.Name))
			call.Unmakes = o.Key
			p.Calls = append(p.Calls, call)
		}
	}
	if len(p.Calls) > 0 {
		p.Exists = append(p.Exists, "These are the secrets that the inventory has. Delete others that you find on the chosen registrations in the portal.")
	}
	return p
}

func each(list []found, do func(found)) {
	for _, f := range list {
		do(f)
	}
}

func secretLabel(s Item) string {
	name := s.Get("displayName")
	if name == "" {
		name = s.Get("keyId")
	}
	return "“" + name + "”, until " + day(s.Get("endDateTime"))
}

// appsRemove deletes the registrations, last of all.
func appsRemove() Spec {
	return Spec{
		ID: StepAppsRemove, Title: "Delete the registrations at Entra", Role: bot.EntraAdmin, Minutes: 1,
		Accepts: appAdmins,
		When:    func(c Context) bool { return len(chosenApps(c)) > 0 },
		Only:    "where a registration was chosen",
		What:    "Deletes the chosen registrations with their service principals, keys and consents.",
		Trap:    "This comes last, when nothing on the instance and in the admin center names them any more.",
		Undo:    "Entra keeps deleted registrations for 30 days: App registrations > Deleted applications > Restore.",
		IfWaits: "Registrations stay that nobody needs.",
		API: &API{Read: readApps,
			Plan: func(c Context, r Reading) (Proposal, *Problem) {
				if p := complete(r, ""); p != nil {
					return Proposal{}, p
				}
				var p Proposal
				for i, f := range chosenApps(c) {
					id := fmt.Sprintf("app-%d", i+1)
					if r.Missing(id) && !r.ByHand() {
						p.Exists = append(p.Exists, f.Name+" is not there any more.")
						continue
					}
					call := fineGone(graphWrite("delete-"+id, "DELETE", f.app(), nil, "Deletes "+f.Name))
					call.Unmakes = bot.ObjectKey(bot.Graph, "application", f.Key)
					p.Calls = append(p.Calls, call)
				}
				return p, nil
			},
			Verify: readApps,
			Prove: func(c Context, r Reading) Finding {
				if p := complete(r, ""); p != nil {
					return Finding{Problem: p}
				}
				var proof []string
				for i, f := range chosenApps(c) {
					if !r.Missing(fmt.Sprintf("app-%d", i+1)) {
						return Finding{Problem: absent(f.Name+" is still there.", "Deleting can take a minute to show. Check again, or [Try again].")}
					}
					proof = append(proof, f.Name+" is not there any more")
				}
				return Finding{Proof: proof}
			}},
	}
}
