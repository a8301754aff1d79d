package commands_test

import (
	"strings"
	"testing"

	"keyturn/bot/engine"
)

// People type what a button says, or what they would say to a colleague. What only
// looks is answered at once.
func TestWhatIsSaidInsteadOfPressedIsAnsweredWithTheCard(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.ill()
	w.commit(func(d *engine.Draft) error {
		r, err := d.Run("r1")
		if err != nil {
			return err
		}
		after := r.Clone()
		after.PutOnCard("ada", "planned", w.now)
		return d.PutRun(&r, &after)
	})
	for said, want := range map[string]string{
		"approve":                      "[Approve and run]",
		"Approve and run!":             "[Approve and run]",
		"done":                         "[Approve and run]",
		"I did it.":                    "[Approve and run]",
		"try again":                    "[Approve and run]",
		"sign in":                      "[Approve and run]",
		"what should I do next?":       "[Approve and run]",
		"my tasks":                     "[Approve and run]",
		"whose turn is it?":            "waiting for",
		"how is the setup going?":      "waiting for",
		"what's blocking the setup?":   "waiting for",
		"why is it taking so long?":    "waiting for",
		"r1":                           "I do not know r1",
		"who can approve this?":        "Roles for Contoso",
		"which secrets expire":         "Keyturn has made",
		"rotate the secret":            "Keyturn has made",
		"any news?":                    "EX7",
		"weekly report":                "is told",
		"how do I set up my outlook":   "", // about a product, so not about a setup
		"teams integration is broken":  "",
		"remind me tomorrow":           "You have put nothing off",
		"remind Erin":                  "Did you mean nudge?",
		"ping them":                    "Did you mean nudge?",
		"i want to set up servicenow":  "Did you mean setup?",
		"connect ServiceNow":           "Did you mean setup?",
		"connector":                    "Did you mean setup connector?",
		"stop":                         "Did you mean cancel or unsubscribe?",
		"abort the setup":              "Did you mean cancel?",
		"stop posting here":            "Did you mean unsubscribe?",
		"tell us about incidents":      "Did you mean subscribe?",
		"we are on it":                 "Did you mean on-it?",
		"we are on it ex1234567":       "Did you mean on-it EX1234567?",
		"remove everything":            "Did you mean setup cleanup?",
		"Keyturn, clean this up":       "Did you mean setup cleanup?",
		"who are you?":                 "What can I do for you?",
		"what should we do about that": "",
	} {
		r, out := w.try(typed("ada", said))
		got := words(r)
		switch {
		case got == "":
			t.Errorf("%q is answered with silence", said)
		case want == "" && (strings.Contains(got, "Did you mean setup") || strings.Contains(got, "waiting for")):
			t.Errorf("%q is taken for a word about a setup:\n%s", said, got)
		case !strings.Contains(got, want):
			t.Errorf("%q was answered:\n%s\nwant %q", said, got, want)
		}
		if len(out.Runs)+len(out.Subscriptions)+len(out.Audit)+len(out.Incidents) > 0 {
			t.Errorf("%q changed something: %+v", said, out)
		}
	}
}

// What only makes sense in a channel says so where there is none, and leads on.
func TestWhatIsAboutAChannelSaysSoInADirectMessage(t *testing.T) {
	w := newWorld(t)
	w.ill()
	for said, want := range map[string]string{
		"subscribe Exchange Online": "[Tell a channel]",
		"unsubscribe":               "Type this in the channel that it is about",
		"maintenance 2026-12-01 22:00 to 2026-12-02 04:00": "Type this in the channel that it is about",
		"mute":    "or name an incident",
		"picture": "comes here in a moment",
	} {
		if got := words(w.do(directly("rita", said))); !strings.Contains(got, want) || strings.Contains(got, "This channel") {
			t.Errorf("%q was answered:\n%s\nwant %q", said, got, want)
		}
	}
}

// Nobody is left with a bare no: who has no step sees whose turn it is.
func TestWhoHasNoStepIsShownTheWayToWhoHas(t *testing.T) {
	w := newWorld(t)
	if got := words(w.do(typed("kim", "mine"))); strings.Contains(got, "[Status]") {
		t.Errorf("nothing is being set up, and it says %s", got)
	}
	w.begin()
	if got := words(w.do(typed("olga", "approve"))); !strings.Contains(got, "Nothing waits for you") || !strings.Contains(got, "[Status]") {
		t.Errorf("got %s", got)
	}
}
