package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/servicenow"
)

// withKnowledge has answers completed with what ServiceNow has.
func withKnowledge(says string) option {
	return func(s *setting) {
		s.edit = append(s.edit, func(conf string) string {
			return strings.Replace(conf, "  servicenow:\n", "  servicenow:\n    knowledge: {"+says+"}\n", 1)
		})
	}
}

// withMax has the configuration know Max of the service desk, and his account
// in ServiceNow.
var withMax option = func(s *setting) {
	s.edit = append(s.edit, func(conf string) string {
		return strings.Replace(conf, "  people:\n", fmt.Sprintf("  people:\n  - {id: %s, name: %q, accounts: [%s], admin: {servicenow: %q}}\n", play.Max.Entra, play.Max.Name, quoted(cmp.Or(s.On, play.OnSlack).Accounts(play.Max)), play.Max.Now), 1)
	})
}

// raises files an incident in ServiceNow.
func (h *house) raises(values map[string]string) (number, id string) {
	h.Helper()
	number, id, err := h.world.ServiceNow.Raise(values)
	if err != nil {
		h.Fatal(err)
	}
	return number, id
}

func (h *house) writesArticle(a servicenow.Article) (number, base string) {
	h.Helper()
	number, base, err := h.world.ServiceNow.Publish(a)
	if err != nil {
		h.Fatal(err)
	}
	return number, base
}

// presses presses a button that a person sees on a platform.
func (h *house) presses(p play.Platform, who play.Person, label string) {
	h.Helper()
	if p == play.OnTeams {
		h.pressOnTeams(who, label, "")
		return
	}
	h.clicks(who, label, "")
}

// visits follows a sign-in card to its end.
func (h *house) visits(who play.Person, card play.Card) {
	h.Helper()
	if said, err := h.crew.SignIn(h.Context(), who, card); err != nil || !strings.Contains(said, "You are signed in") {
		h.fail("%s did not sign in: %s %v", who.Name, said, err)
	}
}

// An incident of ServiceNow is read as whoever asks, and what may explain it is
// written back as the same person: once, even where the answer to the write is
// lost and the button is pressed twice.
func TestAServiceNowIncidentIsReadAndNotedAsWhoAsks(t *testing.T) {
	onEach(t, func(t *testing.T, p play.Platform) {
		h := openOn(t, p, withSignIn, withMax, withReader, withKnowledge("as_asker: true"))
		h.expectReading()
		if p == play.OnTeams {
			if out, err := h.world.Teams.Install(play.Max.Entra, ""); err != nil || out.Reason != "" {
				t.Fatal(out.Reason, err)
			}
		}
		number, id := h.raises(map[string]string{"short_description": "OneDrive stays at sync pending", "description": "Files of the whole floor are not synced since noon."})
		past, _ := h.raises(map[string]string{"short_description": "OneDrive sync pending for days", "state": "6", "close_code": "Solution provided", "close_notes": "Freed space on the disk, then sync went on."})
		article, _ := h.writesArticle(servicenow.Article{Base: "Desk", Readers: "itil", Title: "OneDrive sync at our sites", Text: "<p>Our proxy stops sync of large files.</p>"})
		hidden, _ := h.writesArticle(servicenow.Article{Base: "Admins", Readers: "security_admin", Title: "OneDrive sync of the board", Text: "secret"})
		draft, _ := h.writesArticle(servicenow.Article{Base: "Desk", Title: "OneDrive sync, not yet finished", Text: "draft", Draft: true})

		link := h.typesOn(p, play.Max, "", "recommend "+strings.ToLower(number), "I read "+number+" as you", "not signed in there", "It asks for a number")
		if len(h.served()) > 0 && strings.Contains(calls(h.served()), "/table/incident") {
			t.Errorf("something was read before anybody signed in:\n%s", calls(h.served()))
		}
		fresh := h.news()
		h.visits(play.Max, link)
		h.answered(p, play.Max, fresh, "You are signed in at ServiceNow as max.petrov", "[Ask again]")

		fresh = h.news()
		h.presses(p, play.Max, "Ask again")
		told := func(words string) { // what answers a click on Teams stands in the place of its card
			t.Helper()
			if p == play.OnSlack {
				h.answered(p, play.Max, fresh, words)
			}
		}
		told("I read " + number + " in ServiceNow as max.petrov")
		h.answered(p, play.Max, fresh, number+" says: “OneDrive stays at sync pending", "published nothing yet", "[Write into "+number+"]")
		got := h.answered(p, play.Max, fresh, "From your ServiceNow, for you alone", past, "Freed space on the disk", article, "Our proxy stops sync", "asked as max.petrov", "[Write into "+number+"]")
		for _, no := range []string{hidden, draft} {
			if strings.Contains(got.Text, no) {
				t.Errorf("%s is shown to Max, who may not see it:\n%s", no, got.Text)
			}
		}

		h.world.ServiceNow.Faults.Add(sim.Fault{Method: "PATCH", Path: "/api/now/table/incident/*", Times: 1, Drop: true, After: true})
		fresh = h.news()
		h.presses(p, play.Max, "Write into "+number)
		told("I write it into " + number + " as max.petrov")
		h.presses(p, play.Max, "Write into "+number)
		told("already")
		h.answered(p, play.Max, fresh, "✅ Written into "+number+" as max.petrov as a work note, and read back there.")
		notes := h.world.ServiceNow.Notes(id)
		if len(notes) != 1 || !strings.Contains(notes[0], "What may explain this, by Keyturn") || strings.Contains(notes[0], article) || strings.Contains(notes[0], past) {
			t.Errorf("the work notes: %q", notes)
		}
		var acts []string
		for _, e := range h.trail() {
			if e.Call != nil && e.Call.Write() || e.Act == "result" || e.Act == "sign-in" {
				acts = append(acts, e.Act+" "+e.Account+" "+string(e.Person))
			}
		}
		max := " " + play.Max.Now + " " + play.Max.Entra
		if !slices.Equal(acts, []string{"sign-in" + max, "call" + max}) && !slices.Equal(acts, []string{"sign-in" + max, "call" + max, "result" + max}) {
			t.Errorf("the trail: %q", acts)
		}
		h.presses(p, play.Max, "Write into "+number)
		told("It stands in " + number + " already. I write it once.")
		h.idle()
		if notes := h.world.ServiceNow.Notes(id); len(notes) != 1 {
			t.Errorf("the work notes after one more click: %q", notes)
		}
	})
}

// Where nobody signs in, the dedicated user shows what is published in the
// knowledge bases that are named, and reads incidents of the categories that are
// named for people who hold itil.
func TestTheDedicatedUserReadsForOthersOnlyWhatIsNamed(t *testing.T) {
	h := open(t, withSignIn, withMax, withKnowledge("bases: [00000000000000000000000000000000], incident_categories: [software]"))
	article, base := h.writesArticle(servicenow.Article{Base: "For all", Title: "Outlook search at Contoso", Text: "Ask for the index to be rebuilt: search in Outlook is slow after a move."})
	other, _ := h.writesArticle(servicenow.Article{Base: "Not named", Title: "Outlook search of the board", Text: "slow"})
	h.conf = strings.Replace(h.conf, "00000000000000000000000000000000", base, 1)
	h.restart()
	h.finishes("direct")

	fresh := h.news()
	h.typesOn(play.OnSlack, play.Rita, "it-ops", "recommend outlook search is slow", "⏳ Asking your ServiceNow")
	got := h.answered(play.OnSlack, play.Rita, fresh, "From your ServiceNow", article, "what is published there for everybody")
	if strings.Contains(got.Text, other) {
		t.Errorf("an article of a base that is not named is shown:\n%s", got.Text)
	}

	soft, softID := h.raises(map[string]string{"short_description": "Outlook search finds nothing", "category": "software"})
	hard, _ := h.raises(map[string]string{"short_description": "Outlook on a broken laptop", "category": "hardware"})
	fresh = h.news()
	h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend "+soft, "I read "+soft+" in ServiceNow for max.petrov")
	h.answered(play.OnSlack, play.Max, fresh, soft+" says: “Outlook search finds nothing”", "[Write into "+soft+"]")
	h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend write", "as my own user, for max.petrov")
	h.answered(play.OnSlack, play.Max, fresh, "✅ Written into "+soft+" as my own user, for max.petrov")
	if notes := h.world.ServiceNow.Notes(softID); len(notes) != 1 {
		t.Errorf("the work notes: %q", notes)
	}
	fresh = h.news()
	h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend "+hard)
	h.answered(play.OnSlack, play.Max, fresh, hard+" is not of a category that I may read for others")
	fresh = h.news()
	h.typesOn(play.OnSlack, play.Sam, "it-ops", "recommend "+soft)
	h.answered(play.OnSlack, play.Sam, fresh, "I cannot see that sam.duarte holds itil")
}

func TestWithoutAWordInTheConfigurationServiceNowIsNotAsked(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	h.idle()
	h.fromNow()
	fresh := h.news()
	h.typesOn(play.OnSlack, play.Rita, "it-ops", "recommend outlook search is slow", "published nothing yet")
	h.answered(play.OnSlack, play.Rita, fresh, "Microsoft Learn was asked for")
	h.typesOn(play.OnSlack, play.Rita, "it-ops", "recommend INC0010001", "I read INC0010001 only as you, and you cannot sign in at ServiceNow from here.")
	h.idle()
	for _, c := range h.served() {
		if strings.Contains(c.Path, "kb_knowledge") {
			t.Errorf("ServiceNow was asked: %s %s", c.Method, c.Path)
		}
	}
}

// A person of the configuration without an account in ServiceNow is told what is
// missing and who can mend it; a first sign-in links the account.
func TestWhoHasNoServiceNowAccountHereIsToldWhoCanMendThat(t *testing.T) {
	h := open(t, withSignIn, func(s *setting) {
		s.edit = append(s.edit, func(conf string) string {
			return strings.Replace(conf, "  people:\n", fmt.Sprintf("  people:\n  - {id: %s, name: %q, accounts: [%s]}\n", play.Max.Entra, play.Max.Name, quoted(play.OnSlack.Accounts(play.Max))), 1)
		})
	})
	number, _ := h.raises(map[string]string{"short_description": "OneDrive stays at sync pending"})
	h.fromNow()
	link := h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend "+number, "I know no account of yours in ServiceNow", "read and written nothing there as you", "[Link this account]",
		"Omar Haddad or Olga Brandt confirms it", "Sam Duarte can give you one", "Sign in once, to link your account")
	said, err := h.crew.SignIn(h.Context(), play.Max, link)
	if err != nil || !containsAll(said, []string{"You signed in as " + play.Max.Now, "choose [Link this account]"}) {
		h.fail("the page says %q: %v", said, err)
	}
	h.expectCard(play.Max, play.Max.Now, "I dropped the sign-in")
	h.clicks(play.Max, "Link this account", "")
	h.expectCard(play.Omar, "Max Petrov signed in at ServiceNow as", play.Max.Now)
	h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend "+number, "I do not know yet that", play.Max.Now, "you asked for it to be linked", "Omar Haddad or Olga Brandt has to confirm that")
	h.clicks(play.Omar, "Confirm", "")
	h.expectCard(play.Max, "An owner confirmed that", play.Max.Now)
	h.visits(play.Max, h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend "+number, "I read "+number+" as you", "Open the sign-in page"))
	fresh := h.news()
	h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend "+number)
	h.answered(play.OnSlack, play.Max, fresh, number+" says: “OneDrive stays at sync pending”")
}

func TestWhomTheConfigurationDoesNotKnowIsToldWhoCanAddThem(t *testing.T) {
	h := open(t, withSignIn)
	h.typesOn(play.OnSlack, play.Max, "it-ops", "recommend INC0010001", "I do not know which account in ServiceNow is yours", "Omar Haddad or Olga Brandt can add you")
}
