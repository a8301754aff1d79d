package engine

import (
	"encoding/json"
	"slices"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// The kinds of [bot.Chart] that decisions make.
const (
	ChartHeatMap  = "heatmap"  // an [incident.HeatMap]
	ChartTimeline = "timeline" // an [incident.Timeline]
)

// illustrated draws the pictures of a message. One that cannot be drawn is left
// to its words: a picture never holds up what it belongs to.
func (e *Engine) illustrated(m bot.Message) bot.Message {
	if e.Paint == nil || !slices.ContainsFunc(m.Parts, charted) {
		return m
	}
	m.Parts = slices.Clone(m.Parts)
	for i, p := range m.Parts {
		if !charted(p) {
			continue
		}
		pic := p.(bot.Image)
		png, err := e.Paint(*pic.Chart)
		if err != nil {
			e.Log.Warn("a picture cannot be drawn; its words are sent", "kind", pic.Chart.Kind, "err", err)
			continue
		}
		pic.PNG = png
		m.Parts[i] = pic
	}
	return m
}

func charted(p bot.Part) bool {
	i, ok := p.(bot.Image)
	return ok && i.Chart != nil
}

// chart is a picture of data that our own types always can be written as.
func chart(kind string, data any, alt string) bot.Image {
	b, err := json.Marshal(data)
	if err != nil {
		return bot.Image{Alt: alt}
	}
	return bot.Image{Alt: alt, Chart: &bot.Chart{Kind: kind, Data: b}}
}

// PictureDays is how many days a heat map shows where nobody says another number.
const PictureDays = 30

// HeatMap is the picture of a tenant's services for so many days: of some, or of
// all where none is named.
func (d *Draft) HeatMap(t *bot.Tenant, of int, services ...string) (bot.Image, error) {
	known, err := d.Incidents(t.ID, true)
	if err != nil {
		return bot.Image{}, err
	}
	sub := incident.Subscription{Services: services}
	known = slices.DeleteFunc(known, func(k incident.Known) bool { return !incident.Matches(sub, k.Issue) })
	watch, err := d.Watch(t.ID)
	if err != nil {
		return bot.Image{}, err
	}
	kept, err := days.All(d.View, t.ID)
	if err != nil {
		return bot.Image{}, err
	}
	for i := range kept {
		kept[i] = kept[i].Of(services)
	}
	h := incident.HeatMapOf(known, kept, watch, d.Now, of, zoneOf(t))
	return chart(ChartHeatMap, h, incident.HeatMapWords(h)), nil
}

// Timeline is the picture of one issue.
func (d *Draft) Timeline(t *bot.Tenant, k incident.Known) bot.Image {
	line := incident.TimelineOf(k, d.Now, zoneOf(t))
	return chart(ChartTimeline, line, incident.TimelineWords(line))
}
