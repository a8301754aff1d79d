package state

import (
	"encoding/binary"
	"fmt"
)

// tinkPrefix is what begins a value that a key of a Tink keyset sealed: a byte
// 1 and the key's ID. Source: Tink's wire format, output prefix type TINK.
const tinkPrefix = 5

// Keys says what a sealing keyset holds, without the keys: how many, and the ID
// of the newest, which seals.
func Keys(key string) (count int, newest uint32, err error) {
	h, err := readKeyset(key)
	if err != nil {
		return 0, 0, err
	}
	secrets, newest, _, err := signingKeys(h)
	return len(secrets), newest, err
}

// SealedWith gives the ID of the key that sealed a value.
func SealedWith(sealed []byte) (uint32, error) {
	if len(sealed) < tinkPrefix || sealed[0] != 1 {
		return 0, fmt.Errorf("the value does not say which key sealed it: %w", ErrSealed)
	}
	return binary.BigEndian.Uint32(sealed[1:tinkPrefix]), nil
}
