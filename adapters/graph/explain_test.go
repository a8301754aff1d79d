package graph

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

// whole checks what every failure owes its reader.
func whole(t *testing.T, what string, f *bot.Failure) {
	t.Helper()
	switch {
	case f == nil:
		t.Fatalf("%s: an error was taken for a success", what)
	case f.Kind == "" || f.Says == "" || f.Fix == "":
		t.Errorf("%s: something is missing: %+v", what, f)
	case !strings.HasSuffix(f.Says, ".") || !strings.HasSuffix(f.Fix, "."):
		t.Errorf("%s: no sentences: %q %q", what, f.Says, f.Fix)
	case strings.ContainsAny(f.Says+f.Fix+f.Code, "\r\n!") || strings.Contains(f.Says, `\u00`) || len(f.Says) > 700:
		t.Errorf("%s: not fit to be shown: %q", what, f.Says)
	}
}

func TestEveryRealErrorHasASentence(t *testing.T) {
	var bodies []struct {
		HTTP int             `json:"http"`
		Body json.RawMessage `json:"body"`
	}
	load(t, "graph-error-bodies.json", &bodies)
	for _, b := range bodies {
		status := b.HTTP
		if status == 0 {
			status = http.StatusBadRequest
		}
		f := explain(operation{method: "POST", path: "/applications", write: true}, reply(status, string(b.Body)), noon)
		whole(t, string(b.Body), f)
		if f.Code == "" {
			t.Errorf("no code from %s", b.Body)
		}
	}
}

func TestEveryRealSignInErrorHasASentence(t *testing.T) {
	var bodies []struct {
		HTTP int             `json:"http"`
		Body json.RawMessage `json:"body"`
	}
	load(t, "token-error-bodies.json", &bodies)
	for _, b := range bodies {
		f := explainSignIn(reply(max(b.HTTP, 400), string(b.Body)), noon)
		whole(t, string(b.Body), f)
		if !strings.HasPrefix(f.Code, "AADSTS") || strings.Contains(f.Says, "Trace ID") || strings.Contains(f.Says, "AADSTS") {
			t.Errorf("%q (%s)", f.Says, f.Code)
		}
	}
}

// load reads a file of captured error bodies, which are not part of the
// project.
func load(t *testing.T, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(beside.Data(t, "graph-errors/"+name), v); err != nil {
		t.Fatal(err)
	}
}

func TestWhatGraphErrorsMean(t *testing.T) {
	write := operation{method: "POST", path: "/applications", write: true}
	grant := operation{method: "POST", path: "/servicePrincipals/1/appRoleAssignedTo", write: true}
	health := operation{method: "GET", path: "/admin/serviceAnnouncement/issues"}
	for _, c := range []struct {
		op      operation
		status  int
		code    string
		message string
		want    bot.Kind
		words   string
	}{
		{write, 400, "Request_BadRequest", "Credential type not allowed as per assigned policy 'x'.", bot.KindPolicy, "policy"},
		{write, 403, "Authorization_RequestDenied", "Credential type not allowed as per assigned policy.", bot.KindPolicy, "policy"},
		{write, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", bot.KindForbidden, "Application Administrator"},
		{grant, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", bot.KindForbidden, "Privileged Role Administrator"},
		{health, 403, "UnknownError", `{"code":"forbidden","message":"{\"error\":\"Forbidden\"}"}`, bot.KindForbidden, "ServiceHealth.Read.All"},
		{write, 403, "RoleNotActive", "The role is not active for this user.", bot.KindInactive, "Privileged Identity Management"},
		{grant, 400, "Request_BadRequest", "Permission being assigned already exists on the object", bot.KindConflict, "granted already"},
		{write, 400, "Request_BadRequest", "Another object with the same value for property x already exists.", bot.KindConflict, "exists already"},
		{write, 409, "Request_MultipleObjectsWithSameKeyValue", "name is already in use", bot.KindConflict, "exists already"},
		{write, 400, "DuplicateValue", "Request contains a property with duplicate values.", bot.KindBadRequest, "twice"},
		{write, 400, "Request_BadRequest", "Invalid property 'ResourceAccess'.", bot.KindBadRequest, "Invalid property"},
		{write, 401, "InvalidAuthenticationToken", "Lifetime validation failed", bot.KindSignIn, "expired"},
		{write, 403, "MissingCredentials", "Valid Authorization header is needed.", bot.KindSignIn, "without a sign-in"},
		{health, 404, "UnknownError", "", bot.KindNotFound, "does not have"},
		{write, 404, "Request_ResourceNotFound", "Resource 'x' does not exist", bot.KindNotFound, "yet"},
		{write, 412, "PreconditionFailed", "etag", bot.KindConflict, "same moment"},
		{write, 429, "anything", "x", bot.KindThrottled, "slow down"},
		{write, 503, "ServiceUnavailable", "x", bot.KindAmbiguous, "may or may not"},
		{health, 504, "GatewayTimeout", "x", bot.KindUnreachable, "fault"},
		{write, 418, "Teapot", "I am new here", bot.KindBadRequest, "I am new here"},
		{write, 400, "Directory_QuotaExceeded", "The directory object quota limit was exceeded", bot.KindRefused, "limit"},
	} {
		b, err := json.Marshal(map[string]any{"error": map[string]string{"code": c.code, "message": c.message}})
		if err != nil {
			t.Fatal(err)
		}
		f := explain(c.op, reply(c.status, string(b)), noon)
		whole(t, c.code, f)
		if f.Kind != c.want || !strings.Contains(f.Error(), c.words) {
			t.Errorf("%d %s %q: %s, want %s with %q:\n%s", c.status, c.code, c.message, f.Kind, c.want, c.words, f)
		}
	}
}

func TestAStatusAloneIsExplained(t *testing.T) {
	for status, want := range map[int]bot.Kind{400: bot.KindBadRequest, 401: bot.KindSignIn, 403: bot.KindForbidden, 404: bot.KindNotFound,
		409: bot.KindConflict, 410: bot.KindNotFound, 429: bot.KindThrottled, 500: bot.KindUnreachable, 503: bot.KindUnreachable} {
		for _, body := range []string{"", "<html>oops</html>", `{"error":null}`, `{"error":"x"}`, `[]`} {
			f := explain(operation{method: "GET", path: "/x"}, reply(status, body), noon)
			whole(t, body, f)
			if f.Kind != want {
				t.Errorf("%d %s: %s, want %s", status, body, f.Kind, want)
			}
		}
	}
}

func TestAConditionalAccessChallengeAsksForASignIn(t *testing.T) {
	r := reply(401, "")
	r.Header.Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="eyJ"`)
	if f := explain(operation{}, r, noon); f.Kind != bot.KindSignIn || !strings.Contains(f.Says, "Conditional Access") {
		t.Errorf("%v", f)
	}
}

func TestWhatSignInErrorsMean(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   bot.Kind
		words  string
	}{
		{401, `{"error":"invalid_client","error_codes":[7000222]}`, bot.KindSignIn, "expired"},
		{400, `{"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier 'x' was not found."}`, bot.KindSignIn, "not known in the tenant"},
		{400, `{"error":"invalid_grant","error_codes":[65001]}`, bot.KindForbidden, "consent"},
		{400, `{"error":"invalid_grant","error_codes":[53003]}`, bot.KindPolicy, "Conditional Access"},
		{400, `{"error":"invalid_request","error_codes":[900144]}`, bot.KindBadRequest, "missing"},
		{400, `{"error":"invalid_tenant","error_codes":[90002]}`, bot.KindNotFound, "tenant"},
		{400, `{"error":"x","error_codes":[90055]}`, bot.KindThrottled, "allows"},
		{429, ``, bot.KindThrottled, "slow down"},
		{503, `<html>`, bot.KindUnreachable, "fault"},
		{400, `{"error":"temporarily_unavailable"}`, bot.KindUnreachable, "not available"},
		{400, `{"error":"invalid_client","error_description":"AADSTS99999999: New words.\r\nTrace ID: x"}`, bot.KindSignIn, `"New words"`},
		{400, `{"error":"brand_new","error_description":"Something."}`, bot.KindSignIn, "Something"},
		{400, `not JSON`, bot.KindSignIn, "refused"},
	} {
		f := explainSignIn(reply(c.status, c.body), noon)
		whole(t, c.body, f)
		if f.Kind != c.want || !strings.Contains(f.Error(), c.words) {
			t.Errorf("%s: %s, want %s with %q: %s", c.body, f.Kind, c.want, c.words, f)
		}
	}
}

func TestTheScopeFollowsTheCloud(t *testing.T) {
	for in, want := range map[string]string{
		DefaultGraphURL:                   "https://graph.microsoft.com/.default",
		"https://graph.microsoft.us/v1.0": "https://graph.microsoft.us/.default",
		"http://127.0.0.1:4711/v1.0":      "https://graph.microsoft.com/.default",
	} {
		if got := scopeOf(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(404, []byte(`{"error":{"code":"UnknownError","message":"{\"code\":\"forbidden\",\"message\":\"{\\\"error\\\":\\\"x\\\"}\"}","innerError":{"date":"x"}}}`))
	f.Add(400, []byte(`{"error":"invalid_grant","error_description":"AADSTS70016: x\r\nTrace ID: y","error_codes":[70016]}`))
	f.Add(500, []byte(`{"error":{"code":7,"message":{"a":1},"details":[null,{"code":null}],"innererror":[]}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		for _, write := range []bool{false, true} {
			fail := explain(operation{method: "POST", path: "/x", write: write}, reply(status, string(body)), noon)
			if (fail == nil) != (status < 300 && !reply(status, string(body)).HTML()) {
				t.Errorf("%d: %v", status, fail)
			}
			if fail != nil && (fail.Kind == "" || fail.Says == "" || fail.Fix == "" || len([]rune(fail.Error())) > 900) {
				t.Errorf("%+v", fail)
			}
		}
		if fail := explainSignIn(reply(status, string(body)), noon); status >= 300 && (fail == nil || fail.Kind == "" || fail.Says == "") {
			t.Errorf("sign-in %d: %+v", status, fail)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":"EX1","lastModifiedDateTime":"2026-11-23T10:00:00.2Z"}],"@odata.nextLink":"https://x.test/"}`))
	f.Add([]byte(`{"value":[1,null,{"id":7}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, ok := parsePage(body)
		if !ok {
			return
		}
		for _, it := range p.Value {
			itemKey(it)
		}
	})
}
