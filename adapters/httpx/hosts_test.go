package httpx_test

import (
	"bufio"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// host is a server as a list names it.
func host(t *testing.T, address string) httpx.Host {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return httpx.Host{Name: u.Hostname(), Port: u.Port()}
}

func TestARequestGoesToAListedHostAlone(t *testing.T) {
	list := []httpx.Host{{Name: "graph.microsoft.com"}, {Name: "Contoso.service-now.com", Port: "443"}, {Name: "botframework.com", Below: true}, {Name: "siem.inside", Port: "8443"}}
	proxy := server(t, func(w http.ResponseWriter, r *http.Request) {}) // takes what is let through, and lets nothing through by CONNECT
	c := client(t, httpx.Config{Proxy: proxy.URL, Hosts: list})
	for address, want := range map[string]bool{
		"https://graph.microsoft.com/v1.0/me": true, "https://GRAPH.microsoft.com:443/": true, "https://graph.microsoft.com./": true, "https://contoso.service-now.com/": true,
		"https://botframework.com/": true, "https://smba.botframework.com/x": true, "https://siem.inside:8443/": true,
		"http://graph.microsoft.com/": false, "https://graph.microsoft.com:8443/": false, "https://graph.microsoft.com.evil.example/": false,
		"https://evilbotframework.com/": false, "https://x.graph.microsoft.com/": false, "https://siem.inside/": false, "https://evil.example/?u=graph.microsoft.com": false,
		"https://graph.microsoft.com@evil.example/": false, "http://127.0.0.1:1/": false, "http://[::1]:443/": false, "https://fabrikam.service-now.com/": false,
	} {
		_, err := httpx.Send(c, request(t, "POST", address))
		if errors.Is(err, httpx.ErrElsewhere) == want {
			t.Errorf("%s: let through %v, and the answer is %v", address, !want, err)
		}
		if want {
			continue
		}
		if httpx.OutcomeOf(err) != httpx.NotSent {
			t.Errorf("%s counts as %v", address, httpx.OutcomeOf(err))
		}
		if f := httpx.Lost(bot.Graph, true, "id", err); f.Kind != bot.KindForeign || !strings.Contains(f.Says, "Nothing was sent") || !strings.Contains(f.Fix, "operator") {
			t.Errorf("%s: people read %v", address, f)
		}
	}
}

// Who dials by themselves, as for a WebSocket, asks for a proxy first.
func TestWhoDialsAloneAsksTheListToo(t *testing.T) {
	for _, proxy := range []string{"none", "http://proxy.contoso.com:3128"} {
		n, err := httpx.NewNetwork(httpx.Config{Proxy: proxy, Hosts: []httpx.Host{{Name: "wss-primary.slack.com"}}})
		if err != nil {
			t.Fatal(err)
		}
		if via, err := n.Proxy(request(t, "GET", "wss://wss-primary.slack.com/link/?ticket=x")); err != nil || (via == nil) != (proxy == "none") {
			t.Errorf("a listed host goes by %v (%v)", via, err)
		}
		if via, err := n.Proxy(request(t, "GET", "wss://wss-primary.slack.com.evil.example/link/")); !errors.Is(err, httpx.ErrElsewhere) || via != nil {
			t.Errorf("another one goes by %v (%v)", via, err)
		}
	}
}

func TestAnEmptyListIsNoHost(t *testing.T) {
	s := server(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := httpx.Send(client(t, httpx.Config{Hosts: []httpx.Host{}}), request(t, "GET", s.URL)); !errors.Is(err, httpx.ErrElsewhere) {
		t.Errorf("it was sent: %v", err)
	}
}

// Whoever follows redirects on their own, as a vendor's library may, gets no
// further.
func TestARedirectOffTheListIsNotSent(t *testing.T) {
	visited := 0
	other := server(t, func(http.ResponseWriter, *http.Request) { visited++ })
	s := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	c := *client(t, httpx.Config{Hosts: []httpx.Host{host(t, s.URL)}})
	c.CheckRedirect = nil
	if resp, err := c.Get(s.URL); !errors.Is(err, httpx.ErrElsewhere) || visited != 0 {
		t.Errorf("%v, %v, the other host was asked %d times", resp, err, visited)
	}
}

// The list counts before a proxy is asked, and through one that carries TLS
// with a private authority.
func TestTheListHoldsThroughAProxyAndACABundle(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }))
	defer s.Close()
	var mu sync.Mutex
	var carried []string
	tunnel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		carried = append(carried, r.Method+" "+r.Host)
		mu.Unlock()
		out, err := net.Dial("tcp", s.Listener.Addr().String()) // wherever the name leads, as in a real network
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		in, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			out.Close()
			return
		}
		go pass(out, buf.Reader)
		pass(in, bufio.NewReader(out))
	}))
	defer tunnel.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, httpx.Config{Proxy: tunnel.URL, CAFile: ca, Hosts: []httpx.Host{{Name: "example.com"}}}) // what the server's certificate names
	if reply, err := httpx.Send(c, request(t, "GET", "https://example.com/v1.0/me")); err != nil || !reply.OK() {
		t.Fatalf("a listed host through the proxy: %v", err)
	}
	if _, err := httpx.Send(c, request(t, "GET", "https://www.example.com/")); !errors.Is(err, httpx.ErrElsewhere) {
		t.Errorf("another one: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(carried) != 1 || carried[0] != "CONNECT example.com:443" {
		t.Errorf("the proxy was asked for %v", carried)
	}
}

func pass(to net.Conn, from io.Reader) {
	_, _ = io.Copy(to, from)
	to.Close()
}
