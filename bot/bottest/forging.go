package bottest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Forger tries to come in with what was signed for something else.
type Forger struct {
	// Forge shows what decides who comes in something that nobody signed as it
	// is, made out of what somebody did. It is false where what came out says
	// just what was signed. Its error is that it was let in.
	Forge func(r *rand.Rand) (forged bool, err error)
	// Genuine shows it what was signed, as it is. Its error is that it was not
	// let in: then what is refused shows nothing.
	Genuine func(r *rand.Rand) error
}

const (
	fewForgeries  = 20_000
	manyForgeries = 10_000_000 // with KEYTURN_LONG=1
	genuineEvery  = 10_000     // forgeries
	forgerLives   = 100_000    // forgeries
)

// Forgeries has forgers try, beside each other, and logs how often nobody came
// in. open makes one, with what it shows its forgeries to.
func Forgeries(t *testing.T, of string, open func(t *testing.T) Forger) {
	t.Helper()
	want := fewForgeries
	if os.Getenv("KEYTURN_LONG") != "" {
		want = manyForgeries
	}
	seed, begun := uint64(time.Now().UnixNano()), time.Now()
	t.Logf("seed %d", seed)
	var forged, genuine, shifts atomic.Int64
	var beside sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		beside.Go(func() {
			for !t.Failed() {
				shift := shifts.Add(1) - 1
				most := min(forgerLives, want-int(shift)*forgerLives)
				if most <= 0 {
					return
				}
				t.Run(fmt.Sprint("forger ", shift+1), func(t *testing.T) {
					f, g := open(t).tries(t, rand.New(rand.NewPCG(seed, uint64(shift))), most)
					forged.Add(int64(f))
					genuine.Add(int64(g))
				})
			}
		})
	}
	beside.Wait()
	if t.Failed() {
		return
	}
	t.Logf("forged: %s %s in %.0f s, 0 accepted; %s genuine ones in between, each accepted",
		grouped(forged.Load()), of, time.Since(begun).Seconds(), grouped(genuine.Load()))
}

// tries shows so many forgeries, and something genuine every so often.
func (f Forger) tries(t *testing.T, r *rand.Rand, most int) (forged, genuine int) {
	for same := 0; forged < most; {
		if forged%genuineEvery == 0 && same == 0 {
			if err := f.Genuine(r); err != nil {
				t.Fatalf("what is signed is refused after %d forgeries: %v", forged, err)
			}
			genuine++
		}
		is, err := f.Forge(r)
		if err != nil {
			t.Fatalf("forgery %d was let in: %v", forged+1, err)
		}
		if !is {
			if same++; same > 1000 {
				t.Fatal("nothing is forged: what comes out is what was signed")
			}
			continue
		}
		forged, same = forged+1, 0
	}
	return forged, genuine
}

func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// oddities are what a reader may pass over, cut at, or take for something else.
var oddities = []string{"\x00", " ", "\t", "\r\n", "\n", "=", "==", ".", ",", ";", "&", "%", "%00", "+", "-", "/", "\\", "\"", "'", "\u00a0", "\u200b", "\ufeff", "é", "\xff", "ı", "０"}

// Mutate changes a text in one of the ways in which what is signed is tampered
// with: bits and bytes, cuts, repetitions, parts moved or taken from another
// text, another case. What comes out may be the same.
func Mutate(r *rand.Rand, s string, others ...string) string {
	at := func() int { return r.IntN(len(s) + 1) }
	span := func() (int, int) { a, b := at(), at(); return min(a, b), max(a, b) }
	if s == "" {
		return oddities[r.IntN(len(oddities))]
	}
	switch b, i := []byte(s), r.IntN(len(s)); r.IntN(13) {
	case 0:
		b[i] ^= 1 << r.IntN(8)
		return string(b)
	case 1:
		b[i] = byte(r.IntN(256))
		return string(b)
	case 2: // another character of its kind
		b[i] = s[r.IntN(len(s))]
		return string(b)
	case 3:
		return s[:i] + s[i+1:]
	case 4:
		o := at()
		return s[:o] + oddities[r.IntN(len(oddities))] + s[o:]
	case 5:
		return s[:i]
	case 6:
		return s[i:]
	case 7:
		from, to := span()
		return s[:to] + s[from:]
	case 8:
		from, to := span()
		return s[:from] + s[to:]
	case 9: // two halves change places
		return s[i:] + s[:i]
	case 10:
		from, to := span()
		return s[:from] + strings.ToUpper(s[from:to]) + s[to:]
	case 11:
		from, to := span()
		return s[:from] + strings.ToLower(s[from:to]) + s[to:]
	}
	if len(others) == 0 {
		return s + s
	}
	o := others[r.IntN(len(others))]
	if o == "" {
		return ""
	}
	from := r.IntN(len(o))
	return s[:at()] + o[from:]
}
