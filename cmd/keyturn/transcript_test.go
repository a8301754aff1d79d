package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"keyturn/sim/slack"
)

// logged is the bot's log without the lines of a level.
func (h *house) logged(without string) string {
	var b strings.Builder
	for line := range strings.Lines(h.log.String()) {
		if !strings.Contains(line, "level="+without) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// fail ends the test with what people see.
func (h *house) fail(format string, args ...any) {
	h.Helper()
	h.Fatalf("%s\n%s", fmt.Sprintf(format, args...), h.shown())
}

// shown is the newest of what Slack shows.
func (h *house) shown() string {
	s := h.world.Slack.Snapshot()
	var b strings.Builder
	b.WriteString("Slack shows:\n")
	for _, m := range s.Messages[max(0, len(s.Messages)-8):] {
		fmt.Fprintf(&b, "  %s%s: %s\n", h.place(&s, m.Channel), threaded(m), clip(m.Text, 900))
	}
	for _, e := range s.Ephemerals[max(0, len(s.Ephemerals)-5):] {
		fmt.Fprintf(&b, "  only %s: %s\n", e.To, clip(e.Text, 500))
	}
	for _, v := range s.Views {
		fmt.Fprintf(&b, "  form of %s: %s %v\n", v.User, v.Words("title"), v.Errors)
	}
	for _, t := range s.Troubles {
		fmt.Fprintf(&b, "  trouble of %s: %s (%s)\n", t.User, t.What, t.Why)
	}
	return b.String()
}

func (h *house) place(s *slack.State, id string) string {
	for _, c := range s.Channels {
		if c.ID == id && c.Kind == slack.Direct {
			return "to " + c.Peer
		}
		if c.ID == id {
			return "#" + c.Name
		}
	}
	return id
}

func threaded(m slack.Message) string {
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		return " (thread)"
	}
	return ""
}

func clip(s string, n int) string {
	s = strings.ReplaceAll(s, "\n", " / ")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// safeBuffer is a buffer for several writers.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
