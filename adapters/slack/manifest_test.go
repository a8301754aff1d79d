package slack

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"keyturn/test/beside"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ecma is a regular expression of JSON Schema, which has look-ahead.
type ecma regexp2.Regexp

func (r *ecma) MatchString(s string) bool {
	ok, err := (*regexp2.Regexp)(r).MatchString(s)
	return err == nil && ok
}

func (r *ecma) String() string { return (*regexp2.Regexp)(r).String() }

func compileECMA(s string) (jsonschema.Regexp, error) {
	r, err := regexp2.Compile(s, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	return (*ecma)(r), nil
}

// manifestSchema is Slack's own, which manifests are held to.
func manifestSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(beside.Contract(t, "slack-manifest.schema.json"))))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(compileECMA)
	if err := c.AddResource("manifest.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestTheManifestIsValidForSlack(t *testing.T) {
	schema := manifestSchema(t)
	for _, base := range []string{"https://keyturn.example.com", "https://keyturn.contoso.com/", "https://chat.contoso.com:8443/keyturn"} {
		b, err := Manifest(base)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", base, err)
		}
		broken := strings.Replace(string(b), `"always_online"`, `"always_on"`, 1)
		value, _ = jsonschema.UnmarshalJSON(strings.NewReader(broken))
		if schema.Validate(value) == nil {
			t.Fatal("the schema accepts anything")
		}
	}
}

// In Socket Mode the same app names no address.
func TestTheManifestOfSocketModeIsTheSameWithoutAddresses(t *testing.T) {
	schema := manifestSchema(t)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(SocketManifest())))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	with, err := Manifest("https://keyturn.contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(with, &a), json.Unmarshal(SocketManifest(), &b)); err != nil {
		t.Fatal(err)
	}
	settings := a["settings"].(map[string]any)
	delete(settings["event_subscriptions"].(map[string]any), "request_url")
	delete(settings["interactivity"].(map[string]any), "request_url")
	delete(a["features"].(map[string]any)["slash_commands"].([]any)[0].(map[string]any), "url")
	settings["socket_mode_enabled"] = true
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("-over HTTP +in Socket Mode:\n%s", diff)
	}
}

func TestTheManifestPointsAtWhatTheHandlerServes(t *testing.T) {
	b, err := Manifest("https://keyturn.contoso.com/")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Features struct {
			Commands []struct {
				Command, URL string
				Escape       bool `json:"should_escape"`
			} `json:"slash_commands"`
		}
		OAuth struct {
			Scopes struct {
				Bot      []string
				Optional []string `json:"bot_optional"`
			}
		} `json:"oauth_config"`
		Settings struct {
			Events struct {
				URL string   `json:"request_url"`
				Bot []string `json:"bot_events"`
			} `json:"event_subscriptions"`
			Interactivity struct {
				URL string `json:"request_url"`
			}
		}
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	base := "https://keyturn.contoso.com"
	c := m.Features.Commands[0]
	if c.Command != "/keyturn" || !c.Escape || c.URL != base+"/slack/commands" || m.Settings.Events.URL != base+"/slack/events" || m.Settings.Interactivity.URL != base+"/slack/interactions" {
		t.Errorf("got %+v", m)
	}
	a := newApp(t)
	for _, url := range []string{c.URL, m.Settings.Events.URL, m.Settings.Interactivity.URL} {
		if w := a.post(strings.TrimPrefix(url, base), "text/plain", ""); w.Code != 415 {
			t.Errorf("%s is not served: %d", url, w.Code)
		}
	}
	for _, s := range m.OAuth.Scopes.Optional {
		if !slices.Contains(m.OAuth.Scopes.Bot, s) {
			t.Errorf("%s is optional and not asked for", s)
		}
	}
	for _, e := range m.Settings.Events.Bot {
		kind := strings.TrimPrefix(e, "message.")
		ev := event{Type: e, User: ref{ID: botUser}, Channel: ref{ID: channelID}}
		if kind == "im" {
			ev = event{Type: "message", ChannelType: "im", User: ref{ID: alice}, Channel: ref{ID: dmID}, Text: "help"}
		}
		if e == "app_mention" {
			ev.User, ev.Text = ref{ID: alice}, "help"
		}
		if e == "tokens_revoked" {
			ev.Tokens.Bot = []string{botUser}
		}
		if in := happened(ev, team, []string{botUser}, ""); in.Skip != "" {
			t.Errorf("%s is subscribed and ignored: %s", e, in.Skip)
		}
	}
}

func TestAnAddressThatSlackCannotReachIsRefused(t *testing.T) {
	for _, base := range []string{"", "keyturn.contoso.com", "http://keyturn.contoso.com", "https://", "https://u:p@x", "https://x?y=1"} {
		if _, err := Manifest(base); err == nil || !strings.Contains(err.Error(), "https://keyturn.contoso.com") {
			t.Errorf("%q: got %v", base, err)
		}
	}
}
