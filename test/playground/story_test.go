package playground

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot/incident"
	"keyturn/sim/play"
)

func TestPeopleUseKeyturnInMicrosoftsClient(t *testing.T) {
	o := startOffice(t, play.Rita, play.Priya)

	o.goes(play.Rita, "Personal Chat")
	o.types(play.Rita, "help")
	shown := o.sees(play.Rita, "I am Keyturn.", "setup direct", "subscribe")
	if n := strings.Count(shown, "I am Keyturn."); n != 1 {
		t.Errorf("Keyturn introduced itself %d times", n)
	}
	o.looks(play.Rita, "help")
	o.refusesWhatIsNotSigned()

	o.goes(play.Priya, "Personal Chat")
	o.goes(play.Rita, "incidents")
	o.posts(play.Rita, "setup direct")
	o.sees(play.Rita, "this needs a few values", "Open: Set up: direct")
	o.clicks(play.Rita, "Open: Set up: direct")
	o.sees(play.Rita, "Channel for incidents", "Entra admin: Priya Nair")
	o.looks(play.Rita, "form")
	o.clicks(play.Rita, "Start")
	o.sees(play.Rita, "0 of 10 done · waiting for Rita Okafor", "Registration for reading service health")
	o.looks(play.Rita, "checklist")

	o.goes(play.Rita, "Personal Chat")
	o.sees(play.Rita, "1 step waits for you", "Before anything starts")
	o.looks(play.Rita, "step")
	o.clicks(play.Rita, "Go on")
	o.sees(play.Rita, "Nothing waits for you here")

	o.approvesTheRegistration()
	o.consents()

	o.goes(play.Rita, "incidents")
	o.sees(play.Rita, "✅ finished", "What exists now", "Rita Okafor set this up. From now on this channel is told")
	o.looks(play.Rita, "finished")

	o.tellsAnIncident()
}

// approvesTheRegistration is Priya's approval in her own client, which runs the
// call and shows that it was read back.
func (o *office) approvesTheRegistration() {
	o.Helper()
	o.sees(play.Priya, "Rita Okafor asked for", "Registration for reading service health", "What will be called", "PATCH /applications(uniqueName='keyturn-health-reader')")
	o.looks(play.Priya, "asked")
	if wrote := o.writes(); len(wrote) > 0 {
		o.Errorf("before anybody approved, Microsoft was asked to change: %q", wrote)
	}
	o.clicks(play.Priya, "Approve and run")
	o.sees(play.Priya, "Approved by Priya Nair", "Consent to reading service health")
	o.looks(play.Priya, "approved")
	if wrote := o.writes(); len(wrote) == 0 {
		o.Error("after the approval, nothing was changed at Microsoft")
	}
}

// writes are the changes that Graph was asked for.
func (o *office) writes() (out []string) {
	calls, _ := o.world.Microsoft.Journal.Since(0)
	for _, c := range calls {
		if strings.Contains(c.Path, "/graph/") && c.Method != http.MethodGet {
			out = append(out, c.Method+" "+c.Path)
		}
	}
	return out
}

// consents is Priya on Microsoft's own page, which the card leads to.
func (o *office) consents() {
	o.Helper()
	o.sees(play.Priya, "Microsoft's consent page")
	card := o.relay.lastSent("/adminconsent")
	link := regexp.MustCompile(`https?://[^"\s)<>]*/adminconsent[^"\s)<>]*`).FindString(card)
	if link == "" {
		o.Fatalf("the card has no link to Microsoft's page: %s", card)
	}
	address, err := strconv.Unquote(`"` + link + `"`) // it stands in JSON
	if err != nil {
		o.Fatalf("the card's link %s: %v", link, err)
	}
	crew := play.NewCrew(o.world, io.Discard)
	if _, err := crew.ByHand(o.Context(), play.Priya, "reader-consent", play.Card{Links: []string{address}}); err != nil {
		o.Fatal(err)
	}
	o.sees(play.Priya, "done, read back")
}

// tellsAnIncident is an incident from its first word to its end: one post that
// is edited, and what is new in its thread.
func (o *office) tellsAnIncident() {
	o.Helper()
	var states []json.RawMessage
	for _, story := range incident.SampleStories() {
		if strings.Contains(string(story[0]), exchange) {
			states = story
		}
	}
	if len(states) < 5 {
		o.Fatalf("there is no longer a sample %s of five states", exchange)
	}
	o.publishes(states[0])
	o.sees(play.Rita, "🔴 Incident · Exchange Online", exchange, "We are on it")
	o.looks(play.Rita, "incident")
	o.clicks(play.Rita, "We are on it")
	o.sees(play.Rita, "On it: Rita Okafor since")
	for _, s := range states[1:4] {
		o.publishes(s)
	}
	o.sees(play.Rita, "Microsoft wrote", "Final status: The affected front ends are out of rotation")
	o.looks(play.Rita, "restored")
	o.publishes(states[4])
	o.sees(play.Rita, "🟢 Resolved · Exchange Online", "Microsoft published its post-incident review")
	o.seesNoMore(play.Rita, "🔴 Incident · Exchange Online")
	o.looks(play.Rita, "resolved")
}

const exchange = "EX1204517"

// publishes has Microsoft publish a state of an issue as changed now.
func (o *office) publishes(state json.RawMessage) {
	o.Helper()
	var issue map[string]json.RawMessage
	if err := json.Unmarshal(state, &issue); err != nil {
		o.Fatal(err)
	}
	issue["lastModifiedDateTime"], _ = json.Marshal(time.Now().UTC().Format(time.RFC3339Nano))
	raw, err := json.Marshal(issue)
	if err == nil {
		err = o.world.Microsoft.PutIssue(raw)
	}
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) refusesWhatIsNotSigned() {
	o.Helper()
	resp, err := o.relay.toBot(o.relay.firstTaken(), "")
	if err != nil {
		o.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		o.Errorf("the bot answered HTTP %d to a Playground's request that nobody signed, not 403", resp.StatusCode)
	}
}
