package teams

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var hello = bot.Say(bot.T("Hello."))

func TestARootBeginsAThreadAndRepliesGoIntoIt(t *testing.T) {
	w := newWorld(t)
	root, err := w.Post(t.Context(), channelP, hello)
	if err != nil {
		t.Fatal(err)
	}
	c := w.lastCall()
	if c.Path != "/default/v3/conversations" || c.Auth != "Bearer bot-token-1" || c.Body["isGroup"] != true || c.Body["tenantId"] != contoso {
		t.Errorf("got %+v", c)
	}
	if root.ID == "" || root.Place != channelP || !strings.Contains(root.Link, "l/message/"+"19:8d46058cda57449380517cc374727f2a@thread.tacv2/"+root.ID) {
		t.Errorf("got %+v", root)
	}
	loud := hello
	loud.Aloud = true
	reply, err := w.Post(t.Context(), root.Place.In(root.ID), loud)
	if err != nil {
		t.Fatal(err)
	}
	c = w.lastCall()
	if want := "/default/v3/conversations/19:8d46058cda57449380517cc374727f2a@thread.tacv2%3Bmessageid=" + root.ID + "/activities"; c.Path != want {
		t.Errorf("got %s, want %s", c.Path, want)
	}
	if asJSON(c.Body["channelData"]) != `{"notification":{"alert":true}}` || reply.ID == root.ID {
		t.Errorf("got %+v, %+v", c.Body["channelData"], reply)
	}
	if err := w.Edit(t.Context(), reply, hello); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); c.Method != "PUT" || !strings.HasSuffix(c.Path, "/activities/"+reply.ID) {
		t.Errorf("got %+v", c)
	}
	if err := w.Edit(t.Context(), root, hello); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); !strings.HasSuffix(c.Path, "@thread.tacv2/activities/"+root.ID) {
		t.Errorf("got %+v", c)
	}
}

func TestAMessageHasOnePartAndNothingEmpty(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Post(t.Context(), channelP.In("1"), bot.Say(bot.T("a < b"))); err != nil {
		t.Fatal(err)
	}
	body := w.lastCall().Body
	var keys []string
	for k := range body {
		keys = append(keys, k)
	}
	for _, k := range []string{"timestamp", "expiration", "relatesTo", "suggestedActions", "semanticAction", "recipient", "text", "entities"} {
		if _, given := body[k]; given {
			t.Errorf("%s is sent: %v", k, keys)
		}
	}
	if body["summary"] != "a < b" || len(body["attachments"].([]any)) != 1 {
		t.Errorf("got %v", body)
	}
}

func TestConversationsAreFoundWhereTheySaidTheyAre(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.inChannel(fields{"text": "lunch"}))
	if _, err := w.Post(t.Context(), channelP.In("1"), hello); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); !strings.HasPrefix(c.Path, "/amer/v3/") {
		t.Errorf("got %s", c.Path)
	}
	// A chat has no threads.
	w.deliver(w.inChannel(fields{"text": "x", "conversation": fields{"id": "19:group@thread.v2", "conversationType": "groupChat", "tenantId": contoso}, "channelData": nil}))
	ref, err := w.Post(t.Context(), bot.Place{Platform: bot.Teams, Team: contoso, Channel: "19:group@thread.v2", Thread: "5"}, hello)
	if err != nil || ref.Link != "" {
		t.Fatal(ref, err)
	}
	if c := w.lastCall(); c.Path != "/amer/v3/conversations/19:group@thread.v2/activities" {
		t.Errorf("got %s", c.Path)
	}
}

func TestAPersonWhoWroteIsAnsweredInTheirChat(t *testing.T) {
	memory := NewMemory()
	with := func(c *Config) { c.Memory = memory }
	w := newWorld(t, with)
	w.deliver(w.personal(fields{"text": "x"}))
	ref, err := w.Post(t.Context(), bot.DM(fromErin), hello)
	if err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); c.Path != "/amer/v3/conversations/"+chatID+"/activities" || ref.Place.Channel != chatID || ref.Place.User != erin || len(w.sent()) != 1 {
		t.Errorf("got %+v, %+v", c, ref)
	}
	// A restart later the chat is still known.
	service := w.service
	w2 := newWorld(t, with, func(c *Config) { c.ServiceHosts = append(c.ServiceHosts, strings.Split(service, "/")[2]) })
	if _, err := w2.Post(t.Context(), bot.DM(fromErin), hello); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); len(w.sent()) != 2 || c.Method != "POST" {
		t.Errorf("got %+v", c)
	}
	// The chat is gone: it is opened again, once.
	w.next(404, "ConversationNotFound")
	if _, err := w.Post(t.Context(), bot.DM(fromErin), hello); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); !strings.Contains(c.Path, "a:new-chat") {
		t.Errorf("got %+v", c)
	}
}

func TestAPersonWhoNeverWroteIsLookedUpInTheTeams(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.inChannel(fields{"text": "lunch"}))
	w.then(func(rw http.ResponseWriter) { fmt.Fprintf(rw, `{"id":"29:bob","objectId":"%s"}`, bob) })
	ref, err := w.Post(t.Context(), bot.DM(bot.Account{Platform: bot.Teams, Team: contoso, ID: bob}), hello)
	if err != nil {
		t.Fatal(err)
	}
	all := w.sent()
	if len(all) != 3 || !strings.HasSuffix(all[0].Path, "/members/"+bob) || asJSON(all[1].Body["members"]) != `[{"id":"29:bob"}]` || ref.Place.Channel != "a:new-chat" {
		t.Errorf("got %+v", all)
	}
	if _, err := w.Post(t.Context(), bot.DM(bot.Account{Platform: bot.Teams, Team: contoso, ID: bob}), hello); err != nil || len(w.sent()) != 4 {
		t.Errorf("the chat is opened twice: %v", err)
	}
}

func TestSomebodyWhoHasNotInstalledTheAppIsSaidToBeUnreachable(t *testing.T) {
	w := newWorld(t)
	for _, code := range []string{"ForbiddenOperationException", "BotNotInConversationRoster", "MysteryCode"} {
		w.next(403, code)
		_, err := w.Post(t.Context(), bot.DM(fromErin), hello)
		if bot.KindOf(err) != bot.KindGone || !strings.Contains(err.Error(), "Install the app for") {
			t.Errorf("%s: got %v", code, err)
		}
	}
}

func TestWhatARefusalMeans(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		kind   bot.Kind
	}{
		{400, "BadArgument", bot.KindBadRequest}, {401, "BotNotRegistered", bot.KindSignIn}, {403, "BotNotInConversationRoster", bot.KindGone},
		{403, "ConversationBlockedByUser", bot.KindGone}, {403, "MessageWritesBlocked", bot.KindGone}, {403, "ForbiddenOperationException", bot.KindGone},
		{403, "BotDisabledByAdmin", bot.KindGone}, {403, "NotEnoughPermissions", bot.KindForbidden}, {403, "", bot.KindForbidden},
		{404, "ActivityNotFoundInConversation", bot.KindNotFound}, {404, "ConversationNotFound", bot.KindNotFound}, {404, "", bot.KindNotFound},
		{412, "PreconditionFailed", bot.KindUnreachable}, {413, "MessageSizeTooBig", bot.KindBadRequest}, {413, "", bot.KindBadRequest},
		{429, "", bot.KindThrottled}, {429, "BadArgument", bot.KindThrottled}, {500, "ServiceError", bot.KindRefused}, {502, "", bot.KindUnreachable}, {503, "ServiceError", bot.KindUnreachable},
		{504, "", bot.KindUnreachable}, {302, "", bot.KindRefused}, {418, "", bot.KindRefused},
	} {
		w := newWorld(t)
		for range 2 { // 401 is tried again with a new token
			w.next(c.status, c.code, "X-Correlating-OperationId", "op-1", "Location", "https://evil.example/")
		}
		_, err := w.Post(t.Context(), channelP.In("5"), hello)
		var f *bot.Failure
		if !errors.As(err, &f) || f.Kind != c.kind || f.Status != c.status || f.RequestID != "op-1" || !strings.HasSuffix(strings.TrimSpace(f.Says), ".") {
			t.Errorf("%d %s: got %+v", c.status, c.code, f)
		}
		if c.kind == bot.KindGone && !strings.Contains(strings.ToLower(f.Fix), "install the app for") && !strings.Contains(f.Fix, "installs the app") {
			t.Errorf("%d %s: the fix is %q", c.status, c.code, f.Fix)
		}
		if want := map[bool]int{true: 2, false: 1}[c.status == 401]; len(w.sent()) != want {
			t.Errorf("%d %s: %d calls", c.status, c.code, len(w.sent()))
		}
	}
}

func TestAChannelThatIsGoneIsAPlaceThatIsGone(t *testing.T) {
	w := newWorld(t)
	w.next(404, "ConversationNotFound")
	if _, err := w.Post(t.Context(), channelP, hello); bot.KindOf(err) != bot.KindGone {
		t.Errorf("got %v", err)
	}
	if err := w.Edit(t.Context(), bot.MessageRef{Place: channelP}, hello); bot.KindOf(err) != bot.KindNotFound {
		t.Errorf("got %v", err)
	}
}

func TestHowLongTeamsAsksToWaitIsPassedOn(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "0": time.Second, "": 30 * time.Second, "soon": 30 * time.Second,
		noon.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second} {
		w := newWorld(t)
		w.next(429, "Throttled", "Retry-After", header)
		_, err := w.Post(t.Context(), channelP.In("5"), hello)
		var f *bot.Failure
		if !errors.As(err, &f) || f.RetryAfter != want {
			t.Errorf("%q: got %+v", header, f)
		}
	}
}

func TestAnEditIsNeverAmbiguousAndAPostIsOnceItLeft(t *testing.T) {
	w := newWorld(t)
	hang := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	w.then(hang)
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindAmbiguous {
		t.Errorf("got %v", err)
	}
	w.then(hang)
	if _, err := w.Post(t.Context(), channelP, hello); bot.KindOf(err) != bot.KindAmbiguous {
		t.Errorf("got %v", err)
	}
	w.then(hang, hang, hang)
	if err := w.Edit(t.Context(), bot.MessageRef{Place: channelP, ID: "1"}, hello); bot.KindOf(err) != bot.KindUnreachable {
		t.Errorf("got %v", err)
	}
	w.then(func(rw http.ResponseWriter) { fmt.Fprint(rw, strings.Repeat("x", maxAnswer+10)) })
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindAmbiguous {
		t.Errorf("an endless answer: got %v", err)
	}
	w.then(func(rw http.ResponseWriter) { fmt.Fprint(rw, `{}`) })
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindAmbiguous {
		t.Errorf("an answer without an ID: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Post(ctx, channelP.In("5"), hello); bot.KindOf(err) != bot.KindUnreachable {
		t.Errorf("nothing left: got %v", err)
	}
}

func TestNothingIsSentToAHostThatIsNotPinned(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.ServiceHosts = nil
		c.Cloud.Service = "https://smba.trafficmanager.net/teams"
	})
	for _, service := range []string{w.service, "https://evil.example/", "https://smba.trafficmanager.net.evil.example/", "http://smba.trafficmanager.net/", "https://smba.trafficmanager.net:8443/", "https://x@smba.trafficmanager.net/"} {
		target, err := address(service, "conversations", "x", "activities")
		if err != nil {
			t.Fatal(err)
		}
		target.User = nil
		if service == "https://x@smba.trafficmanager.net/" {
			if w.hosts.allow(service) {
				t.Error("a user in the address is let through")
			}
			continue
		}
		if _, err := w.exchange(t.Context(), "POST", target, nil, true); bot.KindOf(err) != bot.KindForeign {
			t.Errorf("%s: got %v", service, err)
		}
	}
	if len(w.logins)+len(w.sent()) != 0 {
		t.Error("a token was asked for")
	}
	for _, ok := range []string{"https://smba.trafficmanager.net/amer/", "https://SMBA.trafficmanager.net:443/x", "https://smba.infra.gcc.teams.microsoft.com/gcc", "https://europe.api.botframework.com"} {
		if !w.hosts.allow(ok) {
			t.Errorf("%s is not let through", ok)
		}
	}
	named := pins{named: []string{"127.0.0.1:9", "connector.contoso.com"}}
	for address, want := range map[string]bool{"http://127.0.0.1:9/": true, "http://127.0.0.1:10/": false, "https://connector.contoso.com/": true, "http://connector.contoso.com/": false} {
		if named.allow(address) != want {
			t.Errorf("%s: want %v", address, want)
		}
	}
}

func TestNoIDClimbsOutOfItsPlace(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a/../../../v9/evil?x=1", "x#y", "%2e%2e/x", "..;/x"} {
		if _, err := w.Post(t.Context(), bot.Place{Platform: bot.Teams, Team: contoso, Channel: id, Thread: "1"}, hello); err != nil {
			continue
		}
		if c := w.lastCall(); !strings.HasPrefix(c.Path, "/default/v3/conversations/") || strings.Count(c.Path, "/") != 5 || strings.Contains(c.Path, "?") {
			t.Errorf("%q became %s", id, c.Path)
		}
	}
	for _, id := range []string{"..", ".", "", "a\x00b"} {
		if err := w.Edit(t.Context(), bot.MessageRef{Place: channelP, ID: id}, hello); err == nil {
			t.Errorf("%q was sent", id)
		}
	}
}

func TestATenantThatIsNotServedIsNotWrittenTo(t *testing.T) {
	w := newWorld(t)
	at := channelP
	at.Team = fabrik
	if _, err := w.Post(t.Context(), at, hello); bot.KindOf(err) != bot.KindUninstalled {
		t.Errorf("got %v", err)
	}
}

// A conversation of the government cloud says so once; then it is found there.
func TestTheGovernmentCloudIsTriedOnce(t *testing.T) {
	var hosts []string
	w := newWorld(t)
	w.Adapter.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		if r.URL.Host == "smba.infra.gcc.teams.microsoft.com" {
			r.URL.Scheme, r.URL.Host = "http", strings.Split(w.service, "/")[2]
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	w.next(403, "InvalidBotApiHost")
	for range 2 {
		if _, err := w.Post(t.Context(), channelP.In("5"), hello); err != nil {
			t.Fatal(err)
		}
	}
	local, gcc := strings.Split(w.service, "/")[2], "smba.infra.gcc.teams.microsoft.com"
	if d := cmp.Diff([]string{local, local, gcc, gcc}, hosts); d != "" { // login, refused, there, there
		t.Error(d)
	}
	w.next(403, "InvalidBotApiHost")
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindRefused {
		t.Errorf("got %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAConnectorThatCannotBeReachedIsNotAmbiguous(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	w := newWorld(t, func(c *Config) {
		c.Cloud.Service = "http://" + closed
		c.ServiceHosts = append(c.ServiceHosts, closed)
	})
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindUnreachable {
		t.Errorf("got %v", err)
	}
}
