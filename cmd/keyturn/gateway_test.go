package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/sim/play"
)

// gateway is the only way out of an organisation: a proxy that asks for a name
// and a password, behind which every outside system has a certificate of the
// organisation's own authority. The systems' names lead nowhere but through it.
type gateway struct {
	address   string // of the proxy, with the name and the password
	authority string // PEM file

	mu      sync.Mutex
	behind  map[string]http.Handler
	asked   map[string]int // hosts, by CONNECT
	refused int            // for want of the password
	astray  []string       // what is no CONNECT to one of the systems
	blocked string         // a host that is not let through
	answer  int            // to everything, in the place of letting it through
}

const gatewayUser, gatewayPassword = "keyturn", "hunter2"

// opened starts a gateway. What is behind a name is said later.
func opened(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{asked: map[string]int{}, behind: map[string]http.Handler{}, authority: filepath.Join(t.TempDir(), "authority.pem")}
	systems := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := g.system(r.Host); h != nil {
			h.ServeHTTP(w, r)
		}
	}))
	systems.TLS = &tls.Config{Certificates: []tls.Certificate{g.certify(t, []string{"*.outside.test", "*.slack.outside.test", realGraph, "smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com"})}}
	systems.StartTLS()
	t.Cleanup(systems.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := g.judge(r); status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		join(w, systems.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	g.address = strings.Replace(proxy.URL, "://", "://"+gatewayUser+":"+gatewayPassword+"@", 1)
	return g
}

// judge says with which status a request to the proxy is answered.
func (g *gateway) judge(r *http.Request) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	host, port, _ := net.SplitHostPort(r.Host)
	switch {
	case r.Method != http.MethodConnect || port != "443" || g.behind[host] == nil:
		g.astray = append(g.astray, r.Method+" "+r.Host)
		return http.StatusForbidden
	case r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(gatewayUser+":"+gatewayPassword)):
		g.refused++
		return http.StatusProxyAuthRequired
	case g.answer != 0:
		return g.answer
	case host == g.blocked:
		return http.StatusForbidden
	}
	g.asked[host]++
	return http.StatusOK
}

// join carries bytes between who asked for a tunnel and its end.
func join(w http.ResponseWriter, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, read, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	if _, err := io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(out, read) // which may have read ahead already
		out.Close()
	}()
	_, _ = io.Copy(in, out)
}

// certify makes the authority and a certificate of it for all names.
func (g *gateway) certify(t *testing.T, names []string) tls.Certificate {
	t.Helper()
	sign := func(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(240*time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	keys := [2]*ecdsa.PrivateKey{}
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoso inspects"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	if err := os.WriteFile(g.authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sign(root, root, keys[0], keys[0])}), 0o600); err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names, KeyUsage: x509.KeyUsageDigitalSignature}
	return tls.Certificate{Certificate: [][]byte{sign(leaf, root, keys[1], keys[0])}, PrivateKey: keys[1]}
}

// realGraph is Graph's own name: tokens are asked for by it.
const realGraph = "graph.microsoft.com"

// leads has the names of a world's simulators lead to them, and those that only
// stand beside them in the list of a configuration.
func (g *gateway) leads(w *play.World) {
	g.set(func() {
		for name, address := range w.Behind {
			g.behind[name] = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
		}
		for _, below := range []string{"hooks", "files"} {
			g.behind[below+".slack.outside.test"] = g.behind["slack.outside.test"]
		}
		for _, host := range []string{"smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com"} {
			g.behind[host] = g.behind["teams.outside.test"]
		}
		g.behind[realGraph] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/graph" + r.URL.Path
			g.system("microsoft.outside.test").ServeHTTP(w, r)
		})
	})
}

func (g *gateway) system(host string) (h http.Handler) {
	g.set(func() { h = g.behind[host] })
	return h
}

func (g *gateway) carried(host string) (n int) {
	g.set(func() { n = g.asked[host] })
	return n
}

// says has the proxy answer everything with a status, 0 nothing any more.
func (g *gateway) says(status int) { g.set(func() { g.answer = status }) }

func (g *gateway) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}
