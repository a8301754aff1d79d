package setup_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// midway is a run with a step in every usual state.
func midway(g *setup.Guide) setup.Run {
	r := shown(g)
	put(&r, "agree", setup.Confirmed).By = "rita"
	put(&r, "make", setup.Planned)
	put(&r, "find", setup.Done)
	put(&r, "type", setup.Failed).Since = start.Add(-48 * time.Hour)
	put(&r, "consent", setup.Pending)
	put(&r, "never", setup.NotNeeded)
	put(&r, "end", setup.Skipped)
	return r
}

// inventory is what the run made, and what others made.
func inventory() []bot.Object {
	return []bot.Object{
		{Key: "graph/application/a1", System: bot.Graph, Kind: "application", ID: "a1", Name: "Keyturn reader", Link: "https://entra.example.com/a1", Run: "r1", By: "ada", At: start},
		{Key: "graph/secret/k1", System: bot.Graph, Kind: "secret", ID: "k1", Name: "keyturn-r1", Run: "r1", By: "ada", At: start, Expires: start.AddDate(1, 0, 0)},
		{Key: "servicenow/sys_user/u1", System: bot.ServiceNow, Kind: "sys_user", ID: "u1", Name: "u1", Run: "r1", At: start, Removed: start.Add(time.Hour)},
		{Key: "graph/application/other", System: bot.Graph, Kind: "application", ID: "other", Name: "Of another run", Run: "r0", At: start},
	}
}

func TestTheChecklist(t *testing.T) {
	g := sampleGuide()
	var b strings.Builder
	fresh := newRun(g)
	fresh.HandOut(g, contextOf(&fresh), start)
	b.WriteString("===== just begun\n" + drawn(sceneOf(g, &fresh).Checklist()))
	r := midway(g)
	b.WriteString("\n===== midway\n" + drawn(sceneOf(g, &r).Checklist()))
	later := sceneOf(g, &r)
	later.Now = start.Add(30 * time.Hour)
	b.WriteString("\n===== midway, the day after\n" + drawn(later.Checklist()))
	golden(t, "checklist.txt", b.String())
}

func TestTheRecord(t *testing.T) {
	g := sampleGuide()
	var b strings.Builder
	for _, end := range []struct {
		state setup.RunState
		why   string
	}{{setup.RunDone, ""}, {setup.RunCancelled, "Cancelled by Rita."}, {setup.RunEnded, "The guide direct works today; cleanup removes what the connector left."}} {
		r := midway(g)
		r.State, r.Ended, r.Why = end.state, start.Add(2*time.Hour), end.why
		s := sceneOf(g, &r)
		s.Objects = inventory()
		b.WriteString("===== " + string(end.state) + "\n" + drawn(s.Checklist()) + "\n")
	}
	r := midway(g)
	r.State, r.Ended = setup.RunDone, start.Add(2*time.Hour)
	b.WriteString("===== nothing was made\n" + drawn(sceneOf(g, &r).Checklist()))
	golden(t, "record.txt", b.String())
}

func TestWhatACancelledRunLeaves(t *testing.T) {
	g := sampleGuide()
	r := midway(g)
	s := sceneOf(g, &r)
	nothing := drawn(s.Left())
	s.Objects = inventory()
	golden(t, "cancel.txt", "===== nothing\n"+nothing+"\n===== something\n"+drawn(s.Left()))
	if strings.Contains(s.Left().Words(), "Of another run") || strings.Contains(s.Left().Words(), "u1") {
		t.Error("it names what is not there or is not this run's")
	}
}

func TestTheStatus(t *testing.T) {
	g := sampleGuide()
	r := midway(g)
	golden(t, "status.txt", drawn(sceneOf(g, &r).Status()))
}

func TestTheChecklistHasALineForEveryStepAndItsMarkHasAWord(t *testing.T) {
	g := sampleGuide()
	for _, s := range states {
		r := shown(g)
		for _, spec := range g.Steps {
			put(&r, spec.ID, s)
		}
		words := sceneOf(g, &r).Checklist().Words()
		for _, spec := range g.Steps {
			i := strings.Index(words, spec.Title+" · ")
			if i < 0 {
				t.Errorf("%s: no line for %s", s, spec.ID)
				continue
			}
			line := words[strings.LastIndex(words[:i], "\n")+1 : i]
			mark, word, ok := strings.Cut(strings.TrimSuffix(line, " · "), " ")
			if !ok || strings.TrimSpace(word) == "" || !strings.Contains("⚪🔵⏳✅☑️⏭⛔", mark) {
				t.Errorf("%s: the mark of %s is %q", s, spec.ID, line)
			}
		}
	}
}

func TestAStepWaitsForAPersonOnlyWhereNothingGoesOnByItself(t *testing.T) {
	g := sampleGuide()
	for _, s := range states {
		for _, id := range []setup.StepID{"make", "consent"} {
			want := s == setup.Open || s == setup.Planned || s == setup.Failed || (s == setup.Checking && id == "consent")
			if got := setup.WaitsForPerson(mustStep(g, id), &setup.Step{ID: id, State: s}); got != want {
				t.Errorf("%s in %s waits for a person: %v", id, s, got)
			}
		}
	}
}
