package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"keyturn/bot"
	"keyturn/bot/recommend"
)

// shelf is a library that keeps what it was asked.
type shelf struct {
	mu    sync.Mutex
	asked []string
	err   error
}

func (s *shelf) Articles(_ context.Context, query string) ([]recommend.Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, query)
	return []recommend.Doc{
		{ID: "https://learn.example.com/password", Kind: recommend.Article, Title: "Outlook keeps asking for a password", Text: "Remove the old credential.", Link: "https://learn.example.com/password"},
		{ID: "https://learn.example.com/other", Kind: recommend.Article, Title: "Order of toolbars", Text: "Toolbars are sorted.", Link: "https://learn.example.com/other"},
	}, s.err
}

func (w *world) learns() *shelf {
	s := &shelf{}
	w.env.Learns, w.engine.Library = true, s
	return s
}

func (w *world) writes(key, text string) {
	w.t.Helper()
	at := bot.DM(account("UADA"))
	if _, err := w.engine.Handle(w.t.Context(), bot.Request{Key: key, Kind: bot.Typed, From: account("UADA"), Place: at, Text: text}); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func (w *world) answers() []string {
	var out []string
	for _, m := range w.chat.at(bot.DM(account("UADA"))) {
		out = append(out, m.Words)
	}
	return out
}

func TestAnAnswerIsCompletedByAnEditAndTheNextComesWhole(t *testing.T) {
	w := newWorld(t)
	s := w.learns()
	w.writes("q1", "recommend outlook keeps asking Anna Schmidt (anna@contoso.com) for her password")
	got := w.answers()
	if len(got) != 1 {
		t.Fatalf("%d messages: %q", len(got), got)
	}
	for _, want := range []string{"To tell a local fault apart", "From Microsoft Learn", "1. Outlook keeps asking for a password", "Microsoft Learn was asked for “Outlook password”; nothing else of your words left."} {
		if !strings.Contains(got[0], want) {
			t.Errorf("no %q in:\n%s", want, got[0])
		}
	}
	if strings.Contains(got[0], "toolbars") || strings.Contains(got[0], "⏳") {
		t.Errorf("it is not what it should be:\n%s", got[0])
	}
	if !slices.Equal(s.asked, []string{"Outlook password"}) {
		t.Errorf("what left: %q", s.asked)
	}
	w.writes("q2", "recommend password prompts of outlook")
	w.writes("q3", "recommend outlook password")
	if n := len(s.asked); n > 2 {
		t.Errorf("asked %d times: %q", n, s.asked)
	}
}

func TestWhereMicrosoftLearnIsSilentTheAnswerSaysSo(t *testing.T) {
	w := newWorld(t)
	w.learns().err = errors.New("it hangs")
	w.writes("q1", "recommend outlook keeps asking for my password")
	got := w.answers()
	if len(got) != 1 || !strings.Contains(got[0], "was asked for “Outlook password” and did not answer in time") {
		t.Errorf("%q", got)
	}
}

func TestNothingLeavesForAQuestionWithoutProductWordsOrWhereItIsSwitchedOff(t *testing.T) {
	w := newWorld(t)
	s := w.learns()
	for _, said := range []string{"hunter2 belongs to Peter", "10.1.2.3 and \\\\server\\hr\\outlook.doc", "outlook.contoso.com/teams?user=anna", "INC0012345 3f2c1a9e-0b1d-4c6e-9a77-0123456789ab"} {
		w.writes("q/"+said, "recommend "+said)
	}
	w.env.Learns = false
	w.writes("off", "recommend outlook password")
	if len(s.asked) != 0 {
		t.Errorf("what left: %q", s.asked)
	}
}
