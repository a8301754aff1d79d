package servicenow

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
	"keyturn/test/beside"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func reply(status int, body string) httpx.Reply {
	return httpx.Reply{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func TestEveryRealErrorHasASentence(t *testing.T) {
	var file struct {
		Bodies []struct {
			HTTP     int             `json:"http"`
			Endpoint string          `json:"endpoint"`
			Body     json.RawMessage `json:"body"`
		} `json:"bodies"`
	}
	if err := json.Unmarshal(beside.Data(t, "servicenow/error-bodies.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Bodies) == 0 {
		t.Fatal("the file holds no bodies")
	}
	op := operation{method: "GET", table: "oauth_entity"}
	for _, b := range file.Bodies {
		f := explain(op, reply(b.HTTP, string(b.Body)), noon)
		if b.Endpoint != "" {
			f = explainToken(reply(b.HTTP, string(b.Body)), noon)
		}
		if (f == nil) != (b.HTTP == 200) {
			t.Errorf("%d %s: %v", b.HTTP, b.Body, f)
		}
		if f != nil && (f.Kind == "" || !strings.HasSuffix(f.Says, ".") || !strings.HasSuffix(f.Fix, ".")) {
			t.Errorf("%d %s: %+v", b.HTTP, b.Body, f)
		}
	}
}

func TestWhatTableErrorsMean(t *testing.T) {
	for _, c := range []struct {
		table   string
		write   bool
		status  int
		message string
		detail  string
		want    bot.Kind
		words   string
	}{
		{"oauth_entity", true, 403, "Operation Failed", "ACL Exception Insert Failed due to security constraints", bot.KindForbidden, "oauth_admin"},
		{"oauth_entity_profile", false, 403, "Insufficient rights to query records", "", bot.KindForbidden, "oauth_admin"},
		{"sys_db_object", true, 403, "Operation Failed", "ACL Exception", bot.KindForbidden, "security_admin"},
		{"sys_user_has_role", true, 403, "Operation Failed", "ACL Exception", bot.KindForbidden, "user_admin"},
		{"incident", true, 403, "Operation Failed", "Operation against file 'incident' was aborted by Business Rule 'Check'", bot.KindRefused, "aborted by Business Rule"},
		{"incident", false, 403, "Insufficient rights to query records", "Field(s) present in the query do not have permission to be read", bot.KindForbidden, "columns"},
		{"incident", false, 404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval", bot.KindNotFound, "hides it"},
		{"x_mioms_none", false, 400, "Invalid table x_mioms_none", "", bot.KindNotFound, "installed"},
		{"incident", true, 400, "Exception while reading request", "Unparseable", bot.KindBadRequest, "Unparseable"},
		{"incident", false, 401, "User Not Authenticated", "Required to provide Auth information", bot.KindSignIn, "Basic"},
		{"incident", true, 409, "", "", bot.KindConflict, "changed"},
		{"", false, 404, "", "", bot.KindNotFound, "address"},
	} {
		b, err := json.Marshal(map[string]any{"error": map[string]string{"message": c.message, "detail": c.detail}, "status": "failure"})
		if err != nil {
			t.Fatal(err)
		}
		f := explain(operation{table: c.table, write: c.write}, reply(c.status, string(b)), noon)
		if f == nil || f.Kind != c.want || !strings.Contains(f.Error(), c.words) {
			t.Errorf("%d %s on %s: want %s with %q, got %v", c.status, c.message, c.table, c.want, c.words, f)
		}
	}
}

func TestTheTableIsKnownFromThePath(t *testing.T) {
	for path, want := range map[string]string{
		"/api/now/table/incident?x=y": "incident", "/api/now/v2/table/OAuth_Entity/1": "oauth_entity",
		"/api/sn_cicd/app_repo/install": "", "/api/now/table/": "", "/x/api/now/table/incident": "",
	} {
		if got := operationOf(bot.Call{Path: path}).table; got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestWhatTheTokenEndpointMeans(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   string // content type
		want   bot.Kind
	}{
		{401, `{"error":"access_denied"}`, "", bot.KindSignIn},
		{400, `{"error":"unsupported_grant_type"}`, "", bot.KindSignIn},
		{400, `{"error":"invalid_request","error_description":"x"}`, "", bot.KindBadRequest},
		{200, `{"error":"server_error"}`, "", bot.KindSignIn},
		{404, `<html>`, "text/html", bot.KindSignIn},
		{200, `<html>`, "text/html", bot.KindUnreachable},
		{502, `<html>`, "text/html", bot.KindUnreachable},
		{429, ``, "", bot.KindThrottled},
	} {
		r := reply(c.status, c.body)
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		if f := explainToken(r, noon); f == nil || f.Kind != c.want || f.Fix == "" {
			t.Errorf("%d %s: want %s, got %+v", c.status, c.body, c.want, f)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(403, []byte(`{"error":{"message":"Operation Failed","detail":null},"status":"failure"}`))
	f.Add(200, []byte(`{"error":{"message":{"a":1},"detail":["x"]},"result":[]}`))
	f.Add(401, []byte(`{"error":"access_denied","error_description":7}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		for _, write := range []bool{false, true} {
			fail := explain(operation{table: "incident", write: write}, reply(status, string(body)), noon)
			if status >= 300 && fail == nil {
				t.Errorf("%d was taken for a success", status)
			}
			if fail != nil && (fail.Kind == "" || fail.Says == "" || fail.Fix == "" || len([]rune(fail.Error())) > 900) {
				t.Errorf("%+v", fail)
			}
			if fail != nil && write && status >= 500 && fail.Kind != bot.KindAmbiguous {
				t.Errorf("a write that ended in %d is %s", status, fail.Kind)
			}
		}
		if fail := explainToken(reply(status, string(body)), noon); status >= 300 && (fail == nil || fail.Kind == "") {
			t.Errorf("token %d: %+v", status, fail)
		}
	})
}
