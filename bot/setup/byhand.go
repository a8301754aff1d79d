package setup

import (
	"slices"
	"strings"

	"keyturn/bot"
)

// Uncalled is the first system of some calls at which the configuration has
// Keyturn call nothing, as those who act. What has an identity of its own, such
// as the reader of service health, is called all the same.
func Uncalled(t *bot.Tenant, calls []bot.Call) (bot.System, bool) {
	for _, c := range calls {
		if c.As == "" && (c.System == bot.Graph || c.System == bot.ServiceNow) && t.Mode(c.System) == bot.NoCalls {
			return c.System, true
		}
	}
	return "", false
}

// ByHand is the system for which a step is done by hand, because Keyturn calls
// nothing there: it could not be read, run or read back.
func (s *Spec) ByHand(c Context) (bot.System, bool) {
	if s.API == nil {
		return "", false
	}
	for _, calls := range []func(Context) []bot.Call{s.API.Read, s.API.Verify} {
		if calls == nil {
			continue
		}
		if system, ok := Uncalled(c.Tenant, calls(c)); ok {
			return system, true
		}
	}
	return "", false
}

// Unread is the reading of a call that is not made. A plan on it takes nothing
// to exist, which is what a script for people has to begin with.
func Unread(c bot.Call) Read {
	return Read{Failure: &bot.Failure{Kind: bot.KindNotFound, System: c.System, Status: 404,
		Says: "Keyturn calls nothing at " + c.System.Name() + " here, so this was not read.", Fix: "Look in the portal."}}
}

// brings are the values that a person brings back from a step done by hand,
// because later steps need them.
var brings = map[StepID][]bot.Input{
	StepEntraApp:  {{Name: FactEntraClientID, Label: "Application (client) ID", Kind: bot.Line, Hint: "From the registration's Overview page."}},
	StepReaderApp: {{Name: FactReaderClientID, Label: "Application (client) ID", Kind: bot.Line, Hint: "From the registration's Overview page."}},
	StepOAuth:     {{Name: "sn.oauth_profile_name", Label: "Name of the default OAuth profile", Kind: bot.Line, Hint: "From the entry's list OAuth Entity Profiles."}},
}

// Brings are the values to bring back from a step that is done by hand.
func (s *Spec) Brings(c Context) []bot.Input {
	if _, ok := s.ByHand(c); !ok {
		return nil
	}
	return brings[s.ID]
}

// Brought checks the values that a person brought back: the facts, or what is
// wrong, by input.
func (s *Spec) Brought(c Context, in map[string]string) (facts, wrong map[string]string) {
	facts, wrong = map[string]string{}, map[string]string{}
	for _, x := range s.Brings(c) {
		v := strings.TrimSpace(in[x.Name])
		switch {
		case strings.HasSuffix(x.Name, "client_id") && !isGUID(v):
			wrong[x.Name] = "That is no client ID. It looks like 6d05c93f-1b77-4845-87dd-d4227cc4bcb9; the object ID beside it is another."
		case v == "" || len(v) > 200:
			wrong[x.Name] = "This is needed by a later step."
		}
		facts[x.Name] = v
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return facts, nil
}

// Open hands a step out to be done by hand, where nothing could be planned.
func (r *Run) Open(id StepID) error {
	s := r.Step(id)
	if s.State != Looking && s.State != Checking {
		return bot.ErrStale
	}
	s.State, s.Plan, s.Problem = Open, nil, nil
	return nil
}

// byHandWords says why a step is done by hand, and what that means.
func byHandWords(system bot.System) string {
	return "Keyturn calls nothing at " + system.Name() + " here, because the configuration says so. Do this by hand with your own account; your word then counts, and is marked as that: nothing is read back."
}

// didByHand is the button of a person's word on a step that is not read back:
// with the values that later steps need, where there are any.
func (s Scene) didByHand(spec *Spec, v string) bot.Button {
	b := bot.Button{Label: "I did it by hand", Action: ActCheck, Value: v, Says: "I did it by hand: " + spec.Title}
	if len(spec.Brings(s.Context())) > 0 {
		b.Action = ActBring
	}
	return b
}

// scripted draws a plan that is made by hand.
func (s Scene) scripted(m *bot.Message, spec *Spec, st *Step, system bot.System, calls []bot.Text, primary *bool) {
	v := s.value(spec, st)
	m.Add(bot.Paragraph{Text: bot.T(byHandWords(system))}, bot.Paragraph{Text: bot.B("What is to be made, where nothing of it exists yet")}, bot.Numbered{Items: calls})
	m.Add(bot.Buttons{Items: slices.Concat([]bot.Button{
		{Label: "Give me the script", Action: ActScript, Value: v, Style: take(primary), Says: "Give me the script: " + spec.Title},
		{Label: "Show exact calls", Action: ActCalls, Value: v, Says: "Show exact calls: " + spec.Title},
		s.didByHand(spec, v)}, s.declining(spec, st))})
}

// unplanned draws a step that is done by hand and has no plan.
func (s Scene) unplanned(m *bot.Message, spec *Spec, st *Step, system bot.System) {
	m.Add(bot.Paragraph{Text: bot.T(byHandWords(system))})
	if spec.Guided != nil {
		s.guided(m, spec.Guided)
	}
	m.Add(bot.Buttons{Items: append([]bot.Button{s.didByHand(spec, s.value(spec, st))}, s.declining(spec, st)...)})
}
