package slack

import (
	"encoding/json"
	"go/ast"
	source "go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"keyturn/test/beside"
)

// methods are the calls of the library that the adapter makes, the method of
// Slack's Web API behind each, and the scopes one of which it takes for what
// Keyturn does with it. Source: Slack, the page of each method.
var methods = map[string]struct {
	name   string
	scopes []string
}{
	"AuthTestContext":                {"auth.test", nil},
	"GetUserInfoContext":             {"users.info", []string{"users:read"}},
	"GetUserGroupMembersContext":     {"usergroups.users.list", []string{"usergroups:read"}},
	"GetConversationInfoContext":     {"conversations.info", []string{"channels:read", "groups:read"}},
	"GetConversationHistoryContext":  {"conversations.history", []string{"channels:history", "groups:history", "im:history"}},
	"GetConversationRepliesContext":  {"conversations.replies", []string{"channels:history", "groups:history", "im:history"}},
	"OpenConversationContext":        {"conversations.open", []string{"im:write"}},
	"PostMessageWithResponseContext": {"chat.postMessage", []string{"chat:write", "chat:write.public"}},
	"PostEphemeralContext":           {"chat.postEphemeral", []string{"chat:write"}},
	"UpdateMessageContext":           {"chat.update", []string{"chat:write"}},
	"DeleteMessageContext":           {"chat.delete", []string{"chat:write"}},
	"OpenViewContext":                {"views.open", nil},
	"UpdateViewContext":              {"views.update", nil},
	"PublishViewContext":             {"views.publish", nil},
	"GetUploadURLExternalContext":    {"files.getUploadURLExternal", []string{"files:write"}},
	"CompleteUploadExternalContext":  {"files.completeUploadExternal", []string{"files:write"}},
	"StartSocketModeContext":         {"apps.connections.open", nil}, // with the app's own token
}

// subscribed are the events of the manifest and the scopes that Slack wants for
// each. Source: Slack, the page of each event.
var subscribed = map[string][]string{
	"app_home_opened": nil, "app_uninstalled": nil, "tokens_revoked": nil, "app_mention": {"app_mentions:read"}, "message.im": {"im:history"},
	"channel_archive": {"channels:read"}, "channel_deleted": {"channels:read"}, "channel_left": {"channels:read"},
	"group_archive": {"groups:read"}, "group_deleted": {"groups:read"}, "group_left": {"groups:read"},
	"member_joined_channel": {"channels:read", "groups:read"}, "member_left_channel": {"channels:read", "groups:read"},
}

// calls are the methods of the library's client that the adapter's source names.
func calls(t *testing.T) []string {
	t.Helper()
	client := reflect.TypeFor[*slack.Client]()
	var out []string
	list, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := source.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if _, its := client.MethodByName(s.Sel.Name); its && strings.HasSuffix(s.Sel.Name, "Context") && !slices.Contains(out, s.Sel.Name) {
					out = append(out, s.Sel.Name)
				}
			}
			return true
		})
	}
	return out
}

// What the app asks for is what it uses: a method, an event or a command takes
// each scope, and none of them takes one that is not asked for.
func TestTheManifestAsksForWhatIsUsedAndForNothingElse(t *testing.T) {
	var m struct {
		Features struct {
			Commands  []any `json:"slash_commands"`
			Shortcuts []any
		}
		OAuth struct {
			Scopes struct{ Bot, User []string }
		} `json:"oauth_config"`
		Settings struct {
			Events struct {
				Bot []string `json:"bot_events"`
			} `json:"event_subscriptions"`
		}
	}
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		t.Fatal(err)
	}
	asked := m.OAuth.Scopes.Bot
	if len(m.OAuth.Scopes.User) > 0 {
		t.Errorf("a user's token is asked for: %v", m.OAuth.Scopes.User)
	}
	used := map[string]bool{}
	takes := func(what string, scopes []string) {
		for _, s := range scopes {
			used[s] = true
		}
		if len(scopes) > 0 && !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(asked, s) }) {
			t.Errorf("%s takes one of %v, and the manifest asks for none", what, scopes)
		}
	}
	made := calls(t)
	if len(made) < 10 {
		t.Fatalf("only %v are called: the source is not read right", made)
	}
	for _, call := range made {
		method, known := methods[call]
		if !known {
			t.Errorf("nothing says which scope %s takes: is it asked for?", call)
		}
		takes(method.name, method.scopes)
	}
	for call := range methods {
		if !slices.Contains(made, call) {
			t.Errorf("%s is not called any more: the manifest may ask for too much", call)
		}
	}
	for _, e := range m.Settings.Events.Bot {
		scopes, known := subscribed[e]
		if !known {
			t.Errorf("nothing says which scope the event %s takes", e)
		}
		takes(e, scopes)
	}
	if len(m.Features.Commands)+len(m.Features.Shortcuts) > 0 {
		takes("a command", []string{"commands"})
	}
	for _, s := range asked {
		if !used[s] {
			t.Errorf("%s is asked for, and nothing takes it", s)
		}
	}
}

// The table above says no other than Slack's own description of its Web API.
func TestTheScopesOfMethodsAreSlacks(t *testing.T) {
	var api struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	if err := json.Unmarshal(beside.Contract(t, "slack-web-api.openapi2.json"), &api); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for call, m := range methods {
		for _, op := range api.Paths["/"+m.name] {
			var allowed []string
			for _, s := range op.Security {
				allowed = append(allowed, s["slackAuth"]...)
			}
			for _, s := range m.scopes {
				compared++
				if base, _, _ := strings.Cut(s, "."); !slices.ContainsFunc(allowed, func(a string) bool { return a == base || strings.HasPrefix(a, base+":") }) { // chat:write was once two
					t.Errorf("%s is said to take %s, and Slack's description has %v", call, s, allowed)
				}
			}
			if len(m.scopes) == 0 && !slices.Contains(allowed, "none") && len(allowed) > 0 {
				t.Errorf("%s is said to take no scope, and Slack's description has %v", call, allowed)
			}
		}
	}
	if compared < 10 {
		t.Errorf("only %d scopes were compared", compared)
	}
}
