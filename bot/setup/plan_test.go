package setup_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"keyturn/bot"
	"keyturn/bot/setup"
)

func TestADigestCoversTheWritesAndEveryPartOfThem(t *testing.T) {
	same := setup.Digest(sampleCalls())
	change := func(do func(c *bot.Call)) string {
		calls := sampleCalls()
		do(&calls[1])
		return setup.Digest(calls)
	}
	seen := map[string]string{same: "the plan itself"}
	for name, do := range map[string]func(c *bot.Call){
		"system":           func(c *bot.Call) { c.System = bot.ServiceNow },
		"method":           func(c *bot.Call) { c.Method = "PUT" },
		"path":             func(c *bot.Call) { c.Path += "/x" },
		"header":           func(c *bot.Call) { c.Header = map[string]string{"Prefer": "other"} },
		"no header":        func(c *bot.Call) { c.Header = nil },
		"header's name":    func(c *bot.Call) { c.Header = map[string]string{"Prefer=return": "representation"} },
		"body":             func(c *bot.Call) { c.Body = json.RawMessage(`{"displayName":"other"}`) },
		"no body":          func(c *bot.Call) { c.Body = nil },
		"form":             func(c *bot.Call) { c.Form = map[string]string{"a": "b=c"} },
		"form split apart": func(c *bot.Call) { c.Form = map[string]string{"a=b": "c"} },
		"identity":         func(c *bot.Call) { c.As = "reader" },
		"it is a read now": func(c *bot.Call) { c.Method = "GET" },
	} {
		d := change(do)
		if old, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, old)
		}
		seen[d] = name
	}
	calls := sampleCalls()
	calls[1], calls[2] = calls[2], calls[1]
	if setup.Digest(calls) == same {
		t.Error("the order of the writes does not count")
	}
	for name, do := range map[string]func(c *bot.Call){
		"words": func(c *bot.Call) { c.What = "other words" },
		"id":    func(c *bot.Call) { c.ID = "other" },
		"blanks": func(c *bot.Call) {
			c.Body = json.RawMessage("{\n \"displayName\": \"Keyturn's reader\", \"tags\":[ \"a\" ] }")
		},
		"empty": func(c *bot.Call) { c.Form = map[string]string{} },
	} {
		if change(do) != same {
			t.Errorf("%s changes the digest, though the call is the same", name)
		}
	}
	if setup.Digest(append(sampleCalls(), bot.Call{System: bot.Graph, Method: "GET", Path: "/new"})) != same {
		t.Error("a read changes the digest")
	}
	if setup.Digest(nil) != setup.Digest(sampleCalls()[:1]) {
		t.Error("a plan of reads is not the empty plan")
	}
}

// known is a look-up in a map, as the engine gives it.
func known(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func none(string) (string, bool) { return "", false }

func TestFillPutsValuesWhereTheyBelong(t *testing.T) {
	c := bot.Call{Path: "/a/{app.id}?q='{name}'", Header: map[string]string{"X": "{name}"}, Form: map[string]string{"secret": "{{key}}", "client_assertion": "{{assertion}}"},
		Body: json.RawMessage(`{"n":"{name}","s":"{{key}}"}`), Look: &bot.Look{Path: "/look/{name}", Match: map[string]string{"displayName": "{name}"}}}
	got, missing := setup.Fill(c, known(map[string]string{"app.id": "a1", "name": "O'Neil & Söhne"}), known(map[string]string{"key": `s"3`}))
	if len(missing) > 0 {
		t.Fatalf("missing %v", missing)
	}
	for what, pair := range map[string][2]string{
		"path":      {got.Path, "/a/a1?q='O%27%27Neil%20%26%20S%C3%B6hne'"},
		"header":    {got.Header["X"], "O'Neil & Söhne"},
		"form":      {got.Form["secret"], `s"3`},
		"assertion": {got.Form["client_assertion"], "{{assertion}}"}, // the adapter makes it
		"body":      {string(got.Body), `{"n":"O'Neil \u0026 Söhne","s":"s\"3"}`},
		"look":      {got.Look.Path, "/look/O%27%27Neil%20%26%20S%C3%B6hne"},
		"match":     {got.Look.Match["displayName"], "O'Neil & Söhne"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %s, want %s", what, pair[0], pair[1])
		}
	}
	if c.Look.Path != "/look/{name}" || c.Header["X"] != "{name}" || string(c.Body) != `{"n":"{name}","s":"{{key}}"}` {
		t.Error("filling changed the call that was shown")
	}
}

func TestFillNamesWhatNobodyKnows(t *testing.T) {
	c := bot.Call{Path: "/{a}", Body: json.RawMessage(`"{{b}}"`), Header: map[string]string{"h": "{c}"}}
	got, missing := setup.Fill(c, known(map[string]string{"b": "a fact, no secret"}), known(map[string]string{"a": "a secret, no fact"}))
	if len(missing) != 3 || got.Path != "/{a}" || string(got.Body) != `"{{b}}"` {
		t.Errorf("missing %v, call %+v", missing, got)
	}
}

// hostile are values that somebody outside may choose.
var hostile = []string{`"`, `\`, "\n", "\r\n\t\x00", "/../../", "?x=y&z#", "%2F", "+", "a b", "'", "''--", "{name}", "{{key}}", "{{{key}}}", "}{", `","admin":true,"x":"`,
	"</script>", "\u2028", "é😀", "\xff\xfe", "$(id)`id`", "^ORname=x", strings.Repeat("a", 5000)}

func TestNoValueBreaksOutOfItsPlace(t *testing.T) {
	for _, v := range hostile {
		c := bot.Call{Path: "/apps/{v}/x?$filter=name eq '{v}'&last=1", Body: json.RawMessage(`{"v":"{v}","last":1}`), Form: map[string]string{"f": "{v}"}}
		got, missing := setup.Fill(c, known(map[string]string{"v": v, "name": "LEAK"}), known(map[string]string{"key": "LEAK"}))
		if len(missing) > 0 {
			t.Errorf("%q: missing %v", v, missing)
		}
		var body map[string]any
		if err := json.Unmarshal(got.Body, &body); err != nil {
			t.Errorf("%q breaks the body: %v: %s", v, err, got.Body)
		} else if len(body) != 2 || body["last"] != 1.0 || body["v"] != strings.ToValidUTF8(v, "\uFFFD") && body["v"] != strings.Repeat("\uFFFD", len(v)) {
			t.Errorf("%q came out as %v", v, body)
		}
		u, err := url.Parse("https://graph.microsoft.com" + strings.ReplaceAll(got.Path, " ", "%20"))
		if err != nil {
			t.Errorf("%q breaks the address: %v", v, err)
			continue
		}
		parts := strings.Split(u.EscapedPath(), "/")
		if len(parts) != 4 || parts[3] != "x" || u.Fragment != "" {
			t.Errorf("%q changes the path to %s", v, u.EscapedPath())
		}
		q, err := url.ParseQuery(u.RawQuery)
		if err != nil || len(q) != 2 || q.Get("last") != "1" || q.Get("$filter") != "name eq '"+strings.ReplaceAll(v, "'", "''")+"'" {
			t.Errorf("%q changes the query to %v (%v)", v, q, err)
		}
		if got.Form["f"] != v {
			t.Errorf("%q in a form is %q", v, got.Form["f"])
		}
		for where, s := range map[string]string{"path": got.Path, "body": string(got.Body), "form": got.Form["f"]} {
			if strings.Contains(s, "LEAK") {
				t.Errorf("%q was expanded in the %s: a value named a secret", v, where)
			}
		}
		// An address may be filled a second time, when an earlier effect is looked up.
		again, _ := setup.Fill(bot.Call{Path: got.Path}, known(map[string]string{"name": "LEAK"}), known(map[string]string{"key": "LEAK"}))
		if again.Path != got.Path {
			t.Errorf("%q is expanded the second time: %s", v, again.Path)
		}
	}
}

func TestAnyValueStaysInsideItsString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.String().Draw(t, "value")
		got, _ := setup.Fill(bot.Call{Path: "/a/{v}", Body: json.RawMessage(`["{v}"]`)}, known(map[string]string{"v": v}), none)
		var list []string
		if err := json.Unmarshal(got.Body, &list); err != nil || len(list) != 1 || list[0] != v {
			t.Fatalf("%q came out as %q (%v)", v, list, err)
		}
		segment := strings.TrimPrefix(got.Path, "/a/")
		plain, err := url.PathUnescape(segment)
		if err != nil || strings.Contains(segment, "/") || plain != strings.ReplaceAll(v, "'", "''") {
			t.Fatalf("%q came out as %q (%v)", v, got.Path, err)
		}
	})
}

func TestWhatSomebodyElseWroteNeverNamesASecret(t *testing.T) {
	r, _ := at(setup.Looking)
	r.Keep("make", map[string]string{"name": "x {{app.secret}} y"}, later)
	reading := setup.Reading{"app": {Answer: bot.Answer{Body: json.RawMessage(`{"name":"{{app.secret}}","list":[{"name":"{{app.secret}}","tags":["{{app.secret}}"]}]}`)}}}
	item := reading.List("app", "list")[0]
	for where, s := range map[string]string{"a fact": r.Facts["name"].Value, "an answer": reading.Get("app", "name"), "an item": item.Get("name"), "a list": item.Strings("tags")[0]} {
		filled, _ := setup.Fill(bot.Call{Body: json.RawMessage(`"` + s + `"`)}, none, known(map[string]string{"app.secret": "LEAK"}))
		if strings.Contains(string(filled.Body), "LEAK") {
			t.Errorf("%s was filled in with a secret", where)
		}
	}
}

func TestExpandLeavesSecretsAndStrangersAlone(t *testing.T) {
	facts := known(map[string]string{"a": "{b}", "b": "B", "key": "LEAK"})
	for in, want := range map[string]string{"{a}": "{b}", "{a}{b}": "{b}B", "{{key}}": "{{key}}", "{nobody}": "{nobody}", "{A}": "{A}", "": "", "{}": "{}", "{ a }": "{ a }"} {
		if got := setup.Expand(in, facts); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestNobodyIsShownASecret(t *testing.T) {
	c := bot.Call{System: bot.ServiceNow, Method: "POST", Path: "/x?token={{path.secret}}&id={app.id}", Header: map[string]string{"X-Key": "{{header.secret}}"},
		Body: json.RawMessage(`{"client_secret":"{{body.secret}}","id":"{app.id}"}`)}
	shown := setup.Shown(c, base)
	if strings.Contains(shown, "{{") || strings.Count(shown, bot.Redacted) != 3 || !strings.Contains(shown, "{app.id}") {
		t.Errorf("it shows:\n%s", shown)
	}
	if !strings.HasPrefix(shown, "POST https://contoso.service-now.com/x?") {
		t.Errorf("the whole address is missing:\n%s", shown)
	}
	c.Body, c.Form = nil, map[string]string{"client_secret": "{{form.secret}}", "a": "b"}
	if shown := setup.Shown(c, base); !strings.Contains(shown, "client_secret="+bot.Redacted) || !strings.Contains(shown, "a=b") {
		t.Errorf("a form shows:\n%s", shown)
	}
	c.Form, c.Body = nil, json.RawMessage(`not JSON {{x}}`)
	if shown := setup.Shown(c, base); !strings.Contains(shown, "not JSON "+bot.Redacted) {
		t.Errorf("a body that is no JSON shows:\n%s", shown)
	}
	if got := setup.Redact("{{a}}{b}{{c.d-e}}"); got != bot.Redacted+"{b}"+bot.Redacted {
		t.Errorf("%q", got)
	}
}

// Two bodies that look alike in a chat and are none the same are told apart by
// whoever approves one, and a script out of the chat calls the one that was shown.
func TestWhatNobodySeesIsShownInAPlan(t *testing.T) {
	base := func(bot.System) string { return "https://graph.microsoft.com/v1.0" }
	for name, hidden := range map[string]string{
		"a zero width space": "\u200b", "a right-to-left override": "\u202e", "an isolate": "\u2066", "a soft hyphen": "\u00ad", "a tag": "\U000e0041", "a byte order mark": "\ufeff",
		"a no-break space": "\u00a0", "a word joiner": "\u2060", "a line separator": "\u2028",
	} {
		call := func(value string) bot.Call {
			b, err := json.Marshal(map[string]string{"displayName": value})
			if err != nil {
				t.Fatal(err)
			}
			return bot.Call{System: bot.Graph, Method: "POST", Path: "/applications", Body: b}
		}
		plain, trick := call("Keyturn Łódź ✅"), call("Key"+hidden+"turn Łódź ✅")
		if a, b := bot.Tidy(setup.Shown(plain, base)), bot.Tidy(setup.Shown(trick, base)); a == b || len(b) < len(a)+6 {
			t.Errorf("%s is not seen:\n%s", name, b)
		}
		_, shown, _ := strings.Cut(setup.Shown(trick, base), "\n")
		var got map[string]string
		if err := json.Unmarshal([]byte(bot.Tidy(shown)), &got); err != nil || got["displayName"] != "Key"+hidden+"turn Łódź ✅" {
			t.Errorf("%s is shown as something else: %v %q", name, err, got)
		}
		if s := script(t, "Make it", trick); bot.Tidy(s) != s || s == script(t, "Make it", plain) {
			t.Errorf("%s is lost on the way of the script through a chat:\n%s", name, s)
		}
	}
	if d := setup.Digest(sampleCalls()); len(d) != 64 { // half of 256 bits is what two plans with one digest cost
		t.Errorf("the digest has %d digits", len(d))
	}
}
