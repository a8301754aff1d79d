package engine_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

const (
	canaryCode  = "canary-code-5b1e"
	canaryToken = "canary-token-8d20"
)

var (
	linkIn   = regexp.MustCompile(`http://127\.0\.0\.1:\d+/signin/go/contoso/[A-Za-z0-9_-]+`)
	numberIn = regexp.MustCompile(`number: (\d\d)`)
	checkIn  = regexp.MustCompile(`name="check" value="([^"]+)"`)
)

func TestAPersonSignsInAndTheStepGoesOnAsThem(t *testing.T) {
	f := newFront(t)
	link, number := f.ask("UADA")
	c := browser()
	page := f.get(c, link)
	for _, want := range []string{"Ada", "Rita", "Make it", "r1", "login.example.com", "ada.admin@contoso.com", ">" + number + "<"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not name %q:\n%s", want, page.body)
		}
	}
	for _, h := range []string{"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Cache-Control", "X-Content-Type-Options"} {
		if page.header.Get(h) == "" {
			t.Errorf("the page has no %s", h)
		}
	}
	s := f.confirm(c, link, number)
	q := s.to.Query()
	if s.status != http.StatusSeeOther || q.Get("nonce") == "" || q.Get("code_challenge") == "" || q.Get("login_hint") != "ada.admin@contoso.com" {
		t.Fatalf("the confirming click led to %d %v", s.status, s.to)
	}
	s = f.get(c, back(q.Get("state")))
	if s.status != http.StatusSeeOther || !strings.HasPrefix(s.to.Path, "/signin/after/contoso/") || s.to.RawQuery != "" {
		t.Fatalf("the return led to %d %v", s.status, s.to)
	}
	after := s.to.String()
	if s = f.get(c, after); !strings.Contains(s.body, "One moment") {
		t.Fatalf("before the code is redeemed: %s", s.body)
	}
	f.pass(10 * time.Second)
	if s = f.get(c, after); !strings.Contains(s.body, "You are signed in as ada.admin@contoso.com") {
		t.Fatalf("after it: %s", s.body)
	}
	if s = f.get(browser(), after); s.status != http.StatusNotFound {
		t.Fatalf("another browser sees %d %s", s.status, s.body)
	}
	if n := len(f.door.codes); n != 1 || f.door.codes[0].Code.Reveal() != canaryCode || f.door.codes[0].Nonce != q.Get("nonce") {
		t.Fatalf("%d codes were redeemed: %+v", n, f.door.codes)
	}
	f.wantStep("make", setup.Planned)
	f.approve()
	f.pass(time.Minute)
	f.wantStep("make", setup.Done)
	for _, x := range f.graph.calls {
		if x.Identity.Person != "ada" || x.Identity.Account != "ada.admin@contoso.com" {
			t.Errorf("%s %s ran as %+v", x.Method, x.Path, x.Identity)
		}
	}
	f.canaries()
}

func TestAVisitEndsWithItsLastStep(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	if f.token("ada").IsZero() {
		t.Fatal("Ada is signed in and has no token")
	}
	f.click(f.id(), "URITA", "run-really-cancel", "r1")
	f.pass(time.Minute)
	if s := f.token("ada"); !s.IsZero() {
		t.Error("the run is over, and Ada's token is still there")
	}
	f.read(func(v engine.View) error {
		if s, err := v.Secret("session/contoso/ada/graph"); err == nil {
			t.Errorf("the token is still kept: %v", s)
		}
		return nil
	})
}

func TestATokenEndsByItsTime(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
	f.pass(2 * time.Hour)
	if said := asJSON(f.click(f.id(), "UADA", setup.ActApprove, "r1/make/"+f.step("make").Plan.Digest)); !strings.Contains(said, "you are not signed in now, so I have not run anything") || !linkIn.MatchString(said) {
		t.Errorf("Ada was answered: %s", said)
	}
	f.wantStep("make", setup.Planned)
}

func TestSomebodyElseMustSignInThemselvesToApprove(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	if said := asJSON(f.click(f.id(), "UAMIR", setup.ActApprove, "r1/make/"+f.step("make").Plan.Digest)); !strings.Contains(said, "you are not signed in now") {
		t.Errorf("Amir was answered: %s", said)
	}
	f.wantStep("make", setup.Planned)
}

func TestARevokedTokenWaitsForItsApprover(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.graph.before = func(c bot.Call) error {
		if c.Write() {
			return &bot.Failure{Kind: bot.KindSignIn, System: bot.Graph, Status: 401, Says: "The sign-in was revoked.", Fix: "Sign in again."}
		}
		return nil
	}
	f.approve()
	f.pass(time.Minute)
	s := f.wantStep("make", setup.Unsigned)
	if s.Approval == nil || s.SignIn.Back != setup.Running || !strings.Contains(s.SignIn.Why, "revoked") {
		t.Fatalf("the step is %+v", s)
	}
	if !f.token("ada").IsZero() {
		t.Error("the refused token is still there")
	}
	f.graph.before = nil
	f.signIn("UADA")
	f.pass(time.Minute)
	f.wantStep("make", setup.Done)
}

func TestAnUnknownAccountIsLinkedOnceAnOwnerAgrees(t *testing.T) {
	f := newFront(t)
	f.door.in.Account, f.door.in.Object = "ada.second@contoso.com", "ada-second"
	f.signIn("UADA")
	f.wantStep("make", setup.Unsigned)
	if !f.token("ada").IsZero() {
		t.Fatal("a sign-in with an unknown account was taken")
	}
	var id string
	f.read(func(v engine.View) error {
		all, err := v.Records("sign-in", "contoso")
		if len(all) == 1 {
			id = all[0].Key
		}
		return err
	})
	f.click(f.id(), "UAMIR", setup.ActLink, id) // it is not his
	f.click(f.id(), "UADA", setup.ActLink, id)
	f.click(f.id(), "UADA", setup.ActLinkYes, id) // she is no owner
	f.settle()
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Fatal("the account was taken before an owner agreed")
	}
	f.click(f.id(), "UOLGA", setup.ActLinkYes, id)
	f.settle()
	f.signIn("UADA")
	if f.token("ada").IsZero() {
		t.Fatal("an owner agreed, and the account is not taken")
	}
	f.wantStep("make", setup.Planned)
}

// Two people with one account would be one person where four eyes are asked for.
func TestAnAccountIsOnePersonsAlone(t *testing.T) {
	f := newFront(t)
	f.door.in.Account, f.door.in.Object = "shared@contoso.com", "shared"
	ids := func() (out []string) {
		f.read(func(v engine.View) error {
			all, err := v.Records("sign-in", "contoso")
			for _, r := range all {
				out = append(out, r.Key)
			}
			return err
		})
		return out
	}
	f.signIn("UADA")
	adas := ids()
	f.signIn("UAMIR")
	amirs := slices.DeleteFunc(ids(), func(id string) bool { return slices.Contains(adas, id) })
	if len(adas) != 1 || len(amirs) != 1 {
		t.Fatalf("the sign-ins are %v and %v", adas, amirs)
	}
	f.click(f.id(), "UADA", setup.ActLink, adas[0])
	f.click(f.id(), "UAMIR", setup.ActLink, amirs[0])
	if said := asJSON(f.click(f.id(), "UOLGA", setup.ActLinkYes, amirs[0])); !strings.Contains(said, "shared@contoso.com is linked to Amir now") {
		t.Fatalf("Olga was answered: %s", said)
	}
	f.settle()
	if said := asJSON(f.click(f.id(), "UOLGA", setup.ActLinkYes, adas[0])); !strings.Contains(said, "shared@contoso.com is Amir's already") {
		t.Errorf("Olga was answered: %s", said)
	}
	f.settle()
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Error("Ada signed in with Amir's account")
	}

	// Whatever the configuration calls somebody's admin account: a person's own is theirs.
	f.door.in.Account, f.door.in.Object = "ada.admin@contoso.com", "amir"
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Error("Ada signed in with Amir's own account under the name of hers")
	}
}

func TestACodeIsRedeemedOnce(t *testing.T) {
	f := newFront(t)
	c, state := f.begun()
	for range 5 {
		f.get(c, back(state))
	}
	f.pass(10 * time.Second)
	f.get(c, back(state))
	f.pass(10 * time.Second)
	if n := len(f.door.codes); n != 1 {
		t.Errorf("the code was redeemed %d times", n)
	}
}

func TestACodeLostInACrashMeansToSignInAgain(t *testing.T) {
	f := newFront(t)
	c, state := f.begun()
	s := f.get(c, back(state))
	f.door.err = &bot.Failure{Kind: bot.KindSignIn, Says: "The code was redeemed already.", Fix: "Sign in again."} // by the life that ended
	f.pass(10 * time.Second)
	if p := f.get(c, s.to.String()); !strings.Contains(p.body, "Sign in again") {
		t.Errorf("the page says: %s", p.body)
	}
	f.wantStep("make", setup.Unsigned)
	f.door.err = nil
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
}

// A name can be given to somebody else once its account is gone; an ID cannot.
func TestAnAccountThatWasMadeAgainUnderItsNameIsAnother(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
	f.pass(2 * time.Hour)
	f.door.in = bot.SignedIn{Account: "ADA.admin@contoso.com", Object: "made-again", Until: f.clock.Now().Add(time.Hour)}
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Fatal("the other account was taken")
	}
	if said := f.words(); !strings.Contains(said, "That is the name of your account, but its ID is another than the one I know") {
		t.Errorf("Ada reads:\n%s", said)
	}
	f.door.in = bot.SignedIn{Account: "ada.admin@contoso.com", Object: "ada-admin", Until: f.clock.Now().Add(time.Hour)}
	f.signIn("UADA")
	if f.token("ada").IsZero() {
		t.Error("her own account is no longer taken")
	}
}

func TestAnAccountThatTheConfigurationPinsCountsByItsID(t *testing.T) {
	f := newFront(t)
	for i := range f.tenant.People {
		if f.tenant.People[i].ID == "ada" {
			f.tenant.People[i].AdminID = map[bot.System]string{bot.Graph: "ADA-ADMIN"}
		}
	}
	f.door.in.Object = "somebody-else"
	f.signIn("UADA")
	if !f.token("ada").IsZero() {
		t.Fatal("an account with another ID was taken")
	}
	f.door.in.Object = "ada-admin"
	f.signIn("UADA")
	f.wantStep("make", setup.Planned)
}
