package slack

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/test/beside"
)

type sample struct {
	Kind    string          `json:"kind"`
	Payload json.RawMessage `json:"payload"`
	RawBody string          `json:"raw_body"`
}

func corpus(t testing.TB) []sample {
	var all []sample
	if err := json.Unmarshal(beside.Data(t, "slack/inbound-payloads.json"), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// parser takes the team in question for configured.
func parser(teams ...string) *Adapter {
	spaces := map[string]bot.Secret{}
	for _, id := range teams {
		spaces[id] = bot.NewSecret("xoxb-1")
	}
	return New(Config{SigningSecret: bot.NewSecret(testSecret), Workspaces: spaces, Now: fixed, Log: slog.New(slog.DiscardHandler)})
}

func parseSample(t testing.TB, s sample) (inbound, error) {
	t.Helper()
	var any struct {
		Team         ref
		TeamID       string `json:"team_id"`
		EnterpriseID string `json:"enterprise_id"`
		User         ref
		View         struct {
			Installed string `json:"app_installed_team_id"`
		}
		Authorizations []struct {
			TeamID string `json:"team_id"`
		}
	}
	_ = json.Unmarshal(s.Payload, &any)
	teams := []string{any.Team.ID, any.TeamID, any.User.TeamID, any.View.Installed, any.EnterpriseID}
	for _, z := range any.Authorizations {
		teams = append(teams, z.TeamID)
	}
	a := parser(teams...)
	switch {
	case s.Kind == "slash_command":
		body := s.RawBody
		if body == "" {
			var fields map[string]string
			if err := json.Unmarshal(s.Payload, &fields); err != nil {
				t.Fatal(err)
			}
			form := url.Values{}
			for k, v := range fields {
				form.Set(k, v)
			}
			body = form.Encode()
		}
		in, _, err := a.parseCommand([]byte(body))
		return in, err
	case strings.HasPrefix(s.Kind, "event_callback"):
		in, _, err := a.parseEvent(s.Payload)
		return in, err
	default:
		return a.parseInteraction([]byte(url.Values{"payload": {string(s.Payload)}}.Encode()))
	}
}

// TestRealPayloadsAreMappedOrKnowinglyIgnored holds, for every kind of payload
// that Slack's own projects hold examples of, what it is taken for.
func TestRealPayloadsAreMappedOrKnowinglyIgnored(t *testing.T) {
	type outcome map[string]int // "clicked" or why it was ignored -> how often
	got := map[string]outcome{}
	for i, s := range corpus(t) {
		in, err := parseSample(t, s)
		if err != nil {
			t.Errorf("%d %s: %v", i, s.Kind, err)
			continue
		}
		what := first(in.Skip, string(in.Kind))
		if got[s.Kind] == nil {
			got[s.Kind] = outcome{}
		}
		got[s.Kind][what]++
		if in.Skip != "" {
			continue
		}
		if in.Key == "" || in.Place.Team == "" || in.Place.Platform != bot.Slack || !in.At.Equal(noon) {
			t.Errorf("%d %s: key, place or time is missing: %+v", i, s.Kind, in)
		}
		again, _ := parseSample(t, s)
		if again.Key != in.Key {
			t.Errorf("%d %s: delivered again it has another key: %q and %q", i, s.Kind, in.Key, again.Key)
		}
	}
	want := map[string][]string{
		"slash_command":                          {"typed", skipKind},
		"block_actions":                          {"clicked", skipNoAction, skipNobody},
		"view_submission":                        {"submitted", skipNobody},
		"shortcut":                               {"typed"},
		"message_action":                         {"clicked"},
		"view_closed":                            {skipClosed},
		"block_suggestion":                       {skipKind},
		"dialog_submission":                      {skipKind},
		"interactive_message":                    {skipKind},
		"event_callback:app_mention":             {"typed", skipSelf, skipOther},
		"event_callback:app_mention:bot_message": {skipBot},
		"event_callback:app_home_opened":         {"home", skipTab},
		"event_callback:app_uninstalled":         {"uninstalled"},
		"event_callback:tokens_revoked":          {"revoked", skipUserTokens},
		"event_callback:member_joined_channel":   {"joined", skipMember},
		"event_callback:member_left_channel":     {"left", skipMember},
		"event_callback:message":                 {"typed", skipOther},
	}
	for kind, outcomes := range got {
		allowed := want[kind]
		if allowed == nil {
			// Whatever else there is, is of no use to Keyturn, and says so.
			allowed = []string{skipKind, skipOther}
		}
		for what, n := range outcomes {
			if !strings.Contains("|"+strings.Join(allowed, "|")+"|", "|"+what+"|") {
				t.Errorf("%s: %d times %q, want one of %q", kind, n, what, allowed)
			}
		}
		if want[kind] != nil && outcomes[want[kind][0]] == 0 {
			t.Errorf("%s: none was taken for %q: %v", kind, want[kind][0], outcomes)
		}
	}
}

func TestNoTwoRealPayloadsShareADeliveryKey(t *testing.T) {
	seen := map[string]string{}
	for i, s := range corpus(t) {
		in, err := parseSample(t, s)
		if err != nil || in.Skip != "" {
			continue
		}
		// The examples reuse made-up IDs; the same event ID is the same event
		// to anybody.
		var id struct {
			EventID   string `json:"event_id"`
			TriggerID string `json:"trigger_id"`
		}
		_ = json.Unmarshal(s.Payload, &id)
		if before, ok := seen[in.Key]; ok && id.EventID == "" && id.TriggerID == "" && before != string(s.Payload) {
			t.Errorf("%d %s: key %q belongs to another payload too", i, s.Kind, in.Key)
		}
		seen[in.Key] = string(s.Payload)
	}
}

// TestRealFormsKeepEveryValue holds that no value which a person entered is
// lost, whatever kind of input it came from.
func TestRealFormsKeepEveryValue(t *testing.T) {
	forms := 0
	for i, s := range corpus(t) {
		if s.Kind != "view_submission" {
			continue
		}
		forms++
		in, err := parseSample(t, s)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, v := range in.Input {
			all = append(all, v...)
		}
		joined := strings.Join(all, "\n")
		var p struct {
			View  struct{ State json.RawMessage }
			State json.RawMessage
		}
		_ = json.Unmarshal(s.Payload, &p)
		state := p.View.State
		if len(state) == 0 {
			state = p.State
		}
		for _, v := range entries(state) {
			if !strings.Contains(joined, v) {
				t.Errorf("%d: %q was entered and is not in %q", i, v, in.Input)
			}
		}
	}
	if forms < 10 {
		t.Errorf("only %d forms", forms)
	}
}

// entries walks the state without knowing its types.
func entries(raw json.RawMessage) []string {
	var out []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if k == "text" && key == "selected_option" {
					continue // the label; the value counts
				}
				walk(k, x)
			}
		case []any:
			for _, x := range v {
				walk(key, x)
			}
		case string:
			if key == "value" || strings.HasPrefix(key, "selected_") {
				out = append(out, v)
			}
		}
	}
	var v any
	_ = json.Unmarshal(raw, &v)
	walk("", v)
	return out
}

// TestRealPayloadsKeepWhatTheySay compares what was mapped with the payload
// itself, read without any type of ours.
func TestRealPayloadsKeepWhatTheySay(t *testing.T) {
	for i, s := range corpus(t) {
		in, err := parseSample(t, s)
		if err != nil || in.Skip != "" {
			continue
		}
		var p any
		if err := json.Unmarshal(s.Payload, &p); err != nil {
			t.Fatal(err)
		}
		same := func(what, got string, paths ...string) {
			t.Helper()
			for _, path := range paths {
				if want := at(p, path); want != "" {
					if got != want {
						t.Errorf("%d %s: %s is %q, the payload says %q", i, s.Kind, what, got, want)
					}
					return
				}
			}
			if got != "" {
				t.Errorf("%d %s: %s is %q, the payload says nothing", i, s.Kind, what, got)
			}
		}
		switch s.Kind {
		case "slash_command":
			same("user", in.From.ID, "user_id")
			same("team", in.Place.Team, "team_id")
			same("channel", in.Place.Channel, "channel_id")
			same("text", in.Text, "text")
			same("trigger", in.Return.Trigger.Reveal(), "trigger_id")
		case "block_actions":
			same("user", in.From.ID, "user.id")
			same("action", in.Action, "actions.0.action_id")
			same("value", in.Value, "actions.0.value", "actions.0.selected_option.value", "actions.0.selected_conversations.0")
			if at(p, "container.is_ephemeral") != "true" && at(p, "container.channel_id") != "" {
				same("message", in.Message.ID, "container.message_ts", "message.ts")
				same("its channel", in.Message.Place.Channel, "container.channel_id", "channel.id")
			} else if in.Message.Known() {
				t.Errorf("%d %s: an ephemeral message cannot be edited, yet %+v", i, s.Kind, in.Message)
			}
		case "view_submission":
			same("user", in.From.ID, "user.id")
			same("form", in.Action, "view.callback_id")
		case "shortcut", "message_action":
			same("user", in.From.ID, "user.id")
			same("action", in.Action, "callback_id")
		case "event_callback:app_mention":
			same("user", in.From.ID, "event.user")
			same("channel", in.Place.Channel, "event.channel")
			same("thread", in.Place.Thread, "event.thread_ts")
		case "event_callback:app_home_opened":
			same("user", in.From.ID, "event.user")
		case "event_callback:member_joined_channel":
			same("inviter", in.From.ID, "event.inviter")
			same("channel", in.Place.Channel, "event.channel")
		}
	}
}

// at reads a path such as "actions.0.value" as a string.
func at(v any, path string) string {
	for _, key := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n >= len(x) {
				return ""
			}
			v = x[n]
		default:
			return ""
		}
	}
	switch x := v.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}
