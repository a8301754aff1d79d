package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// What happens when a sign-in does not come out as it should. Each time its
// person reads what happened and who can mend it, nothing is run, and the run
// goes on once it is mended.

// signsIn has a person press a button of their card that leads to a sign-in,
// and sign in as an account; with "" they choose not to. It gives what the last
// page says.
func (h *house) signsIn(who play.Person, label, step, account string) string {
	h.Helper()
	h.seen(who)
	c, b := h.button(who, label, step)
	said, err := h.crew.SignsIn(h.Context(), who, c, b, account)
	if err != nil {
		h.fail("%s signs in: %v", who.Name, err)
	}
	h.idle()
	return said
}

// expectPage says what the page has to say in the end.
func (h *house) expectPage(said string, words ...string) {
	h.Helper()
	if !containsAll(said, words) {
		h.fail("the page says %q, expected %q", said, words)
	}
}

// expectUnsigned waits for the step to wait for somebody's sign-in, with
// these words, and for nothing to have been changed outside.
func (h *house) expectUnsigned(who play.Person, step string, words ...string) {
	h.Helper()
	h.until("the step "+step+" of "+who.Name+" to wait for a sign-in with "+strings.Join(words, ", "), func(s *slack.State) bool {
		text, buttons := h.section(s, who, step)
		return slices.Contains(buttons, "Sign in") && containsAll(text, words)
	})
	h.expectNoWrites()
	h.unharmed()
}

// signedInNow reports whether the bot keeps a sign-in of a person.
func (h *house) signedInNow(who play.Person) bool {
	h.Helper()
	found := false
	h.read(func(v engine.View) error {
		kept, err := v.Records("session", "contoso")
		for _, r := range kept {
			found = found || strings.HasPrefix(r.Key, who.Entra)
		}
		return err
	})
	return found
}

// asksToSignIn brings a run to where Erin and Sam have to sign in. Erin's role
// is active.
func (h *house) asksToSignIn() {
	h.Helper()
	if err := h.world.Microsoft.Activate(play.Erin.UPN, "Application Administrator"); err != nil {
		h.Fatal(err)
	}
	h.begins("direct", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.expectUnsigned(play.Erin, firstSignIn)
}

// firstSignIn is the step for which Erin signs in first.
const firstSignIn = "signin-entra"

func TestWhoDoesNotWantToSignInRunsNothing(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	said := h.signsIn(play.Erin, "Sign in", firstSignIn, "")
	h.expectPage(said, "Not signed in", "You chose Cancel, or did not accept", "Sign in again and accept")
	h.expectPrivate(play.Erin, "The sign-in at Microsoft Entra did not work", "You chose Cancel, or did not accept", "Nothing was run; the step waits as it was", "AADSTS65004")
	h.expectUnsigned(play.Erin, firstSignIn)
	h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN)
	h.expectApproval(play.Erin, "reader-app")
}

func TestWhoDeniesAtServiceNowRunsNothing(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	h.expectPage(h.signsIn(play.Sam, "Sign in", "signin-servicenow", ""), "You chose Deny, or the instance did not allow it", "choose Allow")
	h.expectPrivate(play.Sam, "The sign-in at ServiceNow did not work", "Nothing was run")
	h.expectUnsigned(play.Sam, "signin-servicenow")
	h.signsIn(play.Sam, "Sign in", "signin-servicenow", play.Sam.Now)
	h.expectApproval(play.Sam, "sn-unattended")
}

// A policy stops somebody on Microsoft's own page: nobody is sent back, and the
// bot hears nothing. The step waits.
func TestConditionalAccessOnMicrosoftsPage(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	h.blocked(true)
	h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN), "You cannot access this right now", "AADSTS53003")
	h.expectUnsigned(play.Erin, firstSignIn)
	h.blocked(false)
	h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN)
	h.expectApproval(play.Erin, "reader-app")
}

func (h *house) blocked(b bool) {
	h.Helper()
	if err := h.world.Microsoft.Block(play.Erin.UPN, b); err != nil {
		h.Fatal(err)
	}
}

// A policy, or whatever else stands in the way, stops somebody when the code is
// redeemed.
func TestWhatMicrosoftRefusesWhenASignInIsRedeemed(t *testing.T) {
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.asksToSignIn()
	for _, r := range []refusal{
		{name: "Conditional Access", provoke: tokenSays(400, 53003, "invalid_grant", "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
			words: []string{"Conditional Access blocks this sign-in", "The Entra admin can see the policy in the sign-in log and make an exception", "AADSTS53003"}},
		{name: "a device", provoke: tokenSays(400, 53000, "interaction_required", "Device is not in required device state: compliant."),
			words: []string{"a device that the organisation manages", "Sign in from such a device", "AADSTS53000"}},
		{name: "a second factor", provoke: tokenSays(400, 50076, "interaction_required", "Due to a configuration change made by your administrator you must use multi-factor authentication."),
			words: []string{"Microsoft asks for a second factor", "Sign in again and complete it", "AADSTS50076"}},
		{name: "nobody has consented", provoke: tokenSays(400, 65001, "invalid_grant", "The user or administrator has not consented to use the application."),
			words: []string{"consented", "AADSTS65001"}},
		{name: "a disabled account", provoke: tokenSays(400, 50057, "invalid_grant", "The user account is disabled."),
			words: []string{"The account is disabled", "Ask the Entra admin", "AADSTS50057"}},
		{name: "an account of another tenant", provoke: tokenSays(400, 50020, "invalid_grant", "User account 'eve@fabrikam.example' from identity provider 'https://sts.windows.net/8d4e0f52-1d0b-4a63-9f0e-5a2f1c9b7d11/' does not exist in tenant 'Contoso'."),
			words: []string{"another organisation", "AADSTS50020"}},
		{name: "Keyturn's own certificate", provoke: tokenSays(401, 700027, "invalid_client", "The certificate with identifier used to sign the client assertion is not registered on application."),
			words: []string{"AADSTS700027"}},
		{name: "no answer", provoke: graphFault(sim.Fault{Method: "POST", Path: "/login/*/oauth2/v2.0/token", Drop: true}),
			words: []string{"could not be"}},
	} {
		h.in(r.name, func() {
			r.provoke(h)
			h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN), "Not signed in")
			h.expectPrivate(play.Erin, append([]string{"The sign-in at Microsoft Entra did not work", "Nothing was run; the step waits as it was"}, r.words...)...)
			h.expectUnsigned(play.Erin, firstSignIn)
			h.mended(r)
		})
	}
	h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN)
	h.expectApproval(play.Erin, "reader-app")
}

// Somebody signs in with an account that is theirs and that nobody told the
// bot of. An owner confirms it, once.
func TestASecondAccountIsLinkedByAnOwner(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	second := microsoft.User{ID: "11111111-0000-4000-8002-000000000002", Name: "Erin Vogel (tier 0)", UPN: "erin.t0@contoso.example", Active: []string{"Application Administrator"}}
	if err := h.world.Microsoft.AddUser(second); err != nil {
		t.Fatal(err)
	}
	h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, second.UPN), "You signed in as "+second.UPN, "does not know as an account of Erin Vogel", "choose [Link this account]")
	h.expectPrivate(play.Erin, second.UPN, "I dropped the sign-in, and nothing was run")
	h.expectUnsigned(play.Erin, firstSignIn)
	if h.signedInNow(play.Erin) {
		t.Fatal("the sign-in was kept")
	}

	h.clicks(play.Erin, "Link this account", "")
	h.expectPrivate(play.Erin, "I have asked Omar Haddad and Olga Brandt to confirm that "+second.UPN+" is yours")
	h.expectCard(play.Omar, "Erin Vogel signed in at Microsoft Entra as", second.UPN, "Ask them, not by a message that somebody else could answer")
	h.signsIn(play.Erin, "Sign in", firstSignIn, second.UPN) // before an owner agreed
	h.expectUnsigned(play.Erin, firstSignIn)

	h.clicks(play.Omar, "Confirm", "")
	h.expectCard(play.Erin, "An owner confirmed that", second.UPN, "Sign in again on your card")
	h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, second.UPN), "You are signed in as "+second.UPN)
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "ran as", second.UPN, "Read back")
	for _, e := range h.trail() {
		if e.Act == "call" && (e.Account != second.UPN || e.Person != bot.PersonID(play.Erin.Entra)) {
			t.Errorf("a call of %s ran as %q", e.Person, e.Account)
		}
	}
}

// An owner takes back what was confirmed: the sign-in ends, what was not run is
// not run, and the account is a stranger's again.
func TestAnOwnerTakesALinkedAccountBack(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	second := microsoft.User{ID: "11111111-0000-4000-8002-000000000002", Name: "Erin Vogel (tier 0)", UPN: "erin.t0@contoso.example", Active: []string{"Application Administrator"}}
	if err := h.world.Microsoft.AddUser(second); err != nil {
		t.Fatal(err)
	}
	h.signsIn(play.Erin, "Sign in", firstSignIn, second.UPN)
	h.clicks(play.Erin, "Link this account", "")
	h.clicks(play.Omar, "Confirm", "")
	h.expectCard(play.Erin, "An owner confirmed that", second.UPN)
	h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, second.UPN), "You are signed in as "+second.UPN)
	h.expectApproval(play.Erin, "reader-app")

	h.types(play.Rita, "/keyturn roles unlink erin entra")
	h.expectPrivate(play.Rita, "not", "owner")
	h.types(play.Omar, "/keyturn roles")
	h.expectPrivate(play.Omar, "Accounts that were confirmed in chat", "Erin Vogel at Microsoft Entra", second.UPN, "confirmed by Omar Haddad")
	if !h.signedInNow(play.Erin) {
		t.Fatal("the sign-in was not kept")
	}
	h.clicks(play.Omar, "Unlink "+second.UPN, "")
	h.expectPrivate(play.Omar, second.UPN+" is no account of Erin Vogel any more", "I have told them")
	h.expectPrivate(play.Erin, "An owner took back that", second.UPN, "Nothing more is run as it")
	if h.signedInNow(play.Erin) {
		t.Error("the sign-in with the account goes on")
	}
	h.expectPage(h.signsIn(play.Erin, "Approve and run", "reader-app", second.UPN), "does not know as an account of Erin Vogel")
	h.expectPrivate(play.Erin, "you are not signed in now, so I have not run anything")
	h.expectNoWrites()
	h.types(play.Omar, "/keyturn roles unlink erin entra")
	h.expectPrivate(play.Omar, "there is nothing to take back")
}

// Somebody else's account is nobody's second one.
func TestAnAccountOfSomebodyElseIsNotTaken(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, play.Emil.UPN), play.Emil.UPN+" is the account of Emil Sato", "not taken for Erin Vogel", "sign in with your own")
	h.expectPrivate(play.Erin, "is the account of Emil Sato", "Nothing was run")
	h.expectUnsigned(play.Erin, firstSignIn)
	if h.signedInNow(play.Erin) || h.signedInNow(play.Emil) {
		t.Error("the sign-in was kept")
	}
}

// A guest of the directory signs in: an account of another organisation that
// was invited. It is nobody whom the bot knows.
func TestAGuestOfTheDirectoryIsNobody(t *testing.T) {
	h := open(t, withSignIn)
	h.asksToSignIn()
	guest := microsoft.User{ID: "99999999-0000-4000-8000-000000000001", Name: "Eve Partner", UPN: "eve_fabrikam.example#EXT#@contoso.example", Active: []string{"Global Administrator"}}
	if err := h.world.Microsoft.AddUser(guest); err != nil {
		t.Fatal(err)
	}
	h.expectPage(h.signsIn(play.Erin, "Sign in", firstSignIn, guest.UPN), "Not signed in", "The sign-in was dropped")
	h.expectUnsigned(play.Erin, firstSignIn)
	if h.signedInNow(play.Erin) {
		t.Error("the sign-in was kept")
	}
}

// An admin of ServiceNow ends the sign-in while the calls of a step are made.
func TestASignInThatServiceNowRevokesInTheMiddle(t *testing.T) {
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-unattended")
	h.fromNow()
	h.world.ServiceNow.Faults.Add(sim.Fault{Method: "POST", Path: "/api/now/table/oauth_entity", Status: 401,
		Body: `{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}`})
	h.clicks(play.Sam, "Approve and run", "sn-unattended")
	h.until("the step to wait for Sam's sign-in", func(s *slack.State) bool {
		text, buttons := h.section(s, play.Sam, "sn-unattended")
		return slices.Contains(buttons, "Sign in") && containsAll(text, []string{"ServiceNow did not accept the sign-in", "Sign in again, and the calls that you approved are finished"})
	})
	h.idle()
	h.expectCard(play.Sam, "Sign in again, so that I can finish what you approved", "Nothing more is called until then")
	h.unharmed()
	if h.signedInNow(play.Sam) {
		t.Error("the revoked sign-in is kept")
	}
	made := len(h.writesMade())
	h.world.ServiceNow.Faults.Clear()
	h.signsIn(play.Sam, "Sign in", "sn-unattended", play.Sam.Now)
	h.expectDone(play.Sam, "ServiceNow sign-in for unattended work")
	if again := h.writesMade(); len(again) <= made {
		t.Error("nothing was finished")
	}
	users := map[string]int{}
	for _, c := range h.writesMade() {
		if c.Method == "POST" && c.Status == 201 {
			table, _, _ := strings.Cut(c.Path, "?")
			users[table]++
		}
	}
	if users["/api/now/table/sys_user"] != 1 || users["/api/now/table/oauth_entity"] != 1 {
		t.Errorf("what was made before is made again: %v", users)
	}
}

// Microsoft wants a stronger sign-in for a call, and says for what. The next
// sign-in asks for just that.
func TestAStrongerSignInIsAskedForByACall(t *testing.T) {
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.asksToSignIn()
	h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN)
	h.expectApproval(play.Erin, "reader-app")
	h.fromNow()
	h.world.Microsoft.Faults.Add(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/applications*", Status: 401,
		Header: http.Header{"Www-Authenticate": {`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`}},
		Body:   `{"error":{"code":"InvalidAuthenticationToken","message":"Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"}}`})
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.until("the step to wait for a stronger sign-in", func(s *slack.State) bool {
		text, buttons := h.section(s, play.Erin, "reader-app")
		return slices.Contains(buttons, "Sign in") && containsAll(text, []string{"Microsoft asks for a stronger sign-in", "Conditional Access"})
	})
	h.unharmed()
	h.world.Microsoft.Faults.Clear()
	h.signsIn(play.Erin, "Sign in", "reader-app", play.Erin.UPN)
	if !slices.ContainsFunc(h.served(), func(c sim.Call) bool {
		u, err := url.Parse(c.Path)
		return err == nil && strings.HasSuffix(u.Path, "/authorize") && u.Query().Get("claims") == `{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}`
	}) {
		h.fail("the sign-in did not ask for what Microsoft wanted:\n%s", calls(h.served()))
	}
	h.expectDone(play.Erin, "Registration for reading service health")
}

// Erin goes on without her role, and Microsoft says no. She activates it, and a
// fresh sign-in carries it: the step that failed is read again with that.
func TestARoleThatIsActivatedAfterARefusal(t *testing.T) {
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.begins("direct", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN)
	h.expectApproval(play.Erin, "reader-app", "Your account does not carry Application Administrator now", "Microsoft's answer decides")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.idle()
	h.expectRefusal(play.Erin, "reader-app", "A role or permission for this is missing", "Your account does not carry Application Administrator now. If you hold it in PIM", "activate it", "with a fresh sign-in where you sign in", "Authorization_RequestDenied")

	h.expectPage(h.signsIn(play.Erin, "Activated", "reader-app", play.Erin.UPN), "You are signed in") // too early: it is read again, and the plan says what is missing
	h.expectApproval(play.Erin, "reader-app", "Your account does not carry Application Administrator now")
	if err := h.world.Microsoft.Activate(play.Erin.UPN, "Application Administrator"); err != nil {
		t.Fatal(err)
	}
	h.expectPage(h.signsIn(play.Erin, "Activated", "reader-app", play.Erin.UPN), "You are signed in")
	h.until("the plan without that word", func(s *slack.State) bool {
		text, buttons := h.section(s, play.Erin, "reader-app")
		return slices.Contains(buttons, "Approve and run") && !strings.Contains(text, "does not carry")
	})
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectDone(play.Erin, "Registration for reading service health", "ran as", play.Erin.UPN)
}
