package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

func TestAStepIsReadPlannedApprovedRunAndReadBack(t *testing.T) {
	w := newWorld(t)
	w.planned()
	if n := len(w.graph.did("")); n != 0 {
		t.Fatalf("%d writes before anybody approved", n)
	}
	w.approve()
	w.pass(time.Minute)
	s := w.wantStep("make", setup.Done)
	if d := cmp.Diff([]string{"POST /apps", "POST /apps/a1/addPassword"}, w.graph.did("")); d != "" {
		t.Errorf("the writes (-want +got):\n%s", d)
	}
	if s.By != "ada" || s.Proof[0] != "the application is there" {
		t.Errorf("the step is %+v", s)
	}
	for _, c := range w.graph.calls {
		if c.Method == "POST" && (c.Identity.Person != "ada" || c.Identity.Account != "ada.admin@contoso.com" || c.Identity.RequestID == "") {
			t.Errorf("%s %s ran as %+v", c.Method, c.Path, c.Identity)
		}
	}
	r := w.run()
	if r.Facts["app.id"].Value != "a1" || r.Facts["key.id"].Value != "k2" || !r.Facts["app.secret"].Secret || r.Facts["app.secret"].Value != "" {
		t.Errorf("the facts are %+v", r.Facts)
	}
	w.read(func(v engine.View) error {
		secret, err := v.Secret("run/r1/app.secret")
		if secret.Reveal() != "treasure-2" {
			t.Errorf("the sealed secret is %q", secret.Reveal())
		}
		objects, _ := v.Objects("contoso")
		if len(objects) != 1 || objects[0].Key != "graph/application/a1" || objects[0].By != "ada" {
			t.Errorf("the inventory is %+v", objects)
		}
		return err
	})
	if d := cmp.Diff([]string{"confirm", "approve", "call app", "result", "call secret", "result", "proved"}, w.acts()); d != "" {
		t.Errorf("the audit trail (-want +got):\n%s", d)
	}
}

func TestNoSecretIsSaid(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.pass(time.Minute)
	w.chat.mu.Lock()
	defer w.chat.mu.Unlock()
	said := strings.Join(append(w.chat.answers, w.chat.homes...), "\n")
	for _, m := range w.chat.messages {
		said += m.Words + "\n"
	}
	if strings.Contains(said, "treasure") {
		t.Error("the secret was said in chat")
	}
}

// TestTheIntentIsOnDiskBeforeTheCall asks the audit trail from inside the call.
func TestTheIntentIsOnDiskBeforeTheCall(t *testing.T) {
	w := newWorld(t)
	w.planned()
	asked := 0
	w.graph.set(func(c bot.Call) error {
		if c.Method == "GET" {
			return nil
		}
		asked++
		err := w.store.Read(context.Background(), func(v engine.View) error {
			entries, err := v.Audit("contoso", 1)
			if err == nil && (len(entries) != 1 || entries[0].Act != "call" || entries[0].Call == nil || entries[0].Call.ID != c.ID || entries[0].Person != "ada") {
				t.Errorf("%s is called, and the last entry is %+v", c.ID, entries)
			}
			r, _ := v.Run("r1")
			if res, ok := r.Step("make").Result(c.ID); !ok || !res.Begun {
				t.Errorf("%s is called, and the run says %+v", c.ID, res)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return nil
	}, nil)
	w.approve()
	w.pass(time.Minute)
	if asked != 2 {
		t.Errorf("%d writes", asked)
	}
}

func TestAChangeBetweenApprovalAndCallVoidsTheApproval(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.graph.apps = []string{"made-by-hand"}
	w.pass(time.Minute)
	s := w.wantStep("make", setup.Done) // nothing remains to be made, and it is read back
	if n := w.graph.did(""); len(n) != 0 {
		t.Errorf("it called %v", n)
	}
	if s.Approval != nil || !slices.Contains(w.acts(), "void") {
		t.Errorf("approval %+v, audit %v", s.Approval, w.acts())
	}
}

func TestAnExpiredApprovalCallsNothing(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.clock.pass(2 * time.Hour) // the process was down
	w.pass(time.Minute)
	s := w.wantStep("make", setup.Planned)
	if s.Problem == nil || !strings.Contains(s.Problem.Says, "expired") || s.Approval != nil || len(w.graph.did("")) != 0 {
		t.Errorf("%+v, calls %v", s, w.graph.did(""))
	}
	w.approve() // it can be approved again
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
}

func TestARefusalStopsAtTheCallAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.graph.set(func(c bot.Call) error {
		if c.ID == "secret" {
			return &bot.Failure{Kind: bot.KindPolicy, System: bot.Graph, Status: 403, Says: "A policy forbids secrets.", Fix: "An Entra admin can exempt it.", Code: "Policy", RequestID: "req-9"}
		}
		return nil
	}, nil)
	w.approve()
	w.pass(time.Minute)
	s := w.wantStep("make", setup.Failed)
	if s.Problem.Says != "A policy forbids secrets." || s.Problem.Code != "Policy" || s.Problem.Request != "req-9" || s.Problem.Call != "secret" {
		t.Errorf("the problem is %+v", s.Problem)
	}
	if !slices.Contains(w.acts(), "failed") {
		t.Errorf("the audit trail is %v", w.acts())
	}
	if r := w.run(); r.Facts["app.id"].Value != "a1" {
		t.Errorf("what was made before is forgotten: %v", r.Facts)
	}
}

func TestASystemThatCannotBeReachedIsTriedAndThenSaid(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.graph.set(func(c bot.Call) error {
		if c.Method == "GET" {
			return nil
		}
		return &bot.Failure{Kind: bot.KindUnreachable, System: bot.Graph, Says: "Graph cannot be reached.", Fix: "Try again."}
	}, nil)
	w.approve()
	w.pass(10 * time.Minute)
	w.wantStep("make", setup.Failed)
	if n := len(w.graph.did("POST")); n != engine.Tries {
		t.Errorf("it was tried %d times", n)
	}
	w.graph.set(nil, nil)
	w.click("retry", "UADA", setup.ActRetry, "r1/make/")
	w.pass(time.Minute)
	w.wantStep("make", setup.Planned)
}

func TestAReadThatIsNotReplicatedYetIsRepeated(t *testing.T) {
	w := newWorld(t)
	w.planned()
	reads := 0
	hide := false
	w.graph.set(nil, func(c bot.Call) error {
		if c.ID == "secret" {
			hide = true
		}
		if hide && c.Method == "GET" && c.Path == "/apps" {
			if reads++; reads < 3 {
				return &bot.Failure{Kind: bot.KindUnreachable, System: bot.Graph, Says: "Not replicated yet."}
			}
		}
		return nil
	})
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	if reads < 3 {
		t.Errorf("it was read %d times", reads)
	}
}

func TestABugInAStepIsSaidOnItsCard(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.graph.set(func(bot.Call) error { panic("a bug") }, nil)
	w.click("agree", "URITA", setup.ActAnswer, "r1/agree/")
	w.pass(10 * time.Minute)
	s := w.wantStep("make", setup.Failed)
	if !strings.Contains(s.Problem.Says, "inside Keyturn") || strings.Contains(s.Problem.Says, "a bug") {
		t.Errorf("it says %q", s.Problem.Says)
	}
	w.graph.set(nil, nil)
	w.click("retry", "UADA", setup.ActRetry, "r1/make/")
	w.pass(time.Minute)
	w.wantStep("make", setup.Planned)
}

func TestAStepThatWaitsForAnActElsewhereKeepsLooking(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.pass(time.Minute)
	w.wantStep("consent", setup.Open)
	before := len(w.graph.did("GET"))
	w.pass(10 * time.Minute)
	if n := len(w.graph.did("GET")) - before; n < 35 || n > 45 {
		t.Errorf("it looked %d times in ten minutes, at every 15 seconds", n)
	}
	w.wantStep("consent", setup.Open)
	w.pass(10 * time.Hour)
	before = len(w.graph.did("GET"))
	w.pass(time.Hour)
	if n := len(w.graph.did("GET")) - before; n < 10 || n > 14 {
		t.Errorf("after ten hours it looked %d times in an hour, at every five minutes", n)
	}
	w.graph.consent = true
	w.pass(5 * time.Minute)
	w.wantStep("consent", setup.Done)
	w.click("thanks", "URITA", setup.ActAnswer, "r1/thanks/")
	w.pass(time.Minute)
	if r := w.run(); r.State != setup.RunDone {
		t.Errorf("the run is %s", r.State)
	}
	w.read(func(v engine.View) error {
		if _, err := v.Secret("run/r1/app.secret"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("a finished run keeps its secret: %v", err)
		}
		return nil
	})
}

// TestRacingApproversHaveOneWinner lets 32 people click at the same moment.
func TestRacingApproversHaveOneWinner(t *testing.T) {
	w := newWorld(t)
	holders := []bot.PersonID{"ada"}
	for i := range 31 {
		id := bot.PersonID(fmt.Sprintf("p%d", i))
		w.tenant.People = append(w.tenant.People, bot.Person{ID: id, Name: "Person " + string(id), Accounts: []bot.Account{account("U" + string(id))}})
		holders = append(holders, id)
	}
	w.tenant.Holders[bot.EntraAdmin] = holders
	w.planned()
	w.touch(1, func(r *setup.Run) { r.Holders[bot.EntraAdmin] = holders })
	digest := w.step("make").Plan.Digest
	replies := make([]bot.Reply, len(holders))
	var clicks sync.WaitGroup
	for i, p := range holders {
		who := "UADA"
		if i > 0 {
			who = "U" + string(p)
		}
		clicks.Go(func() {
			var err error
			replies[i], err = w.engine.Handle(t.Context(), bot.Request{Key: fmt.Sprintf("click/%d", i), Kind: bot.Clicked, From: account(who), Place: channel,
				Action: setup.ActApprove, Value: "r1/make/" + digest, Inline: true})
			if err != nil {
				t.Error(err)
			}
		})
	}
	clicks.Wait()
	winner, _ := w.tenant.Person(w.step("make").Approval.Person)
	won := 0
	for i, r := range replies {
		switch {
		case r.Message == nil:
			won++
		case !strings.Contains(r.Message.Words(), winner.Name) || !strings.Contains(r.Message.Words(), "not run anything"):
			t.Errorf("%s was told: %s", holders[i], r.Message.Words())
		}
	}
	if won != 1 {
		t.Errorf("%d winners", won)
	}
	w.pass(time.Minute)
	if d := cmp.Diff([]string{"POST /apps", "POST /apps/a1/addPassword"}, w.graph.did("")); d != "" {
		t.Errorf("the writes (-want +got):\n%s", d)
	}
	approvals := 0
	for _, a := range w.acts() {
		if a == "approve" {
			approvals++
		}
	}
	if approvals != 1 {
		t.Errorf("%d approvals in the audit trail", approvals)
	}
}
