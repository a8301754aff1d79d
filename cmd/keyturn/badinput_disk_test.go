package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/play"
)

// fullDisk is a store whose disk can be full: nothing is written then, as the
// store promises, and what is there can be read.
type fullDisk struct {
	engine.Store
	disk *disk
}

type disk struct {
	full    atomic.Bool
	commits atomic.Int64 // that were written
}

func (d fullDisk) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	if d.disk.full.Load() {
		return fmt.Errorf("%w (%w)", bot.ErrNoCommit, syscall.ENOSPC)
	}
	err := d.Store.Commit(ctx, decide)
	if err == nil {
		d.disk.commits.Add(1)
	}
	return err
}

func withDisk(d *disk) option {
	return func(s *setting) { s.disk = func(st engine.Store) engine.Store { return fullDisk{st, d} } }
}

// begun waits until the bot has begun its work, which it does not on a disk
// that is full from the start.
func (h *house) begun(d *disk) {
	h.Helper()
	h.becomes("the bot to begin", func() bool { return d.commits.Load() > 0 })
}

// A full disk costs the requests that come meanwhile, each with a sentence,
// and nothing else: nothing is done by half, no call is made, and afterwards
// all goes on.
func TestAFullDiskRefusesClearlyAndLosesNothing(t *testing.T) {
	var d disk
	h := open(t, withoutServiceNow, withDisk(&d), hasty(&pauseLog{}))
	h.begun(&d)
	const sorry = "Nothing was done: I could not write the change to disk. Try again in a moment."
	h.in("a command", func() {
		d.full.Store(true)
		h.types(play.Rita, "/keyturn setup direct")
		h.expectPrivate(play.Rita, sorry)
		d.full.Store(false)
	})
	h.in("a form", func() {
		h.types(play.Rita, "/keyturn setup direct")
		h.form(play.Rita)
		d.full.Store(true)
		wrong := h.submit(play.Rita, map[string]any{"channel": play.Incidents})
		said := ""
		for _, w := range wrong {
			said += w
		}
		if !strings.Contains(said, "Nothing was done") {
			t.Errorf("the form said %v", wrong)
		}
		if len(h.checklists()) != 0 {
			t.Error("a run was begun on a full disk")
		}
		d.full.Store(false)
		h.submits(play.Rita, map[string]any{"channel": play.Incidents}) // what was typed is still there
		h.expectChecklist("0 of")
	})
	h.in("an approval", func() {
		h.everybodyUntilStep(play.Erin, "Approve and run", "reader-app")
		h.idle()
		h.fromNow()
		d.full.Store(true)
		h.clicks(play.Erin, "Approve and run", "reader-app")
		h.expectPrivate(play.Erin, sorry)
		if w := h.writesMade(); len(w) > 0 {
			t.Errorf("something was called without a trail:\n%s", calls(w))
		}
		d.full.Store(false)
		h.clicks(play.Erin, "Approve and run", "reader-app")
	})
	h.in("in the middle of the work", func() {
		d.full.Store(true)
		h.types(play.Rita, "/keyturn status")
		d.full.Store(false)
		h.everybodyUntil("✅ finished")
	})
	h.idle()
	h.noTwins()
	h.calm()
	readers := 0
	for _, a := range h.world.Microsoft.Inventory().Apps {
		if a.UniqueName == "keyturn-health-reader" {
			readers++
		}
	}
	if readers != 1 {
		t.Errorf("there are %d registrations of the reader, expected one", readers)
	}
}

// What was said while the disk filled up is not said again and again.
func TestAMessageThatCouldNotBeRecordedIsNotRepeated(t *testing.T) {
	var d disk
	h := open(t, withoutServiceNow, withDisk(&d), hasty(&pauseLog{}))
	h.begun(&d)
	// The checklist is on its way to Slack when the disk fills up.
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/chat.postMessage", Times: 1, While: func() { d.full.Store(true) }})
	h.begins("direct", nil)
	h.expectChecklist("0 of")
	h.becomes("several tries to record it", func() bool {
		return strings.Count(h.log.String(), "could not be put back") > 3
	})
	d.full.Store(false)
	h.idle()
	h.noTwins()
	h.everybodyUntil("✅ finished")
}
