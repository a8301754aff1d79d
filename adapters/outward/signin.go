package outward

import (
	"errors"
	"net/smtp"
	"strings"

	"keyturn/bot"
)

var (
	// errChallenge is a server that asks for more than a user and a password.
	errChallenge = errors.New("the server asked for something that is neither user nor password")
	errClear     = errors.New("a password is not sent unencrypted")
)

// pick chooses how to sign in, and nil where nothing fits.
func pick(offered, user string, password bot.Secret) smtp.Auth {
	login := false
	for _, mechanism := range strings.Fields(strings.ToUpper(offered)) {
		switch mechanism {
		case "PLAIN":
			return &signIn{mechanism: mechanism, first: bot.NewSecret("\x00" + user + "\x00" + password.Reveal())}
		case "LOGIN":
			login = true
		}
	}
	if login {
		return &signIn{mechanism: "LOGIN", answers: []bot.Secret{bot.NewSecret(user), password}}
	}
	return nil
}

// signIn is AUTH PLAIN (RFC 4616), or AUTH LOGIN, which is older and the only
// one that some servers have: they ask for the user, then for the password.
type signIn struct {
	mechanism string
	first     bot.Secret   // sent at once
	answers   []bot.Secret // to the server's questions, in order
}

// Start begins, over TLS only.
func (s *signIn) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errClear
	}
	return s.mechanism, []byte(s.first.Reveal()), nil
}

// Next answers a question.
func (s *signIn) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if len(s.answers) == 0 {
		return nil, errChallenge
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return []byte(answer.Reveal()), nil
}
