package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Resolver looks names up at a chosen DNS server.
type Resolver struct {
	server string
	net    *net.Resolver
}

// NewResolver makes a resolver that asks server (host:port), or the system's
// way where server is "".
func NewResolver(server string) (*Resolver, error) {
	if server == "" {
		return &Resolver{net: net.DefaultResolver}, nil
	}
	if host, port, err := net.SplitHostPort(server); err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("the DNS server %q is not of the form host:port, such as 10.0.0.53:53", server)
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	return &Resolver{server: server, net: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.DialContext(ctx, network, server)
		},
	}}, nil
}

// LookupHost gives the addresses of a name, sorted. The name is taken as
// complete: search domains of this machine are not tried. Where the name does
// not exist the error is a *net.DNSError with IsNotFound.
func (r *Resolver) LookupHost(ctx context.Context, name string) ([]string, error) {
	name = strings.TrimSuffix(name, ".")
	if !HostName(name) {
		return nil, fmt.Errorf("%q is no host name", Plain(name, 80))
	}
	addrs, err := r.net.LookupHost(ctx, name+".")
	if err != nil {
		var d *net.DNSError
		if errors.As(err, &d) {
			// The resolver library names the system's server, not ours.
			own := *d
			own.Name, own.Server = name, r.server
			return nil, &own
		}
		return nil, err
	}
	slices.Sort(addrs)
	return slices.Compact(addrs), nil
}

// HostName reports whether s has the form of a DNS host name: labels of
// letters, digits, hyphens and underscores, without a final dot.
func HostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
