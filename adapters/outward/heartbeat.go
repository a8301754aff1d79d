package outward

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// DefaultEvery is the default of [HeartbeatConfig.Every].
const DefaultEvery = time.Minute

// HeartbeatConfig is what [NewHeartbeat] needs.
type HeartbeatConfig struct {
	URL    bot.Secret // https, or http to this machine; a secret because monitors put their key into the path
	Method string     // POST, which carries the sentence, or GET; "" is POST

	// Fail says how trouble is told:
	//
	//	""            not at all: the monitor misses the beat and raises the alarm
	//	"/fail"       to the same address with this added to its path
	//	"https://..." to this address
	Fail bot.Secret

	Every time.Duration // the least time between two beats; 0 is [DefaultEvery]

	HTTP *http.Client     // from httpx.New; nil is one of the default policy
	Now  func() time.Time // nil is time.Now
}

// Heartbeat tells a monitor outside that Keyturn is alive and reads service
// health. It may be asked to beat at any rate and keeps its own:
//
//	rest --Beat, Every is over--> a try, whatever comes of it --> rest
//
// The pause is kept in memory: a restart may beat once more. It is safe for
// concurrent use.
type Heartbeat struct {
	good, bad address // bad has no host where trouble is not told
	method    string
	every     time.Duration
	peer      peer

	mu     sync.Mutex
	last   time.Time // of the latest try
	resume time.Time // not before this, where the monitor asked for a pause
}

// NewHeartbeat checks a configuration. Its error is a sentence for the
// operator and holds no secret.
func NewHeartbeat(cfg HeartbeatConfig) (*Heartbeat, error) {
	good, err := newAddress("the heartbeat", cfg.URL)
	if err != nil {
		return nil, err
	}
	h := &Heartbeat{good: good, method: cfg.Method, every: cfg.Every}
	if h.bad, err = failAddress(good, cfg.Fail); err != nil {
		return nil, err
	}
	switch h.method {
	case "":
		h.method = http.MethodPost
	case http.MethodGet, http.MethodPost:
	default:
		return nil, fmt.Errorf("the heartbeat's method is %q: GET and POST are possible", httpx.Plain(cfg.Method, 20))
	}
	switch {
	case h.every == 0:
		h.every = DefaultEvery
	case h.every < time.Second:
		return nil, fmt.Errorf("the heartbeat cannot beat every %v: a second is the least", h.every)
	}
	client, err := clientOf(cfg.HTTP)
	if err != nil {
		return nil, err
	}
	h.peer = peer{system: Monitor, name: "the heartbeat monitor at " + good.host, http: client, now: cfg.Now}
	if h.peer.now == nil {
		h.peer.now = time.Now
	}
	return h, nil
}

func failAddress(good address, how bot.Secret) (address, error) {
	switch v := how.Reveal(); {
	case v == "":
		return address{}, nil
	case !strings.HasPrefix(v, "/"):
		return newAddress("the heartbeat's failure", how)
	case strings.ContainsAny(v, "?#%\\") || strings.Contains(v, "//") || strings.Contains(v, ".."):
		return address{}, errors.New("the heartbeat's suffix for failure is more than a path: write it like /fail, or give a whole https:// address")
	}
	return good.below(how.Reveal())
}

// Beat tells the monitor that all is well, or what is not, in one sentence.
// sent is false, and nothing has happened, where the previous beat is too
// recent or where trouble is not told. A beat that failed is not made up for:
// the next one is due after the same pause, or a longer one that the monitor
// asked for. The error is a [*bot.Failure].
func (h *Heartbeat) Beat(ctx context.Context, ok bool, says string) (sent bool, err error) {
	to := h.good
	if !ok {
		to = h.bad
	}
	if to.host == "" || !h.due() {
		return false, nil
	}
	header, body := http.Header{}, ""
	if h.method == http.MethodPost {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		body = httpx.Plain(says, 300)
	}
	p := h.peer
	p.name = "the heartbeat monitor at " + to.host
	f := p.send(ctx, h.method, to, header, body)
	if f != nil && f.RetryAfter > 0 {
		h.mu.Lock()
		h.resume = h.peer.now().Add(f.RetryAfter)
		h.mu.Unlock()
	}
	return true, failed(f)
}

// due takes the turn for one beat, before it is made, so that of two askers
// one beats.
func (h *Heartbeat) due() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.peer.now()
	if now.Before(h.last) {
		h.last, h.resume = time.Time{}, time.Time{} // the clock was set back; waiting for it to catch up would be an alarm
	}
	if !h.last.IsZero() && (now.Sub(h.last) < h.every || now.Before(h.resume)) {
		return false
	}
	h.last = now
	return true
}
