package outward

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Syslogs is the collector that [Syslog] writes to, as it stands in a
// [bot.Failure].
const Syslogs bot.System = "syslog"

// SyslogConfig is what [NewSyslog] needs.
type SyslogConfig struct {
	// Address is tls://host:6514, or in clear tcp://host:601, udp://host:514.
	// Lines for a collector hold no secret, so that the old ways are possible.
	Address string
	CAFile  string // PEM bundle trusted besides the system's
	Host    string // what Keyturn calls its machine; "" asks the system
}

// Syslog writes single lines to a collector as RFC 5424 says, over RFC 6587's
// counted frames where there is a stream. Each line is a connection of its own:
// there is one an hour, and one that idles that long is cut by what lies
// between. It is safe for concurrent use.
type Syslog struct {
	network, address, name string
	tls                    *tls.Config // nil is in clear
	machine                string
}

// NewSyslog checks a configuration. Its error is a sentence for the operator.
// It connects to nothing.
func NewSyslog(cfg SyslogConfig) (*Syslog, error) {
	u, err := url.Parse(cfg.Address)
	if err != nil || u.Port() == "" || !hostOrIP(u.Hostname()) || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("the syslog address %q is none: write it as tls://logs.example.com:6514, or tcp:// or udp://", httpx.Plain(cfg.Address, 80))
	}
	s := &Syslog{network: u.Scheme, address: u.Host, name: "the syslog collector at " + u.Host, machine: cfg.Host}
	switch u.Scheme {
	case "tcp", "udp":
	case "tls":
		roots, err := rootsOf(cfg.CAFile)
		if err != nil {
			return nil, err
		}
		s.network, s.tls = "tcp", &tls.Config{ServerName: u.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12}
	default:
		return nil, fmt.Errorf("the syslog address begins with %s://: it can be tls://, tcp:// or udp://", httpx.Plain(u.Scheme, 20))
	}
	if s.machine == "" {
		s.machine, _ = os.Hostname() // "-" stands for one that is not known
	}
	return s, nil
}

// severity and facility: notice, "log audit". Source: RFC 5424, 6.2.1.
const priority = 13*8 + 5

// Write sends one line once. What kind it is stands in the message ID.
func (s *Syslog) Write(ctx context.Context, kind, line string, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return s.failure(bot.KindUnreachable, "could not be reached", err)
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // a failure to set it shows at the write
	}
	within, done, err := bot.Permitted(ctx)
	if err != nil {
		return s.failure(bot.KindUnreachable, "was not written to", err)
	}
	defer done()
	defer context.AfterFunc(within, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	m := fmt.Sprintf("<%d>1 %s %s keyturn - %s - %s", priority, at.UTC().Format("2006-01-02T15:04:05.000Z"), token(s.machine, 255), token(kind, 32), httpx.Plain(line, 1<<10))
	if s.network == "tcp" {
		m = fmt.Sprintf("%d %s", len(m), m)
	}
	if _, err := conn.Write([]byte(m)); err != nil {
		if within.Err() != nil {
			err = fmt.Errorf("%w: %w", context.Cause(within), err)
		}
		return s.failure(bot.KindUnreachable, "took nothing", err)
	}
	if err := conn.Close(); err != nil {
		return s.failure(bot.KindUnreachable, "broke off", err)
	}
	return nil
}

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: httpx.DefaultConnect}
	if s.tls != nil {
		return (&tls.Dialer{NetDialer: &d, Config: s.tls}).DialContext(ctx, s.network, s.address)
	}
	return d.DialContext(ctx, s.network, s.address)
}

func (s *Syslog) failure(kind bot.Kind, what string, err error) error {
	return &bot.Failure{Kind: kind, System: Syslogs, Says: capital(s.name) + " " + what + ".",
		Fix: "It is tried again by itself. Check the address in Keyturn's configuration, and the network.", Err: err}
}

// token is a word of a syslog header: printable ASCII without blanks, "-"
// where nothing is left.
func token(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s = s[:min(len(s), max)]; s == "" {
		return "-"
	}
	return s
}
