package outward

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var written = time.Date(2026, 11, 24, 11, 42, 0, 0, time.FixedZone("CET", 3600))

// fields are the headers of every message; a hostile note must not add one.
var fields = []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}

func box(t testing.TB, s string) mailbox {
	t.Helper()
	b, err := mailboxOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheMessageAsItIsSent(t *testing.T) {
	n, f := Note{Key: "outage/7", Tenant: "contoso", Subject: "Chat cannot be reached", At: written,
		Text: "Chat cannot be reached since 10:02 UTC – channels are not told.\n.\nEX1234: mail is slow"}.ready(Mails)
	if f != nil {
		t.Fatal(f)
	}
	got := string(compose(box(t, "keyturn@contoso.test"), []mailbox{box(t, `"Ops, on call" <ops@contoso.test>`), box(t, "b@contoso.test")}, n))
	want := strings.ReplaceAll(`From: Keyturn <keyturn@contoso.test>
To: =?UTF-8?B?T3BzLCBvbiBjYWxs?= <ops@contoso.test>,
 b@contoso.test
Subject: Chat cannot be reached
Date: Tue, 24 Nov 2026 10:42:00 +0000
Message-ID: <`+n.ID()+`@contoso.test>
Auto-Submitted: auto-generated
Importance: high
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Chat cannot be reached since 10:02 UTC =E2=80=93 channels are not told.
.
EX1234: mail is slow

--=20
Keyturn, for the tenant contoso, 24 Nov 2026 10:42 UTC
`, "\n", "\r\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAnIDNamesOneNoteOfOneTenant(t *testing.T) {
	n := Note{Key: "k", Tenant: "contoso", At: written}
	again := n
	again.Subject, again.At = "other words", written.Add(time.Hour)
	if n.ID() != again.ID() {
		t.Error("a repeat has another ID")
	}
	for _, other := range []Note{{Key: "k2", Tenant: "contoso"}, {Key: "k", Tenant: "fabrikam"}, {Key: "ok", Tenant: "contos"}} {
		if other.ID() == n.ID() {
			t.Errorf("%q of %q has the ID of another note", other.Key, other.Tenant)
		}
	}
}

// read takes a message apart as a mail program does.
func read(t testing.TB, raw []byte) (h mail.Header, subject, body string) {
	t.Helper()
	for line := range bytes.SplitSeq(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 320 || bytes.ContainsFunc(line, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }) {
			t.Fatalf("a line is too long or holds what no line may hold: %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	words, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, subject, strings.ReplaceAll(string(words), "\r\n", "\n")
}

func FuzzMessage(f *testing.F) {
	f.Add("k", "contoso", "Chat cannot be reached", "since 10:02")
	f.Add("k\r\nX: y", "c\r\nBcc: e@evil.test", "a\r\nBcc: e@evil.test\r\n\r\nbody", ".\r\n.\r\nMAIL FROM:<e@evil.test>")
	f.Add("k", "", "=?UTF-8?Q?a=0D=0ABcc:_e@evil.test?=", "\x00\xff\u202e\u2028x")
	f.Add("k", "t", strings.Repeat("é🙂", 150), strings.Repeat("x", 3000))
	from, to := box(f, "keyturn@contoso.test"), []mailbox{box(f, "ops@contoso.test")}
	f.Fuzz(func(t *testing.T, key, tenant, subject, text string) {
		n, bad := Note{Key: key, Tenant: bot.TenantID(tenant), Kind: Over, Subject: subject, Text: text, At: written}.ready(Mails)
		if bad != nil {
			return
		}
		h, gotSubject, body := read(t, compose(from, to, n))
		var names []string
		for k, v := range h {
			if names = append(names, k); len(v) != 1 {
				t.Errorf("%s stands %d times", k, len(v))
			}
		}
		slices.Sort(names)
		if d := cmp.Diff(fields, names); d != "" {
			t.Errorf("headers: %s", d)
		}
		if gotSubject != n.Subject {
			t.Errorf("the subject %q arrives as %q", n.Subject, gotSubject)
		}
		if strings.TrimSuffix(body, "\n") != n.letter() {
			t.Errorf("the text\n%q arrives as\n%q", n.letter(), body)
		}
		if got := h.Get("To") + h.Get("From"); got != "ops@contoso.testKeyturn <keyturn@contoso.test>" {
			t.Errorf("addresses: %q", got)
		}
	})
}

func TestWhatASubjectBecomes(t *testing.T) {
	for says, want := range map[string]string{
		"plain":                         "plain",
		"two\r\nBcc: evil@example.test": "two Bcc: evil@example.test",
		"right\u202eleft\x00":           "rightleft",
		"=?UTF-8?Q?spoofed?=":           "=?UTF-8?Q?spoofed?=",
		"Störung bei Exchange 🙂":        "Störung bei Exchange 🙂",
		"":                              "Keyturn",
	} {
		n, f := Note{Key: "k", Subject: says, Text: "x", At: written}.ready(Mails)
		if f != nil {
			t.Fatal(f)
		}
		if _, got, _ := read(t, compose(box(t, "k@contoso.test"), []mailbox{box(t, "o@contoso.test")}, n)); got != want {
			t.Errorf("%q arrives as %q, not %q", says, got, want)
		}
	}
}

func TestAnAddressIsOneThatNeedsNoQuoting(t *testing.T) {
	for _, good := range []string{"ops@contoso.test", "Ops <o.p-s+alarm@mail.contoso.test>", "Öps <a@b>"} {
		if _, err := mailboxOf(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ops", "ops@", "@contoso.test", "a b@contoso.test", `"a b"@contoso.test`, "a@b\r\nRCPT TO:<e@evil.test>",
		"a@b>\r\nDATA", "a@[127.0.0.1]", "ü@contoso.test", "a@ü.test", ".a@b.test", "a..b@c.test", strings.Repeat("a", 65) + "@b.test", "a@b.test, c@d.test"} {
		if b, err := mailboxOf(bad); err == nil || !strings.Contains(err.Error(), "write it like") || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q became %v (%v)", bad, b, err)
		}
	}
}
