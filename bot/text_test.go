package bot_test

import (
	"testing"
	"time"

	"keyturn/bot"
)

func TestTextIsPutTogether(t *testing.T) {
	text := bot.Lines(bot.B("one"), bot.Join(bot.T("two "), bot.I("three")), nil, bot.Link("four", "https://example.com"))
	if got := text.Plain(); got != "one\ntwo three\n\nfour" {
		t.Errorf("plain: %q", got)
	}
	if text.Empty() || !bot.T(" \n\t").Empty() || !(bot.Text{}).Empty() {
		t.Error("blank and empty are mixed up")
	}
	if bot.Join() != nil || bot.Lines() != nil {
		t.Error("nothing makes something")
	}
}

func TestJoiningDoesNotChangeWhatWasJoined(t *testing.T) {
	base := make(bot.Text, 1, 8)
	base[0] = bot.Span{Text: "base"}
	one, two := bot.Join(base, bot.T(" one")), bot.Join(base, bot.T(" two"))
	if one.Plain() != "base one" || two.Plain() != "base two" {
		t.Errorf("%q, %q", one.Plain(), two.Plain())
	}
}

func TestATimeHasWordsForPlatformsThatCannotShowIt(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	at := time.Date(2026, 11, 23, 0, 30, 0, 0, zone)
	for style, want := range map[bot.TimeStyle]string{
		bot.DateTime: "22 Nov 2026 23:30 UTC",
		bot.DateOnly: "22 Nov 2026",
		bot.Clock:    "23:30 UTC",
	} {
		got := bot.When(at, style)
		if got.Plain() != want {
			t.Errorf("%q: %q, want %q", style, got.Plain(), want)
		}
		if got[0].Time == nil || !got[0].Time.Equal(at) || got[0].Style != style {
			t.Errorf("%q: the time itself is lost: %+v", style, got[0])
		}
	}
}

func TestAMentionKeepsItsAccount(t *testing.T) {
	m := bot.Mention(erin, "Erin")
	if m.Plain() != "Erin" || *m[0].Who != erin {
		t.Errorf("%+v", m)
	}
}
