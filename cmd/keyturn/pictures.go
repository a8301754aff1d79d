package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// pictureKept is how long a picture stands at its address: as long as somebody
// is likely to scroll back to its message, whose words say the same afterwards.
const pictureKept = 30 * 24 * time.Hour

// pictureSecret names the sealed key that signs the addresses of pictures.
const pictureSecret = "pictures/key"

// drawings are the pictures that stand at an address, by their sums.
var drawings = engine.Kind[[]byte]{Name: "drawing"}

// pictures gives pictures an address where a chat that cannot be given files
// fetches them, without a sign-in: an address is signed, so that nobody guesses
// one, and ends with its time.
type pictures struct {
	store engine.Store
	base  string // Keyturn's own address
	now   func() time.Time
	log   *slog.Logger

	mu  sync.Mutex
	key []byte
}

// Keep implements [teams.Pictures]. The same picture has the same address for a
// day, however often its message is tried.
func (p *pictures) Keep(ctx context.Context, png []byte) (string, error) {
	key, err := p.signing(ctx, true)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(png)
	name := base64.RawURLEncoding.EncodeToString(sum[:18])
	until := p.now().UTC().Truncate(24 * time.Hour).Add(24*time.Hour + pictureKept)
	err = p.store.Commit(ctx, func(v engine.View) (c engine.Changes, err error) {
		drawings.PutUntil(&c, engine.NoTenant, name, png, until)
		return c, nil
	})
	if err != nil {
		return "", fmt.Errorf("keeping a picture: %w", err)
	}
	when := strconv.FormatInt(until.Unix(), 36)
	return p.base + "/picture/" + name + "." + when + "." + sign(key, name, when) + ".png", nil
}

func sign(key []byte, name, until string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("picture\x00" + name + "\x00" + until))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:24])
}

// signing is the key, made at the first picture.
func (p *pictures) signing(ctx context.Context, make bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key != nil {
		return p.key, nil
	}
	fresh := rand.Text() + rand.Text()
	var kept bot.Secret
	read := func(v engine.View) (missing bool, err error) {
		kept, err = v.Secret(pictureSecret)
		return errors.Is(err, bot.ErrNotFound), err
	}
	var err error
	if make {
		err = p.store.Commit(ctx, func(v engine.View) (c engine.Changes, err error) {
			missing, err := read(v)
			if missing {
				kept = bot.NewSecret(fresh)
				c.Secrets = []engine.Sealed{{Name: pictureSecret, Value: kept}}
				return c, nil
			}
			return c, err
		})
	} else {
		err = p.store.Read(ctx, func(v engine.View) error { _, err := read(v); return err })
	}
	if err != nil {
		return nil, fmt.Errorf("the key that signs the addresses of pictures: %w", err)
	}
	p.key = []byte(kept.Reveal())
	return p.key, nil
}

// ServeHTTP gives a picture to whoever has its address. All else is not there,
// and the store is not asked for what nobody signed.
func (p *pictures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	png, until, ok := p.at(r.Context(), r.PathValue("address"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // a chat shows it on a page of its own
	h.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(until.Sub(p.now()).Seconds())))
	_, _ = w.Write(png)
}

func (p *pictures) at(ctx context.Context, address string) (png []byte, until time.Time, ok bool) {
	part := strings.Split(address, ".")
	if len(part) != 4 || part[3] != "png" || len(address) > 100 {
		return nil, until, false
	}
	unix, err := strconv.ParseInt(part[1], 36, 64)
	if until = time.Unix(unix, 0); err != nil || !until.After(p.now()) {
		return nil, until, false
	}
	key, err := p.signing(ctx, false)
	if err != nil || !hmac.Equal([]byte(sign(key, part[0], part[1])), []byte(part[2])) {
		return nil, until, false
	}
	err = p.store.Read(ctx, func(v engine.View) (err error) {
		png, ok, err = drawings.Get(v, engine.NoTenant, part[0])
		return err
	})
	if err != nil {
		p.log.Warn("a picture cannot be read", "err", err)
	}
	return png, until, ok && err == nil
}
