package chart

import (
	"encoding/json"
	"testing"
	"time"

	"keyturn/bot/incident"
	"keyturn/test/beside"
)

// Microsoft's own texts are longer than anything that was made up for a test.
func TestPicturesOfRealIssues(t *testing.T) {
	raw := beside.Data(t, "graph/issues.json")
	var list struct{ Value []json.RawMessage }
	if json.Unmarshal(raw, &list) != nil || len(list.Value) == 0 {
		if err := json.Unmarshal(raw, &list.Value); err != nil {
			t.Fatal(err)
		}
	}
	var known []incident.Known
	var last time.Time
	longest := 0
	for _, r := range list.Value {
		is, err := incident.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, incident.Known{Issue: is, First: is.Start})
		if is.Modified.After(last) {
			last = is.Modified
		}
		if len(is.Posts) > len(known[longest].Issue.Posts) {
			longest = len(known) - 1
		}
	}
	for n, k := range known {
		b, err := Timeline(incident.TimelineOf(k, last.Add(time.Hour), time.UTC))
		name := "real-" + k.Issue.ID
		if n == longest {
			name = "real-longest"
		}
		picture(t, name, b, err)
	}
	b, err := HeatMap(incident.HeatMapOf(known, nil, incident.Watch{Good: last}, last, 30, time.UTC))
	picture(t, "real-heatmap", b, err)
}
