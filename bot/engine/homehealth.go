package engine

import (
	"fmt"
	"slices"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// homeHealth is the part of the page about incidents: at most five, those that
// the reader's own channels are told of before the others, incidents before
// advisories, and never a green light without a reading.
func homeHealth(active []incident.Known, mine []incident.Subscription, w incident.Watch) []bot.Part {
	if w.Good.IsZero() && w.Failing.IsZero() {
		return []bot.Part{bot.Paragraph{Text: bot.T("⚫ Service health is not read yet.")}}
	}
	lines := []bot.Text{bot.B("Microsoft 365 now")}
	if !w.Failing.IsZero() {
		lines = []bot.Text{bot.Join(bot.T("⚫ Cannot read service health since "), bot.When(w.Failing, bot.DateTime), bot.T(". This is not a green light."))}
		if len(active) > 0 {
			lines = append(lines, bot.B("Open at the last reading"))
		}
	}
	yours := func(k incident.Known) bool {
		return slices.ContainsFunc(mine, func(s incident.Subscription) bool { return len(s.Services) > 0 && incident.Matches(s, k.Issue) })
	}
	active = slices.Clone(active)
	urgency := func(k incident.Known) int { return 2*rank(yours(k)) + rank(!k.Issue.Advisory()) }
	slices.SortStableFunc(active, func(x, y incident.Known) int { return urgency(y) - urgency(x) })
	for i, k := range active {
		if i == 5 {
			lines = append(lines, bot.T(fmt.Sprintf("and %d more", len(active)-5)))
			break
		}
		line := bot.Join(bot.T(k.Issue.Mark()+" · "+k.Issue.Service+": "+k.Issue.Title+" "), bot.Link(k.Issue.ID, incident.AlertLink(k.Issue.ID)))
		if yours(k) {
			line = bot.Join(line, bot.T(", of your services"))
		}
		lines = append(lines, line)
	}
	if len(active) == 0 && w.Failing.IsZero() {
		lines = append(lines, bot.Join(bot.T("🟢 No open incident, read "), bot.When(w.Good, bot.Clock)))
	}
	return []bot.Part{bot.Paragraph{Text: bot.Lines(lines...)}}
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}
