package engine_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// tells gives everything that a person was told directly, and what it shows now.
func (w *world) tells(who string) string {
	w.chat.mu.Lock()
	defer w.chat.mu.Unlock()
	var b strings.Builder
	for _, m := range w.chat.messages {
		if m.Ref.Place.User == who {
			b.WriteString(m.Words + "\n")
		}
	}
	return b.String()
}

// officeHours has the tenant work on weekdays from nine to five.
func (w *world) officeHours() {
	hours, err := bot.ParseHours("09:00-17:00", "mon-fri")
	if err != nil {
		w.t.Fatal(err)
	}
	w.tenant.Hours, w.tenant.RemindAfter = hours, 8*time.Hour
}

func TestAStepThatWaitsIsRemindedOfThenTheBackupThenTheRequester(t *testing.T) {
	w := newWorld(t)
	w.officeHours()
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"ada"}
	w.tenant.Backups = map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"bea"}}
	w.tenant.People = append(w.tenant.People, bot.Person{ID: "bea", Name: "Bea", Accounts: []bot.Account{account("UBEA")}})
	w.planned() // on a Monday morning, a little after nine
	w.commit("seat", func(d *engine.Draft) error {
		before, err := d.Run("r1")
		if err != nil {
			return err
		}
		after := before.Clone()
		after.Holders[bot.EntraAdmin] = []bot.PersonID{"ada"}
		return d.PutRun(&before, &after)
	})
	reminded := func(who, words string) int { return strings.Count(w.tells(who), words) }
	w.pass(7 * time.Hour)
	if n := reminded("UADA", "A reminder:"); n != 0 {
		t.Fatalf("reminded within the working day")
	}
	w.pass(17 * time.Hour) // Tuesday, nine: the working day is over since a few seconds of today
	w.pass(time.Hour)
	if n := reminded("UADA", "A reminder: Make it waits for you since"); n != 1 {
		t.Errorf("Ada is reminded %d times:\n%s", n, w.tells("UADA"))
	}
	if reminded("UBEA", "You are asked as backup") != 0 {
		t.Error("the backup is asked at the first reminder")
	}
	w.pass(24 * time.Hour)
	if reminded("UBEA", "You are asked as backup: Make it waits for the Entra team (Ada) since") != 1 {
		t.Errorf("the backup hears %q", w.tells("UBEA"))
	}
	if !strings.Contains(w.tells("UBEA"), "Approve and run") {
		t.Errorf("the backup has no card:\n%s", w.tells("UBEA"))
	}
	w.pass(24 * time.Hour)
	if reminded("URITA", "Waiting for the Entra team since 23 Nov 2026") != 1 {
		t.Errorf("the requester hears %q", w.tells("URITA"))
	}
	before := w.tells("UADA") + w.tells("UBEA") + w.tells("URITA")
	w.pass(14 * 24 * time.Hour)
	if after := w.tells("UADA") + w.tells("UBEA") + w.tells("URITA"); after != before {
		t.Errorf("more reminders came:\n%s", after)
	}
	w.click("late", "UBEA", setup.ActApprove, "r1/make/"+w.step("make").Plan.Digest)
	w.pass(time.Minute)
	if s := w.wantStep("make", setup.Done); s.By != "bea" {
		t.Errorf("the backup may act, and it was done by %s", s.By)
	}
}

func TestRemindersWaitForMondayMorningAndForARestart(t *testing.T) {
	w := newWorld(t)
	w.officeHours()
	w.clock.pass(4*24*time.Hour + 7*time.Hour) // Friday, four o'clock
	w.planned()
	w.pass(60 * time.Hour)
	if strings.Contains(w.tells("UADA"), "A reminder") {
		t.Errorf("reminded over the weekend:\n%s", w.tells("UADA"))
	}
	w.restart()
	w.pass(17 * time.Hour) // Monday afternoon: an hour of Friday and seven of Monday have not passed yet
	w.pass(24 * time.Hour)
	if n := strings.Count(w.tells("UADA"), "A reminder:"); n != 1 {
		t.Errorf("reminded %d times:\n%s", n, w.tells("UADA"))
	}
}

func TestWhoWantsToBeLeftAloneIsNotReminded(t *testing.T) {
	w := newWorld(t)
	w.tenant.RemindAfter = time.Hour
	w.planned()
	w.click("later", "UADA", setup.ActRemind, "r1/make/"+w.step("make").Plan.Digest)
	w.pass(23 * time.Hour)
	if strings.Contains(w.tells("UADA"), "A reminder:") {
		t.Errorf("%s", w.tells("UADA"))
	}
}

func TestWhoLostTheRoleBeforeTheFirstCallRunsNothing(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"amir"}
	w.pass(time.Minute)
	s := w.wantStep("make", setup.Planned)
	if s.Approval != nil || !strings.Contains(s.Problem.Says, "no longer holds the role") || len(w.graph.did("")) != 0 {
		t.Errorf("%+v, calls %v", s.Problem, w.graph.did(""))
	}
	if !strings.Contains(w.tells("URITA"), "no longer holds the role") {
		t.Errorf("the requester hears %q", w.tells("URITA"))
	}
}

// TestAPersonWhoseAccountIsClosedIsWaitedForNoMore closes Ada's account while
// her card is on its way.
func TestAPersonWhoseAccountIsClosedIsWaitedForNoMore(t *testing.T) {
	w := newWorld(t)
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"ada"}
	w.tenant.Backups = map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"amir"}}
	w.chat.mu.Lock()
	w.chat.fate = func(_ string, at bot.Place, _ bot.Message) fate {
		if at.User == "UADA" {
			return fate{err: &bot.Failure{Kind: bot.KindGone, Says: "The user's account is deactivated.", Away: true}}
		}
		return fine
	}
	w.chat.mu.Unlock()
	w.planned()
	w.pass(time.Minute)
	r := w.run()
	if !strings.Contains(w.tells("UAMIR"), "Approve and run") || r.Unreached["ada"] == "" {
		t.Errorf("Amir sees %q; unreached %v", w.tells("UAMIR"), r.Unreached)
	}
	if strings.Contains(w.tells("UOLGA"), "Nobody who can act") {
		t.Errorf("there is a backup, and the owner is alarmed: %s", w.tells("UOLGA"))
	}
	// Amir leaves too: now nobody is left, and the owner hears it once.
	w.chat.mu.Lock()
	w.chat.fate = func(_ string, at bot.Place, _ bot.Message) fate {
		if at.User == "UADA" || at.User == "UAMIR" {
			return fate{err: &bot.Failure{Kind: bot.KindGone, Says: "The user's account is deactivated.", Away: true}}
		}
		return fine
	}
	w.chat.mu.Unlock()
	w.say("hello", bot.DM(account("UAMIR")), "Hello")
	w.pass(time.Minute)
	w.say("hello again", bot.DM(account("UAMIR")), "Hello")
	w.pass(time.Minute)
	if n := strings.Count(w.tells("UOLGA"), "Nobody who can act holds Entra admin"); n != 1 {
		t.Errorf("the owner is told %d times:\n%s", n, w.tells("UOLGA"))
	}
}

// grouped is a chat that knows who is in a user group.
type grouped struct {
	engine.Chat
	members func() ([]string, error)
}

func (g grouped) Members(context.Context, string, string) ([]string, error) { return g.members() }

func TestAnAdminManagedGroupIsReadAndItsAgeCounts(t *testing.T) {
	w := newWorld(t)
	members, refuse := []string{"UAMIR"}, error(nil)
	w.engine.Chats[bot.Slack] = grouped{w.engine.Chats[bot.Slack], func() ([]string, error) { return members, refuse }}
	w.tenant.Holders[bot.EntraAdmin] = nil
	w.commit("declare", func(d *engine.Draft) error {
		d.Manage(w.tenant, bot.Membership{Role: bot.EntraAdmin, Team: "T1", Group: "S1", By: "olga"}, true)
		return nil
	})
	holds := func() (ok bool, why string) {
		w.read(func(v engine.View) error {
			t, err := engine.NewDraft(v, w.env, "x", w.clock.Now()).Effective(w.tenant)
			ok, why = t.Holds("amir", bot.EntraAdmin), t.Doubts[bot.EntraAdmin]
			return err
		})
		return ok, why
	}
	if ok, why := holds(); ok || why == "" {
		t.Errorf("before the first reading: %v, %q", ok, why)
	}
	w.pass(time.Second)
	if ok, why := holds(); !ok || why != "" {
		t.Errorf("after the first reading: %v, %q", ok, why)
	}
	refuse = &bot.Failure{Kind: bot.KindForbidden, Says: "The app lacks the scope usergroups:read."}
	w.pass(50 * time.Minute)
	if ok, _ := holds(); !ok {
		t.Error("a reading of fifty minutes ago does not count")
	}
	w.pass(time.Hour)
	if ok, why := holds(); ok || !strings.Contains(why, "usergroups:read") {
		t.Errorf("a reading of two hours ago: %v, %q", ok, why)
	}
	refuse = nil
	w.pass(11 * time.Minute)
	if ok, _ := holds(); !ok {
		t.Error("it can be read again, and does not count")
	}
	members = nil
	w.pass(11 * time.Minute)
	if ok, _ := holds(); ok {
		t.Error("Amir left the group and still holds the role")
	}
}

// shut is a store that cannot be read so many times.
type shut struct {
	engine.Store
	left int
}

func (s *shut) Read(ctx context.Context, f func(engine.View) error) error {
	if s.left--; s.left >= 0 {
		return bot.ErrNoRead
	}
	return s.Store.Read(ctx, f)
}

// However often Keyturn's own data cannot be read when it is time to look who is in
// a group, it goes on looking.
func TestAGroupIsReadAgainAfterTheStoreWasAway(t *testing.T) {
	w := newWorld(t)
	members := []string{"UAMIR"}
	w.engine.Chats[bot.Slack] = grouped{w.engine.Chats[bot.Slack], func() ([]string, error) { return members, nil }}
	w.tenant.Holders[bot.EntraAdmin] = nil
	w.commit("declare", func(d *engine.Draft) error {
		d.Manage(w.tenant, bot.Membership{Role: bot.EntraAdmin, Team: "T1", Group: "S1", By: "olga"}, true)
		return nil
	})
	w.pass(time.Minute)
	w.engine.Store = &shut{w.engine.Store, engine.Tries + 2}
	members = nil
	w.pass(25 * time.Minute)
	w.read(func(v engine.View) error {
		t, err := engine.NewDraft(v, w.env, "x", w.clock.Now()).Effective(w.tenant)
		if t.Holds("amir", bot.EntraAdmin) {
			w.t.Error("Amir left the group and still holds the role")
		}
		return err
	})
}

// TestRoundAfterRoundOneApproverWins has 32 clicks of both holders, on two
// platforms, meet at once: one is acted on, once, and every other is told who
// was faster.
func TestRoundAfterRoundOneApproverWins(t *testing.T) {
	rounds := 20
	if long() {
		rounds = 1000
	}
	for round := range rounds {
		w := newWorld(t)
		w.onTeamsToo()
		w.planned()
		value := "r1/make/" + w.step("make").Plan.Digest
		replies := make([]bot.Reply, 32)
		race(len(replies), func(i int) {
			who := []string{"UADA", "UAMIR"}[i%2]
			from, at := account(who), channel
			if i%4 >= 2 {
				from, at = bot.Account{Platform: bot.Teams, Team: "TT", ID: who}, bot.Place{Platform: bot.Teams, Team: "TT", Channel: "19:c"}
			}
			r, err := w.engine.Handle(t.Context(), bot.Request{Key: fmt.Sprintf("race-%d", i), Kind: bot.Clicked, At: start, From: from, Place: at, Action: setup.ActApprove, Value: value, Inline: true})
			if err != nil {
				t.Error(err)
			}
			replies[i] = r
		})
		won := 0
		for i, r := range replies {
			switch {
			case r.Message == nil:
				won++
			case !strings.Contains(r.Message.Words(), "This was approved by A"):
				t.Errorf("click %d is told %q", i, r.Message.Words())
			}
		}
		w.pass(time.Minute)
		w.wantStep("make", setup.Done)
		approved := strings.Count(strings.Join(w.acts(), " "), "approve")
		if calls := w.graph.did("POST /apps"); won != 1 || approved != 1 || len(w.graph.did("")) != 2 {
			t.Fatalf("round %d: %d winners, %d approvals, calls %v", round, won, approved, calls)
		}
		w.store.Close()
	}
}

// long reports whether there is time for the long run.
func long() bool { return os.Getenv("KEYTURN_LONG") != "" }

// race begins n acts at the same moment and waits for all.
func race(n int, act func(i int)) {
	var ready, done sync.WaitGroup
	gun := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-gun
			act(i)
		})
	}
	ready.Wait()
	close(gun)
	done.Wait()
}

// onTeamsToo gives everybody an account on Teams.
func (w *world) onTeamsToo() {
	w.tenant.Teams = append(w.tenant.Teams, bot.Workspace{Platform: bot.Teams, ID: "TT"})
	for i := range w.tenant.People {
		p := &w.tenant.People[i]
		p.Accounts = append(p.Accounts, bot.Account{Platform: bot.Teams, Team: "TT", ID: p.Accounts[0].ID})
	}
}

func TestARunWhoseRequesterIsGoneIsAnOwners(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.chat.mu.Lock()
	w.chat.fate = func(_ string, at bot.Place, _ bot.Message) fate {
		if at.User == "URITA" {
			return fate{err: &bot.Failure{Kind: bot.KindGone, Says: "The user's account is deactivated.", Away: true}}
		}
		return fine
	}
	w.chat.mu.Unlock()
	w.say("hello", bot.DM(account("URITA")), "Hello")
	w.pass(time.Minute)
	if r := w.run(); r.Requester != "olga" {
		t.Fatalf("the run is %s's", r.Requester)
	}
	if got := w.tells("UOLGA"); !strings.Contains(got, "Rita cannot act any more, so the run r1 (direct, Contoso) is yours") || !strings.Contains(got, "Agree") {
		t.Errorf("the owner hears %q", got)
	}
	w.click("agree", "UOLGA", setup.ActAnswer, "r1/agree/")
	w.pass(10 * time.Second)
	w.wantStep("make", setup.Planned)
}
