package chart

import (
	"errors"
	"fmt"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"keyturn/bot/incident"
)

// The measures of a heat map, in units.
const (
	margin   = 10
	names    = 132 // for the names of services
	rowSize  = 20
	heatHead = 48 // title and dates
	heatFoot = 46 // legend, two rows
)

// HeatMap draws services by day as a PNG picture. It is an error where there
// is no day, or where rows and services do not fit together.
func HeatMap(h incident.HeatMap) ([]byte, error) {
	if len(h.Days) == 0 {
		return nil, errors.New("a heat map needs at least one day")
	}
	if len(h.Cells) != len(h.Services) {
		return nil, fmt.Errorf("the heat map has %d services and %d rows", len(h.Services), len(h.Cells))
	}
	for n, row := range h.Cells {
		if len(row) != len(h.Days) {
			return nil, fmt.Errorf("the heat map has %d days, and %d for %s", len(h.Days), len(row), h.Services[n])
		}
	}
	rows := max(1, len(h.Services))
	height := heatHead + rows*rowSize + heatFoot
	s := newSheet(height)
	top := vg.Length(height)
	s.write(s.style(14, ink, true), margin, top-16, "Microsoft 365 service health by day")
	s.dates(h, top-heatHead+9)
	grid := top - heatHead
	if len(h.Services) == 0 {
		s.write(s.style(12, faint, false), margin, grid-rowSize/2, "No issue of these days is known.")
	}
	width := dayWidth(h)
	for n, name := range h.Services {
		y := grid - vg.Length((n+1)*rowSize)
		st := s.style(12, ink, false)
		s.write(st, margin, y+rowSize/2, within(st, name, names-6))
		for d, l := range h.Cells[n] {
			s.cell(l, margin+names+vg.Length(d)*width, y+2, width-1, rowSize-4)
		}
	}
	s.legend(heatFoot-14, []incident.Level{incident.LevelFine, incident.LevelAdvisory, incident.LevelIncident})
	s.legend(heatFoot-32, []incident.Level{incident.LevelOutage, incident.LevelNotRead})
	if h.More > 0 {
		st := s.style(12, faint, false)
		st.XAlign = draw.XRight
		s.write(st, wide-margin, heatFoot-32, fmt.Sprintf("and %d more", h.More))
	}
	return s.png()
}

func dayWidth(h incident.HeatMap) vg.Length {
	return vg.Length(wide-2*margin-names) / vg.Length(len(h.Days))
}

// dates writes the days above the columns: each Monday, or each day where they
// are few, with the month where it changes.
func (s *sheet) dates(h incident.HeatMap, y vg.Length) {
	width := dayWidth(h)
	st := s.style(11, faint, false)
	end, month := vg.Length(0), time.Month(0)
	for n, day := range h.Days {
		if width < 30 && day.Weekday() != time.Monday && n > 0 {
			continue
		}
		says := day.Format("2")
		if day.Month() != month {
			says = day.Format("2 Jan")
		}
		x := margin + names + vg.Length(n)*width
		if x < end || x+st.Width(says) > wide-2 {
			continue
		}
		month = day.Month()
		s.write(st, x, y, says)
		end = x + st.Width(says) + 6
	}
}

func (s *sheet) legend(y vg.Length, which []incident.Level) {
	st := s.style(12, faint, false)
	x := vg.Length(margin)
	for _, l := range which {
		s.cell(l, x, y-6, 12, 12)
		if l == incident.LevelNotRead {
			s.frame(x, y-6, 12, 12)
		}
		s.write(st, x+17, y, l.Word())
		x += 17 + st.Width(l.Word()) + 14
	}
}

func (s *sheet) frame(x, y, w, h vg.Length) {
	a, b, c, d := vg.Point{X: x, Y: y}, vg.Point{X: x + w, Y: y}, vg.Point{X: x + w, Y: y + h}, vg.Point{X: x, Y: y + h}
	for _, e := range [][2]vg.Point{{a, b}, {b, c}, {c, d}, {d, a}} {
		s.rule(line, 1, e[0], e[1])
	}
}
