package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// The defaults of [Config].
const (
	DefaultConnect = 10 * time.Second
	DefaultTLS     = 10 * time.Second
	DefaultHeader  = 30 * time.Second
	DefaultTotal   = 60 * time.Second
	DefaultMaxBody = 8 << 20
)

// idle is short because a server that closes an idle connection at the moment
// of a write makes that write's outcome ambiguous.
const idle = 30 * time.Second

// Config is what an operator can set. The zero value is usable.
type Config struct {
	Version string // of Keyturn, for the User-Agent; "" is "dev"

	// Proxy is the proxy's URL (http, https or socks5). "" takes it from the
	// environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), "none" uses none.
	// Loopback hosts are never asked for through a proxy.
	Proxy string
	// NoProxy are host names, and with a leading dot domains, that an explicit
	// Proxy is not used for.
	NoProxy []string
	// CAFile is a PEM bundle of certificate authorities that are trusted
	// besides the system's.
	CAFile string

	// Hosts are the only hosts that requests go to, whoever sends them and
	// wherever an answer points; nil is any, an empty list none.
	Hosts []Host

	Connect time.Duration // for the TCP connection
	TLS     time.Duration // for the TLS handshake
	Header  time.Duration // from the sent request to the answer's header
	Total   time.Duration // for one request with its whole answer
	MaxBody int64         // bytes of an answer

	Log *slog.Logger // each exchange at debug level; nil logs nothing
	// Dial replaces the network, for in-memory listeners.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Network is how connections leave this machine: by which proxy, trusting whom,
// and not to where no outside system is. It is for libraries that dial by
// themselves; everything else takes the client of [New].
type Network struct {
	Proxy func(*http.Request) (*url.URL, error) // nil uses none
	TLS   *tls.Config
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewNetwork makes a network that follows the package's policy. It fails as
// [New] does.
func NewNetwork(cfg Config) (Network, error) {
	proxy, err := proxyOf(cfg)
	if err != nil {
		return Network{}, err
	}
	roots, err := rootsOf(cfg.CAFile)
	if err != nil {
		return Network{}, err
	}
	dial := cfg.Dial
	if dial == nil {
		dial = guarded(or(cfg.Connect, DefaultConnect), cfg.Proxy)
	}
	return Network{Proxy: onlyListed(cfg.Hosts, proxy), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Dial: dial}, nil
}

// New makes a client that follows the package's policy. It fails, with a
// sentence for the operator, where the proxy or the CA bundle is unusable.
func New(cfg Config) (*http.Client, error) {
	out, err := NewNetwork(cfg)
	if err != nil {
		return nil, err
	}
	version := cfg.Version
	if version == "" {
		version = "dev"
	}
	return &http.Client{
		CheckRedirect: sameHostReads,
		Transport: &transport{
			agent:   "Keyturn/" + version,
			total:   or(cfg.Total, DefaultTotal),
			maxBody: or(cfg.MaxBody, DefaultMaxBody),
			log:     cfg.Log,
			hosts:   cfg.Hosts,
			next: &http.Transport{
				Proxy:                  out.Proxy,
				DialContext:            out.Dial,
				OnProxyConnectResponse: letThrough,
				TLSClientConfig:        out.TLS,
				TLSHandshakeTimeout:    or(cfg.TLS, DefaultTLS),
				ResponseHeaderTimeout:  or(cfg.Header, DefaultHeader),
				ExpectContinueTimeout:  time.Second,
				IdleConnTimeout:        idle,
				MaxIdleConnsPerHost:    32,
				ForceAttemptHTTP2:      true,
			},
		},
	}, nil
}

// letThrough makes a proxy's refusal known as one: the transport itself tells
// only the words of its status.
func letThrough(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: proxySaid(answer.StatusCode)}
}

// proxySaid is the status with which a proxy refused to let a call through.
type proxySaid int

// Error is the status in words.
func (s proxySaid) Error() string { return fmt.Sprintf("the proxy answered HTTP %d", int(s)) }

func or[N time.Duration | int64](v, otherwise N) N {
	if v > 0 {
		return v
	}
	return otherwise
}

const maxRedirects = 5

// sameHostReads follows a redirect only of a read and only within its scheme
// and host. Anything else is handed to the caller as the 3xx that it is.
func sameHostReads(next *http.Request, before []*http.Request) error {
	first := before[0]
	read := first.Method == http.MethodGet || first.Method == http.MethodHead
	same := next.URL.Scheme == first.URL.Scheme && strings.EqualFold(next.URL.Host, first.URL.Host)
	if !read || !same || len(before) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

func proxyOf(cfg Config) (func(*http.Request) (*url.URL, error), error) {
	switch cfg.Proxy {
	case "":
		return http.ProxyFromEnvironment, nil
	case "none":
		return nil, nil
	}
	u, err := url.Parse(cfg.Proxy)
	if err != nil {
		// url.Error would repeat the address, which may hold a password.
		return nil, errors.New("the proxy address cannot be read: write it as http://proxy.example.com:3128, or \"none\"")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, fmt.Errorf("the proxy address has the scheme %q: http, https and socks5 are possible, such as http://proxy.example.com:3128", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, errors.New("the proxy address names no host: write it as http://proxy.example.com:3128, or \"none\"")
	}
	return func(r *http.Request) (*url.URL, error) {
		if loopbackHost(r.URL.Hostname()) || exempt(r.URL.Hostname(), cfg.NoProxy) {
			return nil, nil
		}
		return u, nil
	}, nil
}

func exempt(host string, list []string) bool {
	host = strings.ToLower(host)
	for _, e := range list {
		e = strings.ToLower(strings.TrimSpace(e))
		switch {
		case e == "":
		case host == strings.TrimPrefix(e, "."):
			return true
		case strings.HasPrefix(e, ".") && strings.HasSuffix(host, e):
			return true
		}
	}
	return false
}

func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the CA bundle cannot be read, so no server could be trusted: check the path and its permissions: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA bundle %s holds no certificate: it has to be PEM (-----BEGIN CERTIFICATE-----)", file)
	}
	return pool, nil
}
