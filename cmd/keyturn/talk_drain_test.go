package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
)

// get asks the bot for one of its own pages.
func (h *house) get(b *running, path string) (int, string) {
	h.Helper()
	resp, err := http.Get("http://" + b.conf.Listen + path)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A bot that is asked to stop finishes what it does, tells everybody else to
// come again, and is gone within ten seconds.
func TestAStoppingBotFinishesWhatItDoesAndBeginsNothing(t *testing.T) {
	h := open(t)
	if code, body := h.get(h.bot, "/readyz"); code != http.StatusOK {
		t.Errorf("a bot that runs is not ready: %d %s", code, body)
	}
	arrived, answer := make(chan struct{}), make(chan struct{})
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/chat.postMessage", Times: 1, While: func() { close(arrived); <-answer }})
	h.types(play.Rita, "/keyturn subscribe")
	<-arrived
	b := h.bot
	begun := time.Now()
	b.stop()
	h.becomes("the bot not to be ready", func() bool {
		code, body := h.get(b, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "Keyturn is stopping")
	})
	if code, _ := h.get(b, "/healthz"); code != http.StatusOK {
		t.Error("a bot that stops in good order is not healthy")
	}
	h.types(play.Max, "/keyturn help")
	h.expectPrivate(play.Max, "Nothing was done: I am being restarted. Try again in a moment.")
	close(answer)
	h.halt()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	h.start()
	h.types(play.Max, "/keyturn help")
	h.expectPrivate(play.Max, "setup")
	h.expectSubscribedOnce()
}

// expectSubscribedOnce says that the channel was told once that it is told.
func (h *house) expectSubscribedOnce() {
	h.Helper()
	h.idle()
	n := 0
	for _, m := range h.world.Slack.Snapshot().Messages {
		if m.Bot && !m.Deleted && strings.Contains(m.Text, "From now on this channel") {
			n++
		}
	}
	if n != 1 {
		h.Errorf("the channel was told %d times that it is told", n)
	}
}
