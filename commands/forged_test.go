package commands_test

import (
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// On Teams a changed client says which message its button is in, and may name
// one that everybody in a channel reads.
func TestThePageNeverTakesTheFormOfAMessageInAChannel(t *testing.T) {
	w := newWorld(t)
	w.begin()
	for _, action := range []string{engine.ActionPage, engine.ActionUnmute, engine.ActionRemind} {
		r := clicked("ada", action, "EX1")
		r.Message = bot.MessageRef{Place: channel, ID: "1.0"}
		if reply, _ := w.try(r); reply.Redraw || reply.InPlace || !strings.Contains(words(reply), "Your settings") {
			t.Errorf("<%s> draws %+v", action, reply)
		}
	}
}

// On Teams a changed client fills in what a button carries: the place of a run
// is where its asker is, and the guides are those that the form offers.
func TestAStartFormNamesNoPlaceOfOthersAndNoOtherGuide(t *testing.T) {
	w := newWorld(t)
	for from, want := range map[bot.Place]bot.Place{
		channel: channel,
		{Platform: bot.Slack, Team: "T1", Channel: "C2"}: bot.DM(account("Uada")),
		bot.DM(account("Uada")):                          bot.DM(account("Uada")),
	} {
		r := submitted("ada", "start", "cleanup/C1/contoso", nil)
		r.Place = from
		if _, out := w.try(r); len(out.Runs) != 1 || out.Runs[0].Place != want {
			t.Errorf("from %s the run is in %+v", from, out.Runs)
		}
	}
	guide := w.env.Guide
	w.env.Guide = func(id setup.GuideID) (*setup.Guide, bool) {
		g, _ := guide(setup.Cleanup)
		return g, true
	}
	for _, id := range []setup.GuideID{setup.Rotate, setup.Mapping, "", "other"} {
		for _, r := range []bot.Request{submitted("ada", "start", string(id)+"/C1/contoso", nil), clicked("ada", "guide", string(id))} {
			if reply, out := w.try(r); len(out.Runs) != 0 || reply.Form != nil || !strings.Contains(words(reply), "does not exist") {
				t.Errorf("%q: %+v %+v", id, reply, out.Runs)
			}
		}
	}
	if _, out := w.try(submitted("ada", "start", "connector/C1/contoso", nil)); len(out.Runs) != 0 {
		t.Error("the guide connector began without an instance")
	}
}

// Whoever runs Keyturn reads in the log who tried what they may not do.
func TestEveryRefusalSaysWhyForTheLog(t *testing.T) {
	w := newWorld(t)
	w.begin()
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	for _, who := range []string{"nobody", "kim"} {
		for _, a := range asks(w, digest) {
			r, _ := w.try(a.make(who))
			if strings.Contains(words(r), "so I have done nothing.") && strings.Contains(words(r), "You can always ask for health") && r.Refused == "" {
				t.Errorf("%s of %s is refused, and the log is told nothing: %s", a.name, who, words(r))
			}
		}
	}
	guest := typed("ada", "status")
	guest.Guest = true
	far := typed("ada", "status")
	far.Place.Team = "T9"
	for why, r := range map[string]bot.Request{
		"does not hold the role of the step":         clicked("kim", setup.ActApprove, "r1/planned/"+digest),
		"neither who asked for the run nor an owner": clicked("ada", "run-really-cancel", "r1"),
		"a guest, or of another organisation":        guest,
		"a workspace of no tenant":                   far,
		"no owner":                                   clicked("ada", setup.ActLinkYes, "x"),
		"not among the people of the tenant":         typed("nobody", "status"),
		"holds no role":                              typed("kim", "setup"),
	} {
		if reply, _ := w.try(r); reply.Refused != why {
			t.Errorf("refused for %q, want %q: %s", reply.Refused, why, words(reply))
		}
	}
}

// A form is read by what it asked: whatever a changed client sends along goes
// nowhere, though later steps would take it for a fact.
func TestWhatAFormDidNotAskForIsNotTaken(t *testing.T) {
	w := newWorld(t)
	guide := matrixGuide()
	guide.Steps[0].Guided = &setup.Guided{
		Ask:    func(setup.Context) []bot.Input { return []bot.Input{{Name: "panel", Label: "Panel", Kind: bot.Line}} },
		Accept: func(_ setup.Context, in map[string]string) (facts, wrong map[string]string) { return in, nil },
	}
	w.env.Guide = func(setup.GuideID) (*setup.Guide, bool) { return guide, true }
	w.begin()
	_, out := w.try(submitted("ada", setup.ActAnswer, "r1/open/", map[string][]string{"panel": {"yes"}, "entra.client_id": {"of-somebody-else"}, "state": {"done"}}))
	if len(out.Runs) != 1 {
		t.Fatalf("%+v", out)
	}
	run := out.Runs[0]
	if got := run.Step("open").Answers; len(got) != 1 || got["panel"] != "yes" || run.Facts["panel"].Value != "yes" {
		t.Errorf("the answers are %v", got)
	}
	if _, taken := run.Facts["entra.client_id"]; taken {
		t.Error("a value that nobody asked for became a fact of the run")
	}
}
