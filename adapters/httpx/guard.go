package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// ErrInward is inside the error of a connection that was not made because a
// name outside led to this machine or its link.
var ErrInward = errors.New("the name leads to an address of this machine or of its own link, where no outside system is")

// guarded dials as net.Dialer does, but does not let a name of an outside host
// lead back to this machine, to the metadata service of a cloud or to nobody in
// particular, whatever a DNS answer says. A host that is this machine by its
// very name, and the proxy, may.
func guarded(timeout time.Duration, proxy string) func(ctx context.Context, network, address string) (net.Conn, error) {
	open := net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	closed := open
	closed.Control = func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("the address %s cannot be read: %w", address, err)
		}
		if inward(a.Addr()) {
			return fmt.Errorf("%s: %w", a.Addr(), ErrInward)
		}
		return nil
	}
	proxies := proxyHosts(proxy)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if loopbackHost(host) || proxies[strings.ToLower(host)] {
			return open.DialContext(ctx, network, address)
		}
		return closed.DialContext(ctx, network, address)
	}
}

func inward(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() || a.IsInterfaceLocalMulticast()
}

// proxyHosts are the hosts of the proxies that may be used.
func proxyHosts(configured string) map[string]bool {
	list := []string{configured}
	if configured == "" {
		for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
			list = append(list, os.Getenv(name))
		}
	}
	out := map[string]bool{}
	for _, s := range list {
		if s != "" && !strings.Contains(s, "://") {
			s = "http://" + s
		}
		if u, err := url.Parse(s); err == nil && u.Hostname() != "" {
			out[strings.ToLower(u.Hostname())] = true
		}
	}
	return out
}
