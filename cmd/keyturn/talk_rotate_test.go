package main

import (
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim/play"
)

// inventory is what the bot's record has, without what was removed.
func (h *house) inventory(kind string) (out []bot.Object) {
	h.Helper()
	h.read(func(v engine.View) error {
		objects, err := v.Objects("contoso")
		for _, o := range objects {
			if o.Kind == kind && o.Removed.IsZero() {
				out = append(out, o)
			}
		}
		return err
	})
	return out
}

func TestASecretIsReplacedWithoutAGap(t *testing.T) {
	h := open(t)
	h.finishes("connector")
	h.idle()
	old := h.inventory("secret")
	if len(old) != 1 {
		t.Fatalf("the inventory has %+v", old)
	}
	h.types(play.Omar, "/keyturn inventory")
	h.expectPrivate(play.Omar, "What Keyturn made for Contoso", old[0].ID, "approved by Erin Vogel", "expires", "run run-")
	h.types(play.Omar, "/keyturn inventory replace "+old[0].ID)
	h.submits(play.Omar, nil)
	h.expectCard(play.Erin, "Client secret for ServiceNow", "Approve and run")
	h.clicks(play.Erin, "Approve and run", "entra-secret")
	h.expectCard(play.Sam, "OAuth provider in Application Registry", "Approve and run")
	if now := h.inventory("secret"); len(now) != 2 {
		t.Errorf("while it is replaced there are %d secrets, want the old and the new", len(now))
	}
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.expectCard(play.Sam, "ServiceNow signs in with the new secret")
	h.clicks(play.Sam, "I did it, check", "rotate-use")
	h.expectCard(play.Erin, "Remove the old one", "Approve and run")
	h.clicks(play.Erin, "Approve and run", "rotate-remove")
	h.expectCard(play.Omar, "✅ finished")
	h.idle()
	now := h.inventory("secret")
	if len(now) != 1 || now[0].ID == old[0].ID {
		t.Errorf("the inventory has %+v", now)
	}
	order := []string{"addPassword", "oauth_entity", "removePassword"} // a gap would be another order
	for _, e := range h.audit() {
		if e.Act == "call" && e.Run != old[0].Run && len(order) > 0 && strings.Contains(e.Call.Path, order[0]) {
			order = order[1:]
		}
	}
	if len(order) > 0 {
		t.Errorf("%v did not come when it should have", order)
	}
	h.types(play.Omar, "/keyturn inventory replace "+old[0].ID)
	h.expectPrivate(play.Omar, "no longer in the inventory")
}

func TestTheReadersKeyIsReplacedWithoutAGap(t *testing.T) {
	h := open(t, withoutServiceNow)
	h.finishes("direct")
	h.idle()
	old := h.inventory("application")
	if len(old) != 1 {
		t.Fatalf("the inventory has %+v", old)
	}
	h.later(time.Minute) // when a key ends is known to the second
	h.types(play.Omar, "/keyturn inventory replace keyturn-health-reader")
	h.submits(play.Omar, nil)
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Remove the old one", "Approve and run")
	h.clicks(play.Erin, "Approve and run", "rotate-remove")
	h.expectCard(play.Omar, "✅ finished", "Service health is read with the new key")
	h.idle()
	if now := h.inventory("application"); len(now) != 1 || !now[0].Expires.After(old[0].Expires) {
		t.Errorf("the inventory has %+v, before %+v", now, old)
	}
	// The new key is what service health is read with from now on.
	var failing bool
	reads := func() (good int64) {
		h.read(func(v engine.View) error {
			w, err := v.Watch("contoso")
			failing, good = !w.Failing.IsZero(), w.Good.UnixNano()
			return err
		})
		return good
	}
	before := reads()
	h.becomes("another reading", func() bool { return reads() != before })
	if failing {
		t.Error("service health can no longer be read")
	}
}

// A client's secret at ServiceNow has no end: the inventory says so, and it is
// replaced by an entry beside it.
func TestServiceNowsOwnSecretIsReplacedWithoutAGap(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	h.idle()
	old := h.inventory("oauth_entity")
	if len(old) != 1 {
		t.Fatalf("the inventory has %+v", old)
	}
	h.types(play.Omar, "/keyturn inventory")
	h.expectPrivate(play.Omar, old[0].Name, "its secret does not end by itself: it stays valid until it is replaced",
		"with which people sign in at ServiceNow", "replace it by hand, in Application Registry and in the configuration", "[Replace "+old[0].Name+"]")
	h.clicks(play.Omar, "Replace "+old[0].Name, "")
	h.expectForm(play.Omar, "its secret does not end by itself", "Makes a new one, puts it to use, proves it")
	h.submits(play.Omar, nil)
	h.expectCard(play.Sam, "ServiceNow sign-in for unattended work", "Approve and run", "Entries of earlier runs stay")
	h.clicks(play.Sam, "Approve and run", "sn-unattended")
	h.expectCard(play.Sam, "Remove the old registry entry", "Approve and run")
	if now := h.inventory("oauth_entity"); len(now) != 2 {
		t.Errorf("while it is replaced there are %d entries, want the old and the new", len(now))
	}
	h.clicks(play.Sam, "Approve and run", "rotate-entry-remove")
	h.expectCard(play.Omar, "✅ finished", "Remove the old registry entry")
	h.idle()
	now := h.inventory("oauth_entity")
	if len(now) != 1 || now[0].ID == old[0].ID {
		t.Errorf("the inventory has %+v", now)
	}
	// The new sign-in is what Keyturn works with from now on.
	h.read(func(v engine.View) error {
		_, as, err := engine.Standing(v, &bot.Tenant{ID: "contoso"})
		if want := "keyturn-" + now[0].Run; as.ClientID != want || as.Secret.IsZero() {
			t.Errorf("it signs in as %q, want %q", as.ClientID, want)
		}
		return err
	})
}
