package bot_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

type desk func(ctx context.Context) error

func (d desk) Handle(ctx context.Context, _ bot.Request) (bot.Reply, error) {
	return bot.Reply{}, d(ctx)
}

func (d desk) FormLost(ctx context.Context, _ bot.Request, _ error) { _ = d(ctx) }

// What a person is told to look for has to be what the log says.
func TestTheLogHasTheReferenceThatPeopleAreTold(t *testing.T) {
	r := bot.Request{Key: "slack/T1/trigger-17", Kind: bot.Clicked}
	for name, d := range map[string]bot.Desk{
		"an error": desk(func(context.Context) error { return errors.New("the disk went away") }),
		"a bug":    desk(func(context.Context) error { panic("a bug") }),
		"nobody":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			_, err := bot.Guard(d, time.Minute, slog.New(slog.NewTextHandler(&log, nil))).Handle(t.Context(), r)
			if err == nil || bot.NothingDone(err) {
				t.Fatalf("the request failed with %v", err)
			}
			if told := bot.Apology(r, err).Words(); !strings.Contains(told, bot.Reference(r)) || strings.Contains(told, r.Key) {
				t.Errorf("the person reads %q", told)
			}
			if !strings.Contains(log.String(), "reference="+bot.Reference(r)) {
				t.Errorf("the log says %s", log.String())
			}
		})
	}
}

func TestADecisionGoesOnWhenThePlatformHangsUp(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	d := bot.Guard(desk(func(ctx context.Context) error {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("it may take for ever")
		}
		return ctx.Err()
	}), time.Minute, slog.New(slog.DiscardHandler))
	if _, err := d.Handle(ctx, bot.Request{}); err != nil {
		t.Errorf("it ended: %v", err)
	}
}

func TestABugInSayingThatAFormWasLostEndsThere(t *testing.T) {
	var log strings.Builder
	bot.Guard(desk(func(context.Context) error { panic("a bug") }), time.Minute, slog.New(slog.NewTextHandler(&log, nil))).FormLost(t.Context(), bot.Request{Key: "k"}, errors.New("too late"))
	if !strings.Contains(log.String(), "panic=\"a bug\"") {
		t.Errorf("the log says %s", log.String())
	}
}
