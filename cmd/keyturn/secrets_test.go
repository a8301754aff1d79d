package main

import (
	"testing"

	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/sim/play"
	"keyturn/state"
)

// canary is something that nobody may ever see.
type canary struct{ name, value string }

// secrets is every secret that the bot holds now: those of its configuration
// and those of its runs.
func (h *house) secrets() []canary {
	h.Helper()
	conf, _ := h.config()
	out := []canary{
		{"the sealing key", conf.Key.value.Reveal()},
		{"the signing secret", play.SlackSigning}, {"the bot token", play.SlackToken},
		{"the client secret at Entra", play.GraphSecret}, {"the client secret at ServiceNow", play.ServiceNowSecret}, {"the reader's secret", play.ReaderSecret},
	}
	h.read(func(v engine.View) (err error) { out, err = ofRuns(v, out); return err })
	return out
}

// ofRuns adds the secrets of the runs.
func ofRuns(v engine.View, out []canary) ([]canary, error) {
	runs, err := v.Runs("contoso")
	for _, r := range runs {
		for name, f := range r.Facts {
			if f.Secret {
				if s, err := v.Secret("run/" + r.ID + "/" + name); err == nil {
					out = append(out, canary{name, s.Reveal()})
				}
			}
		}
	}
	return out, err
}

// title is what a step is called.
func (h *house) title(step string) string {
	h.Helper()
	for _, g := range setup.Guides() {
		if s, ok := g.Step(setup.StepID(step)); ok {
			return s.Title
		}
	}
	h.Fatalf("there is no step %q", step)
	return ""
}

// freshKey is a sealing key of its own.
func freshKey(t *testing.T) string {
	t.Helper()
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}
