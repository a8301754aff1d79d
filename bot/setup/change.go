package setup

import (
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
)

// NeedsChange reports whether calls write to a system for which the
// organisation wants a change number.
func NeedsChange(rule bot.ChangeRule, calls []bot.Call) bool {
	for _, c := range calls {
		if c.Write() && rule.For(c.System) {
			return true
		}
	}
	return false
}

// Held says why the run's change request keeps a plan from being run now, and
// when that ends by itself; nothing where it does not.
func (r *Run) Held(rule bot.ChangeRule, p *Plan, now time.Time) (says bot.Text, until time.Time) {
	if !rule.Read || p == nil || !NeedsChange(rule, p.Calls) {
		return nil, time.Time{}
	}
	if r.Seen == nil {
		return bot.T("Change " + r.Change + " has not been read in ServiceNow yet."), time.Time{}
	}
	return r.Seen.Wrong(now)
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

// changeLines is what a plan's card says about the change request that it runs
// under.
func (s Scene) changeLines(m *bot.Message, spec *Spec, st *Step) {
	rule := s.Tenant.Change
	if !rule.Read || !NeedsChange(rule, st.Plan.Calls) {
		return
	}
	if says, _ := s.Run.Held(rule, st.Plan, s.Now); says != nil {
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("⛔ "), says, bot.T(" Nothing runs before that."))},
			bot.Buttons{Items: []bot.Button{{Label: "Read the change again", Action: ActRetry, Value: s.value(spec, st), Says: "Read the change again: " + spec.Title}}})
		return
	}
	line := bot.Join(bot.B("Change "+s.Run.Seen.Number+": "), bot.T("approved"))
	if !s.Run.Seen.End.IsZero() {
		line = bot.Join(line, bot.T(", its window ends "), bot.When(s.Run.Seen.End, bot.DateTime))
	}
	m.Add(bot.Paragraph{Text: bot.Join(line, bot.T(". What was done goes back to it as a work note, as the account that runs it."))})
}
