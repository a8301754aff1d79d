package outward_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"keyturn/adapters/outward"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const wantLine = `<109>1 2026-11-24T12:00:00.000Z bot keyturn - audit-head - contoso 42:0badf00d:ab`

func TestALineReachesTheCollectorAsRFC5424Says(t *testing.T) {
	ca := trust(t)
	for _, scheme := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if scheme == "tls" {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{ca.cert}})
		}
		t.Cleanup(func() { l.Close() })
		got := make(chan string, 1)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				got <- err.Error()
				return
			}
			defer conn.Close()
			b, _ := io.ReadAll(conn)
			got <- string(b)
		}()
		s, err := outward.NewSyslog(outward.SyslogConfig{Address: scheme + "://" + l.Addr().String(), CAFile: ca.file, Host: "bot"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write(t.Context(), "audit-head", "contoso 42:0badf00d:ab", noon); err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		if b := <-got; b != "81 "+wantLine {
			t.Errorf("%s: the collector got %q", scheme, b)
		}
	}
}

func TestALineIsOneDatagram(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := outward.NewSyslog(outward.SyslogConfig{Address: "udp://" + l.LocalAddr().String(), Host: "b o\nt"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), "audit-head", "contoso\n42:0badf00d:ab\x00", noon); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2000)
	n, _, err := l.ReadFrom(b)
	if err != nil || string(b[:n]) != wantLine {
		t.Errorf("the collector got %q, %v", b[:n], err)
	}
}

func TestACollectorThatIsNotThereIsAFailureToTryAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "tcp://" + l.Addr().String()
	l.Close()
	s, err := outward.NewSyslog(outward.SyslogConfig{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Write(ctx, "x", "y", noon); err == nil || !strings.Contains(err.Error(), "could not be reached") {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"", "logs.example.com", "tls://logs.example.com", "http://logs.example.com:80", "udp://user@host:514", "udp://host:514/path"} {
		if _, err := outward.NewSyslog(outward.SyslogConfig{Address: bad}); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}
