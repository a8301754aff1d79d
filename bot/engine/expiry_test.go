package engine_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

const keyID = "0a1b2c3d-0000-4000-8000-000000000001"

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// made puts a client secret into the inventory that ends some days from now.
func (w *world) made(left int) bot.Object {
	w.t.Helper()
	o := bot.Object{Key: bot.ObjectKey(bot.Graph, "secret", keyID), System: bot.Graph, Kind: "secret", ID: keyID, Name: "keyturn-r1", Run: "r1", By: "ada", At: w.clock.Now(), Expires: w.clock.Now().Add(days(left))}
	w.commit("made/"+o.Expires.String(), func(d *engine.Draft) error {
		d.Out.Objects = append(d.Out.Objects, o)
		return nil
	})
	return o
}

// warned is what a person was told about ends.
func (w *world) warned(who string) (out []string) {
	for _, m := range w.chat.at(bot.DM(account(who))) {
		if strings.Contains(m.Words, "keyturn-r1") && (strings.Contains(m.Words, "ends ") || strings.Contains(m.Words, "has ended")) {
			out = append(out, m.Words)
		}
	}
	return out
}

func (w *world) beganWith(left int) {
	w.t.Helper()
	w.tenant.Instance = "contoso.service-now.com"
	w.engine.Health = nil // days go by faster without readings
	w.begin()
	w.made(left)
	if err := w.engine.Begin(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func TestTheEndOfASecretIsToldOnceAThreshold(t *testing.T) {
	w := newWorld(t)
	w.beganWith(100)
	told := 0
	for n := range 110 {
		w.pass(days(1))
		now := len(w.warned("UADA"))
		if now > told+1 {
			t.Fatalf("on day %d it was told %d times", n+1, now-told)
		}
		told = now
	}
	got := w.warned("UADA")
	if len(got) != 6 {
		t.Fatalf("told %d times:\n%s", len(got), strings.Join(got, "\n"))
	}
	for i, want := range []string{"ends in 60 days", "ends in 30 days", "ends in 14 days", "ends in 7 days", "ends within a day", "has ended"} {
		if !strings.Contains(got[i], want) || !strings.Contains(got[i], "ServiceNow can then no longer sign in") || !strings.Contains(got[i], "Replace it") {
			t.Errorf("message %d is %q, want %q and the button", i, got[i], want)
		}
	}
	// The owners as well, and nobody else.
	if n := len(w.warned("UOLGA")); n != 6 {
		t.Errorf("the owner was told %d times", n)
	}
	if n := len(w.warned("URITA")); n != 0 {
		t.Errorf("who has nothing to do with it was told %d times", n)
	}
}

func TestAfterARestartNothingIsToldTwice(t *testing.T) {
	w := newWorld(t)
	w.beganWith(20)
	if n := len(w.warned("UADA")); n != 1 {
		t.Fatalf("told %d times at first", n)
	}
	for range 5 {
		w.restart()
		w.pass(time.Minute)
	}
	if n := len(w.warned("UADA")); n != 1 {
		t.Errorf("told %d times after restarts", n)
	}
	w.made(200) // it was replaced
	w.pass(days(3))
	if n := len(w.warned("UADA")); n != 1 {
		t.Errorf("told of an end that is far away: %d", n)
	}
}

// directoryEnds is a directory that says when secrets end, and may refuse to.
type directoryEnds struct {
	*directory
	answer string
	refuse bool
	asked  int
}

func (d *directoryEnds) Call(ctx context.Context, t bot.TenantID, c bot.Call, id bot.CallIdentity) (bot.Answer, error) {
	if !strings.HasPrefix(c.Path, "/applications(") || c.Method != "GET" {
		return d.directory.Call(ctx, t, c, id)
	}
	if d.asked++; d.refuse {
		return bot.Answer{Status: 403}, &bot.Failure{Kind: bot.KindForbidden, System: bot.Graph, Status: 403, Says: "Insufficient privileges."}
	}
	return bot.Answer{Status: 200, Body: json.RawMessage(d.answer)}, nil
}

func TestTheDirectoryKnowsBetterWhenASecretEnds(t *testing.T) {
	w := newWorld(t)
	d := &directoryEnds{directory: w.graph, answer: `{"passwordCredentials":[{"keyId":"` + keyID + `","displayName":"keyturn-r1","endDateTime":"` + start.Add(days(5)).Format(time.RFC3339) + `"}]}`}
	w.engine.Callers[bot.Graph] = d
	w.beganWith(300)
	if got := w.warned("UADA"); len(got) != 1 || !strings.Contains(got[0], "ends in 7 days") {
		t.Errorf("told %q", got)
	}
	w.read(func(v engine.View) error {
		objects, err := v.Objects("contoso")
		if len(objects) != 1 || !objects[0].Expires.Equal(start.Add(days(5))) {
			t.Errorf("the record says %+v", objects)
		}
		return err
	})
	w = newWorld(t)
	refusing := &directoryEnds{directory: w.graph, refuse: true}
	w.engine.Callers[bot.Graph] = refusing
	w.beganWith(13)
	if got := w.warned("UADA"); len(got) != 1 || !strings.Contains(got[0], "ends in 14 days") || refusing.asked != 1 {
		t.Errorf("without the permission told %q after %d questions", got, refusing.asked)
	}
}

func TestTheGuideThatReplacesIsOfferedOnlyForWhatARunMade(t *testing.T) {
	tenant := &bot.Tenant{Instance: "contoso.service-now.com"}
	o := bot.Object{System: bot.Graph, Kind: "secret", ID: keyID, Name: "x", Run: "r1", Expires: start}
	if !setup.Replaceable(tenant, o) {
		t.Error("a secret of a run cannot be replaced")
	}
	for name, change := range map[string]func(*bot.Object){
		"no end": func(o *bot.Object) { o.Expires = time.Time{} }, "removed": func(o *bot.Object) { o.Removed = start },
		"no run": func(o *bot.Object) { o.Run = "" }, "another system": func(o *bot.Object) { o.System = bot.ServiceNow }, "an ID that is none": func(o *bot.Object) { o.ID = "x/../y" },
	} {
		other := o
		if change(&other); setup.Replaceable(tenant, other) {
			t.Errorf("%s: it is offered to be replaced", name)
		}
	}
}

// A secret of the configuration does not say when it ends; the directory does,
// of the one that begins alike.
func TestTheDirectorySaysWhenAConfiguredSecretEnds(t *testing.T) {
	w := newWorld(t)
	secret := func(hint string, in int) string {
		return `{"keyId":"` + keyID + `","hint":"` + hint + `","endDateTime":"` + start.Add(days(in)).Format(time.RFC3339) + `"}`
	}
	w.engine.Callers[bot.Graph] = &directoryEnds{directory: w.graph, answer: `{"passwordCredentials":[` + secret("zzz", 2) + `,` + secret("aB~", 12) + `]}`}
	w.tenant.OwnSecrets = []bot.OwnSecret{{ID: setup.OwnReader, Name: "with which Keyturn reads service health", Client: keyID, Hint: "aB~"}}
	w.tenant.Reader = bot.Reader{ClientID: keyID, Secret: bot.NewSecret("aB~-canary")}
	w.beganWith(300)
	got := w.tells("UADA")
	for _, want := range []string{"client secret with which Keyturn reads service health", "ends in 14 days", "no incident reaches a channel", "It stands in Keyturn's configuration"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told:\n%s", want, got)
		}
	}
	if strings.Contains(got, "aB~") {
		t.Errorf("a part of the secret is told:\n%s", got)
	}
}

// What does not end by itself stops nothing, so it is asked about once a year.
func TestACredentialWithoutAnEndIsAskedAboutOnceAYear(t *testing.T) {
	w := newWorld(t)
	w.beganWith(2000)
	at := w.clock.Now()
	w.commit("entry", func(d *engine.Draft) error {
		d.Out.Objects = append(d.Out.Objects, bot.Object{Key: bot.ObjectKey(bot.ServiceNow, "oauth_entity", "e1"), System: bot.ServiceNow, Kind: "oauth_entity", ID: "e1",
			Name: "Keyturn unattended (r1)", Run: "r1", At: at})
		return nil
	})
	asked := func() (n int) {
		for _, m := range w.chat.at(bot.DM(account("UOLGA"))) {
			if strings.Contains(m.Words, "Keyturn unattended (r1)") && strings.Contains(m.Words, "does not end by itself") && strings.Contains(m.Words, "Nothing stops working") {
				n++
			}
		}
		return n
	}
	for _, want := range []struct{ days, told int }{{350, 0}, {20, 1}, {100, 1}, {250, 1}, {20, 2}} {
		for range want.days / 10 {
			w.pass(days(10))
		}
		if got := asked(); got != want.told {
			t.Errorf("%d days later it was asked about %d times, want %d", want.days, got, want.told)
		}
	}
}

// The ends can be read at any time: of what runs made, and of a secret of the
// configuration once the directory says that its end is near, until it is
// replaced.
func TestTheEndsAreThereToBeRead(t *testing.T) {
	w := newWorld(t)
	secret := func(in int) string {
		return `{"passwordCredentials":[{"keyId":"` + keyID + `","hint":"aB~","endDateTime":"` + start.Add(days(in)).Format(time.RFC3339) + `"}]}`
	}
	directory := &directoryEnds{directory: w.graph, answer: secret(12)}
	w.engine.Callers[bot.Graph] = directory
	w.tenant.OwnSecrets = []bot.OwnSecret{{ID: setup.OwnReader, Name: "with which Keyturn reads", Client: keyID, Hint: "aB~"}}
	w.tenant.Reader = bot.Reader{ClientID: keyID, Secret: bot.NewSecret("aB~-canary")}
	w.beganWith(300)
	ends := func() (out map[string]time.Time) {
		t.Helper()
		w.read(func(v engine.View) (err error) {
			out, err = engine.Ends(v, w.tenant)
			return err
		})
		return out
	}
	own := bot.ObjectKey(bot.Graph, "key", setup.OwnReader)
	if got := ends(); !got[own].Equal(start.Add(days(12))) || !got[bot.ObjectKey(bot.Graph, "secret", keyID)].After(start.Add(days(11))) {
		t.Errorf("the ends are %v", got)
	}
	directory.answer = secret(400)
	w.pass(days(2))
	if at, ok := ends()[own]; ok {
		t.Errorf("the secret was replaced, and its end is still said to be %s", at)
	}
}
