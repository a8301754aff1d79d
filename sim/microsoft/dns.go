package microsoft

import (
	"errors"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// ConnectorHost is the one name that the simulated DNS knows while the world
// is Alive.
const ConnectorHost = "connector.rave.microsoft.com"

// ServeDNS answers DNS queries until the connection is closed, then returns
// nil: ConnectorHost is 127.0.0.1 while the connector lives, and everything
// else, always, does not exist.
func (s *Server) ServeDNS(conn net.PacketConn) error {
	in := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(in)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if out := s.answerDNS(in[:n]); out != nil {
			if _, err := conn.WriteTo(out, from); err != nil && !errors.Is(err, net.ErrClosed) {
				return err
			}
		}
	}
}

// answerDNS makes the answer to one query; nil where it cannot be read.
func (s *Server) answerDNS(query []byte) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil || head.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	head.Response, head.Authoritative, head.RecursionAvailable = true, true, true
	s.mu.Lock()
	known := s.st.World == Alive && strings.EqualFold(strings.TrimSuffix(q.Name.String(), "."), ConnectorHost)
	s.mu.Unlock()
	head.RCode = dnsmessage.RCodeSuccess
	if !known {
		head.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, head)
	err = errors.Join(b.StartQuestions(), b.Question(q), b.StartAnswers())
	if err == nil && known && q.Type == dnsmessage.TypeA {
		err = b.AResource(dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}, dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}})
	}
	out, ferr := b.Finish()
	if err != nil || ferr != nil {
		return nil
	}
	return out
}
