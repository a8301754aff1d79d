package setup

import (
	"fmt"

	"keyturn/bot"
)

// preflight asks, before any write, whether the pieces of the connector still
// exist.
func preflight() Spec {
	return Spec{
		ID: StepPreflight, Title: "Whether the app and its service still exist", Role: bot.ServiceNowAdmin, Minutes: 1,
		What:    "Looks for the app on the instance and for the address of its service. Writes nothing.",
		Trap:    retirement + ". The app may still be installed although nothing answers it any more.",
		Undo:    "Only reads.",
		IfWaits: "Nothing is written before this is known.",
		API: &API{Auto: true, Verify: func(Context) []bot.Call {
			return []bot.Call{
				rows("app", "sys_store_app", "scope="+appScope, "sys_id,name,scope,version,active", "Looks for the app, by its scope"),
				{ID: "service", System: bot.DNS, Method: "GET", Path: connectorHost, What: "Looks up the address of Microsoft's service"},
			}
		}, Prove: provePreflight, Unaided: unaidedPreflight},
	}
}

// unaidedPreflight judges the address of the service, which needs no sign-in,
// and what a person says of the app.
func unaidedPreflight(c Context, r Reading) Finding {
	if r.Missing("service") {
		return Finding{End: connectorHost + " has no address any more. " + retirement + ". Nothing was written. " + otherWays}
	}
	if c.Fact("app.version") == noApp {
		return Finding{End: "The app is not on " + c.Run.Instance + ", as you say. " + retirement + ", so the ServiceNow Store may not have it any more. Nothing was written. " + otherWays}
	}
	if !r.OK("service") { // a network without a DNS of its own: whoever answers can look
		return Finding{Proof: []string{unlooked + " Your own computer can: nslookup " + connectorHost}}
	}
	return Finding{Proof: []string{hasAddress}}
}

const (
	hasAddress = connectorHost + " has an address, which does not prove that it works"
	unlooked   = "I could not look up " + connectorHost + " from here, which says nothing about Microsoft's service."
)

const otherWays = "The guide direct gives the same outcome without it, and the guide cleanup removes what is left of it. To see the steps all the same: keyturn demo walks through them against simulated systems."

func provePreflight(c Context, r Reading) Finding {
	if f := r.Failed("app"); f != nil && !r.Missing("app") {
		return Finding{Problem: trouble(f, "I could not look for the app.")}
	}
	facts := map[string]string{}
	app, installed := first(r.List("app", "result"), map[string]string{"scope": appScope})
	if installed {
		facts["app.version"] = app.Get("version")
		facts["app.sys_id"] = app.ID()
	}
	gone := r.Missing("service")
	if f := r.Failed("service"); f != nil && !gone {
		return Finding{Problem: trouble(f, unlooked)}
	}
	here, there := "the app is not on "+c.Run.Instance, connectorHost+" has no address"
	if installed {
		here = fmt.Sprintf("app “%s” is installed, version %s", app.Get("name"), app.Get("version"))
	}
	if !gone {
		there = hasAddress
	}
	proof := []string{here, there}
	switch {
	case gone && !installed:
		return Finding{Facts: facts, Proof: proof, End: connectorHost + " has no address any more, and the app is not on " + c.Run.Instance + ". " + retirement + ". Nothing was written. " + otherWays}
	case gone:
		return Finding{Facts: facts, Proof: proof, End: connectorHost + " has no address any more. " + retirement + ". The app is still on " + c.Run.Instance + ", version " + app.Get("version") + ", but nothing answers it. Nothing was written. " + otherWays}
	case !installed:
		return Finding{Facts: facts, Proof: proof, End: "The app with the scope " + appScope + " is not on " + c.Run.Instance + ". " + retirement + ", so the ServiceNow Store may not have it any more. Nothing was written. " + otherWays}
	}
	if major(app.Get("version")) == 1 {
		proof = append(proof, "version 1: Microsoft's guide says that a new installation needs 2.0.0 or later; the wizard's cards follow version 1")
	}
	return Finding{Proof: proof, Facts: facts}
}

// major is the generation of the app's wizard: 2, or 1 where the version is 1
// or unknown.
func major(version string) int {
	if len(version) > 0 && version[0] >= '2' && version[0] <= '9' {
		return 2
	}
	return 1
}

func wizardMajor(c Context) int { return major(c.Fact("app.version")) }

// preflightPanel asks the Microsoft 365 admin whether the admin center still
// has the panel: no API can.
func preflightPanel() Spec {
	return Spec{
		ID: StepPreflightPanel, Title: "Whether the Support integration panel is there", Role: bot.M365Admin, Minutes: 2,
		What:    "Asks whether the admin center still shows the Support integration panel. Writes nothing.",
		Trap:    "The panel hides from accounts without the role. Helpdesk Administrator, Service Support Administrator or Global Administrator see it.",
		Undo:    "Only looks.",
		IfWaits: "Nothing is written before this is known.",
		// No API can look: the answer stands, and "not there" ends the run.
		API: &API{Prove: func(c Context, _ Reading) Finding {
			if c.Fact(FactPanel) == "no" {
				return Finding{End: "The admin center has no Support integration panel any more. " + retirement + ". Nothing was written. " + otherWays}
			}
			return Finding{}
		}},
		Guided: &Guided{
			Word: "Say what is there",
			Link: func(c Context) (string, string) { return "Org settings > Organization profile", orgSettings(c) },
			Do: always(
				"Open the link and sign in with the account that holds the role.",
				"Choose the tab Organization profile.",
				"Look for Support integration in the list, without opening it.",
			),
			Ask: func(Context) []bot.Input {
				return []bot.Input{{Name: "panel", Label: "Support integration", Hint: "What the list shows", Kind: bot.Choice, Options: []bot.Option{
					{Value: "yes", Label: "It is in the list"},
					{Value: "no", Label: "It is not there, and my role is active"},
					{Value: "role", Label: "It is not there, and my role may not be active"},
				}}}
			},
			Accept: func(_ Context, in map[string]string) (map[string]string, map[string]string) {
				switch in["panel"] {
				case "yes":
					return map[string]string{FactPanel: "yes"}, nil
				case "no":
					return map[string]string{FactPanel: "no"}, nil
				case "role":
					return nil, map[string]string{"panel": "Activate the role (PIM) or use the account that holds it, then look again."}
				}
				return nil, map[string]string{"panel": "Choose what the list shows."}
			},
		},
	}
}
