package outward_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority is a throw-away certificate authority with one certificate for the
// hosts of the tests.
type authority struct {
	file string // PEM, for CAFile
	cert tls.Certificate
}

var newAuthority = sync.OnceValue(func() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	// One certificate is its own authority and the server's.
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "throw-away"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{"mail.contoso.test", "alerts.contoso.test", "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return authority{cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
})

func trust(t *testing.T) authority {
	t.Helper()
	a := newAuthority()
	a.file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// mailServer is an SMTP server on loopback that behaves as it is told.
type mailServer struct {
	l        net.Listener
	config   *tls.Config
	implicit bool // TLS from the start

	extensions []string          // before TLS
	secured    []string          // after TLS
	user, pass string            // what is accepted
	replies    map[string]string // instead of the usual reply, by the command's beginning; "EHLO", "." after the data, "" for the greeting
	drop       map[string]bool   // the connection ends there without a reply
	hang       string            // no reply there until the client leaves

	hung chan struct{} // closed when it hangs

	mu       sync.Mutex
	lines    []string // commands, as received
	messages []message
	wait     sync.WaitGroup
}

type message struct {
	from string
	to   []string
	data string
	tls  bool
}

func startMail(t *testing.T, s *mailServer) *mailServer {
	t.Helper()
	var err error
	if s.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.hung = make(chan struct{})
	s.config = &tls.Config{Certificates: []tls.Certificate{newAuthority().cert}}
	s.wait.Go(func() {
		for {
			c, err := s.l.Accept()
			if err != nil {
				return
			}
			s.wait.Go(func() { defer c.Close(); s.serve(c) })
		}
	})
	t.Cleanup(func() { s.l.Close(); s.wait.Wait() })
	return s
}

// dial leads every address to this server.
func (s *mailServer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, s.l.Addr().String())
}

func (s *mailServer) received() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages
}

// transcript is everything that clients said before and after TLS.
func (s *mailServer) transcript() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// talk is one connection.
type talk struct {
	*mailServer
	c       net.Conn
	r       *bufio.Reader
	secure  bool
	current message
}

func (s *mailServer) serve(c net.Conn) {
	k := &talk{mailServer: s, c: c}
	if s.implicit {
		k.encrypt()
	}
	k.r = bufio.NewReader(k.c)
	if !k.answer("", "220 mail.contoso.test ready") {
		return
	}
	for {
		line, err := k.r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
		if !k.command(line) {
			return
		}
	}
}

func (k *talk) encrypt() {
	k.c, k.secure = tls.Server(k.c, k.config), true
	k.r = bufio.NewReader(k.c)
}

// answer gives the reply that the test set for a command, or the usual one,
// and reports whether the conversation goes on.
func (k *talk) answer(command, usual string) bool {
	if k.hang != "" && strings.HasPrefix(command, k.hang) {
		close(k.hung)
		_, _ = k.r.ReadByte() // until the client leaves
		return false
	}
	for begins := range k.drop {
		if strings.HasPrefix(command, begins) {
			return false
		}
	}
	for begins, reply := range k.replies {
		if (begins == "") == (command == "") && strings.HasPrefix(command, begins) {
			usual = reply
		}
	}
	_, err := k.c.Write([]byte(strings.ReplaceAll(usual, "\n", "\r\n") + "\r\n"))
	return err == nil
}

func (k *talk) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		list := k.extensions
		if k.secure {
			list = k.secured
		}
		reply := ""
		for _, e := range append([]string{"mail.contoso.test"}, list...) {
			reply += "250-" + e + "\n"
		}
		return k.answer(line, reply+"250 HELP")
	case "STARTTLS":
		if !k.answer(line, "220 go on") {
			return false
		}
		if k.replies["STARTTLS"] == "" {
			k.encrypt()
		}
		return true
	case "AUTH":
		return k.auth(line, rest)
	case "MAIL":
		k.current = message{from: rest, tls: k.secure}
	case "RCPT":
		if k.replies[line] == "" {
			k.current.to = append(k.current.to, strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>"))
		}
	case "DATA":
		return k.data(line)
	case "QUIT":
		k.answer(line, "221 bye")
		return false
	}
	return k.answer(line, "250 2.0.0 ok")
}

func (k *talk) auth(line, rest string) bool {
	mechanism, first, _ := strings.Cut(rest, " ")
	var got string
	if mechanism == "PLAIN" {
		raw, _ := base64.StdEncoding.DecodeString(first)
		got = string(raw)
	} else {
		for _, question := range []string{"User Name", "Password"} {
			_, _ = k.c.Write([]byte("334 " + base64.StdEncoding.EncodeToString([]byte(question)) + "\r\n"))
			answer, err := k.r.ReadString('\n')
			if err != nil {
				return false
			}
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(answer))
			got += "\x00" + string(raw)
		}
	}
	if got == "\x00"+k.user+"\x00"+k.pass {
		return k.answer(line, "235 2.7.0 welcome")
	}
	// Some servers repeat what they did not understand.
	return k.answer(line, "535 5.7.8 no: "+first+" "+got)
}

func (k *talk) data(line string) bool {
	if k.replies["DATA"] != "" {
		return k.answer(line, "")
	}
	if !k.answer(line, "354 go on") {
		return false
	}
	var b strings.Builder
	for {
		l, err := k.r.ReadString('\n')
		if err != nil {
			return false
		}
		if l == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(l, "."))
	}
	if k.replies["."] == "" {
		k.current.data = b.String()
		k.mu.Lock()
		k.messages = append(k.messages, k.current)
		k.mu.Unlock()
	}
	return k.answer(".", "250 2.0.0 queued")
}
