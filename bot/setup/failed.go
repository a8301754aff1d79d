package setup

import (
	"strings"

	"keyturn/bot"
)

// failedStep says what went wrong, whose turn it is to mend it and how, and what
// to give to those who look it up.
func (s Scene) failedStep(m *bot.Message, spec *Spec, st *Step, primary *bool) {
	v := s.value(spec, st)
	var buttons []bot.Button
	if p := st.Problem; p != nil {
		lines := []bot.Text{bot.T(s.says(st))}
		if p.Fix != "" {
			lines = append(lines, bot.T(p.Fix))
		}
		if st.lacksRole(spec) {
			lines = append(lines, s.activate(spec, st))
			buttons = append(buttons, bot.Button{Label: "Activated", Action: ActActivated, Value: v, Style: take(primary), Says: "Activated, try again: " + spec.Title},
				bot.Button{Label: "Not me", Action: ActNotMe, Value: v, Says: "Not me: " + spec.Title})
		}
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
		small(m, p)
	}
	if _, ok := Revealable(s.Context(), spec, st); ok && s.Public != "" {
		buttons = append(buttons, bot.Button{Label: "Show me the secret once", Action: ActReveal, Value: v, Says: "Show me the secret once: " + spec.Title})
	}
	if spec.API != nil && (spec.API.Plan != nil || spec.API.Auto) {
		buttons = append(buttons, bot.Button{Label: "Try again", Action: ActRetry, Value: v, Style: take(primary), Says: "Try again: " + spec.Title})
	}
	_, hand := spec.ByHand(s.Context())
	if st.Plan != nil && !st.Undoing && !hand && !st.rejected() {
		buttons = append(buttons, bot.Button{Label: "Give me the script", Action: ActScript, Value: v, Says: "Give me the script: " + spec.Title})
	}
	g := spec.Guided
	if hand {
		buttons = append(buttons, s.didByHand(spec, v))
		g = spec.byHandGuide(s.Context())
	} else if spec.API != nil && spec.API.Verify != nil {
		buttons = append(buttons, bot.Button{Label: "I fixed it, check", Action: ActCheck, Value: v, Says: "I fixed it, check: " + spec.Title})
		if spec.handed(s.Context()) {
			g = spec.byHandGuide(s.Context())
		}
	}
	if g != nil {
		if spec.Runs(s.Context()) && g.Do != nil {
			m.Add(bot.Paragraph{Text: bot.B("By hand instead")})
		}
		s.guided(m, g)
		if g.Ask != nil {
			buttons = append(buttons, bot.Button{Label: word(g, "Enter the values"), Action: ActAnswer, Value: v, Says: word(g, "Enter the values") + ": " + spec.Title})
		}
	}
	if !spec.NoSkip {
		buttons = append(buttons, bot.Button{Label: "Skip with reason", Action: ActSkip, Value: v, Says: "Skip with reason: " + spec.Title})
	}
	m.Add(bot.Buttons{Items: buttons})
}

// says is what went wrong, with who rejected it.
func (s Scene) says(st *Step) string {
	if st.rejected() && st.By != "" {
		return "Rejected by " + s.name(st.By) + ": " + ended(st.Why)
	}
	return st.Problem.Says
}

// problem is that with what mends it.
func (s Scene) problem(st *Step) string { return sentences(s.says(st), st.Problem.Fix) }

// ended is what a person wrote, as a sentence that another may follow.
func ended(s string) string {
	if s = strings.TrimSpace(s); s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// goneStep leaves the run to whoever asked for it; others may look again.
func (s Scene) goneStep(m *bot.Message, spec *Spec, st *Step, p bot.PersonID, primary *bool) {
	m.Add(bot.Paragraph{Text: bot.T(st.Problem.Says)})
	if p != s.Run.Requester {
		m.Add(bot.Paragraph{Text: bot.T(s.name(s.Run.Requester) + ", who asked for it, says whether the run ends or goes on as a rehearsal. Where it is back, [Try again] looks anew.")})
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Try again", Action: ActRetry, Value: s.value(spec, st), Says: "Try again: " + spec.Title}}})
		return
	}
	*primary = false
	m.Add(s.endings(spec, st))
}

// endings are the requester's ways on where the service is gone.
func (s Scene) endings(spec *Spec, st *Step) bot.Buttons {
	v := s.value(spec, st)
	return bot.Buttons{Items: []bot.Button{
		{Label: "End this run", Action: ActEnd, Value: v, Style: bot.Primary, Says: "End this run: " + s.Run.ID},
		{Label: "Go on, to rehearse", Action: ActGoOn, Value: v, Says: "Go on, to rehearse: run " + s.Run.ID + " although the service is gone"},
		s.cleanUp(),
	}}
}

// small adds the code and request ID of a problem, for those who look it up.
func small(m *bot.Message, p *Problem) {
	if c := codes(p); c != "" {
		m.Add(bot.Note{Text: bot.T(c)})
	}
}

func codes(p *Problem) string {
	switch {
	case p.Code == ServiceGone, p.Code == SecretGarbled:
		return ""
	case p.Code != "" && p.Request != "":
		return p.Code + " · request " + p.Request
	case p.Code != "":
		return p.Code
	case p.Request != "":
		return "request " + p.Request
	}
	return ""
}
