package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// door stands before every route: it says who knocks, how often they may, and
// what a browser may do with the answer.
type door struct {
	next    http.Handler
	trusted []netip.Prefix // proxies whose word about the client counts; without any, nobody's does
	secure  bool           // people come by https: tell browsers to stay there
	now     func() time.Time

	every rate.Limit
	burst int
	mu    sync.Mutex
	seen  map[netip.Addr]*visitor
}

type visitor struct {
	limit *rate.Limiter
	last  time.Time
}

// The default limits for one address. A chat platform sends from few addresses
// and in bursts; whoever guesses or floods needs more than this.
const (
	perSecond = 50
	burst     = 200
	// strangers is how many addresses are remembered at most. Whoever comes
	// from more has more machines than a limit for each can stop.
	strangers = 10000
	forgotten = 10 * time.Minute
)

// forwarding headers say things about the client that only a proxy can know.
// They are taken away before anybody can believe them.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Real-Ip", "X-Original-Url", "X-Rewrite-Url", "True-Client-Ip"}

// ServeHTTP implements [http.Handler].
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'") // pages set their own
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if d.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	from := d.client(r)
	for _, name := range forwarding {
		r.Header.Del(name)
	}
	if from.IsValid() {
		r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
	}
	if !d.admit(from) {
		h.Set("Retry-After", "1")
		http.Error(w, "Too many requests from this address. Come back in a moment.", http.StatusTooManyRequests)
		return
	}
	d.next.ServeHTTP(w, r)
}

// client is the address that a request comes from: the connection's, or where
// that is a trusted proxy, the last address that such a proxy vouches for. What
// stands further left in the header anybody may have written.
func (d *door) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && d.trusts(from); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = hop.Unmap()
	}
	return from
}

func (d *door) trusts(a netip.Addr) bool {
	for _, p := range d.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// admit reports whether an address may send one more request. Without a
// trusted proxy everybody who comes through one on this machine looks like this
// machine, and is not limited for the others' sake.
func (d *door) admit(from netip.Addr) bool {
	if !from.IsValid() || from.IsLoopback() && len(d.trusted) == 0 {
		return true
	}
	if from.Is6() { // one customer has a whole /64
		p, _ := from.Prefix(64)
		from = p.Addr()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	v := d.seen[from]
	if v == nil {
		if len(d.seen) >= strangers {
			d.forget(now)
		}
		v = &visitor{limit: rate.NewLimiter(d.every, d.burst)}
		d.seen[from] = v
	}
	v.last = now
	return v.limit.AllowN(now, 1)
}

// forget makes room: who has not come for long goes, and all where that is
// nobody.
func (d *door) forget(now time.Time) {
	for a, v := range d.seen {
		if now.Sub(v.last) > forgotten {
			delete(d.seen, a)
		}
	}
	if len(d.seen) >= strangers {
		clear(d.seen)
	}
}

// doorConfig is how the endpoints are reached.
type doorConfig struct {
	Certificate string   `yaml:"certificate"` // PEM file; without it something in front ends TLS
	Key         string   `yaml:"key"`         // PEM file, or credential:NAME
	Proxies     []string `yaml:"trusted_proxies"`
	PerSecond   int      `yaml:"requests_per_second"`
	Burst       int      `yaml:"burst"`
}

// keyFile is where the private key is: the credentials of a systemd unit are in a
// folder of its own, which has another name for every command.
func (d doorConfig) keyFile() string {
	if name, ok := strings.CutPrefix(d.Key, "credential:"); ok {
		return filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), filepath.Base(name))
	}
	return d.Key
}

func (c *config) checkDoor(f *faults) {
	t := c.Web
	switch {
	case (t.Certificate == "") != (t.Key == ""):
		f.add("web: give certificate and key together, two PEM files, or neither where something in front ends TLS")
	case t.Certificate != "":
		if _, err := tls.LoadX509KeyPair(t.Certificate, t.keyFile()); err != nil {
			f.add("web.certificate: %v; name the PEM files of a certificate with its chain and of its key", err)
		}
	}
	for _, p := range t.Proxies {
		if _, err := prefix(p); err != nil {
			f.add("web.trusted_proxies: %q is no address or range: write 10.0.0.7 or 10.0.0.0/24", p)
		}
	}
	if t.PerSecond < 0 || t.Burst < 0 {
		f.add("web: requests_per_second and burst are numbers above 0, or left out")
	}
}

func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().Prefix(a.Unmap().BitLen())
	}
	return netip.ParsePrefix(s)
}

// door makes what stands before the routes. The configuration was checked.
func (c *config) door(next http.Handler, now func() time.Time) *door {
	d := &door{next: next, now: now, seen: map[netip.Addr]*visitor{}, every: perSecond, burst: burst,
		secure: c.Web.Certificate != "" || strings.HasPrefix(c.PublicURL, "https://")}
	for _, s := range c.Web.Proxies {
		if p, err := prefix(s); err == nil {
			d.trusted = append(d.trusted, p)
		}
	}
	if c.Web.PerSecond > 0 {
		d.every = rate.Limit(c.Web.PerSecond)
	}
	if c.Web.Burst > 0 {
		d.burst = c.Web.Burst
	}
	return d
}

// lock puts TLS before a listener where the configuration has a certificate.
// The files are read again when they have changed, so that whoever renews them
// restarts nothing.
func (c *config) lock(l net.Listener) (net.Listener, error) {
	if c.Web.Certificate == "" {
		return l, nil
	}
	k := &keyPair{certificate: c.Web.Certificate, key: c.Web.keyFile()}
	if _, err := k.get(nil); err != nil {
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get, NextProtos: []string{"h2", "http/1.1"}}), nil
}

type keyPair struct {
	certificate, key string
	mu               sync.Mutex
	read             time.Time // when the file that was read was written
	pair             *tls.Certificate
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.certificate)
	if err == nil && k.pair != nil && info.ModTime().Equal(k.read) {
		return k.pair, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(k.certificate, k.key)
	}
	if err != nil {
		if k.pair != nil {
			return k.pair, nil // half renewed: the old one serves until the new one is whole
		}
		return nil, fmt.Errorf("the certificate of the web endpoints cannot be used: %w", err)
	}
	k.pair, k.read = &pair, info.ModTime()
	return k.pair, nil
}
