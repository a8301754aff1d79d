package engine

import (
	"fmt"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// homeHealth is the part of the page about incidents: at most five, worst
// first, and never a green light without a reading.
func homeHealth(active []incident.Known, w incident.Watch) []bot.Part {
	if w.Good.IsZero() && w.Failing.IsZero() {
		return []bot.Part{bot.Paragraph{Text: bot.T("⚫ Service health is not read yet.")}}
	}
	if !w.Failing.IsZero() {
		return []bot.Part{bot.Paragraph{Text: bot.Join(bot.T("⚫ Cannot read service health since "), bot.When(w.Failing, bot.DateTime), bot.T(". This is not a green light."))}}
	}
	lines := []bot.Text{bot.B("Microsoft 365 now")}
	for i, k := range active {
		if i == 5 {
			lines = append(lines, bot.T(fmt.Sprintf("and %d more", len(active)-5)))
			break
		}
		lines = append(lines, bot.Join(bot.T("• "+k.Issue.Service+": "+k.Issue.Title+" "), bot.Link(k.Issue.ID, incident.AlertLink(k.Issue.ID))))
	}
	if len(active) == 0 {
		lines = append(lines, bot.Join(bot.T("🟢 No open incident, read "), bot.When(w.Good, bot.Clock)))
	}
	return []bot.Part{bot.Paragraph{Text: bot.Lines(lines...)}}
}
