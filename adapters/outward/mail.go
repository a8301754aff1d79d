package outward

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// MailPatience is the default of [MailConfig.Timeout]. It is longer than
// [Patience] because mail servers check senders while they are waited for.
const MailPatience = 30 * time.Second

// maxTo is how many recipients a note may have.
const maxTo = 50

// MailConfig is what [NewMail] needs.
type MailConfig struct {
	Server string   // host:port, such as mail.example.com:587
	From   string   // keyturn@example.com, or Keyturn <keyturn@example.com>
	To     []string // addresses in the same form, at most 50

	// User and Password sign in (AUTH PLAIN, or LOGIN where a server has only
	// that); neither or both.
	User     string
	Password bot.Secret

	// ImplicitTLS begins with TLS instead of asking for it with STARTTLS, as
	// is usual on port 465, where it needs not be set. Without it STARTTLS is
	// demanded, but of a server on this machine that needs no password.
	ImplicitTLS bool
	CAFile      string // PEM bundle of authorities trusted besides the system's

	Hello   string        // the name by which Keyturn greets; "" is its own address
	Timeout time.Duration // for one note; 0 is [MailPatience]
	// Dial replaces the network, for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Mail sends notes by SMTP (RFC 5321). It is safe for concurrent use.
type Mail struct {
	server, host string
	from         mailbox
	to           []mailbox
	user         string
	password     bot.Secret
	implicit     bool
	encrypt      bool
	tls          *tls.Config
	hello        string
	timeout      time.Duration
	dial         func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewMail checks a configuration. Its error is a sentence for the operator and
// holds no secret. It connects to nothing.
func NewMail(cfg MailConfig) (*Mail, error) {
	host, port, err := net.SplitHostPort(cfg.Server)
	if err != nil || port == "" || !hostOrIP(host) {
		return nil, fmt.Errorf("the mail server %q is not of the form host:port, such as mail.example.com:587", httpx.Plain(cfg.Server, 80))
	}
	m := &Mail{server: cfg.Server, host: host, user: cfg.User, password: cfg.Password, hello: cfg.Hello, timeout: cfg.Timeout, dial: cfg.Dial}
	if m.from, err = mailboxOf(cfg.From); err != nil {
		return nil, fmt.Errorf("the sender of the mail fallback: %w", err)
	}
	if m.to, err = recipients(cfg.To); err != nil {
		return nil, err
	}
	switch {
	case (cfg.User == "") != cfg.Password.IsZero():
		return nil, errors.New("the mail fallback has a user without a password, or a password without a user: enter both or neither")
	case strings.ContainsFunc(cfg.User+cfg.Password.Reveal(), func(r rune) bool { return r < ' ' || r == 0x7f }):
		return nil, errors.New("the user or the password of the mail fallback holds a control character: check how it was copied")
	case cfg.Hello != "" && !httpx.HostName(cfg.Hello):
		return nil, fmt.Errorf("the name %q by which Keyturn greets the mail server is no host name", httpx.Plain(cfg.Hello, 80))
	}
	m.implicit = cfg.ImplicitTLS || port == "465"
	m.encrypt = !httpx.Loopback("smtp://"+cfg.Server) || !cfg.Password.IsZero()
	roots, err := rootsOf(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	m.tls = &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	if m.timeout <= 0 {
		m.timeout = MailPatience
	}
	if m.dial == nil {
		m.dial = (&net.Dialer{Timeout: httpx.DefaultConnect}).DialContext
	}
	return m, nil
}

func hostOrIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || httpx.HostName(host)
}

// rootsOf are the system's authorities with those of a file; nil are the
// system's.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the CA bundle of the mail fallback cannot be read: check the path and its permissions: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA bundle %s of the mail fallback holds no certificate: it has to be PEM (-----BEGIN CERTIFICATE-----)", file)
	}
	return pool, nil
}

func recipients(list []string) ([]mailbox, error) {
	if len(list) == 0 || len(list) > maxTo {
		return nil, fmt.Errorf("the mail fallback has %d recipients: name between 1 and %d", len(list), maxTo)
	}
	var out []mailbox
	for _, s := range list {
		b, err := mailboxOf(s)
		if err != nil {
			return nil, fmt.Errorf("a recipient of the mail fallback: %w", err)
		}
		if !slices.ContainsFunc(out, func(o mailbox) bool { return strings.EqualFold(o.address, b.address) }) {
			out = append(out, b)
		}
	}
	return out, nil
}

// mailbox is an address that needs no quoting anywhere, with a name.
type mailbox struct{ name, address string }

// local is the form of an address before the "@" that mail systems use in
// practice. What else RFC 5321 allows (quoted strings, other scripts) takes
// extensions that a fallback cannot count on.
var local = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")

func mailboxOf(s string) (mailbox, error) {
	bad := fmt.Errorf("%q is no mail address: write it like ops@example.com", httpx.Plain(s, 120))
	a, err := mail.ParseAddress(s)
	if err != nil || len(a.Address) > 254 {
		return mailbox{}, bad
	}
	name, domain, ok := strings.Cut(a.Address, "@")
	if !ok || len(name) > 64 || !local.MatchString(name) || !httpx.HostName(domain) {
		return mailbox{}, bad
	}
	return mailbox{name: httpx.Plain(a.Name, 60), address: a.Address}, nil
}

// domain is what follows the "@".
func (b mailbox) domain() string {
	_, d, _ := strings.Cut(b.address, "@")
	return d
}

// Send hands a note to the mail server once, for all recipients at once. Where
// the server takes it for some of them only, these have it, and the error
// holds [ErrPartly]. Success means that the server took it over, not that it
// reached a mailbox.
func (m *Mail) Send(ctx context.Context, n Note) error {
	n, f := n.ready(Mails)
	if f != nil {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	return failed(m.deliver(ctx, compose(m.from, m.to, n)))
}
