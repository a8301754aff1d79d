package state

import (
	"errors"
	"testing"
)

func TestASealedValueSaysWhichKeySealedIt(t *testing.T) {
	first := must(NewKey())
	second := must(AddKey(first))
	count, newest, err := Keys(second)
	if err != nil || count != 2 {
		t.Fatalf("%d keys, %v", count, err)
	}
	_, oldest, err := Keys(first)
	if err != nil || oldest == newest {
		t.Fatalf("the newest is %08x, the one before %08x, %v", newest, oldest, err)
	}
	for key, want := range map[string]uint32{first: oldest, second: newest} {
		sealed := must(must(OpenSealer(key)).Seal("n", []byte("v")))
		if got, err := SealedWith(sealed); err != nil || got != want {
			t.Errorf("sealed with %08x, %v, want %08x", got, err, want)
		}
	}
	for _, bad := range [][]byte{nil, {1, 2}, {0, 1, 2, 3, 4, 5}} {
		if _, err := SealedWith(bad); !errors.Is(err, ErrSealed) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, _, err := Keys("nonsense"); err == nil {
		t.Error("nonsense is a keyset")
	}
}
