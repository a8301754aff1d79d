package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// fate is what becomes of a send: whether it lands, and what the platform says.
type fate struct {
	lands bool
	err   error
}

var fine = fate{lands: true}

func refused(k bot.Kind) fate {
	return fate{err: &bot.Failure{Kind: k, Says: "The platform said " + string(k) + "."}}
}

// message is one that stands in the fake chat.
type message struct {
	Ref   bot.MessageRef
	Key   string
	Words string
	Edits int
}

// chat is a platform that keeps what it was given. fate decides each send.
type chat struct {
	mu       sync.Mutex
	messages []*message
	answers  []string
	homes    []string
	posts    int
	attempts int
	finds    int
	fate     func(op string, at bot.Place, m bot.Message) fate
	lookUp   func(at bot.Place) error // why it cannot be looked at now
}

func newChat() *chat { return &chat{} }

func (c *chat) decide(op string, at bot.Place, m bot.Message) fate {
	c.mu.Lock()
	f := c.fate
	c.attempts++
	c.mu.Unlock()
	if f == nil {
		return fine
	}
	return f(op, at, m)
}

func (c *chat) Platform() bot.Platform { return bot.Slack }

func (c *chat) Post(_ context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	f := c.decide("post", at, m)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts++
	ref := bot.MessageRef{Place: at, ID: fmt.Sprintf("ts-%d", c.posts)}
	if f.lands {
		c.messages = append(c.messages, &message{Ref: ref, Key: m.Key, Words: m.Words()})
	}
	if f.err != nil {
		return bot.MessageRef{}, f.err
	}
	return ref, nil
}

func (c *chat) Edit(_ context.Context, ref bot.MessageRef, m bot.Message) error {
	f := c.decide("edit", ref.Place, m)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.messages {
		if x.Ref.ID == ref.ID && f.lands {
			x.Words, x.Edits = m.Words(), x.Edits+1
		}
	}
	return f.err
}

func (c *chat) Answer(_ context.Context, to bot.Account, at bot.Place, back bot.Return, m bot.Message, redraw, inPlace bool) error {
	f := c.decide("answer", at, m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.lands {
		c.answers = append(c.answers, fmt.Sprintf("%s redraw=%v inPlace=%v back=%s: %s", to.ID, redraw, inPlace, back.URL.Reveal(), m.Words()))
	}
	return f.err
}

func (c *chat) Home(_ context.Context, who bot.Account, m bot.Message) error {
	f := c.decide("home", bot.DM(who), m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.lands {
		c.homes = append(c.homes, who.ID+": "+m.Words())
	}
	return f.err
}

func (c *chat) Remove(_ context.Context, ref bot.MessageRef) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m.Ref.ID == ref.ID })
	return nil
}

// at gives what stands at a place, its threads too.
func (c *chat) at(p bot.Place) (out []message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		if m.Ref.Place.Root() == p.Root() {
			out = append(out, *m)
		}
	}
	return out
}

// keyed gives what stands anywhere under a key.
func (c *chat) keyed(key string) (out []message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		if m.Key == key {
			out = append(out, *m)
		}
	}
	return out
}

func (c *chat) set(f func(op string, at bot.Place, m bot.Message) fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fate = f
}

// finding is a chat that can look a message up by its key.
type finding struct{ *chat }

func (c finding) Find(_ context.Context, at bot.Place, key string) (bot.MessageRef, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finds++
	if c.lookUp != nil {
		if err := c.lookUp(at); err != nil {
			return bot.MessageRef{}, false, err
		}
	}
	for _, m := range slices.Backward(c.messages) { // as platforms list them
		if m.Key == key && m.Ref.Place == at {
			return m.Ref, true, nil
		}
	}
	return bot.MessageRef{}, false, nil
}

// made is one call that the directory was asked to make.
type made struct {
	Method, Path, Body string
	Identity           bot.CallIdentity
}

// directory is an outside system with applications and their secrets. fault
// may answer for it, before or after the effect.
type directory struct {
	mu      sync.Mutex
	calls   []made
	apps    []string
	secrets []string // key IDs
	strange []string // apps that somebody else made
	old     []string // apps that were there for weeks
	next    int
	consent bool
	before  func(c bot.Call) error
	after   func(c bot.Call) error
	slowed  slowed
}

// slowed is a pause that a system asks for once, and how the call ends that it
// was told.
type slowed struct {
	pause time.Duration
	err   error
}

func (s *slowed) tell(ctx context.Context) error {
	now := *s
	*s = slowed{}
	bot.Slowed(ctx, now.pause)
	return now.err
}

func (g *directory) Call(ctx context.Context, _ bot.TenantID, c bot.Call, id bot.CallIdentity) (bot.Answer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, made{c.Method, c.Path, string(c.Body), id})
	if err := g.slowed.tell(ctx); err != nil {
		return bot.Answer{}, err
	}
	if g.before != nil {
		if err := g.before(c); err != nil {
			return bot.Answer{}, err
		}
	}
	a, err := g.answer(c)
	if g.after != nil {
		if err := g.after(c); err != nil {
			return bot.Answer{}, err
		}
	}
	return a, err
}

func (g *directory) answer(c bot.Call) (bot.Answer, error) {
	ok := func(format string, args ...any) (bot.Answer, error) {
		return bot.Answer{Status: 200, Body: json.RawMessage(fmt.Sprintf(format, args...))}, nil
	}
	missing := &bot.Failure{Kind: bot.KindNotFound, System: c.System, Status: 404, Says: "There is no such object."}
	switch {
	case c.Method == "GET" && c.Path == "/apps":
		return ok(`{"value":[%s]}`, g.list(g.apps))
	case c.Method == "POST" && c.Path == "/apps":
		g.next++
		g.apps = append(g.apps, fmt.Sprintf("a%d", g.next))
		return ok(`{"id":"a%d"}`, g.next)
	case c.Method == "GET" && c.Path == "/secrets":
		return ok(`{"value":[%s]}`, g.list(g.secrets))
	case c.Method == "POST" && strings.HasSuffix(c.Path, "/addPassword"):
		g.next++
		g.secrets = append(g.secrets, fmt.Sprintf("k%d", g.next))
		return ok(`{"keyId":"k%d","secretText":"treasure-%d"}`, g.next, g.next)
	case c.Method == "POST" && c.Path == "/removePassword":
		var b struct{ KeyID string }
		_ = json.Unmarshal(c.Body, &b)
		if i := slices.Index(g.secrets, b.KeyID); i >= 0 {
			g.secrets = slices.Delete(g.secrets, i, i+1)
			return ok(`null`)
		}
		return bot.Answer{Status: 404}, missing
	case c.Method == "DELETE":
		if len(g.apps) == 0 {
			return bot.Answer{Status: 404}, missing
		}
		if g.apps = slices.DeleteFunc(g.apps, func(id string) bool { return c.Path == "/apps/"+id }); len(g.apps) == 0 {
			g.secrets = nil
		}
		return ok(`null`)
	case c.Path == "/consent":
		return ok(`{"given":%v}`, g.consent)
	}
	return bot.Answer{Status: 400}, &bot.Failure{Kind: bot.KindBadRequest, Status: 400, Says: "I do not know " + c.Method + " " + c.Path}
}

func (g *directory) list(ids []string) string {
	var out []string
	for _, id := range ids {
		by, made := "ada", start.Format(time.DateTime)
		if slices.Contains(g.strange, id) {
			by = "amir"
		}
		if slices.Contains(g.old, id) {
			made = "2026-11-01 09:00:00"
		}
		out = append(out, fmt.Sprintf(`{"id":%q,"keyId":%q,"name":"keyturn-r1","by":%q,"made":%q}`, id, id, by, made))
	}
	return strings.Join(out, ",")
}

// did gives the calls of some method, all but GET where it is "".
func (g *directory) did(method string) (out []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.calls {
		if c.Method == method || (method == "" && c.Method != "GET") {
			out = append(out, c.Method+" "+c.Path)
		}
	}
	return out
}

func (g *directory) set(before, after func(c bot.Call) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before, g.after = before, after
}

// sampleGuide asks for the word, makes an application with a secret, waits for
// consent.
func sampleGuide() *setup.Guide {
	get := func(id, path string) func(setup.Context) []bot.Call {
		return func(setup.Context) []bot.Call {
			return []bot.Call{{ID: id, System: bot.Graph, Method: "GET", Path: path, What: "Reads " + path}}
		}
	}
	proof := func(c setup.Context, r setup.Reading) setup.Finding {
		if len(r.List("apps", "value")) == 0 {
			return setup.Finding{Problem: &setup.Problem{Says: "There is no application.", Fix: "Try again.", Kind: bot.KindConflict}}
		}
		return setup.Finding{Proof: []string{"the application is there"}}
	}
	consent := func(c setup.Context, r setup.Reading) setup.Finding {
		if r.Get("consent", "given") != "true" {
			return setup.Finding{Problem: &setup.Problem{Says: "Nobody consented yet."}}
		}
		return setup.Finding{Proof: []string{"consent given"}}
	}
	return &setup.Guide{ID: setup.Direct, Title: "The sample", Steps: []setup.Spec{
		{ID: "agree", Title: "Agree", Role: bot.Requester, Guided: &setup.Guided{}},
		{ID: "make", Title: "Make it", Role: bot.EntraAdmin, Needs: []setup.StepID{"agree"}, API: &setup.API{
			Read: get("apps", "/apps"), Plan: plan, Verify: get("apps", "/apps"), Prove: proof,
			Back: func(setup.Context) []bot.Call {
				return []bot.Call{{ID: "delete", System: bot.Graph, Method: "DELETE", Path: "/apps/{app.id}", What: "Deletes it", Fine: []int{404}, Unmakes: "graph/application/{app.id}"}}
			}}},
		{ID: "consent", Title: "Consent", Role: bot.EntraAdmin, Needs: []setup.StepID{"make"}, API: &setup.API{Verify: get("consent", "/consent"), Prove: consent, Poll: true}, Guided: &setup.Guided{}},
		{ID: "thanks", Title: "Say thanks", Role: bot.Requester, Needs: []setup.StepID{"consent"}, Guided: &setup.Guided{}},
	}}
}

func plan(c setup.Context, r setup.Reading) (setup.Proposal, *setup.Problem) {
	if len(r.List("apps", "value")) > 0 {
		return setup.Proposal{Exists: []string{"It exists."}}, nil
	}
	drop := bot.Call{ID: "drop", System: bot.Graph, Method: "POST", Path: "/removePassword", Body: json.RawMessage(`{"keyId":"{found}"}`), What: "Removes a secret whose value is lost", Fine: []int{404}}
	second := bot.Call{ID: "second", System: bot.Graph, Method: "DELETE", Path: "/apps/{found}", What: "Deletes a second application", Fine: []int{404}}
	return setup.Proposal{Calls: []bot.Call{
		{ID: "app", System: bot.Graph, Method: "POST", Path: "/apps", Body: json.RawMessage(`{"name":"keyturn-r1"}`), What: "Makes the application", Save: map[string]string{"app.id": "id"},
			Look: &bot.Look{Path: "/apps", List: "value", Match: map[string]string{"name": "keyturn-r1"}, Save: map[string]string{"app.id": "id"},
				Key: "id", Twice: &second, Maker: "by", Made: "made"},
			Makes: &bot.Made{Kind: "application", ID: "{app.id}", Name: "keyturn-r1"}},
		{ID: "secret", System: bot.Graph, Method: "POST", Path: "/apps/{app.id}/addPassword", What: "Makes its secret", Save: map[string]string{"key.id": "keyId"}, Seal: map[string]string{"app.secret": "secretText"},
			Look: &bot.Look{Path: "/secrets", List: "value", Match: map[string]string{"name": "keyturn-r1"}, Key: "keyId", Remove: &drop}},
	}}, nil
}

// readings is service health as the tests say it is read.
type readings struct {
	mu     sync.Mutex
	issues []json.RawMessage
	err    error
	since  []time.Time
	panics bool
	posts  []json.RawMessage // of the message center
	closed error             // why the message center cannot be read
	asked  int               // how often it was
	slowed slowed
}

func (h *readings) Messages(context.Context, bot.TenantID, bot.Reader, time.Time) ([]json.RawMessage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return h.posts, h.closed
}

// reads is how often Graph was asked for either.
func (h *readings) reads() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.since) + h.asked
}

func (h *readings) Issues(ctx context.Context, _ bot.TenantID, _ bot.Reader, since time.Time) ([]json.RawMessage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = append(h.since, since)
	if h.panics {
		panic("an issue that nobody thought of")
	}
	if err := h.slowed.tell(ctx); err != nil {
		return nil, err
	}
	return h.issues, h.err
}

func (h *readings) set(err error, issues ...json.RawMessage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.issues, h.err = issues, err
}
