package teams

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"keyturn/adapters/httpx"
)

// When keys are fetched. Microsoft's own SDK keeps them for a day and asks for
// an unknown one at most once an hour.
const (
	keysFresh   = 24 * time.Hour
	keysAgain   = time.Hour
	keysFailed  = time.Minute // after a fetch that failed
	keysTimeout = 5 * time.Second
	keysLargest = 1 << 20
)

// signingKey is a key that signs Microsoft's requests, with the channels that
// it may sign for.
type signingKey struct {
	public   *rsa.PublicKey
	endorsed []string
}

// keyring keeps the keys. It fetches them on first use, daily, and when a
// token names a key that it does not know; one fetch at a time, and the keys
// it has go on being used where a fetch fails.
type keyring struct {
	address string // of the OpenID metadata
	issuer  string
	http    *http.Client
	now     func() time.Time
	log     *slog.Logger

	mu      sync.Mutex
	keys    map[string]signingKey
	fetched time.Time // when keys arrived
	tried   time.Time // when they were last asked for
	failed  bool
	flight  chan struct{} // closed when the fetch under way ends
}

var errUnknownKey = errors.New("the token names a key that Microsoft does not list")

// get gives a key by its ID.
func (k *keyring) get(ctx context.Context, kid string) (signingKey, error) {
	for {
		k.mu.Lock()
		key, known := k.keys[kid]
		now := k.now()
		if known && now.Sub(k.fetched) < keysFresh {
			k.mu.Unlock()
			return key, nil
		}
		if k.flight != nil {
			if known { // an old key is better than waiting
				k.mu.Unlock()
				return key, nil
			}
			wait := k.flight
			k.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return signingKey{}, ctx.Err()
			}
		}
		if !k.due(now) {
			k.mu.Unlock()
			if !known {
				return signingKey{}, errUnknownKey
			}
			return key, nil
		}
		k.tried = now
		done := make(chan struct{})
		k.flight = done
		k.mu.Unlock()
		k.refresh(ctx, done)
	}
}

// due reports whether keys may be asked for again.
func (k *keyring) due(now time.Time) bool {
	if k.tried.IsZero() {
		return true
	}
	pause := keysAgain
	if k.failed {
		pause = keysFailed
	}
	return now.Sub(k.tried) >= pause
}

// refresh fetches once. What is under way does not end with the request that
// began it, since others wait for it too.
func (k *keyring) refresh(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
	defer cancel()
	keys, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failed = err != nil
	if err == nil {
		k.keys, k.fetched = keys, k.now()
	} else {
		k.log.Warn("Microsoft's signing keys could not be fetched; those that are known stay in use",
			"from", httpx.RedactString(k.address), "known", len(k.keys), "error", httpx.Clean(err))
	}
	k.flight = nil
	close(done)
}

func (k *keyring) fetch(ctx context.Context) (map[string]signingKey, error) {
	var meta struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.read(ctx, k.address, &meta); err != nil {
		return nil, err
	}
	if meta.Issuer != "" && meta.Issuer != k.issuer {
		return nil, fmt.Errorf("the key list is that of %q, not of %q", httpx.Plain(meta.Issuer, 80), k.issuer)
	}
	at, err := url.Parse(meta.Keys)
	if err != nil || at.Host == "" || (at.Scheme != "https" && !(httpx.Loopback(meta.Keys) && httpx.Loopback(k.address))) {
		return nil, errors.New("the address of the key list is not an https URL")
	}
	var list struct {
		Keys []struct {
			Type         string   `json:"kty"`
			ID           string   `json:"kid"`
			N            string   `json:"n"`
			E            string   `json:"e"`
			Endorsements []string `json:"endorsements"`
		} `json:"keys"`
	}
	if err := k.read(ctx, meta.Keys, &list); err != nil {
		return nil, err
	}
	keys := map[string]signingKey{}
	for _, j := range list.Keys {
		if public := rsaKey(j.Type, j.N, j.E); public != nil && j.ID != "" {
			keys[j.ID] = signingKey{public: public, endorsed: slices.Clone(j.Endorsements)}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key list holds no usable key")
	}
	return keys, nil
}

// rsaKey reads a key of at least 2048 bits, or gives nil.
func rsaKey(kind, n, e string) *rsa.PublicKey {
	nb, errN := base64.RawURLEncoding.DecodeString(n)
	eb, errE := base64.RawURLEncoding.DecodeString(e)
	if kind != "RSA" || errN != nil || errE != nil || len(eb) == 0 || len(eb) > 4 || len(nb) > 1024 {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(nb), E: int(new(big.Int).SetBytes(eb).Int64())}
	if key.N.BitLen() < 2048 || key.E < 3 || key.E%2 == 0 {
		return nil
	}
	return key
}

func (k *keyring) read(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := k.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, keysLargest+1))
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answered HTTP %d", httpx.RedactString(address), resp.StatusCode)
	case len(body) > keysLargest:
		return fmt.Errorf("%s answered with more than 1 MiB", httpx.RedactString(address))
	}
	return json.Unmarshal(body, into)
}
