package bot_test

import (
	"errors"
	"fmt"
	"testing"

	"keyturn/bot"
)

func TestWhatCountsAsAWrite(t *testing.T) {
	for _, c := range []struct {
		system bot.System
		method string
		want   bool
	}{
		{bot.Graph, "GET", false}, {bot.Graph, "HEAD", false}, {bot.Graph, "POST", true}, {bot.Graph, "PATCH", true}, {bot.Graph, "DELETE", true},
		{bot.ServiceNow, "PUT", true}, {bot.ServiceNow, "GET", false}, {bot.ServiceNow, "", true},
		{bot.Login, "POST", false}, {bot.DNS, "GET", false},
	} {
		if got := (bot.Call{System: c.system, Method: c.method}).Write(); got != c.want {
			t.Errorf("%s %s: write %v", c.system, c.method, got)
		}
	}
	if bot.ObjectKey(bot.Graph, "application", "a1") != "graph/application/a1" {
		t.Error("the inventory's keys changed")
	}
}

func TestAKindOfFailureIsFoundInsideAnError(t *testing.T) {
	for _, k := range []bot.Kind{bot.KindRefused, bot.KindForbidden, bot.KindSignIn, bot.KindInactive, bot.KindPolicy, bot.KindNotFound, bot.KindConflict,
		bot.KindThrottled, bot.KindUnreachable, bot.KindAmbiguous, bot.KindMalformed, bot.KindGone, bot.KindUninstalled, bot.KindBadRequest, bot.KindForeign} {
		err := fmt.Errorf("calling: %w", &bot.Failure{Kind: k, Says: "No."})
		if bot.KindOf(err) != k {
			t.Errorf("the kind %s is lost when wrapped", k)
		}
	}
	if bot.KindOf(nil) != "" || bot.KindOf(errors.New("x")) != "" {
		t.Error("an error of no kind got one")
	}
}

func TestAFailureReadsAsSentences(t *testing.T) {
	cause := errors.New("EOF")
	f := &bot.Failure{Says: "Graph refused it.", Fix: "Ask an owner.", Code: "Authorization_RequestDenied", Err: cause}
	if got := f.Error(); got != "Graph refused it. Ask an owner. (Authorization_RequestDenied)" {
		t.Errorf("%q", got)
	}
	if got := (&bot.Failure{Says: "No."}).Error(); got != "No." {
		t.Errorf("%q", got)
	}
	if !errors.Is(f, cause) {
		t.Error("the cause is lost")
	}
}

func TestARequestsInput(t *testing.T) {
	r := bot.Request{Input: map[string][]string{"why": {"because", "and"}, "none": {}}}
	if r.One("why") != "because" || r.One("none") != "" || r.One("missing") != "" {
		t.Errorf("%q %q %q", r.One("why"), r.One("none"), r.One("missing"))
	}
	if m := bot.Private(bot.Say(bot.T("x"))); m.Message == nil || m.InPlace || m.Redraw {
		t.Errorf("a private reply is %+v", m)
	}
}
