package setup

import (
	"net/url"
	"strings"
	"time"

	"keyturn/bot"
)

const loginHost = "login.microsoftonline.com"

// finish is the wizard's last button and the smoke test.
func finish() Spec {
	return Spec{
		ID: StepFinish, Title: "Finish the wizard and test", Role: bot.ServiceNowAdmin, Minutes: 5, NoSkip: true,
		What:    "The ServiceNow admin presses the last button and opens one incident; I read the instance's log of outgoing calls where I may.",
		Trap:    "A page that says it is done proves little: the log shows whether ServiceNow got a token and reached Microsoft.",
		Undo:    "The wizard can be walked through again.",
		IfWaits: "Users see “Please contact your ServiceNow admin and ask them to complete the final set up step for the app.”",
		API: &API{Verify: func(c Context) []bot.Call {
			// An instance may read the time in its own zone: ask for more, and
			// compare what comes back, which is in UTC.
			from := since(c, StepFinish).UTC().Add(-14 * time.Hour).Format("2006-01-02 15:04:05")
			return []bot.Call{rows("log", "sys_outbound_http_log", "sys_created_on>="+from+"^ORDERBYDESCsys_created_on",
				"sys_created_on,url,url_hostname,hostname,response_status,http_status", "Reads the log of outgoing calls since this step was handed out")}
		}, Prove: proveFinish},
		Guided: &Guided{
			Word: "Say what happened",
			Link: func(c Context) (string, string) { return "Incidents", recordList(c, "incident") },
			Do: func(c Context) []bot.Text {
				button := "On the wizard's last page press Next."
				if wizardMajor(c) == 2 {
					button = "On the wizard's last page press Test setup, not Next."
				}
				return do(button,
					"Open any incident, tab Microsoft 365 Support. If the tab is missing, change the view.",
					"Select Microsoft 365 Insights (2.x: Recommended Solutions & Articles).",
					"See whether solutions appear.")
			},
			Ask: func(Context) []bot.Input {
				return []bot.Input{{Name: "result", Label: "What happened", Kind: bot.Choice, Options: []bot.Option{
					{Value: "fine", Label: "It finished, and solutions appear"},
					{Value: "final", Label: "“... complete the final set up step for the app.”"},
					{Value: "setup", Label: "“... complete the setup steps for the app.”"},
					{Value: "support", Label: "“Please contact app support.”"},
					{Value: "nothing", Label: "It finished, but nothing shows up"},
					{Value: "tab", Label: "There is no tab Microsoft 365 Support"},
				}}}
			},
			Accept: func(_ Context, in map[string]string) (map[string]string, map[string]string) {
				says := map[string]string{
					"final":   "The last button was not pressed, or its test failed. Press Next (2.x: Test setup) on the wizard's last page again.",
					"setup":   "The wizard is not finished: open Setup in the app's scope and walk to its last page.",
					"support": "Look under System Logs > All with the filter x_mioms_m365_assi. If " + connectorHost + " cannot be reached, the service is gone: " + retirement + ".",
					"nothing": "Look under System Logs > Outbound HTTP Requests for " + loginHost + " and " + connectorHost + ". No answer from the second means that the service is gone.",
					"tab":     "Change the form's view, and look under System Logs > All with the filter x_mioms_m365_assi.",
				}
				if in["result"] == "fine" {
					return map[string]string{"sn.smoke_test": "fine"}, nil
				}
				if s := says[in["result"]]; s != "" {
					return nil, map[string]string{"result": s}
				}
				return nil, map[string]string{"result": "Choose what happened."}
			},
		},
	}
}

// proveFinish judges the newest outgoing call to each host. Where the log
// cannot be read or shows nothing, the person's word stands.
func proveFinish(c Context, r Reading) Finding {
	if !r.OK("log") {
		return Finding{}
	}
	from := since(c, StepFinish).UTC().Format("2006-01-02 15:04:05")
	newest := map[string]Item{}
	login := hostOf(portal(c, "authority"))
	for _, it := range r.List("log", "result") {
		host := logHost(it)
		at := it.Get("sys_created_on")
		if at < from || (host != loginHost && host != login && host != connectorHost) {
			continue
		}
		if host == login {
			host = loginHost
		}
		if old, ok := newest[host]; !ok || at > old.Get("sys_created_on") {
			newest[host] = it
		}
	}
	token, asked := newest[loginHost]
	service, reached := newest[connectorHost]
	if !asked && !reached {
		return Finding{}
	}
	if s := logStatus(token); asked && (s == "401" || s == "400") {
		return Finding{Problem: garbled(c, s, "Then press the last button again.")}
	} else if asked && s != "200" {
		return Finding{Problem: refuse("ServiceNow asked for a token and got "+orNone(s)+".", "Look at the row in System Logs > Outbound HTTP Requests, then press the last button again.")}
	}
	if !reached {
		return Finding{Problem: refuse("ServiceNow got a token, but has not called "+connectorHost+" yet.", "Press Next (2.x: Test setup) and open an incident, then check again.")}
	}
	if s := logStatus(service); s != "200" {
		return Finding{Problem: refuse(connectorHost+" answered "+orNone(s)+".", retirement+". If it stays so, end this run and take the guide direct.")}
	}
	proof := []string{"outgoing call to " + connectorHost + " answered 200 at " + service.Get("sys_created_on") + " UTC"}
	if asked {
		proof = append(proof, "token request answered 200 at "+token.Get("sys_created_on")+" UTC")
	}
	return Finding{Proof: proof}
}

func orNone(status string) string {
	if status == "" || status == "0" {
		return "no answer"
	}
	return status
}

func logHost(it Item) string {
	for _, name := range []string{"url_hostname", "hostname"} {
		if h := it.Get(name); h != "" {
			return strings.ToLower(h)
		}
	}
	return hostOf(it.Get("url"))
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

func logStatus(it Item) string {
	if s := it.Get("response_status"); s != "" {
		return s
	}
	return it.Get("http_status")
}

// goLive takes the test flag off.
func goLive() Spec {
	return Spec{
		ID: StepGoLive, Title: "Go live: untick Test Environment", Role: bot.ServiceNowAdmin, Minutes: 1,
		What:    "The ServiceNow admin empties the box Test Environment in the app's settings.",
		Trap:    "While it is ticked, Microsoft treats everything from this instance as a test.",
		Undo:    "Tick it again at any time.",
		IfWaits: "I remind you until it is done.",
		Guided: &Guided{
			Word: "Say how the box is",
			Link: func(c Context) (string, string) { return "ServiceNow", portal(c, "servicenow") },
			Do: always(
				"Choose the app's scope, then Microsoft 365 Support > Setup > Application Settings.",
				"Empty the box Test Environment, and save.",
			),
			Ask: func(Context) []bot.Input {
				return []bot.Input{{Name: "test", Label: "Test Environment", Kind: bot.Choice, Options: []bot.Option{
					{Value: "empty", Label: "The box is empty now"}, {Value: "ticked", Label: "It is still ticked"}}}}
			},
			Accept: func(_ Context, in map[string]string) (map[string]string, map[string]string) {
				if in["test"] == "empty" {
					return map[string]string{"sn.test_environment": "no"}, nil
				}
				return nil, map[string]string{"test": "Then this step stays open. Come back when the box is empty; I remind you."}
			},
		},
	}
}
