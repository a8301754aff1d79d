package setup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// ChangeNeed is a rule that holds for what a step does, and the run's number for
// it.
type ChangeNeed struct {
	Rule   bot.ChangeRule
	Number string
}

// Needs lists the change numbers that calls need: of each rule about a system
// that they write to.
func (r *Run) Needs(rules bot.ChangeRules, calls []bot.Call) []ChangeNeed {
	var out []ChangeNeed
	for _, rule := range rules {
		for _, c := range calls {
			if c.Write() && rule.For(c.System) {
				out = append(out, ChangeNeed{rule, r.Number(c.System)})
				break
			}
		}
	}
	return out
}

// Number is the run's change number for a system; "" where it has none.
func (r *Run) Number(s bot.System) string {
	if len(r.Numbers) == 0 {
		return r.Change
	}
	return r.Numbers[s]
}

// Changes are all of the run's change numbers.
func (r *Run) Changes() string {
	if len(r.Numbers) == 0 {
		return r.Change
	}
	var out []string
	for _, s := range slices.Sorted(maps.Keys(r.Numbers)) {
		if n := r.Numbers[s]; n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

// NumbersOf are the run's change numbers for what a step does: for the systems
// that its plan writes to, or where it is done by hand for that of its role.
func (r *Run) NumbersOf(st *Step) string {
	if len(r.Numbers) == 0 || st == nil {
		return r.Change
	}
	var systems []bot.System
	if st.Plan != nil {
		for _, c := range st.Plan.Calls {
			if c.Write() {
				systems = append(systems, c.System)
			}
		}
	} else if g, ok := GuideFor(r.Guide); ok {
		if spec, ok := g.Step(st.ID); ok {
			systems = append(systems, worksOn(spec.Role))
		}
	}
	var out []string
	for _, s := range systems {
		if n := r.Numbers[s]; n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

// worksOn is the system in which the holders of a role work by hand.
func worksOn(role bot.Role) bot.System {
	switch role {
	case bot.EntraAdmin, bot.PrivilegedRoleAdmin:
		return bot.Graph
	case bot.ServiceNowAdmin:
		return bot.ServiceNow
	case bot.M365Admin:
		return bot.AdminCenter
	}
	return ""
}

// ByHandNeeds is the change number that a guided step in the admin center needs:
// there nothing is called, so that the person's word is what carries it. Elsewhere
// what is done by hand is the directory's and ServiceNow's to control.
func (r *Run) ByHandNeeds(rules bot.ChangeRules, spec *Spec) (ChangeNeed, bool) {
	if spec.Guided == nil || worksOn(spec.Role) != bot.AdminCenter {
		return ChangeNeed{}, false
	}
	rule, ok := rules.For(bot.AdminCenter)
	return ChangeNeed{rule, r.Number(bot.AdminCenter)}, ok
}

// HeldByHand says why a change request, as it was last read, keeps a guided step
// from being done now. Nobody reads it for a step that calls nothing: what another
// step read counts.
func (r *Run) HeldByHand(rules bot.ChangeRules, spec *Spec, now time.Time) bot.Text {
	need, ok := r.ByHandNeeds(rules, spec)
	if !ok || !need.Rule.Read {
		return nil
	}
	seen := r.SeenChange(need.Number)
	if seen == nil {
		return nil
	}
	says, _ := seen.Wrong(now)
	return says
}

// SeenChange is a change request as it was last read; nil where it was not.
func (r *Run) SeenChange(number string) *bot.Change {
	if r.Seen != nil && r.Seen.Number == number {
		return r.Seen
	}
	if c, ok := r.SeenToo[number]; ok {
		return &c
	}
	return nil
}

// See keeps how a change request was read.
func (r *Run) See(c bot.Change) {
	if len(r.Numbers) == 0 {
		r.Seen = &c
		return
	}
	seen := map[string]bot.Change{}
	maps.Copy(seen, r.SeenToo)
	seen[c.Number] = c
	r.SeenToo = seen
}

// Held says why a change request of the run keeps a plan from being run now, and
// when that ends by itself; nothing where none does.
func (r *Run) Held(rules bot.ChangeRules, p *Plan, now time.Time) (says bot.Text, until time.Time) {
	if p == nil {
		return nil, time.Time{}
	}
	for _, need := range r.Needs(rules, p.Calls) {
		if !need.Rule.Read {
			continue
		}
		seen := r.SeenChange(need.Number)
		if seen == nil && need.Number == "" {
			return bot.T("This run has no change number, and this step needs one. Cancel the run and start it with one."), time.Time{}
		}
		if seen == nil {
			return bot.T("Change " + need.Number + " has not been read in ServiceNow yet."), time.Time{}
		}
		wrong, ends := seen.Wrong(now)
		if wrong != nil && ends.IsZero() {
			return wrong, ends // it does not end by itself, whatever another waits for
		}
		if wrong != nil && (says == nil || ends.After(until)) {
			says, until = wrong, ends
		}
	}
	return says, until
}

// WorkNote is what a change request is told of a step: who approved it, what
// was called with which request IDs, and how it was proved. No secrets: calls
// are named, their bodies are in the audit trail.
func WorkNote(spec *Spec, st *Step, marker string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", spec.Title, spec.Role.Title())
	if a := st.Approval; a != nil {
		fmt.Fprintf(&b, "Approved %s by %s, plan %s\n", a.At.UTC().Format("2006-01-02 15:04 UTC"), orElse(a.Account, string(a.Person)), a.Digest)
		if a.Glass != "" {
			b.WriteString("Past Keyturn's own rules, because: " + a.Glass + "\n")
		}
	}
	if st.Plan != nil {
		for _, c := range st.Plan.Calls {
			if !c.Write() {
				continue
			}
			line := "• " + c.Method + " " + Redact(c.Path)
			if res, ok := st.Result(c.ID); ok {
				line += fmt.Sprintf(": %d, request %s", res.Status, res.RequestID)
				if res.Found {
					line = "• " + c.Method + " " + Redact(c.Path) + ": was done already"
				}
			}
			b.WriteString(line + "\n")
		}
	}
	if len(st.Proof) > 0 {
		b.WriteString("Read back: " + strings.Join(st.Proof, "; ") + "\n")
	}
	b.WriteString(marker)
	return b.String()
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// changeLines is what a plan's card says about the changes that it runs under.
func (s Scene) changeLines(m *bot.Message, spec *Spec, st *Step) {
	needs := s.Run.Needs(s.Tenant.Changes, st.Plan.Calls)
	if says, _ := s.Run.Held(s.Tenant.Changes, st.Plan, s.Now); says != nil {
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("⛔ "), says, bot.T(" Nothing runs before that."))},
			bot.Buttons{Items: []bot.Button{{Label: "Read the change again", Action: ActRetry, Value: s.value(spec, st), Says: "Read the change again: " + spec.Title}}})
		return
	}
	for _, need := range needs {
		if !need.Rule.Read {
			s.changeLine(m, need)
			continue
		}
		seen := s.Run.SeenChange(need.Number)
		line := bot.Join(bot.B("Change "+seen.Number+": "), bot.T("approved"))
		if !seen.End.IsZero() {
			line = bot.Join(line, bot.T(", its window ends "), bot.When(seen.End, bot.DateTime))
		}
		m.Add(bot.Paragraph{Text: bot.Join(line, bot.T(". What was done goes back to it as a work note, as the account that runs it."))})
	}
}

// changeLine names the change of a step where a run has several; where it has
// one, the card says it once, above.
func (s Scene) changeLine(m *bot.Message, need ChangeNeed) {
	if need.Rule.Apart && need.Number != "" {
		m.Add(bot.Paragraph{Text: bot.Join(bot.B("Change "), bot.C(need.Number), bot.T(", for "+need.Rule.Names()+"."))})
	}
}

// changeByHand names the change of a step that is done by hand, and says when it
// may be done.
func (s Scene) changeByHand(m *bot.Message, spec *Spec) {
	if rule, ok := s.Tenant.Changes.For(worksOn(spec.Role)); ok && worksOn(spec.Role) != "" {
		s.changeLine(m, ChangeNeed{rule, s.Run.Number(worksOn(spec.Role))})
	}
	if says := s.Run.HeldByHand(s.Tenant.Changes, spec, s.Now); says != nil {
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("⛔ "), says, bot.T(" Wait with this until then."))})
	}
}

// changes names the run's change numbers.
func (s Scene) changes() bot.Text {
	if len(s.Run.Numbers) == 0 {
		if s.Run.Change == "" {
			return nil
		}
		return bot.Join(bot.T(" · change "), bot.C(s.Run.Change))
	}
	var out bot.Text
	for _, rule := range s.Tenant.Changes {
		if len(rule.Systems) == 0 || s.Run.Numbers[rule.Systems[0]] == "" {
			continue
		}
		out = bot.Join(out, bot.T(" · change "), bot.C(s.Run.Numbers[rule.Systems[0]]), bot.T(" for "+rule.Names()))
	}
	return out
}
