package setup

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateGuides = flag.Bool("update-guides", false, "write the golden files of the guides anew")

func TestEveryNeedExistsAndTheStepsCanAllBeReached(t *testing.T) {
	for _, g := range Guides() {
		done := map[StepID]bool{}
		for _, s := range g.Steps {
			if done[s.ID] {
				t.Errorf("%s: step %s is there twice", g.ID, s.ID)
			}
			for _, n := range s.Needs {
				if !done[n] {
					t.Errorf("%s: step %s needs %s, which does not come before it", g.ID, s.ID, n)
				}
			}
			if s.ID != StepBefore && len(s.Needs) == 0 {
				t.Errorf("%s: step %s would be handed out before anybody said go on", g.ID, s.ID)
			}
			done[s.ID] = true
		}
	}
}

// A title goes on in many ways: "… . What it does", "… : done", "… waits for you".
func TestATitleIsNoSentence(t *testing.T) {
	for _, g := range Guides() {
		for _, s := range g.Steps {
			if strings.TrimRight(s.Title, ".?!:;, ") != s.Title {
				t.Errorf("%s: the title %q cannot go on", g.ID, s.Title)
			}
		}
	}
}

// The rows of the design's step table, by guide.
func TestEveryRowOfTheDesignHasItsStep(t *testing.T) {
	all := []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow, StepRecord}
	rows := map[GuideID][]StepID{
		Connector: {StepPreflight, StepPreflightPanel, StepEntraApp, StepEntraSecret, StepOAuth, StepCrossScope, StepScope, StepReadyServiceNow, StepReadyM365,
			StepWizard, StepReadBack, StepM365Verify, StepM365Basic, StepM365Repository, StepFinish, StepRoles, StepGoLive, StepReaderApp, StepReaderConsent, StepChannels},
		Direct: {StepReaderApp, StepReaderConsent, StepUnattended, StepMapping, StepIncidents, StepChannels},
		Cleanup: {StepDiscoverEntra, StepDiscoverServiceNow, StepM365Remove, StepRolesRemove, StepUserRemove, StepOAuthRemove, StepFlagsRestore,
			StepAppRemove, StepSecretsRemove, StepAppsRemove},
	}
	for id, want := range rows {
		g, _ := GuideFor(id)
		for _, s := range append(slices.Clone(all), want...) {
			if _, ok := g.Step(s); !ok {
				t.Errorf("%s has no step %s", id, s)
			}
		}
	}
}

func TestWhatIsHandedOutAtTheSameTime(t *testing.T) {
	open := func(id GuideID, settled ...StepID) []string {
		c := sample(t, id, nil)
		for _, s := range settled {
			c.Run.Step(s).State = Done
		}
		g, _ := GuideFor(id)
		var out []string
		for _, s := range c.Run.HandOut(g, c, c.Run.Started) {
			out = append(out, string(s))
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		guide   GuideID
		settled []StepID
		want    []string
	}{
		{"at first only the requester", Connector, nil, []string{"before"}},
		{"then both sign-ins and the panel", Connector, []StepID{StepBefore}, []string{"signin-entra", "signin-servicenow", "preflight-panel"}},
		{"nothing is written before both looks", Connector, []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow, StepPreflight}, []string{"preflight-panel"}},
		{"then Entra and ServiceNow at once", Connector, []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow, StepPreflight, StepPreflightPanel}, []string{"entra-app", "sn-crossscope", "reader-app"}},
		{"direct: Entra and ServiceNow do not wait for each other", Direct, []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow}, []string{"reader-app", "sn-unattended", "sn-mapping"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, open(tt.guide, tt.settled...)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRegistrationsAreDeletedLast(t *testing.T) {
	g, _ := GuideFor(Cleanup)
	s, _ := g.Step(StepAppsRemove)
	for _, need := range []StepID{StepRolesRemove, StepUserRemove, StepOAuthRemove, StepFlagsRestore, StepAppRemove, StepM365Remove, StepSecretsRemove} {
		if !slices.Contains(s.Needs, need) {
			t.Errorf("the registrations go before %s", need)
		}
	}
}

// The texts are read by people in a hurry: short, calm, complete.
func TestTheTexts(t *testing.T) {
	for _, g := range Guides() {
		for _, s := range g.Steps {
			c := sample(t, g.ID, map[string]string{FactEntraClientID: testClient, FactReaderClientID: testClient, "sn.endpoint": "https://contoso.service-now.com/api/x", "sn.repository": "keyturn-contoso"})
			for _, version := range []string{"1.0.7", "2.1.0"} {
				c.Run.Facts["app.version"] = Fact{Value: version}
				texts := []string{s.Title, s.What, s.Trap, s.Undo, s.IfWaits}
				if s.What == "" || s.Undo == "" || s.IfWaits == "" || s.Minutes < 1 || !s.Role.Known() {
					t.Errorf("%s/%s: What, Undo, IfWaits, Minutes and Role are needed", g.ID, s.ID)
				}
				if (s.When == nil) != (s.Only == "") {
					t.Errorf("%s/%s: Only says in words what When decides", g.ID, s.ID)
				}
				if strings.Contains(s.What, "\n") {
					t.Errorf("%s/%s: What is more than a line", g.ID, s.ID)
				}
				if s.Guided != nil && s.Guided.Do != nil {
					things := s.Guided.Do(c)
					if len(things) > 7 {
						t.Errorf("%s/%s: %d things to do, seven are the most", g.ID, s.ID, len(things))
					}
					for _, d := range things {
						texts = append(texts, d.Plain())
					}
				}
				if s.Guided != nil && s.Guided.Link != nil {
					if _, url := s.Guided.Link(c); !strings.HasPrefix(url, "https://") {
						t.Errorf("%s/%s: the link is %q", g.ID, s.ID, url)
					}
				}
				for _, text := range texts {
					for _, bad := range []string{"!", "please note", "Please note", "simply", "successfully"} {
						if strings.Contains(text, bad) {
							t.Errorf("%s/%s says %q: %s", g.ID, s.ID, bad, text)
						}
					}
				}
				if s.FourEyes && s.API == nil {
					t.Errorf("%s/%s: four eyes without calls", g.ID, s.ID)
				}
			}
		}
	}
}

func TestTheGuidesAsText(t *testing.T) {
	for _, g := range Guides() {
		got := describe(t, g)
		path := filepath.Join("testdata", "guide-"+string(g.ID)+".txt")
		if *updateGuides {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test -update-guides writes it)", err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("guide %s changed (go test -update-guides accepts it):\n%s", g.ID, d)
		}
	}
}

func describe(t *testing.T, g *Guide) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, revision %d\n%s\n%s\n", g.Title, g.Revision, g.What, g.Warning)
	c := sample(t, g.ID, map[string]string{FactEntraClientID: testClient, FactReaderClientID: testClient, "app.version": "1.0.7",
		"sn.oauth_profile_name": "Microsoft 365 support integration (outbound) default_profile", "sn.repository": "keyturn-contoso", "sn.endpoint": "https://contoso.service-now.com/api/x"})
	for i, s := range g.Steps {
		fmt.Fprintf(&b, "\n%d. %s [%s] %s, %d min\n", i+1, s.Title, s.ID, s.Role, s.Minutes)
		fmt.Fprintf(&b, "   needs: %v  no skip: %v  four eyes: %v\n", s.Needs, s.NoSkip, s.FourEyes)
		fmt.Fprintf(&b, "   what: %s\n   trap: %s\n   undo: %s\n   waits: %s\n", s.What, s.Trap, s.Undo, s.IfWaits)
		if a := s.API; a != nil {
			fmt.Fprintf(&b, "   api: keys %v, auto %v, poll %v, writes %v, way back %v\n", a.Keys, a.Auto, a.Poll, a.Plan != nil, a.Back != nil)
		}
		if gd := s.Guided; gd != nil {
			describeGuided(&b, c, gd)
		}
	}
	return b.String()
}

func describeGuided(b *strings.Builder, c Context, g *Guided) {
	if g.Link != nil {
		label, url := g.Link(c)
		fmt.Fprintf(b, "   link: %s %s\n", label, url)
	}
	if g.Do != nil {
		for _, d := range g.Do(c) {
			fmt.Fprintf(b, "   - %s\n", d.Plain())
		}
	}
	if g.Copy != nil {
		for _, f := range g.Copy(c) {
			fmt.Fprintf(b, "   copy: %s = %s\n", f.Label, f.Value)
		}
	}
	if g.Leave != "" {
		fmt.Fprintf(b, "   leave: %s\n", g.Leave)
	}
	if g.Ask != nil {
		for _, in := range g.Ask(c) {
			fmt.Fprintf(b, "   ask: %s (%s) %s %v\n", in.Label, in.Kind, in.Hint, in.Values)
			for _, o := range in.Options {
				fmt.Fprintf(b, "        %s: %s\n", o.Value, o.Label)
			}
		}
	}
	if g.Word != "" {
		fmt.Fprintf(b, "   word: %s\n", g.Word)
	}
}
