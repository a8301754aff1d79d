package bot

import (
	"errors"
	"time"
)

// Kind is what can be done about a failure.
type Kind string

// The kinds of failure.
const (
	KindRefused     Kind = "refused"     // the system said no, and will say no again until somebody changes something
	KindForbidden   Kind = "forbidden"   // a right or role is missing
	KindSignIn      Kind = "sign-in"     // the credential is missing, expired or wrong
	KindInactive    Kind = "inactive"    // a role is held but not active (PIM)
	KindPolicy      Kind = "policy"      // a policy of the organisation forbids it
	KindNotFound    Kind = "not-found"   // what the call addresses is not there
	KindConflict    Kind = "conflict"    // it exists already, or changed meanwhile
	KindThrottled   Kind = "throttled"   // later, after RetryAfter
	KindUnreachable Kind = "unreachable" // no connection, a time-out before sending, 5xx on a read
	KindAmbiguous   Kind = "ambiguous"   // it may have taken effect: look before repeating
	KindMalformed   Kind = "malformed"   // an answer that cannot be understood
	KindGone        Kind = "gone"        // a chat place is archived, deleted, or the bot is not in it
	KindUninstalled Kind = "uninstalled" // the chat app's tokens are void
	KindBadRequest  Kind = "bad-request" // our own call is wrong; a bug or an input that slipped through
	KindForeign     Kind = "foreign"     // refused by Keyturn itself: the host is not one it may write to
)

// Failure is an error with a sentence for the person who reads it.
type Failure struct {
	Kind       Kind
	System     System
	Says       string // what the system answered, in plain words
	Fix        string // what to do, and who can
	Code       string // the system's own code, shown small
	Status     int
	RequestID  string
	RetryAfter time.Duration
	Away       bool // the person's own account is deactivated: somebody else has to act
	// Claims is what a fresh sign-in has to ask for, in the system's own form:
	// without it the next token is no better than the refused one.
	Claims string
	Err    error
}

// Error is the sentence with its fix and the system's code.
func (f *Failure) Error() string {
	s := f.Says
	if f.Fix != "" {
		s += " " + f.Fix
	}
	if f.Code != "" {
		s += " (" + f.Code + ")"
	}
	return s
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// KindOf gives the kind of the failure inside err, or "" where there is none.
func KindOf(err error) Kind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

// Sentinel errors of the domain.
var (
	ErrNotFound = errors.New("there is no such thing")
	ErrStale    = errors.New("this was decided meanwhile")
	ErrNoCommit = errors.New("the change could not be written to disk, so nothing was done: try again")
	// ErrNoRead says that Keyturn's own data cannot be read now.
	ErrNoRead = errors.New("the database cannot be read")
	// ErrTakenOver says that a claim is no longer good, so that nothing was
	// changed: another worker has the job now, or has finished it.
	ErrTakenOver = errors.New("another worker has taken this job over")
	ErrDraining  = errors.New("Keyturn is stopping: try again in a moment")
)
