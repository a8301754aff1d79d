package bot_test

import (
	"strings"
	"testing"

	"keyturn/bot"
)

func TestAccountsAreWrittenAsTheyAreRead(t *testing.T) {
	for _, a := range []bot.Account{
		{Platform: bot.Slack, Team: "T0123", ID: "U0456"},
		{Platform: bot.Teams, Team: "0f1e", ID: "29:1abc"}, // a Teams ID has colons of its own
	} {
		got, err := bot.ParseAccount(a.String())
		if err != nil || got != a {
			t.Errorf("%s came back as %+v, %v", a, got, err)
		}
	}
	if s := (bot.Account{}).String(); s != "" {
		t.Errorf("nobody is written %q", s)
	}
	for _, bad := range []string{"", "slack", "slack:T1", "slack:T1:", "slack::U1", "irc:T1:U1", "Slack:T1:U1", ":T1:U1", "U1"} {
		a, err := bot.ParseAccount(bad)
		if err == nil || a != (bot.Account{}) {
			t.Errorf("%q was read as %+v", bad, a)
		} else if !strings.Contains(err.Error(), "slack:<workspace ID>:<user ID>") {
			t.Errorf("%q: the error does not say how to write it: %v", bad, err)
		}
	}
}

func FuzzParseAccount(f *testing.F) {
	for _, s := range []string{"slack:T1:U1", "teams:a:29:b", "", "slack::", "::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := bot.ParseAccount(s)
		if err == nil && a.String() != s {
			t.Errorf("%q was read as %q", s, a)
		}
	})
}

func TestAPersonHasAccountsByWorkspace(t *testing.T) {
	second := bot.Account{Platform: bot.Slack, Team: "T2", ID: "U9"}
	p := bot.Person{Accounts: []bot.Account{erin, second}}
	if a, ok := p.On(bot.Slack, "T2"); !ok || a != second {
		t.Errorf("in T2: %v %v", a, ok)
	}
	if a, ok := p.On(bot.Slack, ""); !ok || a != erin {
		t.Errorf("anywhere: %v %v", a, ok)
	}
	if _, ok := p.On(bot.Slack, "T3"); ok {
		t.Error("an account was found in a workspace without one")
	}
	if _, ok := p.On(bot.Teams, ""); ok {
		t.Error("a Slack account was found on Teams")
	}
}

func TestEveryRoleAndSystemHasAName(t *testing.T) {
	for _, r := range bot.Roles {
		if !r.Known() || r.Title() == string(r) && r != bot.Requester && r != bot.Owner || !strings.HasPrefix(r.Crew(), "the ") {
			t.Errorf("%s: known %v, %q, %q", r, r.Known(), r.Title(), r.Crew())
		}
	}
	if bot.Role("root").Known() || bot.Role("root").Title() != "root" || bot.Role("root").Crew() != "root" {
		t.Error("an unknown role is taken for a known one")
	}
	for _, s := range []bot.System{bot.Graph, bot.Login, bot.ServiceNow, bot.DNS} {
		if s.Name() == string(s) {
			t.Errorf("%s has no name for people", s)
		}
	}
	if bot.System("x").Name() != "x" {
		t.Error("an unknown system loses its name")
	}
}

func TestATenantKnowsItsPeople(t *testing.T) {
	tenant := bot.Tenant{
		People: []bot.Person{{ID: "e", Name: "Erin", Accounts: []bot.Account{erin}}},
		Owners: []bot.PersonID{"o"}, Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"e"}},
		Teams: []bot.Workspace{{Platform: bot.Slack, ID: "T1"}},
	}
	if p, ok := tenant.Who(erin); !ok || p.ID != "e" {
		t.Errorf("who is Erin's account: %v %v", p, ok)
	}
	other := erin
	other.Team = "T2"
	if _, ok := tenant.Who(other); ok {
		t.Error("an ID of another workspace was taken for Erin")
	}
	if _, ok := tenant.Person("x"); ok {
		t.Error("a stranger was found")
	}
	for _, c := range []struct {
		p    bot.PersonID
		r    bot.Role
		want bool
	}{{"e", bot.EntraAdmin, true}, {"e", bot.M365Admin, false}, {"o", bot.Owner, true}, {"o", bot.EntraAdmin, false}, {"", bot.EntraAdmin, false}} {
		if tenant.Holds(c.p, c.r) != c.want {
			t.Errorf("%q holds %s: not %v", c.p, c.r, c.want)
		}
	}
	if !tenant.Speaks(bot.Slack, "T1") || tenant.Speaks(bot.Teams, "T1") || tenant.Speaks(bot.Slack, "T2") {
		t.Error("the wrong workspace speaks for the tenant")
	}
	if (bot.Reader{}).Configured() || !(bot.Reader{ClientID: "c"}).Configured() {
		t.Error("a reader is configured by its client ID")
	}
}

func TestAPlaceHasOneKey(t *testing.T) {
	channel := bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}
	keys := map[string]bot.Place{}
	for _, p := range []bot.Place{channel, channel.In("17.1"), channel.In("17.2"), bot.DM(erin), bot.DM(erin).In("17.1"),
		{Platform: bot.Teams, Team: "T1", Channel: "C1"}, {Platform: bot.Slack, Team: "T2", Channel: "C1"}} {
		if old, ok := keys[p.String()]; ok {
			t.Errorf("%+v and %+v share the key %s", old, p, p)
		}
		keys[p.String()] = p
	}
	if got := channel.In("17.1").String(); got != "slack:T1:C1#17.1" {
		t.Errorf("a thread is %q", got)
	}
	if got := bot.DM(erin).String(); got != "slack:T1:@U1" {
		t.Errorf("a direct message is %q", got)
	}
	if channel.In("17.1").Root() != channel || channel.Direct() || !bot.DM(erin).Direct() {
		t.Error("root or direct is wrong")
	}
	if (bot.MessageRef{}).Known() || !(bot.MessageRef{ID: "1"}).Known() {
		t.Error("a reference is known by its ID")
	}
}
