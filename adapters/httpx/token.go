package httpx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"keyturn/bot"
)

// Token is an access token with its times.
type Token struct {
	Value   bot.Secret
	Type    string // "Bearer"
	Scope   string
	Fetched time.Time
	Expires time.Time
}

// ErrNoToken is the error of [ParseToken] for an answer without a token.
var ErrNoToken = errors.New("the answer holds no access token")

// ParseToken reads the success answer of an OAuth token endpoint (RFC 6749,
// section 5.1). Endpoints that write numbers as strings are understood; an
// answer without a life time counts as five minutes.
func ParseToken(body []byte, now time.Time) (Token, error) {
	var w struct {
		Access  string          `json:"access_token"`
		Type    string          `json:"token_type"`
		Scope   json.RawMessage `json:"scope"`
		Expires json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return Token{}, errors.New("the answer of the token endpoint is not what it should be") // the cause could quote the token
	}
	if w.Access == "" {
		return Token{}, ErrNoToken
	}
	life, err := strconv.ParseFloat(strings.Trim(string(w.Expires), `" `), 64)
	if err != nil || !(life > 0) {
		life = 300
	}
	t := Token{Value: bot.NewSecret(w.Access), Type: w.Type, Fetched: now}
	_ = json.Unmarshal(w.Scope, &t.Scope) // some endpoints write a list; it is only shown
	t.Expires = now.Add(time.Duration(min(life, longest.Seconds()) * float64(time.Second)))
	return t, nil
}

// Fresh reports whether the token will live long enough for a call: until
// five minutes before its end, for short-lived ones a fifth of their life.
func (t Token) Fresh(now time.Time) bool {
	margin := min(5*time.Minute, t.Expires.Sub(t.Fetched)/5)
	return !t.Value.IsZero() && now.Before(t.Expires.Add(-margin))
}

// TokenKey makes a cache key of everything that a token depends on. It is a
// digest, so that secrets can be part of it: a rotated secret has a new key.
func TokenKey(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TokenCache keeps tokens until shortly before they expire and fetches each
// once for any number of askers. The zero value is ready for use.
type TokenCache struct {
	Now func() time.Time // nil is time.Now

	mu      sync.Mutex
	tokens  map[string]Token
	flights map[string]*flight
}

type flight struct {
	done  chan struct{}
	token Token
	err   error
}

// Get gives the cached token or fetches one. Askers that come while a fetch
// is under way share its result; where the fetching asker gave up, one of the
// others fetches in its place.
func (c *TokenCache) Get(ctx context.Context, key string, fetch func(context.Context) (Token, error)) (Token, error) {
	for {
		c.mu.Lock()
		if t, ok := c.tokens[key]; ok && t.Fresh(c.now()) {
			c.mu.Unlock()
			return t, nil
		}
		f, waiting := c.flights[key]
		if !waiting {
			f = &flight{done: make(chan struct{})}
			if c.flights == nil {
				c.flights = make(map[string]*flight)
			}
			c.flights[key] = f
		}
		c.mu.Unlock()
		if !waiting {
			return c.fly(ctx, key, f, fetch)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Token{}, context.Cause(ctx)
		}
		if f.err == nil || !errors.Is(f.err, errGaveUp) {
			return f.token, f.err
		}
	}
}

// errGaveUp marks a fetch that ended with its asker, not with an answer.
var errGaveUp = errors.New("the token was not waited for")

func (c *TokenCache) fly(ctx context.Context, key string, f *flight, fetch func(context.Context) (Token, error)) (Token, error) {
	f.err = errGaveUp // holds where fetch panics
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.flights, key)
		if f.err == nil {
			c.keep(key, f.token)
		}
		close(f.done)
	}()
	token, err := fetch(ctx)
	if err != nil {
		if ctx.Err() == nil {
			f.err = err
		}
		return Token{}, err
	}
	f.token, f.err = token, nil
	return token, nil
}

// keep stores a token and forgets those that are of no use any more.
func (c *TokenCache) keep(key string, t Token) {
	if c.tokens == nil {
		c.tokens = make(map[string]Token)
	}
	now := c.now()
	for k, old := range c.tokens {
		if !old.Fresh(now) {
			delete(c.tokens, k)
		}
	}
	c.tokens[key] = t
}

// Drop forgets a token that a server refused. A newer one under the same key
// stays.
func (c *TokenCache) Drop(key string, refused bot.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tokens[key]; ok && t.Value == refused {
		delete(c.tokens, key)
	}
}

func (c *TokenCache) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
