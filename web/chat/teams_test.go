package chat_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"keyturn/sim/slack"
	"keyturn/sim/teams"
	"keyturn/web/chat"
)

const (
	erin, rita = "11111111-0000-4000-8000-000000000002", "11111111-0000-4000-8000-000000000001"
	itTeam     = "19:0000000000000000000000000000000a@thread.tacv2"
	itOps      = "19:0000000000000000000000000000000b@thread.tacv2"
	warRoom    = "19:0000000000000000000000000000000c@thread.v2"
)

// office is a tenant with a small bot, seen through the page.
type office struct {
	demo
	teams *teams.Server
	token string
	mu    sync.Mutex
	heard []string // what the bot was told, as text
}

func adaptive(card m) m {
	card["type"], card["version"] = "AdaptiveCard", "1.5"
	return m{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
}

// The bot answers a mention with a card; its buttons refuse, thank, and open a
// dialog that wants a host.
func (o *office) bot(w http.ResponseWriter, r *http.Request) {
	var a struct {
		Type, Name, Text, ID string
		Conversation         struct{ ID string }
		Value                struct {
			Action         struct{ Verb string }
			Data           m
			CommandID      string
			MessagePayload struct{ Body struct{ Content string } }
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&a)
	o.mu.Lock()
	o.heard = append(o.heard, strings.TrimSpace(a.Type+" "+a.Name+" "+a.Text))
	o.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch {
	case a.Type == "message" && strings.Contains(a.Text, "setup"):
		o.post(a.Conversation.ID, m{"type": "message", "summary": "Set up", "attachments": []any{adaptive(m{
			"body": []any{m{"type": "TextBlock", "text": "Set up **ServiceNow**", "size": "Large", "wrap": true}},
			"actions": []any{
				m{"type": "Action.Execute", "title": "Refuse", "verb": "no"},
				m{"type": "Action.Execute", "title": "Thank", "verb": "thanks"},
				m{"type": "Action.Submit", "title": "Fill in", "data": m{"msteams": m{"type": "task/fetch"}}},
				m{"type": "Action.ShowCard", "title": "Approve", "card": m{"type": "AdaptiveCard", "body": []any{
					m{"type": "Input.Text", "id": "why", "label": "Why", "isRequired": true, "errorMessage": "Say why."}},
					"actions": []any{m{"type": "Action.Execute", "title": "Approve", "verb": "thanks"}}}},
			}})}})
	case a.Name == "adaptiveCard/action" && a.Value.Action.Verb == "no":
		answer(m{"statusCode": 400, "type": "application/vnd.microsoft.error", "value": m{"code": "NotYours", "message": "This is for <b>Rita</b>."}})
	case a.Name == "adaptiveCard/action":
		answer(m{"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Thank you."})
	case a.Name == "task/fetch":
		answer(m{"task": m{"type": "continue", "value": m{"title": "Which ServiceNow?", "card": adaptive(m{
			"body":    []any{m{"type": "Input.Text", "id": "host", "label": "Host", "isRequired": true, "errorMessage": "Name the host."}, m{"type": "Input.Text", "id": "note", "label": "Note"}},
			"actions": []any{m{"type": "Action.Submit", "title": "Start"}}})}}})
	case a.Name == "composeExtension/fetchTask":
		answer(m{"task": m{"type": "continue", "value": m{"title": a.Value.CommandID, "card": adaptive(m{
			"body": []any{m{"type": "TextBlock", "text": "About " + a.Value.MessagePayload.Body.Content, "wrap": true}}})}}})
	case a.Name == "task/submit":
		o.post(itOps, m{"type": "message", "text": "Host: " + a.Value.Data["host"].(string)})
		answer(m{"task": m{"type": "message", "value": "It has begun."}})
	}
}

func (o *office) post(conversation string, activity m) string {
	b, err := json.Marshal(activity)
	if err != nil {
		o.Error(err)
	}
	req, _ := http.NewRequest(http.MethodPost, o.api+"/v3/conversations/"+url.PathEscape(conversation)+"/activities", bytes.NewReader(b))
	if activity["recipient"] != nil {
		req.URL.RawQuery = "isTargetedActivity=true"
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+o.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 {
		o.Errorf("posting: %d %s", resp.StatusCode, body)
	}
	var made struct{ ID string }
	_ = json.Unmarshal(body, &made)
	return made.ID
}

func openOffice(t *testing.T, change ...func(*chat.Config)) *office {
	o := &office{demo: demo{T: t}}
	bot := httptest.NewServer(http.HandlerFunc(o.bot))
	t.Cleanup(bot.Close)
	s, err := teams.New(teams.Config{BotSecret: "made-up", BotURL: bot.URL,
		Users: []teams.User{{ID: rita, Name: "Rita Okafor"}, {ID: erin, Name: "Erin Vogel", TZ: "Europe/Berlin"}},
		Teams: []teams.Team{{ID: itTeam, Name: "IT", Installed: true, Channels: []teams.Channel{{ID: itOps, Name: "Operations"}}}},
		Chats: []teams.Chat{{ID: warRoom, Name: "War room", Members: []string{rita}}}})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(s.Handler())
	t.Cleanup(api.Close)
	s.SetURL(api.URL)
	o.teams, o.api = s, api.URL
	st := s.Snapshot()
	resp, err := http.PostForm(api.URL+"/"+st.App.TenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {st.App.BotAppID}, "client_secret": {"made-up"}, "scope": {"https://api.botframework.com/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var granted struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&granted); err != nil || granted.Token == "" {
		t.Fatal("no token", err)
	}
	o.token = granted.Token
	here, err := slack.New(slack.Config{BotToken: "xoxb-x", SigningSecret: "s", BotURL: bot.URL,
		Users:    []slack.User{{ID: "U0RITA", Name: "rita", RealName: "Rita Okafor"}, {ID: "U0MAX", Name: "max", RealName: "Max Petrov"}},
		Channels: []slack.Channel{{ID: "C0OPS", Name: "ops", Members: []string{"U0RITA", "U0MAX"}}}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := chat.Config{Slack: here, Teams: s, Try: []string{"/keyturn setup"}, Menu: []chat.MenuItem{{ID: "is-this-microsoft", Words: "Is this Microsoft?"}}}
	for _, c := range change {
		c(&cfg)
	}
	page := httptest.NewServer(chat.New(cfg))
	t.Cleanup(page.Close)
	o.slack, o.page = here, page.URL
	return o
}

func at(place string) string { return "at=" + url.QueryEscape(place) }

// newest is the newest message of the bot.
func (o *office) newest() teams.Message {
	o.Helper()
	all := o.teams.Snapshot().Messages
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Bot {
			return all[i]
		}
	}
	o.Fatal("the bot has said nothing")
	return teams.Message{}
}

func TestOnePersonHasBothAccounts(t *testing.T) {
	o := openOffice(t)
	page := o.get("as=U0RITA")
	o.sees(page, "Microsoft Teams", "Operations", "War room", "General", ">personal<")
	if n := strings.Count(page, `class="persona`) - strings.Count(page, `class="persona-`); n != 3 {
		t.Errorf("%d people in the strip, want Rita, Max and Erin", n)
	}
	o.missing(o.get("as=U0MAX"), "War room", "Microsoft Teams")
	o.sees(o.get("as=U0MAX&"+at(itOps)), "is not in this conversation of Microsoft Teams")
	o.missing(o.get("as="+erin), "War room", ">Slack<")
	table := openOffice(t, func(c *chat.Config) {
		c.People = []chat.Person{{Slack: "U0MAX", Teams: erin, Name: "Max Power", Title: "Does both"}}
	})
	table.sees(table.get("as="+erin), "Max<span", "Does both", "Microsoft Teams", "ops")
}

func TestADemoWithoutSlack(t *testing.T) {
	o := openOffice(t, func(c *chat.Config) { c.Slack = nil })
	o.sees(o.get(""), "Operations", "Rita<span", "Nothing was said here yet", `data-text="@Keyturn setup"`)
	o.missing(o.get(""), "Home</span>", "<h2>Channels</h2>")
	if resp, err := http.Post(o.page+"/do/click", "application/json", strings.NewReader(`{"user":"`+erin+`"}`)); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("a click in Slack: %v %v", resp, err)
	}
}

func TestAVisitorSetsSomethingUpInTeams(t *testing.T) {
	o := openOffice(t)
	if said := o.do("type", m{"user": erin, "channel": itOps, "text": "setup please"}); !strings.Contains(said, "does not name it") {
		t.Errorf("told: %q", said)
	}
	o.do("type", m{"user": erin, "channel": itOps, "text": "@keyturn setup"})
	page := o.get("as=" + erin + "&" + at(itOps))
	o.sees(page, `<span class="mention">Keyturn</span> setup`, "Set up <strong>ServiceNow</strong>", ">Refuse</button>", ">Reply</a>")
	card := o.newest()
	if card.Root == "" {
		t.Error("the bot's answer is no reply to the post")
	}
	press := func(action string, more m) string {
		body := m{"user": erin, "channel": itOps, "ts": card.ID, "action": action, "nth": 1}
		for k, v := range more {
			body[k] = v
		}
		return o.do("press", body)
	}
	press("Refuse", nil)
	o.sees(o.get("as="+erin+"&"+at(itOps)), `role="alert">This is for &lt;b&gt;Rita&lt;/b&gt;.</p>`)
	o.missing(o.get("as=U0RITA&"+at(itOps)), "This is for")
	if said := press("Thank", nil); said != "Thank you." {
		t.Errorf("toast: %q", said)
	}
	o.missing(o.get("as="+erin+"&"+at(itOps)), "This is for")
	press("Approve", m{"nth": 2, "inputs": m{"why": []any{}}})
	o.sees(o.get("as="+erin+"&"+at(itOps)), `role="alert">Say why.</p>`)
	if said := press("Approve", m{"nth": 2, "inputs": m{"why": []any{"it is due"}}}); said != "Thank you." {
		t.Errorf("toast: %q", said)
	}

	press("Fill in", nil)
	o.sees(o.get("as="+erin+"&"+at(itOps)), "Which ServiceNow?", `data-dialog=`)
	o.sees(o.get("as=U0RITA&"+at(itOps)), "has an open form")
	dialog := o.teams.Snapshot().Dialogs[0].ID
	o.do("press", m{"user": erin, "dialog": dialog, "action": "Start", "inputs": m{"host": []any{}, "note": []any{"kept"}}})
	o.sees(o.get("as="+erin+"&"+at(itOps)), "Name the host.", `value="kept"`)
	if said := o.do("press", m{"user": erin, "dialog": dialog, "action": "Start", "inputs": m{"host": []any{"dev.example"}}}); said != "It has begun." {
		t.Errorf("told: %q", said)
	}
	after := o.get("as=" + erin + "&" + at(itOps))
	o.sees(after, "Host: dev.example")
	o.missing(after, "Which ServiceNow?")
	o.do("press", m{"user": erin, "channel": itOps, "ts": card.ID, "action": "Fill in", "nth": 1})
	o.do("dismiss", m{"user": erin, "dialog": o.teams.Snapshot().Dialogs[0].ID})
	o.missing(o.get("as="+erin+"&"+at(itOps)), "Which ServiceNow?")
}

func TestTheMenuOfAMessageInTeams(t *testing.T) {
	o := openOffice(t)
	o.do("type", m{"user": rita, "channel": itOps, "text": "mail is slow"})
	said := o.teams.Snapshot().Messages[0].ID
	o.sees(o.get("as="+erin+"&"+at(itOps)), `aria-label="More actions for what Rita Okafor said, `, ">Is this Microsoft?</button>")
	if told := o.do("menu", m{"user": erin, "channel": itOps, "ts": said, "action": "is-this-microsoft"}); told != "" {
		t.Errorf("told: %q", told)
	}
	o.sees(o.get("as="+erin+"&"+at(itOps)), `<h2 id="modal-title">is-this-microsoft</h2>`, "mail is slow")
	o.missing(o.get("as=U0RITA&"+at(itOps)), "modal-title")
	o.post(itOps, m{"type": "message", "text": "only _you_", "recipient": m{"id": o.teams.TeamsID(erin)}})
	if n := strings.Count(o.get("as="+erin+"&"+at(itOps)), `data-do="menu"`); n != 1 {
		t.Errorf("%d messages have a menu; what only Erin sees has none", n)
	}
}

func TestRepliesStandUnderTheirPost(t *testing.T) {
	o := openOffice(t)
	o.do("type", m{"user": rita, "channel": itOps, "text": "who has a minute?"})
	root := o.teams.Snapshot().Messages[0].ID
	for _, line := range []string{"one", "two", "three", "four <script>"} {
		o.do("type", m{"user": erin, "channel": itOps, "thread": root, "text": line})
	}
	page := o.get("as=U0RITA&" + at(itOps))
	o.sees(page, "1 earlier reply", `class="text">two`, "four &lt;script&gt;")
	o.missing(page, `class="text">one`)
	o.sees(o.get("as=U0RITA&"+at(itOps)+"&thread="+root), `aria-label="Thread"`, `class="text">one`)
}

func TestWhatIsForOnePersonIsForThatPerson(t *testing.T) {
	o := openOffice(t)
	o.post(itOps, m{"type": "message", "text": "only _you_", "recipient": m{"id": o.teams.TeamsID(erin)}})
	o.sees(o.get("as="+erin+"&"+at(itOps)), "Only you can see this message", "only <em>you</em>")
	o.missing(o.get("as=U0RITA&"+at(itOps)), "only <em>you</em>")
	o.do("type", m{"user": erin, "channel": itOps, "text": "/keyturn health"})
	o.missing(o.get("as=U0RITA&"+at(itOps)), "health")
	o.mu.Lock()
	defer o.mu.Unlock()
	if last := o.heard[len(o.heard)-1]; last != "message  health" {
		t.Errorf("the bot heard %q", last)
	}
}

func TestThePersonalChat(t *testing.T) {
	o := openOffice(t)
	own := o.teams.PersonalID(erin)
	o.sees(o.get("as="+erin+"&"+at(own)), "is not installed for Erin Vogel yet", ">Add Keyturn</button>")
	o.do("add", m{"user": erin, "where": ""})
	page := o.get("as=" + erin + "&" + at(own))
	o.sees(page, `data-text="setup"`, "Personal chat in Microsoft Teams")
	o.do("type", m{"user": erin, "channel": own, "text": "setup"})
	o.sees(o.get("as="+erin+"&"+at(own)), "Set up <strong>ServiceNow</strong>")
	o.missing(o.get("as=U0RITA&"+at(own)), "<strong>ServiceNow</strong>")
}
