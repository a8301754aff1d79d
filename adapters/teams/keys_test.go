package teams

import (
	"net/http"
	"testing"
	"time"
)

func (w *world) accepts(t *testing.T, s signer, want bool) {
	t.Helper()
	got := w.knocks(forged{header: s.token(w.claims())}).StatusCode == http.StatusOK
	if got != want {
		t.Errorf("a token of key %s: accepted %v, want %v", s.kid, got, want)
	}
}

func TestKeysAreFetchedOnceForADay(t *testing.T) {
	w := newWorld(t)
	header := w.good()
	for range 1000 {
		if resp := w.knocks(forged{header: header}); resp.StatusCode != http.StatusOK {
			t.Fatalf("got HTTP %d", resp.StatusCode)
		}
	}
	if n := w.fetched(); n != 2 {
		t.Errorf("1000 activities caused %d fetches", n)
	}
	w.pass(25 * time.Hour)
	for range 10 {
		w.accepts(t, newSigner("k1"), true)
	}
	if n := w.fetched(); n != 4 {
		t.Errorf("%d fetches after a day", n)
	}
}

func TestAnUnknownKeyIsAskedForOnceAnHour(t *testing.T) {
	w := newWorld(t)
	w.accepts(t, newSigner("k1"), true)
	for range 50 {
		w.accepts(t, newSigner("k2"), false)
	}
	if n := w.fetched(); n != 2 {
		t.Errorf("unknown keys caused %d fetches within the hour", n)
	}
	w.keys = append(w.keys, newSigner("k2").jwk("msteams"))
	w.pass(61 * time.Minute)
	w.accepts(t, newSigner("k2"), true) // Microsoft has a new key
	w.accepts(t, newSigner("k1"), true)
	if n := w.fetched(); n != 4 {
		t.Errorf("%d fetches", n)
	}
}

func TestAKeyThatMicrosoftWithdrewIsNotAcceptedAfterADay(t *testing.T) {
	w := newWorld(t)
	w.accepts(t, newSigner("k1"), true)
	w.keys = []map[string]any{newSigner("k2").jwk("msteams")}
	w.pass(25 * time.Hour)
	w.accepts(t, newSigner("k1"), false)
	w.accepts(t, newSigner("k2"), true)
}

func TestKnownKeysServeWhileTheListIsDown(t *testing.T) {
	w := newWorld(t)
	w.accepts(t, newSigner("k1"), true)
	w.down = true
	w.pass(30 * time.Hour)
	for range 20 {
		w.accepts(t, newSigner("k1"), true)
	}
	if n := w.fetched(); n != 3 {
		t.Errorf("%d fetches: a list that is down is asked once a minute", n)
	}
	w.pass(2 * time.Minute)
	w.down = false
	w.accepts(t, newSigner("k1"), true)
	if n := w.fetched(); n != 5 {
		t.Errorf("%d fetches after the list came back", n)
	}
}

func TestAListThatIsDownFromTheBeginningIsTriedAgainSoon(t *testing.T) {
	w := newWorld(t)
	w.down = true
	for range 10 {
		w.accepts(t, newSigner("k1"), false)
	}
	if n := w.fetched(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	w.down = false
	w.pass(61 * time.Second)
	w.accepts(t, newSigner("k1"), true)
}

func TestAKeyListOfSomebodyElseIsNotTaken(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Cloud.Issuer = "https://api.botframework.us" })
	w.accepts(t, newSigner("k1"), false)
}
