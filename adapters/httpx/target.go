package httpx

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Target joins a path (with its query) to a base URL. It fails where the
// result would leave the base's host, climb out of its path, or send a
// credential in clear over a network. Characters that a query may not hold,
// such as the blanks of an OData filter, are encoded.
func Target(base, path string) (*url.URL, error) {
	b, err := url.Parse(base)
	if err != nil || b.Host == "" || (b.Scheme != "https" && b.Scheme != "http") {
		return nil, errors.New("the configured address is not a URL with a host: write it as https://host.example.com")
	}
	if b.User != nil || b.RawQuery != "" || b.Fragment != "" {
		return nil, fmt.Errorf("the configured address for %s must be a plain URL, without user, query and fragment", b.Host)
	}
	if b.Scheme == "http" && !loopbackHost(b.Hostname()) {
		return nil, fmt.Errorf("the configured address for %s is not encrypted: it has to begin with https://", b.Host)
	}
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the call's path does not begin with a slash")
	}
	route, query, _ := strings.Cut(path, "?")
	if strings.ContainsAny(path, "#\\") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("the call's path holds a character that no path has (#, \\ or a control character)")
	}
	plain, err := url.PathUnescape(route)
	if err != nil {
		return nil, errors.New("the call's path holds a broken %-escape")
	}
	for seg := range strings.SplitSeq(strings.ReplaceAll(plain, "\\", "/"), "/") {
		if seg == ".." || seg == "." {
			return nil, errors.New("the call's path climbs with \"..\"")
		}
	}
	u, err := url.Parse(strings.TrimRight(base, "/") + escape(route))
	if err != nil {
		return nil, errors.New("the call's path cannot be read")
	}
	if u.Scheme != b.Scheme || u.Host != b.Host || u.User != nil {
		return nil, fmt.Errorf("the call's path leaves %s", b.Host)
	}
	u.RawQuery = escape(query)
	return u, nil
}

// escape encodes what may not stand in a request line and keeps what is
// encoded already.
func escape(q string) string {
	var b strings.Builder
	for i := 0; i < len(q); i++ {
		c := q[i]
		switch {
		case c == '%' && (i+2 >= len(q) || !hexDigit(q[i+1]) || !hexDigit(q[i+2])):
			b.WriteString("%25")
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>^`{|}", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func hexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// SameOrigin reports whether two addresses have scheme, host and port in
// common: a server's own "next page" must, before a token goes there.
func SameOrigin(a, b string) bool {
	ua, erra := url.Parse(a)
	ub, errb := url.Parse(b)
	return erra == nil && errb == nil && ua.Host != "" && ua.User == nil && ub.User == nil &&
		ua.Scheme == ub.Scheme && strings.EqualFold(ua.Host, ub.Host)
}

// Loopback reports whether a URL's host is this machine by its very name: a
// loopback address literal or "localhost". Nothing is looked up, so that no
// DNS answer can make a host count as this machine.
func Loopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && loopbackHost(u.Hostname())
}

func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
