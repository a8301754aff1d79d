package microsoft_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/microsoft"
	"keyturn/test/beside"
)

const issuesPath = "/admin/serviceAnnouncement/issues"

func issue(id, service, status string, resolved bool, modified string) json.RawMessage {
	b, err := json.Marshal(map[string]any{"id": id, "title": "Users can't send mail", "service": service, "status": status, "isResolved": resolved,
		"classification": "incident", "origin": "microsoft", "impactDescription": "Mail is late.", "feature": "Mail", "featureGroup": "Mail", "details": []any{},
		"startDateTime": "2026-03-02T08:00:00Z", "endDateTime": nil, "lastModifiedDateTime": modified, "highImpact": nil,
		"posts": []any{map[string]any{"createdDateTime": modified, "postType": "regular", "description": map[string]any{"contentType": "html", "content": "We're looking <b>into</b> it.\n"}}}})
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) put(list ...json.RawMessage) {
	w.Helper()
	if err := w.sim.SetIssues(list); err != nil {
		w.Fatal(err)
	}
}

func ids(list []map[string]any) []string {
	var out []string
	for _, v := range list {
		out = append(out, v["id"].(string))
	}
	return out
}

func TestIssuesAreServedAsGiven(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	raw := issue("EX100001", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00.2Z")
	w.put(raw)
	token := w.appToken()
	got := wants(t, w.graph(token, "GET", issuesPath+"/EX100001", ""), 200, "").object(t)
	var want map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	want["@odata.context"] = w.url + "/graph/v1.0/$metadata#admin/serviceAnnouncement/issues/$entity"
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	if list := w.graph(token, "GET", issuesPath, "").values(t); len(list) != 1 || list[0]["highImpact"] != nil || list[0]["posts"] == nil {
		t.Fatalf("%v", list)
	}
	if list := w.graph(token, "GET", issuesPath+"?$select=id,status", "").values(t); len(list[0]) != 2 {
		t.Fatalf("%v", list)
	}
	for _, bad := range []string{`[]`, `{}`, `{"id":7}`, `nonsense`} {
		if err := w.sim.PutIssue(json.RawMessage(bad)); err == nil {
			t.Errorf("took %s", bad)
		}
	}
}

func TestAnIssueChangesVanishesAndComesBack(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	w.put(issue("EX1", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00Z"), issue("TM1", "Microsoft Teams", "investigating", false, "2026-03-02T08:31:00Z"))
	if err := w.sim.PutIssue(issue("EX1", "Exchange Online", "serviceRestored", true, "2026-03-02T09:30:00Z")); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.DropIssue("TM1"); err != nil {
		t.Fatal(err)
	}
	list := w.graph(token, "GET", issuesPath, "").values(t)
	if len(list) != 1 || list[0]["status"] != "serviceRestored" {
		t.Fatalf("%v", list)
	}
	gone := wants(t, w.graph(token, "GET", issuesPath+"/TM1", ""), 403, "UnknownError")
	var outer struct{ Code, Message string }
	var inner struct{ Error string }
	if err := json.Unmarshal([]byte(gone.text(t, "error", "message")), &outer); err != nil {
		t.Fatalf("%v: %s", err, gone.body)
	}
	if err := json.Unmarshal([]byte(outer.Message), &inner); err != nil || outer.Code != "forbidden" || !strings.HasPrefix(inner.Error, "Resource doesn't exist for the tenant. ActivityId: ") {
		t.Fatalf("%v %+v %+v", err, outer, inner)
	}
	if err := w.sim.SetQuirks(microsoft.Quirks{UnknownIDStatus: 404}); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(token, "GET", issuesPath+"/TM1", ""), 404, "UnknownError")
	if err := w.sim.DropIssue("TM1"); err == nil {
		t.Fatal("dropped twice")
	}
}

// pages walks @odata.nextLink to the end.
func (w *world) pages(token, path string, headers ...string) (all [][]string) {
	w.Helper()
	for path != "" {
		a := wants(w, w.graph(token, "GET", path, "", headers...), 200, "")
		all = append(all, ids(a.values(w)))
		path, _ = a.object(w)["@odata.nextLink"].(string)
		if len(all) > 50 {
			w.Fatal("the pages do not end")
		}
	}
	return all
}

func TestIssuesComeInPages(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	var list []json.RawMessage
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprintf("EX%03d", i))
		list = append(list, issue(want[i], "Exchange Online", "serviceRestored", true, "2026-03-01T08:00:00Z"))
	}
	w.put(list...)
	token := w.appToken()
	got := w.pages(token, issuesPath)
	if len(got) != 3 || len(got[0]) != 100 || !slices.Equal(slices.Concat(got...), want) {
		t.Fatalf("%d pages", len(got))
	}
	if got := w.pages(token, issuesPath, "Prefer", "odata.maxpagesize=1000"); len(got) != 1 || len(got[0]) != 250 {
		t.Fatalf("%d pages", len(got))
	}
	if got := w.pages(token, issuesPath+"?$filter=isResolved+eq+true", "Prefer", "odata.maxpagesize=90"); len(got) != 3 {
		t.Fatalf("%d pages of the filtered list", len(got))
	}
	wants(t, w.graph(token, "GET", issuesPath+"?$skip=-1", ""), 400, "BadRequest")
	if err := w.sim.SetQuirks(microsoft.Quirks{PageOverlap: 2}); err != nil {
		t.Fatal(err)
	}
	got = w.pages(token, issuesPath)
	all := slices.Concat(got...)
	if len(all) <= 250 || got[1][0] != want[98] || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 250 {
		t.Fatalf("overlapping pages: %d items, second begins with %s", len(all), got[1][0])
	}
}

func TestIssuesCanBeFilteredUnlessTheTenantCannot(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	w.put(issue("EX1", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00.5Z"),
		issue("EX2", "Exchange Online", "serviceRestored", true, "2026-03-01T08:30:00Z"),
		issue("TM1", "Microsoft Teams", "investigating", false, "2026-03-02T08:45:00Z"))
	token := w.appToken()
	for query, want := range map[string]string{
		"$filter=isResolved eq false":                                                                "EX1 TM1",
		"$filter=service eq 'Exchange Online' and isResolved eq true":                                "EX2",
		"$filter=status ne 'investigating'":                                                          "EX1 EX2",
		"$filter=lastModifiedDateTime ge 2026-03-02T08:30:00.6Z":                                     "TM1",
		"$filter=lastModifiedDateTime gt 2026-03-02T00:00:00Z and not(service eq 'Exchange Online')": "TM1",
		"$filter=id in ('EX2','TM1')":                                                                "EX2 TM1",
		"$orderby=lastModifiedDateTime desc&$top=2":                                                  "TM1 EX1",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(ids(w.graph(token, "GET", issuesPath+"?"+q.Encode(), "").values(t)), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	wants(t, w.graph(token, "GET", issuesPath+"?$filter=details/any(d:d/name+eq+'x')", ""), 400, "BadRequest")
	wants(t, w.graph(token, "GET", issuesPath+"?$filter=status+is+'x'", ""), 400, "BadRequest")
	if err := w.sim.SetQuirks(microsoft.Quirks{NoIssueFilter: true, NoIssueOrder: true, NoIssueTop: true}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"$filter=isResolved+eq+false", "$orderby=id", "$top=1"} {
		wants(t, w.graph(token, "GET", issuesPath+"?"+q, ""), 400, "BadRequest")
	}
	wants(t, w.graph(token, "GET", issuesPath, ""), 200, "")
}

func TestHealthOverviewsFollowTheIssues(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	w.put(issue("EX1", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00Z"), issue("EX2", "Exchange Online", "ServiceInterruption", false, "2026-03-02T08:30:00Z"),
		issue("TM1", "Microsoft Teams", "serviceRestored", true, "2026-03-02T08:30:00Z"))
	overview := func(id string) map[string]any {
		return wants(t, w.graph(token, "GET", "/admin/serviceAnnouncement/healthOverviews/"+id, ""), 200, "").object(t)
	}
	if s := overview("Exchange")["status"]; s != "serviceInterruption" {
		t.Fatalf("Exchange: %v", s)
	}
	if s := overview("microsoftteams")["status"]; s != "serviceOperational" {
		t.Fatalf("Teams: %v", s)
	}
	w.put(issue("EX1", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00Z"))
	for _, v := range w.graph(token, "GET", "/admin/serviceAnnouncement/healthOverviews?$expand=issues", "").values(t) {
		list, _ := v["issues"].([]any)
		if want := map[bool]int{true: 1, false: 0}[v["id"] == "Exchange"]; len(list) != want {
			t.Fatalf("%v has %d issues", v["id"], len(list))
		}
	}
	empty := wants(t, w.graph(token, "GET", "/admin/serviceAnnouncement/healthOverviews/Exchange/issues", ""), 404, "UnknownError")
	if empty.text(t, "error", "message") != "" {
		t.Fatalf("%s", empty.body)
	}
	if err := w.sim.SetServices([]microsoft.Service{{ID: "Lync", Name: "Skype for Business", Status: "extendedRecovery"}}); err != nil {
		t.Fatal(err)
	}
	if overview("Lync")["status"] != "extendedRecovery" {
		t.Fatal("a given status counts")
	}
}

func TestThePostIncidentReviewIsAStream(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	w.put(issue("EX1", "Exchange Online", "postIncidentReviewPublished", true, "2026-03-02T08:30:00Z"), issue("EX2", "Exchange Online", "serviceRestored", true, "2026-03-02T08:30:00Z"))
	if err := w.sim.SetReport("EX1", []byte("a document")); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"/incidentReport", "/incidentReport()"} {
		if a := wants(t, w.graph(token, "GET", issuesPath+"/EX1"+form, ""), 200, ""); string(a.body) != "a document" {
			t.Fatalf("%s", a.body)
		}
	}
	wants(t, w.graph(token, "GET", issuesPath+"/EX2/incidentReport", ""), 404, "UnknownError")
}

func TestTheBudgetOfServiceAnnouncement(t *testing.T) {
	w := start(t, withApps(bot(everything...)), withQuirks(microsoft.Quirks{Budget: true}))
	token := w.appToken()
	for i := range 240 {
		if a := w.graph(token, "GET", issuesPath+"?$select=id", ""); a.status != 200 {
			t.Fatalf("request %d: %d", i+1, a.status)
		}
	}
	w.clock.Add(20 * time.Second)
	if a := wants(t, w.graph(token, "GET", issuesPath, ""), 429, "TooManyRequests"); a.header.Get("Retry-After") != "40" {
		t.Fatalf("%v", a.header)
	}
	w.clock.Add(40 * time.Second)
	wants(t, w.graph(token, "GET", issuesPath, ""), 200, "")
	if err := w.sim.SetQuirks(microsoft.Quirks{Budget: true, NoRetryAfter: true}); err != nil {
		t.Fatal(err)
	}
	spent := 241
	for ; w.graph(token, "GET", issuesPath, "").status == 200; spent++ {
		w.clock.Add(300 * time.Millisecond)
	}
	if a := w.graph(token, "GET", issuesPath, ""); spent != 800 || a.header.Get("Retry-After") != "" {
		t.Fatalf("throttled after %d requests in the hour, %v", spent, a.header)
	}
}

func TestTheMessageCenter(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	message := `{"id":"MC1","title":"New thing","startDateTime":"2026-03-01T00:00:00Z","endDateTime":"2026-05-01T00:00:00Z","lastModifiedDateTime":"2026-03-01T00:00:00.13Z",
	 "category":"planForChange","severity":"normal","tags":["New feature"],"isMajorChange":null,"services":["Microsoft Clipchamp "],"hasAttachments":true,"viewPoint":null,"details":[],
	 "body":{"contentType":"html","content":"<p>Soon</p>"},"attachments":[{"id":"a1","name":"more.txt","size":3,"contentType":"text/plain"}]}`
	if err := w.sim.SetMessages([]json.RawMessage{json.RawMessage(message)}); err != nil {
		t.Fatal(err)
	}
	base := "/admin/serviceAnnouncement/messages"
	if list := w.graph(token, "GET", base, "").values(t); len(list) != 1 || list[0]["services"].([]any)[0] != "Microsoft Clipchamp " {
		t.Fatalf("%v", list)
	}
	wants(t, w.graph(token, "GET", base+"/MC1", ""), 200, "")
	if list := w.graph(token, "GET", base+"/MC1/attachments", "").values(t); len(list) != 1 {
		t.Fatalf("%v", list)
	}
	wants(t, w.graph(token, "GET", base+"/MC1/attachments/a1", ""), 200, "")
	wants(t, w.graph(token, "GET", base+"/MC1/attachments/a2", ""), 403, "UnknownError")
	if err := w.sim.DropMessage("MC1"); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(token, "GET", base+"/MC1", ""), 403, "UnknownError")
	if err := w.sim.PutMessage(json.RawMessage(message)); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(token, "GET", base+"/MC1", ""), 200, "")
}

func TestRealIssuesAndMessagesPassThrough(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	var issues, messages struct{ Value []json.RawMessage }
	if err := json.Unmarshal(beside.Data(t, "graph/issues.json"), &issues); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(beside.Data(t, "graph/messages.json"), &messages); err != nil {
		t.Fatal(err)
	}
	w.put(issues.Value...)
	if err := w.sim.SetMessages(messages.Value); err != nil {
		t.Fatal(err)
	}
	token := w.appToken()
	r := w.request("GET", "/graph/v1.0"+issuesPath, nil) // past the contract: samples of the documentation have enums in another case
	r.Header.Set("Authorization", "Bearer "+token)
	got := w.do(r).values(t)
	for i, raw := range issues.Value {
		var want map[string]any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got[i]); d != "" {
			t.Fatal(d)
		}
	}
	if all := slices.Concat(w.pages(token, "/admin/serviceAnnouncement/messages")...); len(all) != len(messages.Value) {
		t.Fatalf("%d of %d messages", len(all), len(messages.Value))
	}
}
