package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// lease is a store of which only claims are asked, with a term.
type lease struct {
	engine.Store
	renew func(n int) error
	n     int
}

func (l *lease) Term() time.Duration { return 12 * time.Second }

func (l *lease) Renew(context.Context, bot.Claim) error {
	l.n++
	return l.renew(l.n)
}

func holds(t *testing.T, renew func(n int) error) (within context.Context, done context.CancelFunc, l *lease) {
	t.Helper()
	l = &lease{renew: renew}
	e := engine.New(engine.Config{Store: l, Now: time.Now})
	within, done, err := bot.Permitted(e.Under(t.Context(), bot.Job{ID: 1, Held: 7}))
	if err != nil {
		t.Fatal(err)
	}
	return within, done, l
}

func TestASlowWriteKeepsItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		within, done, l := holds(t, func(int) error { return nil })
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if within.Err() != nil || l.n < 15 {
			t.Errorf("after a minute %v, renewed %d times", context.Cause(within), l.n)
		}
		done()
		synctest.Wait()
	})
}

func TestAWriteEndsAThirdOfATermAfterItsClaimWasLastKept(t *testing.T) {
	broken := errors.New("no connection")
	for name, c := range map[string]struct {
		renew func(n int) error
		ends  time.Duration
	}{
		"the store is gone at once":        {func(n int) error { return failsFrom(n, 2, broken) }, 4 * time.Second},
		"the store is gone after a while":  {func(n int) error { return failsFrom(n, 4, broken) }, 8 * time.Second},
		"another worker has it":            {func(n int) error { return failsFrom(n, 2, bot.ErrTakenOver) }, 2 * time.Second},
		"the store is away for a moment":   {func(n int) error { return failsOnce(n, broken) }, time.Minute},
		"somebody has it after all of it ": {func(n int) error { return failsFrom(n, 5, bot.ErrTakenOver) }, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				within, done, _ := holds(t, c.renew)
				defer done()
				begun := time.Now()
				select {
				case <-within.Done():
				case <-time.After(time.Minute):
				}
				if took := time.Since(begun); took < c.ends-300*time.Millisecond || took > c.ends+300*time.Millisecond {
					t.Errorf("it ended after %s: %v", took, context.Cause(within))
				}
			})
		})
	}
}

func failsFrom(n, first int, err error) error {
	if n >= first {
		return err
	}
	return nil
}

func failsOnce(n int, err error) error {
	if n == 3 {
		return err
	}
	return nil
}

func TestWhatIsTakenOverIsNotSent(t *testing.T) {
	l := &lease{renew: func(int) error { return bot.ErrTakenOver }}
	e := engine.New(engine.Config{Store: l, Now: time.Now})
	if _, _, err := bot.Permitted(e.Under(t.Context(), bot.Job{ID: 1, Held: 7})); !errors.Is(err, bot.ErrTakenOver) {
		t.Errorf("the permit says %v", err)
	}
}
