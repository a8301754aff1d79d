package state

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestWhatWasSealedOpensUnderItsOwnNameOnly(t *testing.T) {
	s := must(OpenSealer(must(NewKey())))
	clear := []byte("client secret")
	sealed := must(s.Seal("secret/a", clear))
	if bytes.Contains(sealed, clear) {
		t.Fatal("it is not sealed")
	}
	if got, err := s.Open("secret/a", sealed); err != nil || !bytes.Equal(got, clear) {
		t.Errorf("it opens as %q, %v", got, err)
	}
	if _, err := s.Open("secret/b", sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("under another's name: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := s.Open("secret/a", bad); !errors.Is(err, ErrSealed) {
			t.Fatalf("with byte %d changed: %v", i, err)
		}
	}
	if bytes.Equal(sealed, must(s.Seal("secret/a", clear))) {
		t.Error("sealing twice gives the same bytes, so equal secrets can be told")
	}
}

func TestRotationSealsWithTheNewKeyAndOpensTheOld(t *testing.T) {
	oldKey := must(NewKey())
	bothKeys := must(AddKey(oldKey))
	before, after := must(OpenSealer(oldKey)), must(OpenSealer(bothKeys))
	sealed := must(before.Seal("n", []byte("old")))
	if got, err := after.Open("n", sealed); err != nil || string(got) != "old" {
		t.Errorf("what the old key sealed opens as %q, %v", got, err)
	}
	if _, err := before.Open("n", must(after.Seal("n", []byte("new")))); !errors.Is(err, ErrSealed) {
		t.Errorf("the old key alone opens what the new one sealed: %v", err)
	}
	if err := CheckMark(after, must(NewMark(before))); err != nil {
		t.Errorf("the data's mark after rotating: %v", err)
	}
	if err := CheckMark(must(OpenSealer(must(NewKey()))), must(NewMark(before))); err == nil {
		t.Error("another key passes for the data's own")
	}
}

func TestADamagedKeyIsRefusedWithASentenceThatDoesNotQuoteIt(t *testing.T) {
	key := must(NewKey())
	for name, damaged := range map[string]string{
		"none": "", "blank": " \n", "cut off": key[:len(key)-9], "cut at the front": key[1:],
		"with a stray character": "!" + key, "other text": strings.Repeat("A", 400), "quoted": `"` + key + `"`,
	} {
		for open, f := range map[string]func(string) error{
			"sealing":  func(k string) error { _, err := OpenSealer(k); return err },
			"auditing": func(k string) error { _, err := OpenAuditor(k); return err },
			"rotating": func(k string) error { _, err := AddKey(k); return err },
		} {
			err := f(damaged)
			if err == nil {
				t.Errorf("a key %s is good for %s", name, open)
			} else if len(damaged) > 60 && strings.Contains(err.Error(), damaged[20:40]) {
				t.Errorf("the error quotes the key: %v", err)
			}
		}
	}
	if _, err := OpenSealer(key + "\n"); err != nil {
		t.Errorf("the line end of a key file: %v", err)
	}
}
