package play

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"keyturn/sim"
)

// Feed publishes issues in the simulated service health as Microsoft would:
// state by state, each as its newest post was written, one every so often. It
// goes on where an earlier feed with the same file stopped, and returns when
// everything is published or ctx is done.
func (w *World) Feed(ctx context.Context, stories [][]json.RawMessage, every time.Duration, file string) error {
	type turn struct {
		id    string
		state json.RawMessage
		at    time.Time
	}
	var turns []turn
	for _, states := range stories {
		for _, st := range states {
			turns = append(turns, turn{issueID(st), st, newest(st)})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	var done int
	if _, err := sim.Load(file, &done); err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ; done < len(turns); done++ {
		if err := w.Microsoft.PutIssue(now(turns[done].state)); err != nil {
			return fmt.Errorf("publishing %s: %w", turns[done].id, err)
		}
		if err := sim.Save(file, done+1); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
