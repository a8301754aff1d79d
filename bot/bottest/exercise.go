package bottest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

// Exercise runs the suite. open gives an adapter in a fresh workspace, with desk
// as its desk, closed at the end of the test.
func Exercise(t *testing.T, open func(t *testing.T, desk *Desk) Subject) {
	for _, group := range []map[string]func(*bench){sending, telling, requests, forms, failures} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				desk := &Desk{t: t}
				b := &bench{T: t, Subject: open(t, desk), desk: desk}
				test(b)
				b.discreet("the log", b.Logged())
			})
		}
	}
}

// bench is an adapter under test.
type bench struct {
	*testing.T
	Subject
	desk *Desk
}

// needs skips the test where the platform lacks something.
func (b *bench) needs(a Ability) {
	b.Helper()
	if why, lacks := b.Lacks[a]; lacks {
		b.Skipf("the platform has not got %s: %s", a, why)
	}
}

// do fails the test where something that must work did not.
func (b *bench) do(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) post(at bot.Place, m bot.Message) bot.MessageRef {
	b.Helper()
	ref, err := b.Adapter.Post(b.Context(), at, m)
	b.do(err)
	if !ref.Known() {
		b.Fatal("a posted message has no ID")
	}
	return ref
}

// find is a message as a person sees it.
func (b *bench) find(who bot.Account, ref bot.MessageRef) Seen {
	b.Helper()
	for _, s := range b.Sees(who) {
		if s.ID == ref.ID {
			return s
		}
	}
	b.Fatalf("%s does not see the message %s", who.ID, ref.ID)
	return Seen{}
}

// sees counts the messages with these words that a person sees.
func (b *bench) sees(who bot.Account, words string) int {
	n := 0
	for _, s := range b.Sees(who) {
		if strings.Contains(s.Text, words) {
			n++
		}
	}
	return n
}

// fails expects a failure of a kind, in sentences and without a secret.
func (b *bench) fails(what string, err error, kind bot.Kind, secrets ...string) *bot.Failure {
	b.Helper()
	var f *bot.Failure
	if !errors.As(err, &f) || f.Kind != kind {
		b.Fatalf("%s: got %q (%v), want %q", what, bot.KindOf(err), err, kind)
	}
	if !strings.HasSuffix(f.Says, ".") {
		b.Errorf("%s: %q is no sentence", what, f.Says)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		b.discreet(what, fmt.Sprintf("%v %+v %#v", e, e, e), secrets...)
	}
	return f
}

// discreet expects that a text holds no secret.
func (b *bench) discreet(what, text string, more ...string) {
	b.Helper()
	for _, secret := range append(more, b.Secrets...) {
		if secret != "" && strings.Contains(text, secret) {
			b.Errorf("%s holds a secret: %s", what, text)
		}
	}
}

// formOf waits for the form in front of a person: a platform may show it after
// the click was answered.
func (b *bench) formOf(who bot.Account, fits func(Form) bool) Form {
	b.Helper()
	late := time.After(10 * time.Second)
	for {
		changed := b.Changed()
		f, ok := b.Form(who)
		if ok && fits(f) {
			return f
		}
		select {
		case <-changed:
		case <-late:
			b.Fatalf("no such form is shown; there is %+v", f)
		}
	}
}

// card is a message with buttons.
func card(text string, labels ...string) bot.Message {
	m := bot.Say(bot.T(text))
	var row bot.Buttons
	for _, l := range labels {
		row.Items = append(row.Items, bot.Button{Label: l, Action: "test." + strings.ToLower(l), Value: "run-1/" + l})
	}
	m.Add(row)
	return m
}
