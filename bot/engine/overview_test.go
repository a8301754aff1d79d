package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// An interruption that is over by the evening still shows on its day, and a
// reading that changes nothing writes nothing about the day.
func TestADayIsRememberedAtItsWorst(t *testing.T) {
	w := newWorld(t)
	issue := func(status string, resolved bool, changed time.Duration) json.RawMessage {
		at := start.Add(changed).Format(time.RFC3339)
		b, err := json.Marshal(map[string]any{"id": "EX900001", "title": "Mail is down", "service": "Exchange Online", "status": status, "classification": "incident",
			"isResolved": resolved, "startDateTime": start.Format(time.RFC3339), "lastModifiedDateTime": at, "posts": []any{}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	w.seeded(issue("serviceInterruption", false, 0))
	w.news(issue("serviceRestored", true, time.Minute))
	var picture bot.Image
	w.commit("look", func(d *engine.Draft) (err error) {
		tenant, _ := d.Env().Tenant("contoso")
		picture, err = d.HeatMap(tenant, engine.PictureDays)
		return err
	})
	if picture.Chart == nil || picture.Chart.Kind != engine.ChartHeatMap {
		t.Fatalf("there is no picture: %+v", picture)
	}
	var h incident.HeatMap
	if err := json.Unmarshal(picture.Chart.Data, &h); err != nil || len(h.Services) != 1 || h.Cells[0][len(h.Days)-1] != incident.LevelOutage {
		t.Errorf("the day is drawn as %+v (%v)", h, err)
	}
}
