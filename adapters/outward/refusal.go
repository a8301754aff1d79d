package outward

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// stage is a point of a delivery, with the words for what is refused there.
type stage struct {
	what   string // "refused ..."
	fix    string
	silent bool // the server may repeat a password here, so it is not quoted
	final  bool // the message is with the server
}

var (
	greeting = stage{what: "the connection", fix: "Ask whoever runs it whether it takes mail from this server's address, and on which port."}
	starting = stage{what: "encryption", fix: "Ask whoever runs it, or enter a server and port that encrypts."}
	content  = stage{what: "the note", fix: "Ask whoever runs it why, with the code."}
	finalDot = stage{what: "the note", fix: content.fix, final: true}
)

func signing(host string) stage {
	return stage{what: "the user or the password", fix: "Check both in Keyturn's configuration, and that " + host + " lets this user send by SMTP.", silent: true}
}

func sender(address string) stage {
	return stage{what: "the sender " + address, fix: "Enter a sender that this server takes, or the user and the password that it asks for."}
}

func recipient(address string) stage {
	return stage{what: "the recipient " + address, fix: "Check the address, and whether this server passes mail on to it."}
}

// later is when a refusal for now is worth another try: servers that turn
// strangers away at first ("greylisting") take them after a few minutes.
const later = 2 * time.Minute

// failure says what an error of net/smtp means at a stage.
func (m *Mail) failure(ctx context.Context, at stage, err error) *bot.Failure {
	var said *textproto.Error
	switch {
	case errors.As(err, &said) && said.Code >= 400 && said.Code < 600:
		return m.refused(at, said)
	case errors.Is(err, errChallenge):
		return &bot.Failure{Kind: bot.KindRefused, System: Mails, Says: "The mail server " + m.host + " wants more than a user and a password for the sign-in.",
			Fix: "Ask whoever runs it for a way that takes a user and a password."}
	case strange(err):
		return unsure(&bot.Failure{Kind: bot.KindUnreachable, System: Mails, Says: "What answered as the mail server " + m.host + " does not speak SMTP as it should.",
			Fix: "Check host and port, and whether the connection begins with TLS there (as on 465) or without (as on 587)."}, at)
	}
	return m.lost(ctx, at, err)
}

// strange reports whether an error means that the other side speaks something
// else. Such errors may quote it and are not passed on.
func strange(err error) bool {
	var (
		unexpected *textproto.Error
		garbled    textproto.ProtocolError
		encoding   base64.CorruptInputError
		noTLS      tls.RecordHeaderError
	)
	return errors.As(err, &unexpected) || errors.As(err, &garbled) || errors.As(err, &encoding) || errors.As(err, &noTLS)
}

// refused is a reply of 4xx or 5xx. The error behind it is left out: it holds
// the server's words, which are quoted here as far as that is safe.
func (m *Mail) refused(at stage, said *textproto.Error) *bot.Failure {
	f := &bot.Failure{Kind: bot.KindRefused, System: Mails, Status: said.Code, Code: codeOf(said), Fix: at.fix}
	verb := "refused "
	if said.Code < 500 {
		f.Kind, f.RetryAfter, verb = bot.KindThrottled, later, "does not take "
	}
	f.Says = "The mail server " + m.host + " " + verb + at.what
	if said.Code < 500 {
		f.Says += " at the moment"
		f.Fix = "It is tried again by itself; if it stays: " + strings.ToLower(at.fix[:1]) + at.fix[1:]
	}
	f.Says += "."
	if !at.silent {
		f.Says += quoted(said.Msg, m.password)
	}
	return f
}

var enhanced = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// codeOf is the reply's code with the enhanced one of RFC 3463, if it has one.
func codeOf(said *textproto.Error) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", said.Code, enhanced.FindString(said.Msg)))
}

// lost says what a broken connection means at a stage.
func (m *Mail) lost(ctx context.Context, at stage, err error) *bot.Failure {
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	f := httpx.Lost(bot.System("the mail server "+m.host), false, "", err)
	f.System, f.Says = Mails, capital(f.Says)
	return unsure(f, at)
}

// unsure makes a failure after the final dot one whose outcome is unknown.
func unsure(f *bot.Failure, at stage) *bot.Failure {
	if !at.final {
		return f
	}
	f.Kind, f.Fix = bot.KindAmbiguous, again
	f.Says += " It had the whole note by then, so it may or may not have been sent."
	return f
}
