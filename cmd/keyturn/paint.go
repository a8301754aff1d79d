package main

import (
	"encoding/json"
	"fmt"

	"keyturn/adapters/chart"
	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// paint draws the pictures that messages carry as data.
func paint(c bot.Chart) ([]byte, error) {
	switch c.Kind {
	case engine.ChartHeatMap:
		return painted(c, chart.HeatMap)
	case engine.ChartTimeline:
		return painted(c, chart.Timeline)
	}
	return nil, fmt.Errorf("there is no picture of kind %q: was the message written by a newer Keyturn?", c.Kind)
}

func painted[T incident.HeatMap | incident.Timeline](c bot.Chart, draw func(T) ([]byte, error)) ([]byte, error) {
	var data T
	if err := json.Unmarshal(c.Data, &data); err != nil {
		return nil, fmt.Errorf("a picture of kind %s cannot be read: %w", c.Kind, err)
	}
	return draw(data)
}
