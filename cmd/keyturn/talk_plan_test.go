package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// shownCall is a call as people see it: method, address without the host.
var shownCall = regexp.MustCompile(`(?m)^(GET|POST|PATCH|PUT|DELETE) (http\S+)`)

// promised lists the writes that [Show exact calls] shows, with the values of
// earlier answers left open.
func promised(text string) []string {
	var out []string
	for _, m := range shownCall.FindAllStringSubmatch(text, -1) {
		u, err := url.Parse(m[2])
		if err == nil && m[1] != "GET" && !signIn(u.Path) {
			out = append(out, m[1]+" "+unfilled(u.Path))
		}
	}
	return out
}

var filledIn = regexp.MustCompile(`\{[a-z0-9_.-]+\}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}`)

// unfilled leaves IDs open.
func unfilled(path string) string {
	path, _ = url.PathUnescape(path)
	return filledIn.ReplaceAllString(path, "*")
}

// kept lists the writes that were made.
func kept(list []sim.Call) []string {
	var out []string
	for _, c := range list {
		path, _, _ := strings.Cut(c.Path, "?")
		out = append(out, c.Method+" "+unfilled(path))
	}
	return out
}

func TestExactlyTheCallsThatWereShownAreMade(t *testing.T) {
	h := open(t)
	h.crew.Leave("sn-unattended", "sn-incidents", "reader-app")
	h.begins("direct", nil)
	h.exactly(play.Sam, "sn-unattended")
	h.exactly(play.Sam, "sn-incidents")
	h.exactly(play.Erin, "reader-app")
}

func TestExactlyTheCallsThatWereShownAreMadeForTheConnector(t *testing.T) {
	h := open(t)
	h.crew.Leave("entra-app", "entra-secret", "sn-oauth", "sn-crossscope", "sn-roles", "reader-consent")
	h.begins("connector", nil)
	h.exactly(play.Sam, "sn-crossscope")
	h.exactly(play.Erin, "entra-app")
	h.exactly(play.Erin, "entra-secret")
	h.exactly(play.Sam, "sn-oauth")
	h.exactly(play.Sam, "sn-roles")
}

// exactly lets everybody work until a step can be approved, looks at its exact
// calls and at its script, approves, and compares with what was called.
func (h *house) exactly(who play.Person, step string) {
	h.Helper()
	h.everybodyUntilStep(who, "Approve and run", step)
	h.idle()
	h.clicks(who, "Show exact calls", step)
	calls := h.expectPrivate(who, "Exact calls", "Plan ")
	h.clicks(who, "Give me the script", step)
	script := h.expectPrivate(who, "The same calls as a script", "curl -")
	for what, c := range map[string]play.Card{"the exact calls": calls, "the script": script} {
		for _, secret := range h.secrets() {
			if strings.Contains(c.Text, secret.value) {
				h.Errorf("%s of %s show %s", what, step, secret.name)
			}
		}
	}
	want := promised(calls.Text)
	if len(want) == 0 {
		h.fail("no calls are shown for %s:\n%s", step, calls.Text)
	}
	h.fromNow()
	h.clicks(who, "Approve and run", step)
	h.expectThread(play.Ops, "✅", h.title(step))
	h.idle()
	if diff := cmp.Diff(want, kept(h.writesMade())); diff != "" {
		h.Errorf("the calls of %s are not those that were shown (-shown +made):\n%s", step, diff)
	}
}

// meanwhile has something happen between an approval and the bot's first look at
// what exists then.
func (h *house) meanwhile(happens func()) {
	h.world.Microsoft.Faults.Add(sim.Fault{Method: "GET", Path: "/graph/v1.0/applications*", Times: 1, While: happens})
}

func TestAPlanThatChangesAfterTheApprovalIsVoid(t *testing.T) {
	h := open(t)
	h.asks()
	h.idle()
	h.meanwhile(func() {
		if _, err := h.world.Microsoft.Register(microsoft.App{Name: "Somebody was quicker", UniqueName: "keyturn-health-reader", Requested: []string{"ServiceHealth.Read.All"}}); err != nil {
			t.Error(err)
		}
	})
	h.fromNow()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "What exists changed after the approval, so the approval is void and nothing was called", "Approve and run")
	h.expectNoWrites()
	voided := false
	for _, e := range h.audit() {
		voided = voided || e.Act == "void"
	}
	if !voided {
		t.Error("the trail does not say that the approval is void")
	}
	h.clicks(play.Emil, "Approve and run", "reader-app")
	h.expectCard(play.Emil, "Approved by Emil Sato", "Read back")
}

func TestAnApprovalExpiresBeforeTheFirstCall(t *testing.T) {
	h := open(t)
	h.asks()
	h.idle()
	h.meanwhile(func() { h.later(2 * hour) })
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "The approval expired before the first call, so nothing was called", "Approve and run")
	h.expectNoWrites()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
}

func TestOfTwoClicksOneApproves(t *testing.T) {
	h := open(t)
	h.asks()
	erin, emil := h.copyOf(play.Erin), h.copyOf(play.Emil)
	done := make(chan struct{}, 2)
	for who, c := range map[*play.Person]play.Card{&play.Erin: erin, &play.Emil: emil} {
		go func() {
			defer func() { done <- struct{}{} }()
			b, _ := c.Has("Approve and run", "reader-app")
			_, _ = h.press(*who, c, b)
		}()
	}
	<-done
	<-done
	h.expectThread(play.Ops, "✅", "Registration for reading service health")
	h.until("one of them hears that the other was quicker", func(s *slack.State) bool {
		for _, e := range s.Ephemerals {
			if strings.Contains(e.Text, "I have not run anything again") {
				return true
			}
		}
		return false
	})
	approvals := 0
	for _, e := range h.audit() {
		if e.Act == "approve" {
			approvals++
		}
	}
	if approvals != 1 {
		t.Errorf("there are %d approvals", approvals)
	}
}

func TestTheScriptDoesTheSameByHand(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl to run the script with")
	}
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Give me the script", "reader-app")
	card := h.expectPrivate(play.Erin, "The same calls as a script")
	h.runs(card)
	h.clicks(play.Erin, "I did it by hand, check", "reader-app")
	h.expectCard(play.Erin, "✅ done, read back", "Read back: single tenant")
	h.expectThread(play.Ops, "✅", "Registration for reading service health")
	h.everybodyUntil("✅ finished")
}

// runs has a person run the script of a card with their own token, and put in
// what the answers give them.
func (h *house) runs(card play.Card) {
	h.Helper()
	script := card.Text[strings.Index(card.Text, "# "):]
	if last := strings.LastIndex(script, "curl"); strings.Contains(script[last:], "\n```") { // a direct message has no fence
		script = script[:last+strings.Index(script[last:], "\n```")]
	}
	token := h.token()
	run := func(script string) []byte {
		h.Helper()
		path := filepath.Join(h.TempDir(), "script.sh")
		if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
			h.Fatal(err)
		}
		cmd := exec.Command("sh", path)
		cmd.Env = append(os.Environ(), "GRAPH_TOKEN="+token)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			h.Fatalf("the script failed: %v\n%s\n%s", err, stderr.String(), script)
		}
		return out
	}
	calls := strings.SplitAfter(script, "\n\n")
	for _, one := range calls {
		// A person puts in what the answer before gave them.
		if strings.Contains(one, "READER_APP_ID") || strings.Contains(one, "READER_CLIENT_ID") {
			for _, a := range h.world.Microsoft.Inventory().Apps {
				if a.UniqueName == "keyturn-health-reader" {
					one = strings.NewReplacer("READER_APP_ID", a.AppID, "READER_CLIENT_ID", a.AppID).Replace(one)
				}
			}
		}
		if out := run(one); bytes.Contains(out, []byte(`"error"`)) {
			h.Fatalf("Graph refused the script:\n%s\n%s", one, out)
		}
	}
}

// registered is the client ID of the registration with a unique name.
func (h *house) registered(name string) string {
	h.Helper()
	for _, a := range h.world.Microsoft.Inventory().Apps {
		if a.UniqueName == name {
			return a.AppID
		}
	}
	h.Fatalf("there is no registration %s", name)
	return ""
}

// token signs in to Graph as an administrator's own shell does.
func (h *house) token() string {
	h.Helper()
	resp, err := http.PostForm(h.world.MicrosoftURL+"/login/"+play.Directory+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {play.GraphClient}, "client_secret": {play.GraphSecret}, "scope": {"https://graph.microsoft.com/.default"}})
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || answer.Token == "" {
		h.Fatalf("no token: %s", b)
	}
	return answer.Token
}
