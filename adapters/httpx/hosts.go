package httpx

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ErrElsewhere is inside the error of a request that was not sent, because its
// host is none of [Config.Hosts].
var ErrElsewhere = errors.New("the configuration names no such host, so nothing was sent there")

// Host is a host that requests may go to.
type Host struct {
	Name  string
	Port  string // "" is that of https
	Below bool   // also every host below the name
}

// String is the host as a list of destinations shows it.
func (h Host) String() string {
	s := h.Name
	if h.Below {
		s = "*." + s
	}
	return s + ":" + h.port()
}

func (h Host) port() string {
	if h.Port == "" {
		return ports["https"]
	}
	return h.Port
}

func (h Host) holds(name, port string) bool {
	own := strings.ToLower(h.Name)
	return own != "" && port == h.port() && (name == own || h.Below && strings.HasSuffix(name, "."+own))
}

var ports = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443"}

// onlyListed refuses a host before a proxy is chosen for it: who dials by
// themselves asks for that first.
func onlyListed(list []Host, proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if list == nil {
		return proxy
	}
	return func(r *http.Request) (*url.URL, error) {
		if err := listed(list, r.URL); err != nil || proxy == nil {
			return nil, err
		}
		return proxy(r)
	}
}

// listed says whether a request may go to an address: which proxy carries it,
// and what its name resolves to, makes no difference.
func listed(list []Host, u *url.URL) error {
	if list == nil {
		return nil
	}
	name, port := strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	if slices.ContainsFunc(list, func(h Host) bool { return h.holds(name, port) }) {
		return nil
	}
	return fmt.Errorf("%s: %w", Plain(name+":"+port, 120), ErrElsewhere)
}
