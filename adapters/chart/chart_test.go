package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/bot/incident"
)

var monday = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func day(n int) time.Time { return monday.AddDate(0, 0, n) }

func issue(id, service, class, status string, from, to int, resolved bool) incident.Known {
	i := incident.Issue{ID: id, Title: "Users can't do something in " + service, Service: service, Classification: class, Status: status, Start: day(from), Modified: day(to), Resolved: resolved}
	if resolved {
		i.End = day(to)
	}
	return incident.Known{Issue: i, First: day(from)}
}

func month() incident.HeatMap {
	known := []incident.Known{
		issue("EX1", "Exchange Online", "incident", "serviceInterruption", -3, 0, false),
		issue("EX2", "Exchange Online", "advisory", "serviceRestored", -20, -11, true),
		issue("TM1", "Microsoft Teams", "incident", "serviceRestored", -9, -8, true),
		issue("SP1", "SharePoint Online", "advisory", "serviceDegradation", -13, 0, false),
		issue("MV1", "Microsoft Viva", "advisory", "extendedRecovery", -80, 0, false),
		issue("MF1", "Power Automate in Microsoft 365 for very large organizations", "incident", "serviceRestored", -27, -26, true),
	}
	return incident.HeatMapOf(known, nil, incident.Watch{Good: day(0)}, day(0), 30, time.UTC)
}

func story() incident.Timeline {
	post := func(hours int, says string) incident.Post {
		return incident.Post{Created: day(-2).Add(time.Duration(hours) * time.Hour), Content: says}
	}
	k := issue("EX1204517", "Exchange Online", "incident", "serviceRestored", -2, -1, true)
	k.Issue.Title = "Some users can't send email with attachments from Outlook on the web, and some more words that make the title long"
	k.Issue.Posts = []incident.Post{
		post(1, "Current status: We're looking into reports that attachments are refused."),
		post(2, "Current status: Logs show that the upload service refuses tokens of one of its regional front ends."),
		post(9, "Current status: We're taking these front ends out of rotation and watch how the service recovers in all regions."),
		post(24, "Final status: The affected front ends are out of rotation and attachments are sent again."),
		post(60, "A post-incident report has been published."),
	}
	return incident.TimelineOf(k, day(0), time.UTC)
}

// picture draws and looks at what every picture has to be. KEYTURN_PICTURES
// names a folder to keep it in, for looking at.
func picture(t *testing.T, name string, b []byte, err error) image.Image {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("KEYTURN_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	box := img.Bounds()
	if box.Dx() != Width || box.Dy() < 80*Scale || box.Dy() > 460*Scale {
		t.Errorf("%s is %d by %d pixels", name, box.Dx(), box.Dy())
	}
	for x := range box.Dx() {
		for _, y := range []int{0, 1, box.Dy() - 2, box.Dy() - 1} {
			if !white(img.At(x, y)) {
				t.Fatalf("%s: something is cut at the edge, at %d,%d", name, x, y)
			}
		}
	}
	for y := range box.Dy() {
		if !white(img.At(0, y)) || !white(img.At(box.Dx()-1, y)) {
			t.Fatalf("%s: something is cut at a side, at line %d", name, y)
		}
	}
	return img
}

func white(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return r == 0xffff && g == 0xffff && b == 0xffff
}

// at is the colour in the middle of a day's cell.
func at(img image.Image, h incident.HeatMap, row, d int) color.Color {
	return img.At(Scale*(margin+names)+int((float64(d)+0.5)*float64(dayWidth(h))*Scale)-1, Scale*(heatHead+row*rowSize+rowSize/2))
}

func TestAHeatMapShowsEachDayInTheColourOfItsLevel(t *testing.T) {
	h := month()
	b, err := HeatMap(h)
	img := picture(t, "heatmap", b, err)
	for row := range h.Services {
		for d, l := range h.Cells[row] {
			r, g, bl, _ := at(img, h, row, d).RGBA()
			wr, wg, wb, _ := levels[l].RGBA()
			if r != wr || g != wg || bl != wb {
				t.Errorf("%s on day %d is not in the colour of %q", h.Services[row], d, l.Word())
			}
		}
	}
	again, err := HeatMap(month())
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("the same data give another picture: %v", err)
	}
}

func TestLevelsDifferInLightness(t *testing.T) {
	before := 1 << 20
	for _, l := range []incident.Level{incident.LevelFine, incident.LevelAdvisory, incident.LevelIncident, incident.LevelOutage} {
		r, g, b, _ := levels[l].RGBA()
		grey := int(299*r+587*g+114*b) / 1000 / 256
		if before-grey < 30 {
			t.Errorf("%q is hardly darker than the level below it: %d after %d", l.Word(), grey, before)
		}
		before = grey
	}
}

func TestADayThatNobodyReadIsStripedAndNotFine(t *testing.T) {
	known := []incident.Known{issue("EX1", "Exchange Online", "advisory", "serviceRestored", -25, -20, true)}
	h := incident.HeatMapOf(known, nil, incident.Watch{Good: day(-3)}, day(0), 30, time.UTC)
	b, err := HeatMap(h)
	img := picture(t, "heatmap-unread", b, err)
	if l := h.Cells[0][29]; l != incident.LevelNotRead {
		t.Fatalf("today is %q", l.Word())
	}
	striped := 0
	x0 := Scale*(margin+names) + int(29*dayWidth(h)*Scale)
	wide := int(dayWidth(h)*Scale) - 2*Scale
	for x := range wide {
		if c := img.At(x0+x, Scale*(heatHead+rowSize/2)); !white(c) {
			striped++
		}
	}
	if striped == 0 || striped > wide-4 {
		t.Errorf("%d of the cell's pixels are not white", striped)
	}
	if w := incident.HeatMapWords(h); !strings.Contains(w, "not read on 3 days") {
		t.Errorf("the words do not say so: %s", w)
	}
}

func TestPicturesOfNothingAndOfTooMuch(t *testing.T) {
	b, err := HeatMap(incident.HeatMapOf(nil, nil, incident.Watch{Good: day(0)}, day(0), 30, time.UTC))
	picture(t, "heatmap-empty", b, err)
	var many []incident.Known
	for n := range 40 {
		many = append(many, issue(fmt.Sprint("X", n), fmt.Sprintf("Service number %d", n), "incident", "serviceDegradation", -n, 0, false))
	}
	b, err = HeatMap(incident.HeatMapOf(many, nil, incident.Watch{Good: day(0)}, day(0), 30, time.UTC))
	picture(t, "heatmap-many", b, err)
	b, err = HeatMap(incident.HeatMapOf(many[:3], nil, incident.Watch{Good: day(0)}, day(0), 7, time.UTC))
	picture(t, "heatmap-week", b, err)
	for _, h := range []incident.HeatMap{{}, {Days: []time.Time{monday}, Services: []string{"a"}}, {Days: []time.Time{monday}, Services: []string{"a"}, Cells: [][]incident.Level{{}}}} {
		if _, err := HeatMap(h); err == nil {
			t.Errorf("%+v was drawn", h)
		}
	}
	if _, err := Timeline(incident.Timeline{}); err == nil {
		t.Error("a timeline of nothing was drawn")
	}
}

func TestATimelineShowsEveryEventOrSaysHowManyAreLeftOut(t *testing.T) {
	b, err := Timeline(story())
	picture(t, "timeline", b, err)
	k := issue("SP1", "SharePoint Online", "advisory", "serviceDegradation", -30, 0, false)
	for n := range 60 {
		k.Issue.Posts = append(k.Issue.Posts, incident.Post{Created: day(-30).Add(time.Duration(n*11) * time.Hour), Content: fmt.Sprintf("Current status: step %d of a long repair.", n)})
	}
	long := incident.TimelineOf(k, day(0), time.UTC)
	b, err = Timeline(long)
	picture(t, "timeline-long", b, err)
	rows, skipped := listed(len(long.Events))
	if len(rows) != maxRows || len(rows)-1+skipped != len(long.Events) {
		t.Errorf("%d rows, %d left out of %d", len(rows), skipped, len(long.Events))
	}
	if w := incident.TimelineWords(long); !strings.Contains(w, "step 59") || !strings.Contains(w, "not resolved by") {
		t.Errorf("the words: %s", w)
	}
}

// What stands side by side in a row of a timeline must not run together.
func TestTheTimeOfAnEventEndsBeforeItsWords(t *testing.T) {
	st := newSheet(10).style(11, ink, false)
	for m := range 12 {
		says := day(0).AddDate(0, m, 5).Format("2 Jan 15:04")
		if end := margin + 17 + st.Width(says); end > when-4 {
			t.Errorf("%q ends at %v, and the words begin at %v", says, end, when)
		}
	}
}

// A phone loads the picture with the message, and Teams carries it in the card.
func TestPicturesAreSmall(t *testing.T) {
	heat, err := HeatMap(month())
	line, err2 := Timeline(story())
	if err != nil || err2 != nil || len(heat) > 60<<10 || len(line) > 60<<10 {
		t.Errorf("%d and %d bytes (%v, %v)", len(heat), len(line), err, err2)
	}
}
