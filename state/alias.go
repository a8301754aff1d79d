package state

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Alias is what a name is called where the name itself must not stand: a keyed
// sum of it, in hexadecimal. It is that of the keyset's oldest key, so that it
// stays the same when a key is added.
func (a *Auditor) Alias(name string) string {
	key, err := hkdf.Expand(sha256.New, a.secrets[a.oldest], "names", sha256.Size)
	if err != nil {
		panic(fmt.Sprintf("a key of %d bytes could not be derived: %v", sha256.Size, err)) // only of an absurd length
	}
	sum := hmac.New(sha256.New, key)
	sum.Write([]byte(name)) // a sum cannot fail
	return hex.EncodeToString(sum.Sum(nil))
}
