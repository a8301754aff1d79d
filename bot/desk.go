package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Desk decides about requests.
type Desk interface {
	// Handle takes a verified request and gives the answer to it. An error
	// that is [ErrNoCommit] or [ErrDraining] means that nothing was done.
	Handle(ctx context.Context, r Request) (Reply, error)
	// FormLost is told that the form which Handle replied could not be shown,
	// so that the person can be asked to click again.
	FormLost(ctx context.Context, r Request, why error)
}

// Guard is a desk as adapters ask it: a panic costs the one request, a decision
// takes as long as within and does not end when the platform hangs up (what it
// commits was asked for), and what fails is in the log under the [Reference] that
// people are told. Without a desk every request fails.
func Guard(d Desk, within time.Duration, log *slog.Logger) Desk {
	return guard{d, within, log}
}

type guard struct {
	desk   Desk
	within time.Duration
	log    *slog.Logger
}

func (g guard) Handle(ctx context.Context, r Request) (reply Reply, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.within)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			g.panicked("a panic while deciding", r, p)
			reply, err = Reply{}, errors.New("a panic while deciding")
		} else if err != nil {
			g.log.Error("a request failed", "request", r.Key, "reference", Reference(r), "kind", string(r.Kind), "err", err)
		}
	}()
	if g.desk == nil {
		return Reply{}, errors.New("there is no desk: this adapter only sends")
	}
	return g.desk.Handle(ctx, r)
}

func (g guard) FormLost(ctx context.Context, r Request, why error) {
	defer func() {
		if p := recover(); p != nil {
			g.panicked("a panic while saying that a form was lost", r, p)
		}
	}()
	g.desk.FormLost(ctx, r, why)
}

func (g guard) panicked(what string, r Request, p any) {
	g.log.Error(what, "request", r.Key, "reference", Reference(r), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// NothingDone reports whether an error of [Desk.Handle] says that the request had
// no effect.
func NothingDone(err error) bool {
	return errors.Is(err, ErrNoCommit) || errors.Is(err, ErrDraining)
}

// Apology is what a person reads of an error of [Desk.Handle].
func Apology(r Request, err error) Message {
	switch {
	case errors.Is(err, ErrDraining):
		return Say(T("Nothing was done: I am being restarted. Try again in a moment."))
	case errors.Is(err, ErrNoCommit):
		return Say(T("Nothing was done: I could not write the change to disk. Try again in a moment."))
	}
	return Say(
		T("Something went wrong on my side, and I cannot say whether it took effect. Look at the status before you try again. The log has more under "),
		C(Reference(r)), T("."))
}

// Reference names a request to a person and in the log, without giving its key
// away.
func Reference(r Request) string {
	sum := sha256.Sum256([]byte(r.Key))
	return hex.EncodeToString(sum[:4])
}
