package outward

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/adapters/httpx"
)

// compose writes a note as a message after RFC 5322 and the MIME documents:
// ASCII, lines that end with CRLF. The note must be ready.
func compose(from mailbox, to []mailbox, n Note) []byte {
	var b bytes.Buffer
	field := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	if from.name == "" {
		from.name = "Keyturn"
	}
	var list []string
	for _, t := range to {
		list = append(list, t.header())
	}
	field("From", from.header())
	field("To", strings.Join(list, ",\r\n "))
	field("Subject", unstructured(n.Subject))
	field("Date", n.At.UTC().Format(time.RFC1123Z))
	field("Message-ID", "<"+n.ID()+"@"+from.domain()+">")
	field("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	if n.Kind == Alarm {
		field("Importance", "high")
	}
	field("MIME-Version", "1.0")
	field("Content-Type", "text/plain; charset=utf-8")
	field("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(n.letter())) // a bytes.Buffer takes everything
	_ = q.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

// letter is the body: the text and, after the signature separator that mail
// programs know, whom it is about.
func (n Note) letter() string {
	s := n.Text
	if s == "" {
		s = n.Subject
	}
	s += "\n\n-- \nKeyturn"
	if tenant := httpx.Plain(string(n.Tenant), 80); tenant != "" {
		s += ", for the tenant " + tenant
	}
	return s + ", " + n.At.UTC().Format("2 Jan 2006 15:04 UTC")
}

func (b mailbox) header() string {
	if b.name == "" {
		return b.address
	}
	if strings.ContainsFunc(b.name, func(r rune) bool {
		return r != ' ' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return encodedWords(b.name) + " <" + b.address + ">"
	}
	return b.name + " <" + b.address + ">"
}

// unstructured is a line of text as a header holds it: as it is where that is
// short ASCII, else as encoded words. What looks like an encoded word is
// encoded as well, so that a reader sees the characters that were meant.
func unstructured(s string) string {
	if len(s) <= 60 && !strings.Contains(s, "=?") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	return encodedWords(s)
}

// wordBytes keeps an encoded word with its field's name within the 76
// characters that RFC 2047 allows a line.
const wordBytes = 39

func encodedWords(s string) string {
	var words []string
	for s != "" {
		cut := min(len(s), wordBytes)
		for cut < len(s) && cut > 0 && !utf8.RuneStart(s[cut]) {
			cut-- // each word has to hold whole characters
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:cut]))+"?=")
		s = s[cut:]
	}
	return strings.Join(words, "\r\n ")
}
