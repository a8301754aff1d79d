package outward

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// The outside systems of this package, as they stand in a [bot.Failure].
const (
	Webhooks bot.System = "webhook"
	Mails    bot.System = "mail"
	Monitor  bot.System = "heartbeat"
	Public   bot.System = "public-status"
)

// ErrPartly is inside the failure of a note that reached some of its
// recipients and was refused for others: sending it again would reach the
// first ones twice.
var ErrPartly = errors.New("some recipients were reached and others not")

// Kind tells a receiver that is a program what to do with a note.
type Kind string

// The kinds of note.
const (
	Alarm Kind = "alarm" // something is wrong; "" counts as this
	Over  Kind = "over"  // what an alarm told has ended
	Test  Kind = "test"  // somebody tries whether the way works

	AuditHead Kind = "audit-head" // the end of a tenant's audit trail, for whoever notes it
)

// Note is what is told by a fallback way: plain words, for a person.
type Note struct {
	Key     string       // the same for each repeat of one note, and for no other note of the tenant
	Tenant  bot.TenantID // whom it is about
	Kind    Kind
	Subject string    // one line
	Text    string    // lines end with \n
	At      time.Time // when it was written, not when it is sent: a repeat has the same
}

// Way is a fallback way. Send makes one try; its error is a [*bot.Failure].
type Way interface {
	Send(ctx context.Context, n Note) error
}

var (
	_ Way = (*Webhook)(nil)
	_ Way = (*Mail)(nil)
)

// ID names the note towards receivers: the same for each repeat, different for
// every other tenant and key. It consists of letters, digits and "_", whatever
// the key does.
func (n Note) ID() string {
	sum := sha256.Sum256([]byte(string(n.Tenant) + "\x00" + n.Key))
	return "kt_" + hex.EncodeToString(sum[:16])
}

// The most that is sent of a note, in characters.
const (
	maxSubject = 200
	maxText    = 32 << 10
)

// ready is the note as it is sent: one line of subject, printable text, a
// kind.
func (n Note) ready(to bot.System) (Note, *bot.Failure) {
	n.Subject, n.Text = httpx.Plain(n.Subject, maxSubject), printable(n.Text, maxText)
	if n.Kind == "" {
		n.Kind = Alarm
	}
	var misses string
	switch {
	case n.Key == "":
		misses = "a key, by which a repeat is recognised"
	case n.At.IsZero():
		misses = "the time at which it was written"
	case n.Subject == "" && n.Text == "":
		misses = "words"
	default:
		if n.Subject == "" {
			n.Subject = "Keyturn"
		}
		return n, nil
	}
	return n, &bot.Failure{Kind: bot.KindBadRequest, System: to, Says: "The note was not sent, because it lacks " + misses + ".",
		Fix: "Report this to whoever maintains Keyturn."}
}

// printable is a text of lines without control, invisible or
// direction-changing characters.
func printable(s string, max int) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.ToValidUTF8(s, ""))
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch {
		case r == '\n':
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsPrint(r):
			continue
		}
		if n++; n >= max {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), "\n ")
}

// failed keeps a nil *bot.Failure from becoming an error that is not nil.
func failed(f *bot.Failure) error {
	if f == nil {
		return nil
	}
	return f
}
