package state

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// NewKey makes a keyset with one fresh key, as the text that an environment
// variable or a key file holds: a Tink cleartext keyset in JSON, in base64.
// Whoever has it can read everything that is sealed: keep it away from the
// data file and its backups.
func NewKey() (string, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("a sealing key could not be made: %w", err)
	}
	return writeKeyset(h)
}

// AddKey rotates: it gives the keyset of key with one more, fresh key, which
// seals from then on. The older keys still open what they sealed and still
// verify the audit entries that they signed, so they stay.
func AddKey(key string) (string, error) {
	h, err := readKeyset(key)
	if err != nil {
		return "", err
	}
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = m.SetPrimary(id)
	}
	if err == nil {
		h, err = m.Handle()
	}
	if err != nil {
		return "", fmt.Errorf("a key could not be added to the sealing keyset: %w", err)
	}
	return writeKeyset(h)
}

func writeKeyset(h *keyset.Handle) (string, error) {
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&buf)); err != nil {
		return "", fmt.Errorf("the sealing keyset could not be written as text: %w", err)
	}
	return base64.StdEncoding.EncodeToString(buf.Bytes()), nil
}

// readKeyset reads what writeKeyset wrote. Its errors never quote the text,
// which is a secret even when it is damaged.
func readKeyset(key string) (*keyset.Handle, error) {
	key = strings.TrimSpace(key)
	if key == "" {
		return nil, errors.New("there is no sealing key: give the one that was made for this data, or make a new one for new data")
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil, errors.New("the sealing key is not base64 text: copy it whole, on one line, without quotes")
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, errors.New("the sealing key is base64 text, but holds no Tink keyset in JSON: copy the whole key that Keyturn made")
	}
	return h, nil
}

// signingKeys derives a secret for audit chains from each enabled key of the
// keyset, by key ID, and names the newest and the oldest.
func signingKeys(h *keyset.Handle) (secrets map[uint32][]byte, newest, oldest uint32, err error) {
	secrets = make(map[uint32][]byte)
	for i := range h.Len() {
		e, err := h.Entry(i)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("the sealing keyset cannot be read: %w", err)
		}
		if e.KeyStatus() != keyset.Enabled {
			continue
		}
		k, ok := e.Key().(*aesgcm.Key)
		if !ok {
			return nil, 0, 0, fmt.Errorf("the sealing keyset holds a key that is not AES-GCM (ID %08x): use keys that Keyturn made", e.KeyID())
		}
		secret, err := hkdf.Key(sha256.New, k.KeyBytes().Data(insecuresecretdataaccess.Token{}), nil, "keyturn audit 1", sha256.Size)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("the audit key could not be derived: %w", err)
		}
		if len(secrets) == 0 {
			oldest = e.KeyID() // a key is added behind the others
		}
		secrets[e.KeyID()] = secret
		if e.IsPrimary() {
			newest = e.KeyID()
		}
	}
	if len(secrets) == 0 {
		return nil, 0, 0, errors.New("the sealing keyset has no enabled key: use one that Keyturn made")
	}
	return secrets, newest, oldest, nil
}
