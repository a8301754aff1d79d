package incident

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAHeatMapCountsLocalDaysAndSaysTheSameInWords(t *testing.T) {
	zone := berlin(t)
	issue := func(id, service, class string, from, to time.Time, resolved bool) Known {
		i := Issue{ID: id, Service: service, Classification: class, Status: "serviceDegradation", Start: from, Modified: to, Resolved: resolved}
		if resolved {
			i.End = to
		}
		return Merge(nil, i, to)
	}
	night := time.Date(2026, 10, 24, 22, 30, 0, 0, time.UTC) // half past midnight of the 25th in Berlin, the day of 25 hours
	at := time.Date(2026, 10, 27, 12, 0, 0, 0, zone)
	h := HeatMapOf([]Known{
		issue("EX1", "Exchange Online", "incident", night, night.Add(time.Hour), true),
		issue("OD1", "OneDrive for Business", "advisory", night.AddDate(0, 0, -90), at, false),
		issue("OD2", "Microsoft OneDrive", "advisory", night.AddDate(0, 0, -90), night.AddDate(0, 0, -60), true),
		issue("PL1", "Planner", "incident", night.AddDate(0, 0, -90), night.AddDate(0, 0, -60), true),
	}, []Day{{Date: DateOf(at.AddDate(0, 0, -3), zone), Levels: map[string]Level{"Exchange Online": LevelOutage, "Sway": LevelAdvisory}}, {Date: "2001-01-01", Levels: map[string]Level{"Sway": LevelOutage}}},
		Watch{Good: at.Add(-30 * time.Hour)}, at, 5, zone)
	var b strings.Builder
	for n, s := range h.Services {
		b.WriteString(s + ":")
		for d, l := range h.Cells[n] {
			b.WriteString(" " + h.Days[d].Format("2 Jan") + " " + l.Word() + ",")
		}
		b.WriteString("\n")
	}
	b.WriteString(HeatMapWords(h) + "\n" + HeatMapWords(HeatMapOf(nil, nil, Watch{Good: at}, at, 5, zone)) + "\n" + HeatMapWords(HeatMap{}) + "\n")
	golden(t, "heatmap", b.String())
}

func TestATimelineTellsWhatWasTold(t *testing.T) {
	var b strings.Builder
	for _, k := range knownSamples(t) {
		line := TimelineOf(k, minutes(0), time.UTC)
		b.WriteString(TimelineWords(line) + "\n")
		for n, e := range line.Events {
			if e.At.Before(line.Start) && n > 0 || e.At.After(line.End) {
				t.Errorf("%s: %q is outside of the picture", k.Issue.ID, e.Label)
			}
		}
	}
	golden(t, "timeline", b.String())
}

// Posts that say again what is known differ further below: an event says that.
func TestAnEventOfATimelineSaysWhatIsNewInItsPost(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	k := Known{Issue: Issue{ID: "MO1", Service: "Microsoft 365 suite", Classification: "incident", Start: at}}
	for i, says := range []string{"The list below grows as we learn more. Exchange Online is affected.", "The list below grows as we learn more. - Exchange Online is affected. - Teams is affected too.",
		"The list below grows as we learn more. - Exchange Online is affected. - Teams is affected too."} {
		k.Issue.Posts = append(k.Issue.Posts, Post{Created: at.Add(time.Duration(i+1) * time.Hour), Content: "More info: " + says})
	}
	var labels []string
	for _, e := range TimelineOf(k, at.Add(5*time.Hour), time.UTC).Events {
		labels = append(labels, e.Label)
	}
	want := []string{"Began", "The list below grows as we learn more. Exchange Online is affected.", "Teams is affected too."}
	if !slices.Equal(labels, want) {
		t.Errorf("the events say %q", labels)
	}
}
