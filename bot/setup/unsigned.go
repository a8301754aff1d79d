package setup

import (
	"net/url"
	"strings"

	"keyturn/bot"
)

// atWork reports whether calls are being made for a step, or wait in their
// middle for the approver to sign in again.
func (s *Step) atWork() bool {
	return s.State == Running || (s.State == Unsigned && s.SignIn != nil && s.SignIn.Back == Running)
}

// AwaitSignIn holds a step until one of its people has signed in at a system.
// Approved calls wait for the approver alone. need says what it is for.
func (r *Run) AwaitSignIn(id StepID, need SignIn) error {
	s := r.Step(id)
	switch s.State {
	case Open, Looking, Running, Checking:
		need.Back = s.State
		s.SignIn = &need
		s.State, s.Asked = Unsigned, true
		return nil
	}
	return bot.ErrStale
}

// SignedIn lets the steps go on that waited for a person at a system. It
// reports whether there were any.
func (r *Run) SignedIn(g *Guide, p bot.PersonID, system bot.System) bool {
	any := false
	for i := range g.Steps {
		s := r.Step(g.Steps[i].ID)
		if s == nil || r.State != RunOpen || s.State != Unsigned || s.SignIn.System != system {
			continue
		}
		for _, w := range r.Waiting(&g.Steps[i], s) {
			if w == p {
				s.State, s.SignIn, s.As, any = s.SignIn.Back, nil, p, true
				break
			}
		}
	}
	return any
}

// unsignedStep asks for a sign-in: where it goes, with which account, and how
// to see that it is no phishing.
func (s Scene) unsignedStep(m *bot.Message, spec *Spec, st *Step, p bot.PersonID, primary *bool) {
	s.about(m, spec)
	need := st.SignIn
	v := s.value(spec, st)
	var buttons []bot.Button
	if a := st.Approval; a != nil && a.Person != p {
		m.Add(bot.Paragraph{Text: bot.T(s.name(a.Person) + " approved the calls, and they run as nobody else. The sign-in is over, so the rest waits for " + s.name(a.Person) +
			". Whoever starts over reads again what exists, and approves anew.")})
		buttons = append(buttons, bot.Button{Label: "Start over as me", Action: ActRetry, Value: v, Says: "Start over as me: " + spec.Title})
		m.Add(bot.Buttons{Items: buttons})
		return
	}
	first := "Sign in first. Then I read what exists and show you the exact calls; nothing runs before you approve them."
	switch {
	case st.Approval != nil:
		first = "Sign in again, and the calls that you approved are finished."
	case need.Back == Checking:
		first = "Sign in first. Then I read it back."
	case spec.API != nil && spec.API.Auto:
		first = "Sign in first. This step only reads."
	case spec.API != nil && spec.API.Plan == nil:
		first = "Sign in first. Then this card shows what to do, and I only read what comes of it."
	}
	if need.Why != "" {
		first = need.Why + " " + first
	}
	m.Add(bot.Paragraph{Text: bot.T(first)}, bot.Paragraph{Text: s.SignInWords(need.System, p)})
	buttons = append(buttons, bot.Button{Label: "Sign in", Action: ActSignIn, Value: v, Style: take(primary), Says: "Sign in: " + spec.Title})
	if spec.API != nil && spec.API.Verify != nil && st.Approval == nil && (spec.Guided == nil || spec.Guided.Ask == nil) && need.Back != Checking && !spec.API.Auto {
		buttons = append(buttons, bot.Button{Label: "I did it by hand, check", Action: ActCheck, Value: v, Says: "I did it by hand, check: " + spec.Title})
	}
	m.Add(bot.Buttons{Items: append(buttons, s.declining(spec, st)...)})
}

// SignInWords names the host that a sign-in leads to, exactly, and the account
// that is used there.
func (s Scene) SignInWords(system bot.System, p bot.PersonID) bot.Text {
	person, _ := s.Tenant.Person(p)
	t := bot.Join(bot.T("My page is on "), bot.C(HostOf(s.Public)), bot.T(" and sends you to "), bot.C(HostOf(s.gate(system))), bot.T(", to no other host. Compare the address bar before you type a password; I never ask for one."))
	if account := person.Admin[system]; account != "" {
		t = bot.Join(t, bot.T(" Account: "), bot.C(account), bot.T("."))
	}
	return t
}

// gate is where people sign in at a system.
func (s Scene) gate(system bot.System) string {
	if s.Gate == nil {
		return ""
	}
	return s.Gate(system)
}

// HostOf is the host of an address, as a browser's address bar shows it.
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return strings.TrimPrefix(address, "https://")
	}
	return u.Host
}

// OriginOf is scheme and host of an address.
func OriginOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
