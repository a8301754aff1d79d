package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/play"
)

// receiver is a web server of the organisation's: it takes notes and beats.
type receiver struct {
	mu    sync.Mutex
	notes []string // "kind: text"
	beats []string
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.URL.Path == "/beat" {
		r.beats = append(r.beats, req.URL.Path)
		return
	}
	var n struct{ Kind, Subject, Text string }
	_ = json.NewDecoder(req.Body).Decode(&n)
	r.notes = append(r.notes, n.Kind+": "+n.Subject+"\n"+n.Text)
}

func (r *receiver) got(words ...string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.notes {
		if containsAll(s, words) {
			n++
		}
	}
	return n
}

func (r *receiver) heard() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.beats)
}

// withOutward gives the tenant a webhook to fall back on and a monitor, both at
// the receiver.
func withOutward(t *testing.T, r *receiver) option {
	t.Helper()
	web := httptest.NewServer(r)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	for _, name := range []string{"note", "beat"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(web.URL+"/"+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return reword("  sign_in:", fmt.Sprintf("  fallback: {webhook: {url: %q}}\n  heartbeat: {url: %q}\n  sign_in:",
		"file:"+filepath.Join(dir, "note"), "file:"+filepath.Join(dir, "beat")))
}

// pending reports whether a job of a kind waits.
func (h *house) pending(kind string) (yes bool) {
	h.Helper()
	h.read(func(v engine.View) error {
		jobs, err := v.Jobs("")
		for _, j := range jobs {
			yes = yes || j.Kind == kind && !j.Dead
		}
		return err
	})
	return yes
}

// Who cannot be told in chat is told by the fallback way: once, and again when
// chat works.
func TestWhenChatIsSilentTheFallbackWayIsTold(t *testing.T) {
	r := &receiver{}
	h := open(t, withReader, hasty(&pauseLog{}), withOutward(t, r))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/**", Status: 503})
	h.microsoftWrites("SP900001", "SharePoint Online", 2)
	h.becomes("a look at how long chat is silent", func() bool { return h.pending("fallback") })
	if n := r.got("Chat cannot be reached"); n != 0 {
		t.Errorf("the fallback way was told at once, %d times", n)
	}
	h.passes(11 * time.Minute)
	h.becomes("the note", func() bool {
		return r.got("alarm: Contoso: ⚫ Chat cannot be reached", "SP900001", "Waiting to be posted: ") > 0
	})
	h.passes(11 * time.Minute)
	h.world.Slack.Faults.Clear()
	h.passes(11 * time.Minute)
	h.expectChannel(play.Incidents, "SP900001")
	h.becomes("the end of it", func() bool { return r.got("over: Contoso: Chat is reached again") > 0 })
	if n := r.got("Chat cannot be reached"); n != 1 {
		t.Errorf("the fallback way was told %d times, expected once", n)
	}
}

// Where the organisation has two platforms, one stands in for the other.
func TestWhenSlackIsSilentAChannelOfTeamsIsTold(t *testing.T) {
	h := openOn(t, play.Both, withReader, hasty(&pauseLog{}), reword("  sign_in:", fmt.Sprintf("  fallback: {channel: %q}\n  sign_in:", play.TeamsOps)))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/**", Status: 503})
	h.microsoftWrites("SP900001", "SharePoint Online", 2)
	h.becomes("a look at how long chat is silent", func() bool { return h.pending("fallback") })
	h.passes(11 * time.Minute)
	h.shows("the note", func(c play.Card) bool { return c.Platform == play.OnTeams }, "Chat cannot be reached", "SP900001")
}

// When Graph cannot be read, the channel is told so with what the public status
// page says, the cause goes to the admins, and the monitor hears nothing.
func TestWhenGraphIsDownTheChannelsSeeNoGreen(t *testing.T) {
	r := &receiver{}
	h := open(t, withReader, hasty(&pauseLog{}), withOutward(t, r))
	if err := h.world.Microsoft.SetStatus("ServiceDegradation", "", "<div>Admins may be unable to see service health.</div>"); err != nil {
		t.Fatal(err)
	}
	h.readable(true)
	h.passes(time.Minute + time.Second)
	h.becomes("a beat", func() bool { return r.heard() > 0 })
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	graphSays("GET", issuesPath, 503, "serviceNotAvailable", "")(h)
	h.readable(false)
	h.types(play.Rita, "/keyturn status")
	h.expectPrivate(play.Rita, "Cannot read service health since", "admin center itself is degraded", "Admins may be unable to see service health.")
	h.passes(16 * time.Minute)
	told := h.expectChannel(play.Incidents, "⚫ Cannot read service health since", "This is not a green light", "admin center itself is degraded")
	if strings.Contains(told.Text, "has a fault at the moment") {
		t.Errorf("the channel is told the cause, which is for the admins: %s", told.Text)
	}
	h.expectCard(play.Omar, "Microsoft Graph has a fault at the moment")
	quiet, tried := r.heard(), h.watch().Tries
	h.passes(5 * time.Minute)
	h.becomes("another reading that fails", func() bool { return h.watch().Tries > tried })
	if n := r.heard(); n != quiet {
		t.Errorf("the monitor heard %d beats while nothing can be read", n-quiet)
	}
	h.world.Microsoft.Faults.Clear()
	h.passes(6 * time.Minute)
	h.expectChannel(play.Incidents, "I could not read service health from", "It is read again")
	h.passes(2 * time.Minute)
	h.becomes("a beat again", func() bool { return r.heard() > quiet })
}

// What an operator's monitoring asks, at an address of its own.
func TestMetricsSayHowOldTheReadingIs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	h := open(t, withReader, reword("poll_every: ", fmt.Sprintf("metrics: %q\npoll_every: ", address)))
	h.microsoftWrites("SP900001", "SharePoint Online", 2)
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.idle()
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	_, says := get("/metrics")
	for _, want := range []string{`keyturn_reading_age_seconds{tenant="contoso"} `, `keyturn_reading_failing{tenant="contoso"} 0`, `keyturn_incidents_open{tenant="contoso"} 1`,
		`keyturn_jobs{kind="poll",state="waiting"} 1`, `keyturn_sends_total{outcome="sent",platform="slack"} `, `keyturn_requests_total{outcome="`, "process_resident_memory_bytes", "go_goroutines",
		`keyturn_subscriptions{state="live",tenant="contoso"} 1`, `keyturn_subscriptions{state="stopped",tenant="contoso"} 0`, `keyturn_audit_entries{tenant="contoso"} `, `keyturn_audit_head_age_seconds{tenant="contoso"} `,
		"keyturn_lanes_due ", `keyturn_build_info{version="` + version + `"} 1`} {
		if !strings.Contains(says, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(says, play.Rita.Slack) || strings.Contains(says, play.Incidents) {
		t.Error("the metrics name a person or a channel")
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/slack/events": 404} {
		if code, _ := get(path); code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
	}
	for path, want := range map[string]int{"/readyz": 200, "/metrics": 404} {
		resp, err := http.Get("http://" + h.bot.conf.Listen + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("where the platforms come in, %s answers %d, want %d", path, resp.StatusCode, want)
		}
	}
}

// postman is a mail server of the organisation's on this machine.
type postman struct {
	net.Listener
	mu    sync.Mutex
	mails []string
}

func (p *postman) deliver(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	says := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	says("220 mail.contoso.example")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
		case "DATA":
			says("354 go on")
			var mail strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail.WriteString(line)
			}
			p.mu.Lock()
			p.mails = append(p.mails, mail.String())
			p.mu.Unlock()
			says("250 taken")
		case "QUIT":
			says("221 bye")
			return
		default:
			says("250 fine")
		}
	}
}

func (p *postman) got(words ...string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.mails {
		head, coded, _ := strings.Cut(m, "\r\n\r\n")
		body, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(coded)))
		if err == nil && strings.Contains(head, "ops@contoso.example") && containsAll(string(body), words) {
			n++
		}
	}
	return n
}

// Where mail is the fallback way it says what the webhook says, and both may be
// told.
func TestWhenChatIsSilentMailIsSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mail := &postman{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go mail.deliver(c)
		}
	}()
	r := &receiver{}
	h := open(t, withReader, hasty(&pauseLog{}), withOutward(t, r),
		reword("  fallback: {", fmt.Sprintf("  fallback: {mail: {server: %q, from: keyturn@contoso.example, to: [ops@contoso.example]}, ", l.Addr())))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe")
	h.expectChannel(play.Incidents, "From now on this channel is told")
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/**", Status: 503})
	h.microsoftWrites("SP900001", "SharePoint Online", 2)
	h.becomes("a look at how long chat is silent", func() bool { return h.pending("fallback") })
	h.passes(11 * time.Minute)
	h.becomes("the mail", func() bool {
		return mail.got("Chat cannot be reached", "SP900001") == 1
	})
	h.becomes("the webhook's note", func() bool { return r.got("alarm: Contoso", "SP900001") == 1 })
	h.world.Slack.Faults.Clear()
	h.passes(11 * time.Minute)
	h.becomes("the end of it by mail", func() bool { return mail.got("Chat is reached again") == 1 })
}
