package httpx_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Where a proxy stands in the way, that is what is said, and each time what its
// keeper or ours has to do.
func TestAProxyThatStandsInTheWayIsNamed(t *testing.T) {
	proxy := func(answer http.HandlerFunc) string { return server(t, answer).URL }
	refuses := func(status int) string {
		return proxy(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	private := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(private.Close)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host == "proxy.invalid" {
			return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	for name, c := range map[string]struct{ proxy, says, fix string }{
		"it asks for a password": {refuses(http.StatusProxyAuthRequired), "asks for a name and a password", "outside.proxy"},
		"it does not allow it":   {refuses(http.StatusForbidden), "did not let the call through (HTTP 403)", "allow CONNECT to that host"},
		"its own way is broken":  {refuses(http.StatusBadGateway), "The proxy itself did not reach Microsoft Graph (HTTP 502)", "whoever runs the proxy"},
		"it does not run":        {"http://" + gone.Addr().String(), "The proxy on the way to Microsoft Graph could not be reached", "whether the proxy runs"},
		"nobody knows its name":  {"http://proxy.invalid:3128", "its host name proxy.invalid is not known", "DNS"},
		"nobody knows it":        {private.URL, "The certificate of the proxy", "CA bundle"},
	} {
		for _, method := range []string{"GET", "POST"} {
			_, err := httpx.Send(client(t, httpx.Config{Dial: dial, Proxy: strings.Replace(c.proxy, "://", "://keyturn:hunter2@", 1)}), request(t, method, "https://graph.outside.test/v1.0/me"))
			f := httpx.Lost(bot.Graph, method == "POST", "", err)
			if f.Kind != bot.KindUnreachable || !strings.Contains(f.Says, c.says) || !strings.Contains(f.Fix, c.fix) {
				t.Errorf("%s, %s: %s: %q Fix: %q (%v)", name, method, f.Kind, f.Says, f.Fix, err)
			}
			if strings.Contains(f.Says+f.Fix+f.Error()+err.Error(), "hunter2") {
				t.Errorf("%s: the password of the proxy is told: %v", name, err)
			}
		}
	}
}
