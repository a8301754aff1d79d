package incident

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"keyturn/bot"
)

// statesAtOnce is how many records one call asks for: their IDs stand in its
// address.
const statesAtOnce = 100

// ReadStates are the calls that read how records stand: [ParseStates] reads each
// answer.
func ReadStates(of []Record) (calls []bot.Call) {
	for some := range slices.Chunk(of, statesAtOnce) {
		var ids []string
		for _, r := range some {
			ids = append(ids, r.SysID)
		}
		calls = append(calls, bot.Call{ID: "states", System: bot.ServiceNow, Method: "GET", As: Unattended,
			Path: tablePath("") + "?sysparm_query=" + url.QueryEscape("sys_idIN"+strings.Join(ids, ",")) +
				"&sysparm_fields=sys_id,state&sysparm_display_value=all&sysparm_limit=" + strconv.Itoa(statesAtOnce),
			What: "Reads how the incidents stand"})
	}
	return calls
}

// Stands is how a record stands.
type Stands struct {
	Says string // the state in the instance's own words
	New  bool   // as it was made
}

// ParseStates is how each record stands, by its sys_id.
func ParseStates(body json.RawMessage) map[string]Stands {
	type cell struct {
		Value   string `json:"value"`
		Display string `json:"display_value"`
	}
	var a struct {
		Result []struct {
			SysID cell `json:"sys_id"`
			State cell `json:"state"`
		} `json:"result"`
	}
	out := map[string]Stands{}
	if json.Unmarshal(body, &a) != nil {
		return out
	}
	for _, r := range a.Result {
		if words := oneLine(r.State.Display); r.SysID.Value != "" && words != "" {
			out[r.SysID.Value] = Stands{words, r.State.Value == "1"}
		}
	}
	return out
}

// StateReply says in the thread of an issue what changed in its ServiceNow
// incident.
func StateReply(number, link, was, now string) bot.Message {
	if was != "" {
		was = "was " + was + ", "
	}
	return bot.Say(bot.Link("ServiceNow incident "+number, link), bot.T(": "+was+"now "+now+"."))
}

// ActionTicket is the button that has an issue's ServiceNow incident made.
const ActionTicket = "servicenow-incident"

// TicketButton opens the ServiceNow incident of an issue, or has it made.
func TicketButton(issue, number, link string) bot.Button {
	if link != "" {
		return bot.Button{Label: "ServiceNow incident", URL: link, Says: "ServiceNow incident: open " + number + " in ServiceNow"}
	}
	return bot.Button{Label: "ServiceNow incident", Action: ActionTicket, Value: issue, Says: "Make a ServiceNow incident for " + issue}
}
