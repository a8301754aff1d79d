package httpx

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAddressesOfThisMachineAndItsLinkAreInward(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "0.0.0.0": true, "::": true,
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "fe80::1": true, "224.0.0.1": true, "ff02::1": true,
		"10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "fd00::1": false, "20.190.160.1": false, "2603:1026::1": false,
	} {
		if got := inward(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: inward %v, want %v", address, got, want)
		}
	}
}

// A literal stands for a name whose DNS answer is that address: the dialer
// sees the same.
func TestAnOutsideNameDoesNotLeadToThisMachine(t *testing.T) {
	hit := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit++ }))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	c, err := New(Config{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"0.0.0.0", "[::]"} { // to these a connection reaches this machine
		_, err := c.Get("http://" + host + ":" + port + "/")
		if !errors.Is(err, ErrInward) {
			t.Errorf("%s: %v", host, err)
		}
		var e *Error
		if !errors.As(err, &e) || e.Outcome != NotSent {
			t.Errorf("%s: a refused connection counts as %v", host, err)
		}
	}
	if hit != 0 {
		t.Error("this machine was asked")
	}
	if _, err := c.Get(s.URL); err != nil || hit != 1 {
		t.Errorf("a host that is this machine by its name: %v", err)
	}
}

func TestTheProxyMayBeOnThisMachine(t *testing.T) {
	dial := guarded(time.Second, "http://0.0.0.0:3128")
	if _, err := dial(t.Context(), "tcp", "0.0.0.0:1"); errors.Is(err, ErrInward) {
		t.Errorf("the proxy is refused: %v", err)
	}
	if _, err := dial(t.Context(), "tcp", "[::]:1"); !errors.Is(err, ErrInward) {
		t.Errorf("another host: %v", err)
	}
	t.Setenv("HTTPS_PROXY", "proxy.contoso.com:3128")
	if !proxyHosts("")["proxy.contoso.com"] || proxyHosts("none")["proxy.contoso.com"] {
		t.Error("the environment's proxy is misread")
	}
}
