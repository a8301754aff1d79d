package microsoft_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"keyturn/sim"
	"keyturn/sim/microsoft"
)

func same(t testing.TB, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func (w *world) handshake(token, body string) answer {
	w.Helper()
	r := w.request("POST", "/connector/handshake", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return w.do(r)
}

func TestTheConnectorShakesHands(t *testing.T) {
	w := start(t)
	left, err := w.sim.Leftovers("dev1.service-now.com")
	if err != nil {
		t.Fatal(err)
	}
	token := w.post(w.url+"/login/contoso.example/oauth2/token", "grant_type", "client_credentials", "client_id", left.AppID, "client_secret", left.LiveSecret,
		"resource", "https://connector.rave.microsoft.com").text(t, "access_token")
	good := `{"repository":"` + left.RepositoryID + `","endpoint":"` + left.Endpoint + `/"}`
	if a := w.handshake(token, good); a.status != 200 || a.text(t, "status") != "connected" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for body, status := range map[string]int{
		`{"repository":"other","endpoint":"` + left.Endpoint + `"}`:          404,
		`{"repository":"` + left.RepositoryID + `","endpoint":"https://x/"}`: 404,
		`hello`: 400,
	} {
		if a := w.handshake(token, body); a.status != status || a.text(t, "error") == "" {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := w.handshake("nonsense", good); a.status != 401 {
		t.Fatalf("%d", a.status)
	}
	if _, err := w.sim.Register(microsoft.App{AppID: botApp, Name: "another", Secrets: []microsoft.Secret{{Value: botSecret}}}); err != nil {
		t.Fatal(err)
	}
	if a := w.handshake(w.appToken(), good); a.status != 401 || !strings.Contains(a.text(t, "error"), "Application ID to issue Auth Token") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := w.sim.SetWorld(microsoft.ShutDown); err != nil {
		t.Fatal(err)
	}
	if a := w.handshake(token, good); a.status != 404 || !strings.Contains(a.text(t, "error"), "shut down") {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestTheNameOfTheConnector(t *testing.T) {
	w := start(t)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.sim.ServeDNS(conn) }()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	look := func(name string) (string, bool) {
		ips, err := resolver.LookupHost(context.Background(), name+".")
		var missing *net.DNSError
		if errors.As(err, &missing) && missing.IsNotFound {
			return "", false
		}
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(ips, " "), true
	}
	if ip, ok := look(microsoft.ConnectorHost); !ok || ip != "127.0.0.1" {
		t.Fatalf("%q %v", ip, ok)
	}
	if _, ok := look("graph.microsoft.com"); ok {
		t.Fatal("another name resolves")
	}
	if err := w.sim.SetWorld(microsoft.ShutDown); err != nil {
		t.Fatal(err)
	}
	if _, ok := look(microsoft.ConnectorHost); ok {
		t.Fatal("resolves after the shutdown")
	}
	if _, err := conn.WriteTo([]byte("not DNS"), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, ok := look("still.there.example"); ok {
		t.Fatal("?")
	}
	conn.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestTheStatusPage(t *testing.T) {
	w := start(t)
	w.clock.Add(7 * time.Minute)
	o := w.get("/status/api/posts/mac").object(t)
	if o["Status"] != "Available" || o["InternalDateTime"] != "2026-03-02T09:00:00+00:00" || o["LastUpdatedTime"] != "2026-03-02T09:07:00+00:00" {
		t.Fatalf("%v", o)
	}
	if err := w.sim.SetStatus("ServiceDegradation", "Admin center", "<div>Some admins cannot sign in.</div>"); err != nil {
		t.Fatal(err)
	}
	if o := w.get("/status/api/posts/mac").object(t); o["Status"] != "ServiceDegradation" || o["Message"] != "<div>Some admins cannot sign in.</div>" || o["AuthoredDateTime"] != "2026-03-02T09:07:00+00:00" {
		t.Fatalf("%v", o)
	}
	if a := w.get("/status/api/feed/mac"); !strings.Contains(string(a.body), "<status>ServiceDegradation</status>") {
		t.Fatalf("%s", a.body)
	}
	if a := w.get("/status/api/posts/m365Consumer"); !strings.HasPrefix(string(a.body), "[{") {
		t.Fatalf("%s", a.body)
	}
	for path, status := range map[string]int{"/status/api/posts/nothing": 400, "/status/api/feed/azure": 400, "/status/somewhere": 200} {
		if a := w.get(path); a.status != status {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if err := w.sim.SetDrift(microsoft.DriftToHTML); err != nil {
		t.Fatal(err)
	}
	if a := w.get("/status/api/posts/mac"); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", a.status, a.header)
	}
	if err := w.sim.SetDrift(microsoft.DriftTo400); err != nil {
		t.Fatal(err)
	}
	if a := w.get("/status/api/posts/mac"); a.status != 400 {
		t.Fatalf("%d", a.status)
	}
	if w.sim.SetDrift("sideways") == nil {
		t.Fatal("took an unknown drift")
	}
}

func TestLeftoversCanBeFoundAndRemoved(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	before := w.sim.Inventory()
	left, err := w.sim.Leftovers("dev1.service-now.com")
	if err != nil {
		t.Fatal(err)
	}
	token := w.appToken()
	found := w.graph(token, "GET", "/applications?$filter=startswith(displayName,'ServiceNow')", "").values(t)
	if len(found) != 1 || found[0]["appId"] != left.AppID || found[0]["uniqueName"] != nil || len(found[0]["passwordCredentials"].([]any)) != 2 {
		t.Fatalf("%v", found)
	}
	refusedOrNot := func() answer {
		return w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", left.AppID, "client_secret", left.LiveSecret, "scope", graphName+"/.default")
	}
	if a := refusedOrNot(); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	wants(t, w.graph(token, "DELETE", "/applications/"+found[0]["id"].(string), ""), 204, "")
	refused(t, refusedOrNot(), 400, 700016)
	w.as(mia)
	w.post(panel+"/repositories/delete", "repository", left.RepositoryID)
	w.post(panel + "/basic/clear")
	wants(t, w.graph(token, "DELETE", "/directory/deletedItems/"+found[0]["id"].(string), ""), 204, "")
	same(t, before, w.sim.Inventory())
}

func TestARestartForgetsNothingAndKeepsNoSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "microsoft.json")
	w := start(t, withApps(bot(everything...)), inFile(file))
	token := w.appToken()
	made := wants(t, w.graph(token, "PATCH", "/applications(uniqueName='kept')", seedApp, "Prefer", "create-if-missing"), 201, "")
	secret := wants(t, w.graph(token, "POST", "/applications/"+made.text(t, "id")+"/addPassword", ``), 200, "").text(t, "secretText")
	session := w.signIn(anna, "openid", "offline_access")
	w.put(issue("EX1", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00Z"))
	w.as(mia)
	w.submit(w.get(panel), "new-repository", "repository", "r", "endpoint", "https://x.example/", "authenticationType", "AAD Auth", "clientId", "c", "restUsername", "u", "restUserPassword", "panel-password-canary")

	again := start(t, withApps(bot(everything...)), inFile(file))
	same(t, w.sim.Inventory(), again.sim.Inventory())
	wants(t, again.graph(token, "GET", issuesPath+"/EX1", ""), 200, "")
	fresh := again.post(again.tokenURL(), "grant_type", "refresh_token", "client_id", botApp, "client_secret", botSecret, "refresh_token", session.text(t, "refresh_token"))
	if fresh.status != 200 {
		t.Fatalf("%s", fresh.body)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	calls, _ := w.sim.Journal.Since(0)
	journal, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	for name, where := range map[string][]byte{"snapshot": kept, "journal": journal, "state": w.get("/_sim/state").body, "inventory": w.get("/_sim/inventory").body} {
		for _, s := range []string{secret, botSecret, session.text(t, "refresh_token"), session.text(t, "access_token"), "panel-password-canary"} {
			if strings.Contains(string(where), s) {
				t.Errorf("the %s holds %s", name, s)
			}
		}
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := microsoft.New(microsoft.Config{File: file}); err == nil {
		t.Fatal("took a damaged snapshot")
	}
}

func (w *world) control(method, path, body string, status int) answer {
	w.Helper()
	a := w.do(w.request(method, "/_sim/"+path, strings.NewReader(body)))
	if a.status != status {
		w.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

func TestAnotherProcessDrivesTheSimulator(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	w.control("PUT", "world", `{"world":"shutdown"}`, 204)
	w.control("PUT", "world", `{"world":"flat"}`, 400)
	w.control("PUT", "quirks", `{"budget":true}`, 204)
	w.control("PUT", "lag", `{"principal":3}`, 204)
	w.control("PUT", "policy", `{"enabled":true,"forbidSecrets":true}`, 204)
	w.control("PUT", "status", `{"status":"Service degradation","drift":""}`, 204)
	w.control("PUT", "services", `[{"id":"Exchange","service":"Exchange Online"}]`, 204)
	w.control("POST", "issues", string(issue("EX1", "Exchange Online", "investigating", false, "2026-03-02T08:30:00Z")), 204)
	w.control("PUT", "issues", `[`+string(issue("EX2", "Exchange Online", "investigating", false, "2026-03-02T08:30:00Z"))+`]`, 204)
	w.control("DELETE", "issues/EX1", "", 400)
	w.control("POST", "users", `{"upn":"new@contoso.example","eligible":["Global Administrator"]}`, 204)
	w.control("POST", "activate", `{"user":"new@contoso.example","role":"Global Administrator"}`, 204)
	w.control("POST", "block", `{"user":"`+anna+`","on":true}`, 204)
	app := w.control("POST", "apps", `{"name":"later","roles":["ServiceHealth.Read.All"]}`, 200)
	w.control("POST", "apps", `{"name":"later","roles":["Nothing"]}`, 400)
	w.control("POST", "leftovers", `{"host":"dev1.service-now.com"}`, 200)
	w.control("POST", "quirks", `nonsense`, 405)

	var st microsoft.State
	if err := json.Unmarshal(w.get("/_sim/state").body, &st); err != nil {
		t.Fatal(err)
	}
	last := st.Users[len(st.Users)-1]
	if st.World != microsoft.ShutDown || !st.Quirks.Budget || st.Lag.Principal != 3 || !st.Policy.ForbidSecrets || st.Status != "Service degradation" ||
		len(st.Services) != 1 || strings.Join(st.Issues, " ") != "EX2" || strings.Join(last.ActiveNow, " ") != "Global Administrator" || !st.Users[0].Blocked {
		t.Fatalf("%+v", st)
	}
	var inv microsoft.Inventory
	if err := json.Unmarshal(w.get("/_sim/inventory").body, &inv); err != nil {
		t.Fatal(err)
	}
	if len(inv.Apps) != 3 || app.text(t, "appId") == "" {
		t.Fatalf("%+v", inv)
	}
	if inv := w.sim.Inventory(); inv.AdminCenter.ApplicationID == "" {
		t.Fatalf("%+v", inv)
	}
}

func TestTheJournalTellsWhoDidWhat(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	w.graph(w.userToken(anna, "Application.ReadWrite.All"), "POST", "/applications", seedApp)
	w.get("/nothing?client_secret=query-canary&x=1")
	var page struct {
		Calls []sim.Call
		Total int
	}
	if err := json.Unmarshal(w.get("/_sim/journal?since=0").body, &page); err != nil {
		t.Fatal(err)
	}
	n := len(page.Calls)
	made, lost := page.Calls[n-2], page.Calls[n-1]
	if page.Total != n || !made.Write || made.Status != 201 || made.Who != anna+" with Keyturn" || !strings.HasPrefix(made.Note, "created app ") {
		t.Fatalf("%+v", made)
	}
	if lost.Write || lost.Status != 404 || strings.Contains(lost.Path, "canary") || !strings.Contains(lost.Path, "x=1") {
		t.Fatalf("%+v", lost)
	}
	for _, c := range page.Calls[:n-2] {
		if c.Write {
			t.Errorf("signing in counts as a write: %+v", c)
		}
	}
}

func TestFaultsComeBeforeOrAfterTheEffect(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	w.control("POST", "faults", `{"method":"POST","path":"/graph/v1.0/applications","times":1,"status":503}`, 204)
	if a := w.graph(token, "POST", "/organization", ""); a.status != 405 {
		t.Fatalf("%d", a.status)
	}
	r := w.request("POST", "/graph/v1.0/applications", strings.NewReader(seedApp))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if a := w.do(r); a.status != 503 || len(w.sim.Inventory().Apps) != 1 {
		t.Fatalf("%d", a.status)
	}
	w.sim.Faults.Add(sim.Fault{Method: "POST", Path: "/graph/v1.0/applications", Times: 1, Drop: true, After: true})
	r = w.request("POST", "/graph/v1.0/applications", strings.NewReader(seedApp))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.GetBody = nil
	if resp, err := w.http.Do(r); err == nil {
		resp.Body.Close()
		t.Fatalf("an answer: %d", resp.StatusCode)
	}
	if n := len(w.sim.Inventory().Apps); n != 2 {
		t.Fatalf("%d registrations: the effect should be there", n)
	}
	calls, _ := w.sim.Journal.Since(0)
	if last := calls[len(calls)-1]; last.Status != 0 || !strings.Contains(last.Note, "connection dropped") {
		t.Fatalf("%+v", last)
	}
	w.control("DELETE", "faults", "", 204)
	wants(t, w.graph(token, "POST", "/applications", seedApp), http.StatusCreated, "")
}

func TestDNSIgnoresWhatItCannotRead(t *testing.T) {
	b := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}}
	packed, err := b.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range [][]byte{nil, {1, 2, 3}, packed} {
		if out := microsoft.AnswerDNS(start(t).sim, in); out != nil {
			t.Errorf("answered %v with %v", in, out)
		}
	}
}
