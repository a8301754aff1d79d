package teams_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/sim/teams"
	"keyturn/test/beside"
)

// recorded gathers the property paths of the recorded activities of a kind, two
// levels deep.
func recorded(t *testing.T, kinds ...string) map[string]bool {
	t.Helper()
	var file struct {
		Activities []struct {
			Kind     string
			Activity m
		}
	}
	if err := json.Unmarshal(beside.Data(t, "teams/activities.json"), &file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range file.Activities {
		if slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(a.Kind, k) }) {
			paths(a.Activity, "", seen)
		}
	}
	if len(seen) == 0 {
		t.Fatalf("no recorded activity of %v", kinds)
	}
	return seen
}

func paths(v m, at string, into map[string]bool) {
	for k, inner := range v {
		into[at+k] = true
		if o, ok := inner.(m); ok && at == "" {
			paths(o, k+".", into)
		}
	}
}

// TestActivitiesLookLikeRealOnes holds that the simulator sends no property that
// Teams was never seen to send, and leaves out none that it always sends.
func TestActivitiesLookLikeRealOnes(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) { c.Teams[0].Installed = false })
	common := []string{"id", "type", "timestamp", "channelId", "serviceUrl", "from.id", "from.aadObjectId", "recipient.id", "conversation.id", "conversation.tenantId", "channelData.tenant"}
	check := func(what string, got m, more []string, kinds ...string) {
		t.Helper()
		seen, mine := recorded(t, kinds...), map[string]bool{}
		paths(got, "", mine)
		for p := range mine {
			if !seen[p] && !slices.Contains(more, p) {
				t.Errorf("%s: Teams was never seen to send %q", what, p)
			}
		}
		for _, p := range common {
			if !mine[p] {
				t.Errorf("%s: %q is left out", what, p)
			}
		}
	}
	of := func(i int) m {
		t.Helper()
		got := w.deliveries()
		return got[len(got)-1-i].activity
	}
	must[teams.Outcome](t)(w.Install(alice, incidents))
	check("an installation", of(1), nil, "installationUpdate")
	check("the bot in a team", of(0), []string{"channelData.settings"}, "conversationUpdate:teamMemberAdded")
	must[teams.Outcome](t)(w.Uninstall(alice, incidents))
	check("the bot out of a team", of(0), nil, "conversationUpdate:teamMemberRemoved")
	must[teams.Outcome](t)(w.Install(alice, opsTeam))
	must[teams.Outcome](t)(w.Install(alice, ""))
	check("the bot in a chat", of(0), nil, "conversationUpdate:personal")
	must[teams.Outcome](t)(w.DM(alice, "help"))
	check("a personal message", of(0), nil, "message:personal")
	must[teams.Outcome](t)(w.Mention(alice, incidents, "help"))
	check("a channel message", of(0), nil, "message:channel")
	id := w.post(incidents, withCard(card([]any{block("x")}, execute("Go", "go", m{"a": 1}))))
	must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Go"}))
	check("a click", of(0), []string{"replyToId", "value.trigger", "channelData.source"}, "invoke:adaptiveCard/action", "message:channel")
}

func TestIDsLookLikeRealOnes(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.Install(alice, ""))
	a := w.last()
	from, _ := a["from"].(m)
	conversation, _ := a["conversation"].(m)
	must[teams.Outcome](t)(w.DM(alice, "x"))
	for pattern, id := range map[string]any{
		`^29:1[\w-]{80,90}$`:                            from["id"],
		`^a:1[\w-]{120,130}$`:                           conversation["id"],
		`^f:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`: a["id"],
		`^\d{13}$`: w.last()["id"],
		`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$`:          w.last()["timestamp"],
		`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+0[12]:00$`: w.last()["localTimestamp"],
	} {
		if text, ok := id.(string); !ok || !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%v does not look like %s", id, pattern)
		}
	}
}

func TestTheMetadataLooksLikeTheRealOne(t *testing.T) {
	w := tenantWith(t)
	var file struct {
		Token struct {
			Claims   m `json:"decoded_token"`
			Document m `json:"openid_configuration"`
		}
	}
	if err := json.Unmarshal(beside.Data(t, "teams/activities.json"), &file); err != nil {
		t.Fatal(err)
	}
	doc := m{}
	if err := getJSON(w.base+"/v1/.well-known/openidconfiguration", &doc); err != nil {
		t.Fatal(err)
	}
	for k, want := range file.Token.Document {
		got, ok := doc[k]
		if !ok {
			t.Errorf("the document has no %s", k)
		}
		if text, isText := want.(string); isText && k != "jwks_uri" && text != got {
			t.Errorf("%s is %v, want %v", k, got, want)
		}
	}
	must[teams.Outcome](t)(w.Mention(alice, incidents, "x"))
	got := teams.ClaimsOf(w.deliveries()[0].header.Get("Authorization"))
	for k := range file.Token.Claims {
		if _, ok := got[k]; !ok {
			t.Errorf("the token has no %s", k)
		}
	}
}

// TestCardShapesAreThoseOfTheSchema holds the table of card types against the
// published schema.
func TestCardShapesAreThoseOfTheSchema(t *testing.T) {
	var schema struct {
		Definitions map[string]struct {
			Type       string
			Required   []string
			Properties map[string]json.RawMessage
			AnyOf      []struct {
				Properties map[string]json.RawMessage
				Required   []string
			}
		}
	}
	if err := json.Unmarshal(beside.Contract(t, "adaptive-card-1.5.schema.json"), &schema); err != nil {
		t.Fatal(err)
	}
	shapes := teams.Shapes()
	extra := []string{"type", "msteams", "msTeams", "targetWidth", "metadata"} // of Teams, beyond the schema
	found := 0
	for name, def := range schema.Definitions {
		shape, ours := shapes[name]
		if strings.HasPrefix(name, "Input.") || strings.HasPrefix(name, "Action.") {
			if !ours {
				t.Errorf("the table has no %s", name)
				continue
			}
		}
		if !ours || def.Properties == nil {
			continue
		}
		found++
		for p := range def.Properties {
			if p = strings.TrimSuffix(p, "?"); !slices.Contains(shape.Props, p) {
				t.Errorf("%s has the property %s in the schema", name, p)
			}
		}
		for _, p := range shape.Props {
			if _, ok := def.Properties[p]; !ok && def.Properties[p+"?"] == nil && !slices.Contains(extra, p) && !(name == "AdaptiveCard" && p == "style") {
				t.Errorf("%s has no property %s in the schema", name, p)
			}
		}
		need := slices.Clone(def.Required)
		if strings.HasPrefix(name, "Input.") && name != "Input.Choice" && !slices.Contains(need, "id") {
			need = append(need, "id") // inherited
		}
		slices.Sort(need)
		own := slices.Clone(shape.Need)
		slices.Sort(own)
		if !slices.Equal(need, own) {
			t.Errorf("%s needs %v, in the schema %v", name, own, need)
		}
	}
	if found < 25 {
		t.Errorf("only %d types were compared", found)
	}
}
