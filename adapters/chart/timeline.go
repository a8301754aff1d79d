package chart

import (
	"errors"
	"fmt"
	"image/color"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"keyturn/bot/incident"
)

// The measures of a timeline, in units.
const (
	titleRow = 17
	strip    = 70 // the bar with its numbers and times
	textRow  = 15
	gap      = 5 // between two events
	timeFoot = 2
	maxRows  = 9  // more events than that are listed from both ends
	when     = 99 // where the words of an event begin
)

// Timeline draws one issue over time as a PNG picture: a bar that is to scale,
// with its events numbered, and the list of what the numbers mean.
func Timeline(t incident.Timeline) ([]byte, error) {
	if !t.End.After(t.Start) {
		return nil, errors.New("a timeline needs an end after its start")
	}
	rows, skipped := listed(len(t.Events))
	sizes := newSheet(1)
	bold, plain := sizes.style(14, ink, true), sizes.style(12, faint, false)
	title := wrapped(plain, t.Title, wide-2*margin, 2)
	texts := make([][]string, len(rows))
	height := vg.Length(22 + len(title)*titleRow + strip + timeFoot)
	for n, row := range rows {
		texts[n] = []string{fmt.Sprintf("%d more in between", skipped)}
		if row >= 0 {
			texts[n] = wrapped(sizes.style(12, ink, false), t.Events[row].Label, wide-margin-when, 2)
		}
		height += vg.Length(len(texts[n])*textRow + gap)
	}
	s := newSheet(int(height))
	y := height - 14
	s.write(bold, margin, y, within(bold, t.ID+" · "+t.Service, wide-2*margin))
	for _, l := range title {
		y -= titleRow
		s.write(plain, margin, y, l)
	}
	s.bar(t, y-36)
	y -= 36 + strip/2 + 6
	for n, row := range rows {
		if row >= 0 {
			s.event(t.Events[row], row, y)
		}
		for _, l := range texts[n] {
			s.write(s.style(12, map[bool]color.Color{true: ink, false: faint}[row >= 0], false), when, y, l)
			y -= textRow
		}
		y -= gap
	}
	return s.png()
}

// listed are the events that are listed, by index; -1 stands for those left
// out.
func listed(n int) (rows []int, skipped int) {
	for i := range n {
		if n > maxRows && i >= 3 && i < n-maxRows+4 {
			if skipped++; skipped == 1 {
				rows = append(rows, -1)
			}
			continue
		}
		rows = append(rows, i)
	}
	return rows, skipped
}

// along is where a time stands on the bar.
func along(t incident.Timeline, at time.Time) vg.Length {
	share := float64(at.Sub(t.Start)) / float64(t.End.Sub(t.Start))
	return margin + 4 + vg.Length(min(1, max(0, share))*(wide-2*margin-8))
}

func (s *sheet) bar(t incident.Timeline, y vg.Length) {
	const thick = 10
	left, right := along(t, t.Start), along(t, t.End)
	s.box(levels[incident.LevelFine], left, y-thick/2, right-left, thick)
	from, over := t.Start, false
	for _, e := range t.Events {
		if e.Over && !over {
			s.box(levels[t.Level], along(t, from), y-thick/2, max(2, along(t, e.At)-along(t, from)), thick)
		}
		if over && !e.Over {
			from = e.At
		}
		over = e.Over
	}
	if !over {
		s.box(levels[t.Level], along(t, from), y-thick/2, max(2, right-along(t, from)), thick)
	}
	number := s.style(11, ink, true)
	number.XAlign = draw.XCenter
	end := vg.Length(-100)
	for n, e := range t.Events {
		at := along(t, e.At)
		s.rule(ink, 1.5, vg.Point{X: at, Y: y - thick/2 - 3}, vg.Point{X: at, Y: y + thick/2 + 3})
		says := strconv.Itoa(n + 1)
		if w := number.Width(says); at-w/2 > end+3 {
			s.write(number, at, y+thick/2+10, says)
			end = at + w/2
		}
	}
	s.times(t, y-thick/2-12)
}

// times writes when the bar begins and ends, and how long it is.
func (s *sheet) times(t incident.Timeline, y vg.Length) {
	st := s.style(11, faint, false)
	s.write(st, margin, y, t.Start.Format("2 Jan 15:04 MST"))
	end := t.End.Format("2 Jan 15:04 MST")
	if !t.Over {
		end = "still open " + end
	}
	st.XAlign = draw.XRight
	s.write(st, wide-margin, y, end)
}

// event writes an event's number and time.
func (s *sheet) event(e incident.Event, n int, y vg.Length) {
	number, at := s.style(11, ink, true), s.style(11, faint, false)
	number.XAlign = draw.XRight
	s.write(number, margin+13, y, strconv.Itoa(n+1))
	s.write(at, margin+17, y, e.At.Format("2 Jan 15:04"))
}
