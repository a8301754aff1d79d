package setup

import (
	"strings"
	"testing"

	"keyturn/bot"
)

// nobodyCalls is a run of a tenant where Keyturn calls nothing as somebody.
func nobodyCalls(t *testing.T, guide GuideID, facts map[string]string) Context {
	t.Helper()
	c := sample(t, guide, facts)
	tenant := *c.Tenant
	tenant.Modes = map[bot.System]bot.Mode{bot.Graph: bot.NoCalls, bot.ServiceNow: bot.NoCalls}
	c.Tenant = &tenant
	return c
}

func TestWhatIsLookedUpWithoutAnybodysRights(t *testing.T) {
	c := nobodyCalls(t, Connector, nil)
	g, _ := GuideFor(Connector)
	spec, _ := g.Step(StepPreflight)
	answered := Read{Answer: bot.Answer{Status: 200}}
	for _, tt := range []struct {
		name, version string
		service       Read
		end, proof    string
	}{
		{"it has an address", "", answered, "", "has an address"},
		{"it has none", "2", Read{Failure: &bot.Failure{Kind: bot.KindNotFound}}, "has no address any more", ""},
		{"nobody answers for names here", "2", Read{Failure: &bot.Failure{Kind: bot.KindUnreachable}}, "", "nslookup connector.rave.microsoft.com"},
		{"a person says that the app is gone", noApp, answered, "as you say", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.Run.Facts["app.version"] = Fact{Value: tt.version}
			f := spec.API.Unaided(c, Reading{"app": Unread(bot.Call{System: bot.ServiceNow}), "service": tt.service})
			if f.Problem != nil || !strings.Contains(f.End, tt.end) || (tt.end == "") != (f.End == "") || !strings.Contains(strings.Join(f.Proof, " "), tt.proof) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// What a person names by hand is checked as what a search finds is: nothing of
// Keyturn's own, no place for a secret, no row of a table that no guide touches.
func TestWhatAPersonFoundByHandIsChecked(t *testing.T) {
	c := nobodyCalls(t, Cleanup, nil)
	c.Tenant.SignIn.EntraClientID, c.Tenant.Reader.ClientID = testClient, "11111111-1b77-4845-87dd-d4227cc4bcb9"
	g, _ := GuideFor(Cleanup)
	const row = "4f0d8b2ec7a1201072b211d4d8c26010"
	for _, tt := range []struct {
		step      StepID
		in        map[string]string
		input, no string
	}{
		{StepDiscoverEntra, map[string]string{handReader: testClient}, handReader, "Keyturn's own sign-in and stays"},
		{StepDiscoverEntra, map[string]string{handOthers: c.Tenant.Reader.ClientID}, handOthers, "the configuration names and stays"},
		{StepDiscoverEntra, map[string]string{handOthers: "{{reader.key}}"}, handOthers, "is no client ID"},
		{StepDiscoverEntra, map[string]string{handOthers: "Ab8Q~cDeFgHiJkLmNoPqRsTuVwXyZ0123456789a"}, handOthers, "looks like a client secret"},
		{StepDiscoverServiceNow, map[string]string{handRows: "sys_user/../x " + row, handApp: "no"}, handRows, "is not a table and a sys_id"},
		{StepDiscoverServiceNow, map[string]string{handRows: "oauth_entity short", handApp: "no"}, handRows, "is not a table and a sys_id"},
		{StepDiscoverServiceNow, map[string]string{handRows: "sys_properties " + row, handApp: "no"}, handRows, "Nobody recorded"},
		{StepDiscoverServiceNow, map[string]string{handApp: "perhaps"}, handApp, "Choose one"},
	} {
		spec, _ := g.Step(tt.step)
		if facts, wrong := spec.Brought(c, tt.in); facts != nil || !strings.Contains(wrong[tt.input], tt.no) {
			t.Errorf("%s of %v: %v, %v", tt.step, tt.in, facts, wrong)
		}
	}
	spec, _ := g.Step(StepDiscoverServiceNow)
	facts, wrong := spec.Brought(c, map[string]string{handRows: "sys_db_object " + row + "\nsys_user_has_role " + row, handApp: "yes"})
	if wrong != nil || facts[factFoundApp] == "" {
		t.Fatalf("%v, %v", facts, wrong)
	}
	c.Run.Facts[factFoundServiceNow] = Fact{Value: facts[factFoundServiceNow]}
	if list := chosenRows(c, true); len(list) != 0 {
		t.Errorf("a table of which nobody knows what it was is chosen by itself: %+v", list)
	}
	if list := chosenRows(c, false, "sys_user_has_role"); len(list) != 1 {
		t.Errorf("the role is not chosen: %+v", list)
	}
}
