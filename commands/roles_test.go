package commands_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// told gives what a decision says to a person in their direct messages.
func told(out engine.Changes, who string) string {
	var b strings.Builder
	for _, j := range out.Jobs {
		p, ok := delivery(j)
		if ok && p.Place.User == "U"+who && p.Draw.Message != nil {
			b.WriteString(p.Draw.Message.Words() + "\n")
		}
	}
	return b.String()
}

// approve is a click on the plan of the matrix guide.
func approve(who string) bot.Request {
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	return clicked(who, setup.ActApprove, "r1/planned/"+digest)
}

func TestAnOwnerGivesARoleInWords(t *testing.T) {
	w := newWorld(t)
	w.begin()
	if r, _ := w.try(approve("kim")); !strings.Contains(words(r), "belongs to the Entra team") {
		t.Fatalf("Kim may already: %s", words(r))
	}
	reply, out := w.try(typed("olga", "roles give entra-admin slack:T1:Ukim"))
	if !strings.Contains(words(reply), "Entra admin: Ada, Kim") {
		t.Errorf("%s", words(reply))
	}
	if len(out.Audit) != 1 || out.Audit[0].Act != "role" || out.Audit[0].Person != "olga" || out.Audit[0].Note != "entra-admin: kim holder" {
		t.Errorf("the audit says %+v", out.Audit)
	}
	if !strings.Contains(told(out, "olga"), "Olga changed roles for Contoso: Kim now holds Entra admin") || !strings.Contains(told(out, "kim"), "you now hold") {
		t.Errorf("told: %q, %q", told(out, "olga"), told(out, "kim"))
	}
	// It counts at once, in the run that is open too.
	w.do(typed("olga", "roles give entra-admin kim"))
	if _, out := w.try(approve("kim")); len(out.Runs) != 1 || out.Audit[0].Act != "approve" {
		t.Errorf("Kim may not: %+v", out)
	}
}

func TestARoleIsTakenAndTheOpenRunAsksOthers(t *testing.T) {
	w := newWorld(t)
	w.begin()
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	w.do(clicked("ada", setup.ActTake, "r1/planned/"+digest))
	w.do(typed("olga", "roles give entra-admin sam as backup"))
	reply, out := w.try(typed("olga", "roles take entra-admin Ada"))
	if !strings.Contains(words(reply), "Entra admin: ⛔ nobody") || !strings.Contains(words(reply), "backup: Sam") {
		t.Errorf("%s", words(reply))
	}
	if len(out.Runs) != 1 || out.Runs[0].Step("planned").Holder != "" || !slices.Equal(out.Runs[0].Holders[bot.EntraAdmin], []bot.PersonID{"sam"}) {
		t.Fatalf("the run asks %+v", out.Runs)
	}
	w.do(typed("olga", "roles take entra-admin Ada"))
	if r, out := w.try(approve("ada")); len(out.Runs) != 0 || !strings.Contains(words(r), "the Entra team (Sam)") {
		t.Errorf("Ada still may: %s", words(r))
	}
	if _, out := w.try(approve("sam")); len(out.Runs) != 1 {
		t.Error("the backup may not, although nobody else is left")
	}
	// The configuration names Ada, but an owner's word counts over it.
	if r := w.do(typed("sam", "roles")); strings.Contains(words(r), "Entra admin: Ada") {
		t.Errorf("%s", words(r))
	}
	// Given back, the word is forgotten: the configuration says it.
	w.do(typed("olga", "roles give entra-admin Ada"))
	w.tenant.Holders[bot.EntraAdmin] = nil
	if r := w.do(typed("sam", "roles")); strings.Contains(words(r), "Entra admin: Ada") {
		t.Errorf("a word that only repeated the configuration was kept: %s", words(r))
	}
}

func TestTheOwnersHearOnceThatARoleHasNobody(t *testing.T) {
	w := newWorld(t)
	_, out := w.try(typed("olga", "roles take entra-admin Ada"))
	if !strings.Contains(told(out, "olga"), "Nobody who can act holds Entra admin") {
		t.Errorf("told: %s", told(out, "olga"))
	}
	w.do(typed("olga", "roles take entra-admin Ada"))
	if _, out := w.try(typed("olga", "roles give requester Kim")); strings.Contains(told(out, "olga"), "Nobody who can act holds Entra admin") {
		t.Errorf("told again: %s", told(out, "olga"))
	}
}

func TestRolesAreChangedByOwnersAlone(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{"roles give entra-admin kim", "roles take entra-admin ada", "roles group entra-admin on"} {
		for _, who := range []string{"nobody", "kim", "ada", "rita"} {
			if r, out := w.try(typed(who, text)); !onlyRedraws(out) || !strings.Contains(words(r), "I have done nothing") {
				t.Errorf("%s by %s: %s", text, who, words(r))
			}
		}
	}
	for text, want := range map[string]string{
		"roles give owner kim":                               "stands in the configuration",
		"roles take owner olga":                              "stands in the configuration",
		"roles give king kim":                                "There is no role",
		"roles give entra-admin Nora":                        "I know nobody called",
		"roles give entra-admin slack:T1:U9":                 "I do not know that account",
		"roles give entra-admin a":                           "may be Ada or Amir",
		"roles give entra-admin":                             "Write for example",
		"roles make entra-admin kim":                         "Write for example",
		"roles give entra-admin ada":                         "is that already",
		"roles group entra-admin on":                         "names no Slack user group",
		"roles give entra-admin " + strings.Repeat("x", 300): "I know nobody called",
	} {
		if r, out := w.try(typed("olga", text)); !onlyRedraws(out) || !strings.Contains(words(r), want) {
			t.Errorf("%s: %s", text, words(r))
		}
	}
}

func TestTheFormChangesHoldersAndBackups(t *testing.T) {
	w := newWorld(t)
	f := w.do(clicked("olga", "role", "entra-admin")).Form
	if f == nil || !slices.Equal(f.Inputs[0].Values, []string{"ada"}) || len(f.Inputs[1].Values) != 0 {
		t.Fatalf("the form is %+v", f)
	}
	in := map[string][]string{"holders": {"ada"}, "backups": {"amir"}}
	if r := w.do(submitted("olga", "role", f.Value, in)); !strings.Contains(words(r), "Ada · backup: Amir") {
		t.Errorf("%s", words(r))
	}
	// A second owner's form of a moment ago would take it back unseen.
	if r := w.do(submitted("olga", "role", f.Value, map[string][]string{"holders": {"ada"}})); !strings.Contains(r.Errors["holders"], "meanwhile") {
		t.Errorf("%+v", r)
	}
	f = w.do(clicked("olga", "role", "entra-admin")).Form
	if r := w.do(submitted("olga", "role", f.Value, map[string][]string{"holders": {"ada"}, "backups": {"ada"}})); !strings.Contains(r.Errors["backups"], "cannot be both") {
		t.Errorf("%+v", r)
	}
	if r := w.do(submitted("olga", "role", f.Value, in)); !strings.Contains(words(r), "Nothing changed") {
		t.Errorf("%s", words(r))
	}
	// A form cannot name who is not in the configuration, nor make an owner.
	for value, in := range map[string]map[string][]string{f.Value: {"holders": {"ada", "mallory"}, "backups": {"amir"}}, "owner/": {"holders": {"kim"}}} {
		if _, out := w.try(submitted("olga", "role", value, in)); len(out.Records) != 0 {
			t.Errorf("%s: %+v", value, out.Records)
		}
	}
}

func TestAGroupCountsOnlyWhileItCanBeRead(t *testing.T) {
	w := newWorld(t)
	w.tenant.Groups = map[bot.Role]map[bot.Platform]string{bot.EntraAdmin: {bot.Slack: "S1"}}
	w.begin()
	may := func() bool { _, out := w.try(approve("kim")); return len(out.Runs) == 1 }
	read := func(at time.Time, why string, members ...string) {
		w.commit(func(d *engine.Draft) error {
			d.Manage(w.tenant, bot.Membership{Role: bot.EntraAdmin, Team: "T1", Group: "S1", By: "olga", Members: members, Read: at, Why: why}, true)
			return d.Reseat(w.tenant, nil)
		})
	}
	if may() {
		t.Fatal("a group that only pings gave a role")
	}
	if r, out := w.try(typed("olga", "roles group entra-admin on")); !strings.Contains(words(r), "whoever is in the user group S1 holds it") || len(out.Audit) != 1 {
		t.Errorf("%s", words(r))
	}
	w.do(typed("olga", "roles group entra-admin on"))
	if may() {
		t.Error("a group that nobody has read yet gave a role")
	}
	// With Ada's own word gone, the group is the only way in.
	w.do(typed("olga", "roles take entra-admin Ada"))
	read(w.now, "", "Ukim", "Ustranger")
	if !may() {
		t.Error("a fresh reading gives nothing")
	}
	w.now = w.now.Add(bot.MembershipHolds + time.Minute)
	r, out := w.try(approve("kim"))
	if len(out.Runs) != 0 || !strings.Contains(words(r), "I cannot tell who is in the user group") {
		t.Errorf("a reading that is too old counts, or does not say why not: %s", words(r))
	}
	read(w.now.Add(-2*time.Hour), "The app lacks the scope usergroups:read.", "Ukim")
	if r, _ := w.try(approve("kim")); !strings.Contains(words(r), "usergroups:read") {
		t.Errorf("it does not say why: %s", words(r))
	}
	// An owner's word about a person counts over the group.
	read(w.now, "", "Ukim")
	w.do(typed("olga", "roles take entra-admin Kim"))
	if may() {
		t.Error("Kim is in the group, but an owner took the role away")
	}
}

func TestSomebodyDeactivatedIsWaitedForNoMore(t *testing.T) {
	w := newWorld(t)
	w.begin()
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	w.do(typed("olga", "roles give entra-admin amir as backup"))
	w.do(clicked("ada", setup.ActTake, "r1/planned/"+digest))
	w.commit(func(d *engine.Draft) error {
		engine.Kind[bot.Away]{Name: "away"}.Put(&d.Out, "contoso", "ada", bot.Away{Person: "ada", Accounts: []bot.Account{account("Uada")}, Why: "The user's account is deactivated."})
		return d.Reseat(w.tenant, nil)
	})
	if r := w.do(typed("olga", "roles")); !strings.Contains(words(r), "Ada (cannot act now) · backup: Amir") {
		t.Errorf("%s", words(r))
	}
	if _, out := w.try(approve("amir")); len(out.Runs) != 1 {
		t.Error("the backup may not go on with what the deactivated holder had taken")
	}
	// Who clicks is there again.
	w.do(typed("ada", "mine"))
	if r := w.do(typed("olga", "roles")); strings.Contains(words(r), "cannot act") {
		t.Errorf("%s", words(r))
	}
}
