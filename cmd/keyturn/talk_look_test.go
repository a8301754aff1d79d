package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// microsoftWrites puts an issue with n posts, an hour apart, into Microsoft's list.
func (h *house) microsoftWrites(id, service string, n int) {
	h.Helper()
	begun := h.now().Add(-time.Duration(n) * time.Hour)
	at := func(hour int) string { return begun.Add(time.Duration(hour) * time.Hour).UTC().Format(time.RFC3339) }
	var posts []any
	for i := range n {
		posts = append(posts, map[string]any{"createdDateTime": at(i), "postType": "regular", "description": map[string]any{"contentType": "html",
			"content": "<p>Current status: Look number " + at(i) + ".</p><p>" + strings.Repeat("This is what was found meanwhile. ", 20) + "</p>"}})
	}
	raw, err := json.Marshal(map[string]any{"id": id, "title": "Users may see odd things", "service": service, "status": "serviceDegradation", "classification": "incident", "origin": "microsoft",
		"impactDescription": "Users may see odd things.", "isResolved": false, "feature": "Odd", "featureGroup": "Odd", "startDateTime": at(0), "endDateTime": nil, "lastModifiedDateTime": at(n), "details": []any{}, "posts": posts})
	if err != nil {
		h.Fatal(err)
	}
	if err := h.world.Microsoft.PutIssue(raw); err != nil {
		h.Fatal(err)
	}
	h.becomes("the issue to be known", func() (known bool) { // a reading may have been before it
		h.read(func(v engine.View) error { _, err := v.Incident("contoso", id); known = err == nil; return nil })
		return known
	})
}

// Whoever wonders whether it is them or Microsoft looks here first.
func TestLookingAtServiceHealth(t *testing.T) {
	h := open(t, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 40)
	h.readable(true)
	h.expectReading()
	h.types(play.Max, "/keyturn health")
	h.expectPrivate(play.Max, "Incident · SharePoint Online", "SP900001", "19 other services fine, read", "[All services]")
	h.clicks(play.Max, "All services", "")
	h.expectPrivate(play.Max, "🟢 Fine: ", "Planner", "Exchange Online")
	h.types(play.Max, "/keyturn health Planner")
	h.expectPrivate(play.Max, "Microsoft has nothing open for Planner, read")

	h.types(play.Max, "/keyturn incidents")
	h.expectPrivate(play.Max, "1 issue", "open", "SP900001", "/keyturn incident ID")
	h.types(play.Max, "/keyturn incidents sharepoint online all")
	h.expectPrivate(play.Max, "SP900001")
	h.types(play.Max, "/keyturn incidents export")
	h.expectPrivate(play.Max, "keyturn export incidents --config FILE contoso")
	h.types(play.Max, "/keyturn incidents sharepont")
	h.expectPrivate(play.Max, "1 issue open for SharePoint Online", "SP900001")
	h.types(play.Max, "/keyturn incidents viva enagge")
	h.expectPrivate(play.Max, "so I cannot say how it is", "Did you mean", "Viva Engage")

	h.types(play.Max, "/keyturn incident sp900001")
	newest := h.expectPrivate(play.Max, "Incident · SharePoint Online", "Updates 30 to 40 of 40.")
	if _, ok := newest.Has("Newest updates", ""); ok {
		t.Error("the newest page leads to itself")
	}
	h.clicks(play.Max, "Older updates", "SP900001")
	h.until("the page before in place of the newest", func(s *slack.State) bool {
		e := s.Ephemerals[len(s.Ephemerals)-1]
		_, back := play.PrivateCard(e).Has("Newest updates", "")
		return strings.Contains(e.Text, "to 29 of 40.") && e.Revisions == 1 && back
	})
}

// A green is only said of a reading that succeeded.
func TestNothingIsCalledFineThatCannotBeRead(t *testing.T) {
	h := open(t, withReader, hasty(&pauseLog{}))
	h.world.Microsoft.Faults.Add(sim.Fault{Path: "/graph/v1.0/admin/serviceAnnouncement/healthOverviews", Status: 503})
	h.readable(true)
	h.types(play.Max, "/keyturn health")
	if c := h.expectPrivate(play.Max, "Microsoft has nothing open, read"); strings.Contains(c.Text, "fine") || strings.Contains(c.Text, "🟢") {
		t.Errorf("services are called fine that nobody has read:\n%s", c.Text)
	}
	h.types(play.Max, "/keyturn health all")
	if c := h.expectPrivate(play.Max, "Microsoft has nothing open, read"); strings.Contains(c.Text, "🟢") {
		t.Errorf("services are called fine that nobody has read:\n%s", c.Text)
	}
}

func TestIncidentsAreExportedWhileTheBotRunsAndAfter(t *testing.T) {
	h := open(t, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 3)
	h.readable(true)
	conf := filepath.Join(filepath.Dir(h.data), "keyturn.yaml")
	if err := os.WriteFile(conf, []byte(h.conf), 0o600); err != nil {
		t.Fatal(err)
	}
	export := func(args ...string) string {
		t.Helper()
		var out, complaint bytes.Buffer
		if code := run(t.Context(), append([]string{"export", "incidents", "--config", conf}, args...), &out, &complaint); code != 0 {
			t.Fatalf("%v: %s", args, complaint.String())
		}
		return out.String()
	}
	live := export("contoso")
	var list struct {
		Value []struct {
			ID    string
			Posts []any
		}
	}
	if err := json.Unmarshal([]byte(live), &list); err != nil || len(list.Value) != 1 || list.Value[0].ID != "SP900001" || len(list.Value[0].Posts) != 3 {
		t.Errorf("%v: %s", err, live)
	}
	h.halt()
	if still := export("contoso"); still != live {
		t.Errorf("the export of a stopped bot differs:\n%s\n%s", live, still)
	}
	if code := run(t.Context(), []string{"export", "incidents", "--config", conf, "fabrikam"}, &bytes.Buffer{}, &bytes.Buffer{}); code != 1 {
		t.Errorf("a tenant that does not exist ends with %d", code)
	}
}

// A picture is posted where it was asked for, with words that say the same.
func TestPicturesInTheChannel(t *testing.T) {
	h := open(t, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 5)
	h.typesIn(play.Max, play.Ops, "/keyturn picture")
	h.expectPrivate(play.Max, "It is drawn and posted here")
	heat := h.expectChannel(play.Ops, "The last 30 days", "SharePoint Online incident on")
	h.typesIn(play.Max, play.Ops, "/keyturn picture SP900001")
	line := h.expectChannel(play.Ops, "SP900001 over time", "Began", "not resolved by")
	files := h.world.Slack.Snapshot().Files
	if len(files) != 2 {
		t.Fatalf("%d pictures were uploaded", len(files))
	}
	for n, m := range []slack.Message{heat, line} {
		if !strings.Contains(string(m.Blocks), files[n].ID) || !bytes.HasPrefix(files[n].Data, []byte("\x89PNG")) {
			t.Errorf("the message does not show its picture: %s", m.Blocks)
		}
	}
	h.typesIn(play.Max, play.Ops, "/keyturn picture EX404404")
	h.expectPrivate(play.Max, "I do not keep an incident")
}

// A picture of some services and days, asked for in words.
func TestAPictureOfOneServiceAndTwoWeeks(t *testing.T) {
	h := open(t, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 5)
	h.microsoftWrites("PL900001", "Planner", 5)
	h.readable(true)
	h.typesIn(play.Max, play.Ops, "/keyturn picture sharepoint online 14 days")
	two := h.expectChannel(play.Ops, "The last 14 days of SharePoint Online", "SharePoint Online incident on")
	if strings.Contains(drawn(two.Text, two.Blocks), "Planner") {
		t.Errorf("it shows another service: %s", two.Blocks)
	}
	h.typesIn(play.Max, play.Ops, "/keyturn picture Viva Enagge")
	h.expectPrivate(play.Max, "I have drawn nothing", "Did you mean", "Viva Engage", "/keyturn health all")
	h.typesIn(play.Max, play.Ops, "/keyturn picture 400")
	h.expectPrivate(play.Max, "I draw from 2 to 60 days")
	if n := len(h.world.Slack.Snapshot().Files); n != 1 {
		t.Errorf("%d pictures were uploaded", n)
	}
}

// address is where a card on Teams shows a picture from.
var address = regexp.MustCompile(`http://[^"]*/picture/[^"]*`)

// Teams fetches pictures without signing in: from Keyturn, at an address that
// nobody guesses and that ends.
func TestAPictureOnTeamsStandsAtAnAddressThatEnds(t *testing.T) {
	h := openOn(t, play.OnTeams, withSignIn, withReader)
	h.readable(true)
	if err := h.crew.Type(h.Context(), play.Rita, "", "picture"); err != nil {
		t.Fatal(err)
	}
	h.shows("the picture", func(c play.Card) bool { return c.For(play.Rita) }, "The last 30 days")
	raw, err := json.Marshal(h.world.Teams.Snapshot().Messages)
	if err != nil || !bytes.Contains(raw, []byte("Microsoft published no issue")) || bytes.Contains(raw, []byte("data:image")) {
		t.Errorf("no card has the words of the picture, or one carries it (%v)", err)
	}
	at := address.FindString(string(raw))
	get := func(url, method string) (int, http.Header, []byte) {
		req, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, body
	}
	status, header, body := get(at, "GET")
	if status != 200 || !bytes.HasPrefix(body, []byte("\x89PNG")) || header.Get("Content-Type") != "image/png" || header.Get("Cross-Origin-Resource-Policy") != "cross-origin" ||
		header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%s is answered with %d %v", at, status, header)
	}
	dir, name := at[:strings.LastIndex(at, "/")+1], at[strings.LastIndex(at, "/")+1:]
	part := strings.Split(name, ".")
	later := strconv.FormatInt(h.now().AddDate(1, 0, 0).Unix(), 36)
	for what, url := range map[string]string{"another signature": dir + part[0] + "." + part[1] + "." + strings.Repeat("A", len(part[2])) + ".png",
		"a later end": dir + part[0] + "." + later + "." + part[2] + ".png", "another picture": dir + "A" + part[0][1:] + "." + part[1] + "." + part[2] + ".png",
		"no signature": dir + part[0] + "." + part[1] + "..png", "a name": dir + "keyturn.png", "a list": dir, "another ending": strings.TrimSuffix(at, "png") + "svg",
		"a longer path": at + "/x", "no name": dir + strings.TrimPrefix(name, part[0])} {
		if status, _, _ := get(url, "GET"); status != 404 {
			t.Errorf("with %s: %d", what, status)
		}
	}
	if status, _, _ := get(at, "POST"); status < 400 {
		t.Errorf("it may be posted to: %d", status)
	}
	h.restart()
	at = strings.Replace(at, at[:strings.Index(at, "/picture/")], "http://"+h.bot.conf.Listen, 1)
	if status, _, again := get(at, "GET"); status != 200 || !bytes.Equal(again, body) {
		t.Errorf("after a restart: %d", status)
	}
	h.later(pictureKept + 25*time.Hour)
	if status, _, _ := get(at, "GET"); status != 404 {
		t.Errorf("when its time is over: %d", status)
	}
}

// Without an address of its own Keyturn says what the picture would show.
func TestAPictureOnTeamsWithoutAPublicAddressIsItsWords(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader)
	h.readable(true)
	if err := h.crew.Type(h.Context(), play.Rita, "", "picture"); err != nil {
		t.Fatal(err)
	}
	h.shows("the words", func(c play.Card) bool { return c.For(play.Rita) }, "The last 30 days", "Microsoft published no issue")
}

// On Mondays each channel gets the week with its picture.
func TestTheWeeksDigestShowsThePicture(t *testing.T) {
	h := open(t, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 5)
	h.microsoftWrites("PL900001", "Planner", 5)
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe SharePoint Online")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	monday := h.now().UTC().Truncate(24 * time.Hour)
	for monday.Weekday() != time.Monday || !monday.After(h.now()) {
		monday = monday.AddDate(0, 0, 1)
	}
	h.passes(monday.Add(13 * time.Hour).Sub(h.now())) // after nine o'clock wherever the channel is
	week := h.expectChannel(play.Incidents, "Microsoft 365, the week since", "SharePoint Online incident on")
	files := h.world.Slack.Snapshot().Files
	if len(files) != 1 || !strings.Contains(string(week.Blocks), files[0].ID) {
		t.Errorf("%d pictures, and the digest is %s", len(files), week.Blocks)
	}
	if strings.Contains(week.Text, "Planner") {
		t.Errorf("the week names a service that the channel did not ask for: %s", week.Text)
	}
}
