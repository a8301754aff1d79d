package playground

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/sim/play"
)

// browser is the headless Chromium, spoken to through testdata/drive.mjs.
type browser struct {
	t  *testing.T
	in io.Writer
	// answers has one line for each command.
	answers chan []byte
}

// command is one thing to do in a window.
type command struct {
	Do     string   `json:"do"`
	Window string   `json:"window,omitempty"`
	URL    string   `json:"url,omitempty"`
	Place  string   `json:"place,omitempty"`
	Bot    string   `json:"bot,omitempty"`
	Name   string   `json:"name,omitempty"`
	Text   string   `json:"text,omitempty"`
	Texts  []string `json:"texts,omitempty"`
	Gone   []string `json:"gone,omitempty"`
	File   string   `json:"file,omitempty"`
}

type result struct {
	Words string `json:"words"`
	Error string `json:"error"`
}

func startBrowser(t *testing.T, with tools) *browser {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", "drive.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(with.node, script)
	cmd.Env = append(os.Environ(), "KEYTURN_PLAYGROUND="+with.dir, "KEYTURN_CHROMIUM="+with.chromium, fmt.Sprintf("PATIENCE_MS=%d", patience.Milliseconds()))
	said := &buffer{}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, in: in, answers: make(chan []byte, 1)}
	go func() {
		defer close(b.answers)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			b.answers <- line
		}
	}()
	t.Cleanup(func() {
		in.Close() // it closes Chromium and ends
		end := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer end.Stop()
		for range b.answers { // nobody waits for these any more
		}
		if err := cmd.Wait(); err != nil && !t.Failed() {
			t.Errorf("the browser ended with: %v\n%s", err, said.tail(2000))
		} else if t.Failed() {
			t.Logf("what the browser said:\n%s", said.tail(2000))
		}
	})
	return b
}

func (b *browser) try(c command) result {
	b.t.Helper()
	line, err := json.Marshal(c)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		b.t.Fatalf("the browser has ended: %v", err)
	}
	select {
	case line, ok := <-b.answers:
		var r result
		if !ok {
			b.t.Fatal("the browser has ended")
		} else if err := json.Unmarshal(line, &r); err != nil {
			b.t.Fatalf("the browser answered %q: %v", line, err)
		}
		return r
	case <-time.After(2 * patience):
		b.t.Fatal("the browser does not answer")
	}
	return result{}
}

func (b *browser) do(c command) string {
	b.t.Helper()
	r := b.try(c)
	if r.Error != "" {
		b.t.Fatalf("%s: %s", c.Do, r.Error)
	}
	return r.Words
}

func windowOf(who play.Person) string {
	given, _, _ := strings.Cut(who.Name, " ")
	return strings.ToLower(given)
}

// opens says where the Playground of a window is.
func (r *relay) opens(window, at string) {
	u, err := url.Parse(at)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.windows[window] = u
}

// in does something in a person's window, and fails with what the page shows.
func (o *office) in(who play.Person, c command) string {
	o.Helper()
	c.Window = windowOf(who)
	r := o.browser.try(c)
	if r.Error != "" {
		shown := o.browser.try(command{Do: "read", Window: c.Window}).Words
		o.looks(who, "failed")
		o.Fatalf("%s, %s %q%q%q: %s\nthe page shows: %s", who.Name, c.Do, c.Name, c.Text, c.Texts, r.Error, shown)
	}
	return r.Words
}

// alone does something while nothing of the bot's reaches any window.
func (o *office) alone(who play.Person, c command) {
	o.Helper()
	o.relay.busy.Lock()
	defer o.relay.busy.Unlock()
	o.in(who, c)
}

// goes opens a conversation.
func (o *office) goes(who play.Person, place string) {
	o.Helper()
	o.alone(who, command{Do: "go", Place: place})
}

// posts begins a post in the open channel, with a mention of the bot.
func (o *office) posts(who play.Person, text string) {
	o.Helper()
	o.alone(who, command{Do: "post", Text: text, Bot: botName})
}

// types sends a message in the open chat.
func (o *office) types(who play.Person, text string) {
	o.Helper()
	o.alone(who, command{Do: "write", Text: text})
}

// clicks presses the newest button of a name.
func (o *office) clicks(who play.Person, name string) {
	o.Helper()
	o.alone(who, command{Do: "click", Name: name})
}

// sees waits until the person's page shows all of the texts.
func (o *office) sees(who play.Person, texts ...string) string {
	o.Helper()
	return o.in(who, command{Do: "see", Texts: texts})
}

// seesNoMore waits until the page shows none of the texts any more.
func (o *office) seesNoMore(who play.Person, texts ...string) {
	o.Helper()
	o.in(who, command{Do: "see", Gone: texts})
}

// looks takes a screenshot of what the person sees.
func (o *office) looks(who play.Person, what string) {
	o.Helper()
	o.taken++
	file := filepath.Join(o.shots, fmt.Sprintf("%02d-%s-%s.png", o.taken, windowOf(who), what))
	r := o.browser.try(command{Do: "shot", Window: windowOf(who), File: file})
	if r.Error != "" {
		o.Errorf("no screenshot: %s", r.Error)
	}
}
