package microsoft_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyturn/sim/microsoft"
)

func TestFilters(t *testing.T) {
	object := map[string]any{"displayName": "O'Brien's app", "n": 3.0, "on": true, "none": nil, "when": "2026-03-02T08:30:00.5Z",
		"web": map[string]any{"redirectUris": []any{"https://a.example/x", "https://b.example/y"}}, "keys": []any{map[string]any{"name": "first"}}}
	for text, want := range map[string]bool{
		"displayName eq 'o''brien''s app'":                              true,
		"displayName eq 'x' or startswith(displayName,'O''B')":          true,
		"displayName eq 'x' or on eq true and n gt 3":                   false,
		"(displayName eq 'x' or on eq true) and n ge 3":                 true,
		"not (on eq true)":                                              false,
		"not on eq false":                                               true,
		"n in (1,2,3)":                                                  true,
		"n lt 2.5":                                                      false,
		"none eq null":                                                  true,
		"displayName ne null":                                           true,
		"missing eq 'x'":                                                false,
		"missing ne 'x'":                                                true,
		"endswith(displayName,'APP')":                                   true,
		"contains(displayName,'rie') eq true":                           true,
		"when le 2026-03-02T08:30:00.500Z":                              true,
		"when lt 2026-03-02T08:30:00Z":                                  false,
		"web/redirectUris/any(u:u eq 'https://b.example/y')":            true,
		"web/redirectUris/any(u:startswith(u,'https://c'))":             false,
		"keys/any(k:k/name eq 'first' and k/name ne 'second')":          true,
		"web/redirectUris/any(u:u eq 'https://b.example/y') and n eq 3": true,
	} {
		got, err := microsoft.ParseFilter(text, object)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "eq", "n", "n eq", "n is 3", "n eq 3 and", "(n eq 3", "n eq 3)", "n eq 'x", "startswith(n)", "startswith(n,3)", "n in ()", "n in (1 2)",
		"'n' eq 3", "n 'eq' 3", "web/redirectUris/any(u)", "web/redirectUris/any(u:v eq 'x')", "n eq (", strings.Repeat("(", 100) + "n eq 3" + strings.Repeat(")", 100)} {
		if _, err := microsoft.ParseFilter(text, object); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"a eq 'x'", "not (a ne 3) or b/any(x:x eq 'y')", "startswith(a,'b') eq true", "a in ('x',2)", "a ge 2026-01-01T00:00:00Z"} {
		f.Add(seed)
	}
	object := map[string]any{"a": "x", "b": []any{"y", 1.0, nil}}
	f.Fuzz(func(t *testing.T, text string) {
		ok, err := microsoft.ParseFilter(text, object)
		if again, err2 := microsoft.ParseFilter(text, object); ok != again || (err == nil) != (err2 == nil) {
			t.Fatalf("%q: two answers", text)
		}
	})
}

func FuzzTokenEndpoint(f *testing.F) {
	s, err := microsoft.New(microsoft.Config{TenantID: tenant, Apps: []microsoft.App{bot()}})
	if err != nil {
		f.Fatal(err)
	}
	h := s.Handler()
	f.Add("application/x-www-form-urlencoded", "grant_type=client_credentials&client_id="+botApp+"&client_secret=x&scope=y", "")
	f.Add("application/x-www-form-urlencoded", "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.AA&client_id="+botApp, "")
	f.Add("application/x-www-form-urlencoded", "grant_type=refresh_token&refresh_token=1", "Basic YTpi")
	f.Add("application/json", "{}", "Basic %")
	f.Add("application/x-www-form-urlencoded; charset=utf-8", "grant_type=authorization_code&code=%zz", "")
	f.Fuzz(func(t *testing.T, kind, body, authorization string) {
		r := httptest.NewRequest("POST", "/login/"+tenant+"/oauth2/v2.0/token", strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {kind}, "Authorization": {authorization}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var out struct {
			Error string `json:"error"`
			Codes []int  `json:"error_codes"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code/100 != 4 || out.Error == "" || len(out.Codes) != 1 {
			t.Fatalf("%d %s %v", w.Code, w.Body, err)
		}
	})
}
