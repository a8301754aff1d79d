package chart

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"keyturn/bot/incident"
)

// The measures of a timeline, in pixels.
const (
	timeHead = 58 // title
	strip    = 78 // the bar with its numbers and times
	eventRow = 22
	timeFoot = 14
	maxRows  = 16 // more events than that are listed from both ends
)

// Timeline draws one issue over time as a PNG picture: a bar that is to scale,
// with its events numbered, and the list of what the numbers mean.
func Timeline(t incident.Timeline) ([]byte, error) {
	if !t.End.After(t.Start) {
		return nil, errors.New("a timeline needs an end after its start")
	}
	rows, skipped := listed(len(t.Events))
	height := timeHead + strip + len(rows)*eventRow + timeFoot
	s := newSheet(height)
	top := vg.Length(height)
	bold, plain := s.style(15, ink, true), s.style(13, faint, false)
	s.write(bold, margin, top-20, within(bold, t.ID+" · "+t.Service, Width-2*margin))
	s.write(plain, margin, top-42, within(plain, t.Title, Width-2*margin))
	s.bar(t, top-timeHead-34)
	y := top - timeHead - strip - eventRow/2
	for n, row := range rows {
		if row < 0 {
			s.write(plain, margin+34, y-vg.Length(n*eventRow), fmt.Sprintf("%d more in between", skipped))
			continue
		}
		s.event(t.Events[row], row, y-vg.Length(n*eventRow))
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
	return margin + 8 + vg.Length(min(1, max(0, share))*(Width-2*margin-16))
}

func (s *sheet) bar(t incident.Timeline, y vg.Length) {
	const thick = 12
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
			s.write(number, at, y+thick/2+12, says)
			end = at + w/2
		}
	}
	s.times(t, y-thick/2-14)
}

// times writes when the bar begins and ends, and how long it is.
func (s *sheet) times(t incident.Timeline, y vg.Length) {
	st := s.style(11, faint, false)
	s.write(st, margin, y, t.Start.Format("2 Jan 2006 15:04 MST"))
	end := t.End.Format("2 Jan 2006 15:04 MST")
	if !t.Over {
		end = "not resolved by " + end
	}
	st.XAlign = draw.XRight
	s.write(st, Width-margin, y, end)
}

func (s *sheet) event(e incident.Event, n int, y vg.Length) {
	number, at, says := s.style(12, ink, true), s.style(12, faint, false), s.style(13, ink, false)
	number.XAlign = draw.XRight
	s.write(number, margin+22, y, strconv.Itoa(n+1))
	s.write(at, margin+34, y, e.At.Format("2 Jan 15:04"))
	const left = margin + 34 + 92
	s.write(says, left, y, within(says, e.Label, Width-margin-left))
}
