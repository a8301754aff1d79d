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
	return Read{Hand: true, Failure: &bot.Failure{Kind: bot.KindNotFound, System: c.System, Status: 404,
		Says: "Keyturn calls nothing at " + c.System.Name() + " here, so this was not read.", Fix: "Look in the portal."}}
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

// Lookups are the reads of a step that people make themselves, with a script,
// before they say what they found.
func (s *Spec) Lookups(c Context) []bot.Call {
	if _, ok := s.ByHand(c); !ok || s.API.Verify == nil || s.API.Plan != nil {
		return nil
	}
	var out []bot.Call
	for _, x := range s.API.Verify(c) {
		if _, left := Uncalled(c.Tenant, []bot.Call{x}); left {
			out = append(out, x)
		}
	}
	return out
}

// byHandWords says why a step is done by hand, and what that means.
func byHandWords(spec *Spec, system bot.System) string {
	says := "Keyturn calls nothing at " + system.Name() + " here, because the configuration says so. Do this by hand with your own account; your word then counts, and is marked as that: nothing is read back"
	if spec.API.Unaided != nil {
		says += " but what needs nobody's rights"
	}
	return says + "."
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
	what := "What is to be made, where nothing of it exists yet"
	if !slices.ContainsFunc(st.Plan.Calls, func(c bot.Call) bool { return c.Write() && c.Unmakes == "" && c.Method != "DELETE" }) {
		what = "What is to be removed, where it is still there"
	}
	m.Add(bot.Paragraph{Text: bot.T(byHandWords(spec, system))}, bot.Paragraph{Text: bot.B(what)}, bot.Numbered{Items: calls})
	m.Add(bot.Buttons{Items: slices.Concat([]bot.Button{
		{Label: "Give me the script", Action: ActScript, Value: v, Style: take(primary), Says: "Give me the script: " + spec.Title},
		{Label: "Show exact calls", Action: ActCalls, Value: v, Says: "Show exact calls: " + spec.Title},
		s.didByHand(spec, v)}, s.declining(spec, st))})
}

// unplanned draws a step that is done by hand and has no plan.
func (s Scene) unplanned(m *bot.Message, spec *Spec, st *Step, system bot.System, primary *bool) {
	v, c := s.value(spec, st), s.Context()
	m.Add(bot.Paragraph{Text: bot.T(byHandWords(spec, system))})
	if len(st.Proof) > 0 {
		m.Add(bot.Paragraph{Text: bot.T("Looked up by me: " + strings.Join(st.Proof, "; "))})
	}
	if g := spec.byHandGuide(c); g != nil {
		s.guided(m, g)
	}
	did := s.didByHand(spec, v)
	did.Style = take(primary)
	buttons := []bot.Button{did}
	if len(spec.Lookups(c)) > 0 {
		buttons = append(buttons, bot.Button{Label: "Give me the script", Action: ActScript, Value: v, Says: "Give me the script: " + spec.Title})
	}
	m.Add(bot.Buttons{Items: append(buttons, s.declining(spec, st)...)})
}
