package teams

import (
	"net"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
)

// pins are the hosts that the bot's token may be sent to: Microsoft's for the
// cloud, and those that the configuration names.
type pins struct {
	cloud []string // https only; a leading dot takes in every host below
	named []string // host or host:port; plain http where it is this machine
}

// allow reports whether an address is on a pinned host.
func (p pins) allow(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Path, "..") {
		return false
	}
	secure := u.Scheme == "https"
	if !secure && !(u.Scheme == "http" && httpx.Loopback(address)) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, named := range p.named {
		named = strings.ToLower(named)
		if named == host || named == strings.ToLower(u.Host) {
			return true
		}
		if h, port, err := net.SplitHostPort(named); err == nil && h == host && port == "443" && secure && u.Port() == "" {
			return true
		}
	}
	if !secure || (u.Port() != "" && u.Port() != "443") {
		return false
	}
	for _, pin := range p.cloud {
		if pin == host || strings.HasPrefix(pin, ".") && strings.HasSuffix(host, pin) {
			return true
		}
	}
	return false
}
