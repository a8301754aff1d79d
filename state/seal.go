package state

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Sealer encrypts what must not be on disk in clear. A sealed value is bound
// to its record's name: under another name it does not open, so records
// cannot be swapped.
type Sealer interface {
	// Seal encrypts with the newest key.
	Seal(name string, clear []byte) ([]byte, error)
	// Open decrypts with whichever key of the keyset sealed the value. A wrong
	// key, another name and a changed byte look the same: [ErrSealed].
	Open(name string, sealed []byte) ([]byte, error)
}

// OpenSealer reads a keyset that [NewKey] or [AddKey] made. The caller fetches
// the text from an environment variable or a file.
func OpenSealer(key string) (Sealer, error) {
	h, err := readKeyset(key)
	if err != nil {
		return nil, err
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("the sealing keyset cannot be used: %w", err)
	}
	return sealer{a}, nil
}

type sealer struct{ aead tink.AEAD }

func (s sealer) Seal(name string, clear []byte) ([]byte, error) {
	b, err := s.aead.Encrypt(clear, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("%s could not be sealed: %w", name, err)
	}
	return b, nil
}

func (s sealer) Open(name string, sealed []byte) ([]byte, error) {
	b, err := s.aead.Decrypt(sealed, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, ErrSealed)
	}
	return b, nil
}
