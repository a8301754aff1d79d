package outward_test

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/outward"
	"keyturn/bot"
)

// canary stands for every secret of these tests.
const canary = "canary-0123456789"

var at = time.Date(2026, 11, 24, 10, 42, 0, 0, time.UTC)

func note() outward.Note {
	return outward.Note{Key: "outage/7", Tenant: "contoso", Subject: "Chat cannot be reached", Text: "Chat cannot be reached since 10:02 UTC.", At: at}
}

func mailTo(t *testing.T, s *mailServer, change func(*outward.MailConfig)) *outward.Mail {
	t.Helper()
	cfg := outward.MailConfig{Server: "mail.contoso.test:587", From: "keyturn@contoso.test", To: []string{"ops@contoso.test"}, CAFile: trust(t).file, Dial: s.dial}
	if change != nil {
		change(&cfg)
	}
	m, err := outward.NewMail(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func withPassword(c *outward.MailConfig) { c.User, c.Password = "keyturn", bot.NewSecret(canary) }

// everything is all that an error could show, whoever prints it.
func everything(err error) string {
	s := fmt.Sprintf("%v %+v %#v", err, err, err)
	var f *bot.Failure
	if errors.As(err, &f) {
		s += fmt.Sprintf("%+v %q %q", *f, f.Says, f.RequestID)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		s += fmt.Sprintf("\n%v %+v", e, e)
		if many, ok := e.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				s += everything(one)
			}
		}
	}
	return s
}

func keepsSecrets(t *testing.T, err error) {
	t.Helper()
	if s := everything(err); strings.Contains(s, "canary") || strings.Contains(s, "Y2FuYXJ5") || strings.Contains(s, "Y2FuYXJ") {
		t.Errorf("a secret is in the error: %s", s)
	}
}

// fails checks kind and words of an error, and that it keeps secrets.
func fails(t *testing.T, err error, kind bot.Kind, words ...string) *bot.Failure {
	t.Helper()
	var f *bot.Failure
	if !errors.As(err, &f) {
		t.Fatalf("no failure: %v", err)
	}
	if f.Kind != kind {
		t.Errorf("%s instead of %s: %v", f.Kind, kind, f)
	}
	if f.Fix == "" || f.System == "" {
		t.Errorf("nobody knows what to do: %+v", f)
	}
	for _, w := range words {
		if !strings.Contains(f.Error(), w) {
			t.Errorf("%q is not in: %v", w, f)
		}
	}
	keepsSecrets(t, err)
	return f
}

var usual = []string{"STARTTLS", "8BITMIME", "SMTPUTF8"}

func TestANoteArrivesEncryptedAndSignedIn(t *testing.T) {
	for name, mechanism := range map[string]string{"PLAIN": "AUTH LOGIN PLAIN", "LOGIN": "AUTH XOAUTH2 LOGIN"} {
		s := startMail(t, &mailServer{extensions: usual, secured: []string{mechanism, "8BITMIME", "SMTPUTF8"}, user: "keyturn", pass: canary})
		m := mailTo(t, s, func(c *outward.MailConfig) {
			withPassword(c)
			c.To = []string{"ops@contoso.test", "Boss <boss@contoso.test>", "OPS@contoso.test"}
		})
		if err := m.Send(t.Context(), note()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := s.received()
		if len(got) != 1 || !got[0].tls {
			t.Fatalf("%s: %d messages, %+v", name, len(got), got)
		}
		if d := cmp.Diff([]string{"ops@contoso.test", "boss@contoso.test"}, got[0].to); d != "" {
			t.Error(d)
		}
		// What is asked for beyond the address makes relays bounce a plain message.
		if got[0].from != "FROM:<keyturn@contoso.test>" {
			t.Errorf("%s: MAIL %s", name, got[0].from)
		}
		parsed, err := mail.ReadMessage(strings.NewReader(got[0].data))
		if err != nil {
			t.Fatal(err)
		}
		if id := parsed.Header.Get("Message-Id"); id != "<"+note().ID()+"@contoso.test>" {
			t.Errorf("Message-ID %s", id)
		}
		if !strings.Contains(s.transcript(), "EHLO [127.0.0.1]") || !strings.Contains(s.transcript(), "AUTH "+name) {
			t.Errorf("the client said:\n%s", s.transcript())
		}
	}
}

func TestARepeatIsTheSameMessage(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual})
	m := mailTo(t, s, func(c *outward.MailConfig) { c.Hello = "keyturn.contoso.test" })
	for range 2 {
		if err := m.Send(t.Context(), note()); err != nil {
			t.Fatal(err)
		}
	}
	got := s.received()
	if len(got) != 2 || got[0].data != got[1].data {
		t.Errorf("two tries differ: %+v", got)
	}
	if !strings.Contains(s.transcript(), "EHLO keyturn.contoso.test") {
		t.Errorf("the client said:\n%s", s.transcript())
	}
}

func TestTheFinalDotOfAHostileTextEndsNothing(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual})
	n := note()
	n.Subject = "late\r\n\r\n.\r\nMAIL FROM:<evil@evil.test>"
	n.Text = "one\r\n.\r\nMAIL FROM:<evil@evil.test>\r\nRCPT TO:<evil@evil.test>\r\n..\r\n"
	n.Tenant = "x\r\nBcc: evil@evil.test"
	if err := mailTo(t, s, nil).Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	got := s.received()
	if len(got) != 1 || len(got[0].to) != 1 || !strings.Contains(got[0].data, "\r\n.\r\nMAIL FROM:<evil@evil.test>\r\n") || !strings.Contains(got[0].data, "\r\n..\r\n") {
		t.Errorf("received %+v", got)
	}
	if strings.Contains(s.transcript(), "evil") {
		t.Errorf("the text became commands:\n%s", s.transcript())
	}
}

func TestNothingIsSentInClearOverANetwork(t *testing.T) {
	s := startMail(t, &mailServer{extensions: []string{"AUTH PLAIN"}})
	fails(t, mailTo(t, s, withPassword).Send(t.Context(), note()), bot.KindRefused, "STARTTLS", "587")
	fails(t, mailTo(t, s, nil).Send(t.Context(), note()), bot.KindRefused, "STARTTLS")
	for _, word := range []string{"AUTH", "MAIL", "DATA"} {
		if strings.Contains(s.transcript(), word) {
			t.Errorf("the client said:\n%s", s.transcript())
		}
	}
	t.Run("not even the password to this machine", func(t *testing.T) {
		local := func(c *outward.MailConfig) { withPassword(c); c.Server = "127.0.0.1:25" }
		fails(t, mailTo(t, s, local).Send(t.Context(), note()), bot.KindRefused, "STARTTLS")
	})
	t.Run("but a note to this machine", func(t *testing.T) {
		if err := mailTo(t, s, func(c *outward.MailConfig) { c.Server = "localhost:25" }).Send(t.Context(), note()); err != nil {
			t.Fatal(err)
		}
		if got := s.received(); len(got) != 1 || got[0].tls {
			t.Errorf("received %+v", got)
		}
	})
}

func TestTLSFromTheStart(t *testing.T) {
	s := startMail(t, &mailServer{implicit: true, secured: []string{"AUTH PLAIN"}, user: "keyturn", pass: canary})
	m := mailTo(t, s, func(c *outward.MailConfig) { withPassword(c); c.Server = "mail.contoso.test:465" })
	if err := m.Send(t.Context(), note()); err != nil {
		t.Fatal(err)
	}
	plain := startMail(t, &mailServer{})
	m = mailTo(t, plain, func(c *outward.MailConfig) { c.ImplicitTLS = true })
	fails(t, m.Send(t.Context(), note()), bot.KindUnreachable, "begins with TLS")
}

func TestAForeignCertificateIsNotTrusted(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual, secured: []string{"AUTH PLAIN"}, user: "keyturn", pass: canary})
	unknown := mailTo(t, s, func(c *outward.MailConfig) { withPassword(c); c.CAFile = "" })
	fails(t, unknown.Send(t.Context(), note()), bot.KindUnreachable, "not signed by an authority", "CA bundle")
	other := mailTo(t, s, func(c *outward.MailConfig) { withPassword(c); c.Server = "other.contoso.test:587" })
	fails(t, other.Send(t.Context(), note()), bot.KindUnreachable, "not valid for it")
	if strings.Contains(s.transcript(), "AUTH") || len(s.received()) > 0 {
		t.Errorf("the client went on:\n%s", s.transcript())
	}
}

func TestAWrongPasswordIsNamedAndNotShown(t *testing.T) {
	for _, mechanism := range []string{"AUTH PLAIN", "AUTH LOGIN"} {
		s := startMail(t, &mailServer{extensions: usual, secured: []string{mechanism}, user: "keyturn", pass: "another"})
		f := fails(t, mailTo(t, s, withPassword).Send(t.Context(), note()), bot.KindRefused, "the user or the password", "535 5.7.8")
		if strings.Contains(f.Error(), "It said") {
			t.Errorf("a sign-in is quoted: %v", f)
		}
	}
	s := startMail(t, &mailServer{extensions: usual, secured: []string{"AUTH XOAUTH2 CRAM-MD5"}})
	fails(t, mailTo(t, s, withPassword).Send(t.Context(), note()), bot.KindRefused, "no sign-in with a user and a password")
	s = startMail(t, &mailServer{extensions: usual, secured: []string{"AUTH PLAIN"}, replies: map[string]string{"AUTH": "334 " + "bW9yZQ=="}})
	fails(t, mailTo(t, s, withPassword).Send(t.Context(), note()), bot.KindRefused, "more than a user and a password")
}

func TestWhatAMailServerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		replies map[string]string
		kind    bot.Kind
		words   []string
	}{
		"greeting":        {map[string]string{"": "554 5.3.2 not you"}, bot.KindRefused, []string{"refused the connection", `"5.3.2 not you"`, "554 5.3.2"}},
		"busy":            {map[string]string{"": "421 too many"}, bot.KindThrottled, []string{"at the moment", "tried again"}},
		"EHLO and HELO":   {map[string]string{"EHLO": "502 no", "HELO": "550 no"}, bot.KindRefused, []string{"the connection"}},
		"no TLS now":      {map[string]string{"STARTTLS": "454 4.7.0 not available"}, bot.KindThrottled, []string{"encryption"}},
		"sender":          {map[string]string{"MAIL": "550 5.7.60 not allowed to send as this sender"}, bot.KindRefused, []string{"the sender keyturn@contoso.test"}},
		"recipient":       {map[string]string{"RCPT": "550-5.1.1 nobody\n550 5.1.1 of that name"}, bot.KindRefused, []string{"the recipient ops@contoso.test", "550 5.1.1"}},
		"greylisted":      {map[string]string{"RCPT": "451 4.7.1 come back"}, bot.KindThrottled, []string{"the recipient ops@contoso.test at the moment"}},
		"DATA":            {map[string]string{"DATA": "554 5.6.0 no"}, bot.KindRefused, []string{"the note"}},
		"content":         {map[string]string{".": "554 5.7.1 looks like spam"}, bot.KindRefused, []string{"the note", "spam"}},
		"disk is full":    {map[string]string{".": "452 4.3.1 no room"}, bot.KindThrottled, []string{"the note at the moment"}},
		"not SMTP":        {map[string]string{"": "HTTP/1.1 400 Bad Request"}, bot.KindUnreachable, []string{"does not speak SMTP"}},
		"garbled at last": {map[string]string{".": "what?"}, bot.KindAmbiguous, []string{"may or may not"}},
		"talks back":      {map[string]string{"MAIL": "550 your password is " + canary}, bot.KindRefused, []string{"the sender"}},
		"talks encoded":   {map[string]string{"MAIL": "550 you said Y2FuYXJ5LTAxMjM0NTY3ODk="}, bot.KindRefused, []string{"the sender"}},
	} {
		s := startMail(t, &mailServer{extensions: usual, secured: []string{"AUTH PLAIN"}, user: "keyturn", pass: canary, replies: c.replies})
		t.Run(name, func(t *testing.T) {
			f := fails(t, mailTo(t, s, withPassword).Send(t.Context(), note()), c.kind, append(c.words, "mail.contoso.test")...)
			if f.Kind == bot.KindThrottled && f.RetryAfter <= 0 {
				t.Error("nobody knows when to try again")
			}
		})
	}
}

func TestAConnectionThatBreaks(t *testing.T) {
	for point, kind := range map[string]bot.Kind{"EHLO": bot.KindUnreachable, "AUTH": bot.KindUnreachable, "MAIL": bot.KindUnreachable,
		"RCPT": bot.KindUnreachable, "DATA": bot.KindUnreachable, ".": bot.KindAmbiguous} {
		s := startMail(t, &mailServer{extensions: usual, secured: []string{"AUTH PLAIN"}, user: "keyturn", pass: canary, drop: map[string]bool{point: true}})
		t.Run(point, func(t *testing.T) { fails(t, mailTo(t, s, withPassword).Send(t.Context(), note()), kind) })
	}
	t.Run("after the note was taken", func(t *testing.T) {
		s := startMail(t, &mailServer{extensions: usual, drop: map[string]bool{"QUIT": true}})
		if err := mailTo(t, s, nil).Send(t.Context(), note()); err != nil {
			t.Error(err)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		s := startMail(t, &mailServer{})
		s.l.Close()
		fails(t, mailTo(t, s, nil).Send(t.Context(), note()), bot.KindUnreachable, "could not be reached")
	})
	t.Run("an endless greeting", func(t *testing.T) {
		s := startMail(t, &mailServer{replies: map[string]string{"": strings.Repeat("220-welcome\n", 1<<20)}})
		fails(t, mailTo(t, s, nil).Send(t.Context(), note()), bot.KindMalformed, "more data")
	})
}

func TestASilentMailServerIsGivenUp(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual, hang: "MAIL"})
	m := mailTo(t, s, func(c *outward.MailConfig) { c.Timeout = 100 * time.Millisecond })
	f := fails(t, m.Send(t.Context(), note()), bot.KindUnreachable, "in time")
	if !errors.Is(f, context.DeadlineExceeded) {
		t.Errorf("the cause is %v", f.Err)
	}
}

func TestACalledOffMailEnds(t *testing.T) {
	for point, kind := range map[string]bot.Kind{"EHLO": bot.KindUnreachable, "DATA": bot.KindUnreachable, ".": bot.KindAmbiguous} {
		s := startMail(t, &mailServer{extensions: usual, hang: point})
		m := mailTo(t, s, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-s.hung; cancel() }()
		f := fails(t, m.Send(ctx, note()), kind, "called off")
		if !errors.Is(f, context.Canceled) {
			t.Errorf("%s: the cause is %v", point, f.Err)
		}
	}
}

func TestSomeRecipientsAreReached(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual, replies: map[string]string{
		"RCPT TO:<gone@contoso.test>": "550 5.1.1 no such user", "RCPT TO:<slow@contoso.test>": "451 4.7.1 later"}})
	m := mailTo(t, s, func(c *outward.MailConfig) {
		c.To = []string{"gone@contoso.test", "ops@contoso.test", "slow@contoso.test"}
	})
	err := m.Send(t.Context(), note())
	fails(t, err, bot.KindRefused, "1 of 3", "gone@contoso.test", "slow@contoso.test")
	if !errors.Is(err, outward.ErrPartly) {
		t.Errorf("%v would be sent again", err)
	}
	if got := s.received(); len(got) != 1 || cmp.Diff(got[0].to, []string{"ops@contoso.test"}) != "" {
		t.Errorf("received %+v", got)
	}
	m = mailTo(t, s, func(c *outward.MailConfig) { c.To = []string{"gone@contoso.test", "slow@contoso.test"} })
	if err := m.Send(t.Context(), note()); bot.KindOf(err) != bot.KindThrottled || errors.Is(err, outward.ErrPartly) {
		t.Errorf("one may be reached later, none was: %v", err)
	}
}

func TestAMailConfigurationIsCheckedBeforeItIsNeeded(t *testing.T) {
	for words, change := range map[string]func(*outward.MailConfig){
		"host:port":               func(c *outward.MailConfig) { c.Server = "mail.contoso.test" },
		"of the form host:port":   func(c *outward.MailConfig) { c.Server = "mail contoso:25" },
		"the sender":              func(c *outward.MailConfig) { c.From = "keyturn" },
		"a recipient":             func(c *outward.MailConfig) { c.To = []string{"ops@contoso.test", "a@b\r\nDATA"} },
		"0 recipients":            func(c *outward.MailConfig) { c.To = nil },
		"a user without":          func(c *outward.MailConfig) { c.User = "keyturn" },
		"a password without":      func(c *outward.MailConfig) { c.Password = bot.NewSecret(canary) },
		"control character":       func(c *outward.MailConfig) { c.User, c.Password = "keyturn", bot.NewSecret(canary+"\n") },
		"is no host name":         func(c *outward.MailConfig) { c.Hello = "me\r\nMAIL" },
		"cannot be read":          func(c *outward.MailConfig) { c.CAFile = "/nowhere/ca.pem" },
		"holds no certificate":    func(c *outward.MailConfig) { c.CAFile = "mail_test.go" },
		"between 1 and 50":        func(c *outward.MailConfig) { c.To = make([]string, 51) },
		"such as mail.example.co": func(c *outward.MailConfig) { c.Server = ":25" },
	} {
		cfg := outward.MailConfig{Server: "mail.contoso.test:587", From: "keyturn@contoso.test", To: []string{"ops@contoso.test"}}
		change(&cfg)
		if _, err := outward.NewMail(cfg); err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", words, err)
		}
	}
}

func TestANoteThatCannotBeToldAgainIsNotSent(t *testing.T) {
	s := startMail(t, &mailServer{extensions: usual})
	m := mailTo(t, s, nil)
	for words, spoil := range map[string]func(*outward.Note){
		"a key":    func(n *outward.Note) { n.Key = "" },
		"the time": func(n *outward.Note) { n.At = time.Time{} },
		"words":    func(n *outward.Note) { n.Subject, n.Text = "\x00", " \r\n" },
	} {
		n := note()
		spoil(&n)
		fails(t, m.Send(t.Context(), n), bot.KindBadRequest, words)
	}
	if s.transcript() != "" {
		t.Errorf("the client said %s", s.transcript())
	}
}
