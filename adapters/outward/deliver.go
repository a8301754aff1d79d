package outward

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// maxReplies is how much a mail server may say in one delivery, in bytes.
const maxReplies = 1 << 20

// goodbye is how long the server's answer to QUIT is waited for: the note is
// delivered by then.
const goodbye = 2 * time.Second

// delivery is one conversation with the mail server:
//
//	greeting ─► STARTTLS ─► sign-in ─► sender ─► recipients ─► message ─► its final dot
//	└──────────────── a loss here had no effect ────────────────────────┘ └ here it may have
type delivery struct {
	*Mail
	ctx  context.Context
	conn net.Conn // without TLS, for deadlines
	c    *smtp.Client
}

func (m *Mail) deliver(ctx context.Context, message []byte) *bot.Failure {
	conn, err := m.dial(ctx, "tcp", m.server)
	if err != nil {
		return m.lost(ctx, greeting, err)
	}
	defer conn.Close()
	d := &delivery{Mail: m, ctx: ctx, conn: conn}
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // a failure to set it shows at the first read
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	for _, stage := range []func() *bot.Failure{d.greet, d.secure, d.signIn} {
		if f := stage(); f != nil {
			return f
		}
	}
	partly, f := d.address()
	if f != nil {
		return f
	}
	// What came before has no effect. From here on it may have one.
	within, done, err := bot.Permitted(ctx)
	if err != nil {
		return m.lost(ctx, content, err)
	}
	defer done()
	ended := context.AfterFunc(within, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer ended()
	d.ctx = within
	if f := d.hand(message); f != nil {
		return f
	}
	if stop() && ended() {
		_ = conn.SetDeadline(time.Now().Add(goodbye))
		_ = d.c.Quit() // a server that fails to say goodbye has the note all the same
	}
	return partly
}

func (d *delivery) greet() *bot.Failure {
	conn := net.Conn(&capped{Conn: d.conn, left: maxReplies})
	if d.implicit {
		t := tls.Client(conn, d.tls)
		if err := t.HandshakeContext(d.ctx); err != nil {
			return d.failure(d.ctx, greeting, err)
		}
		conn = t
	}
	var err error
	if d.c, err = smtp.NewClient(conn, d.host); err != nil {
		return d.failure(d.ctx, greeting, err)
	}
	if err := d.c.Hello(d.name()); err != nil {
		return d.failure(d.ctx, greeting, err)
	}
	return nil
}

// name is what Keyturn calls itself: RFC 5321 takes an address literal from
// those who do not know their own name.
func (d *delivery) name() string {
	if d.hello != "" {
		return d.hello
	}
	a, ok := d.conn.LocalAddr().(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case a.IP.To4() != nil:
		return "[" + a.IP.To4().String() + "]"
	}
	return "[IPv6:" + a.IP.String() + "]"
}

func (d *delivery) secure() *bot.Failure {
	if d.implicit || !d.encrypt {
		return nil
	}
	if ok, _ := d.c.Extension("STARTTLS"); !ok {
		return &bot.Failure{Kind: bot.KindRefused, System: Mails,
			Says: "The mail server " + d.host + " does not offer encryption (STARTTLS), and Keyturn sends neither mail over a network nor a password without it.",
			Fix:  "Enter a server and port that encrypts: usually 587 with STARTTLS, or 465 with TLS from the start."}
	}
	if err := d.c.StartTLS(d.tls); err != nil {
		return d.failure(d.ctx, starting, err)
	}
	return nil
}

func (d *delivery) signIn() *bot.Failure {
	if d.password.IsZero() {
		return nil
	}
	_, offered := d.c.Extension("AUTH")
	auth := pick(offered, d.user, d.password)
	if auth == nil {
		return &bot.Failure{Kind: bot.KindRefused, System: Mails, Says: "The mail server " + d.host + " offers no sign-in with a user and a password.",
			Fix: "Ask whoever runs it for another port or server, or leave out user and password if it takes mail without."}
	}
	if err := d.c.Auth(auth); err != nil {
		return d.failure(d.ctx, signing(d.host), err)
	}
	return nil
}

// address names sender and recipients. partly is set where some recipients
// were refused: the others get the note.
func (d *delivery) address() (partly, all *bot.Failure) {
	if err := d.mailFrom(d.from.address); err != nil {
		return nil, d.failure(d.ctx, sender(d.from.address), err)
	}
	var refused []*bot.Failure
	var names []string
	for _, t := range d.to {
		err := d.c.Rcpt(t.address)
		if err == nil {
			continue
		}
		f := d.failure(d.ctx, recipient(t.address), err)
		if f.Status == 0 {
			return nil, f // the connection, not the recipient
		}
		refused, names = append(refused, f), append(names, t.address)
	}
	switch len(refused) {
	case 0:
		return nil, nil
	case len(d.to):
		for _, f := range refused {
			if f.Kind == bot.KindThrottled {
				return nil, f // one who may be reached later is worth another try
			}
		}
		return nil, refused[0]
	}
	f := *refused[0]
	f.Kind, f.RetryAfter, f.Err = bot.KindRefused, 0, ErrPartly
	f.Says = fmt.Sprintf("%d of %d recipients were sent the note. %s", len(d.to)-len(refused), len(d.to), f.Says)
	if len(names) > 1 {
		f.Says += " Refused as well: " + strings.Join(names[1:], ", ") + "."
	}
	f.Fix = "Check these addresses; it is not sent again by itself, since the others would get it twice."
	return &f, nil
}

func (d *delivery) hand(message []byte) *bot.Failure {
	w, err := d.c.Data()
	if err != nil {
		return d.failure(d.ctx, content, err)
	}
	if _, err := w.Write(message); err != nil {
		return d.failure(d.ctx, content, err)
	}
	if err := w.Close(); err != nil {
		return d.failure(d.ctx, finalDot, err)
	}
	return nil
}

// capped is a connection that is read from up to a limit.
type capped struct {
	net.Conn
	left int
}

// Read reads, and fails beyond the limit.
func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, httpx.ErrTooLarge
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// mailFrom is Client.Mail without its extensions: it asks for SMTPUTF8 where
// that is offered, which no note needs and which makes relays bounce what the
// next server does not support.
func (d *delivery) mailFrom(address string) error {
	t := d.c.Text
	id, err := t.Cmd("MAIL FROM:<%s>", address)
	if err != nil {
		return err
	}
	t.StartResponse(id)
	defer t.EndResponse(id)
	_, _, err = t.ReadResponse(250)
	return err
}
