package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"keyturn/bot/incident"
)

// Width is how many pixels a picture is wide, and Scale how many of them are
// one of its units: a chat shows it about half as wide, and phones sharply.
const (
	Width = Scale * wide
	Scale = 2
)

const (
	wide       = 400        // in units, about what a chat gives a picture on a phone
	dpi        = 72 * Scale // 72 units of the plotting library are an inch
	boldWeight = 3          // font.WeightBold, above the regular weight
)

// The colours: a scale that goes from light to dark, so that it holds in grey.
var (
	paper  = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	ink    = color.NRGBA{0x1f, 0x29, 0x33, 0xff}
	faint  = color.NRGBA{0x62, 0x6d, 0x79, 0xff}
	line   = color.NRGBA{0xc4, 0xcc, 0xd4, 0xff}
	levels = map[incident.Level]color.Color{
		incident.LevelNotRead:  paper,
		incident.LevelFine:     color.NRGBA{0xe6, 0xee, 0xf4, 0xff},
		incident.LevelAdvisory: color.NRGBA{0xf2, 0xc1, 0x4e, 0xff},
		incident.LevelIncident: color.NRGBA{0xd5, 0x5e, 0x00, 0xff},
		incident.LevelOutage:   color.NRGBA{0x5b, 0x0f, 0x2e, 0xff},
	}
)

// sheet is a picture while it is drawn. Its origin is at the lower left.
type sheet struct {
	draw.Canvas
	image *vgimg.Canvas
	fonts *font.Cache
}

// newSheet is an empty light sheet of a height in units.
func newSheet(height int) *sheet {
	img := vgimg.NewWith(vgimg.UseWH(wide, vg.Length(height)), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(paper))
	return &sheet{Canvas: draw.New(img), image: img, fonts: font.NewCache(liberation.Collection())}
}

// png is the finished picture, in as few colours as it needs: a phone loads it.
func (s *sheet) png() ([]byte, error) {
	full := s.image.Image()
	small := image.NewPaletted(full.Bounds(), shades)
	nearest := map[color.Color]uint8{}
	for y := full.Bounds().Min.Y; y < full.Bounds().Max.Y; y++ {
		for x := full.Bounds().Min.X; x < full.Bounds().Max.X; x++ {
			c := full.At(x, y)
			n, known := nearest[c]
			if !known {
				n = uint8(shades.Index(c))
				nearest[c] = n
			}
			small.SetColorIndex(x, y, n)
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, small); err != nil {
		return nil, fmt.Errorf("the picture cannot be written as PNG: %w", err)
	}
	return b.Bytes(), nil
}

// shades are every colour of a picture: each of the palette's, and what its
// edges fade through on paper.
var shades = func() (all color.Palette) {
	const steps = 16
	for _, c := range []color.Color{ink, faint, line, levels[incident.LevelFine], levels[incident.LevelAdvisory], levels[incident.LevelIncident], levels[incident.LevelOutage]} {
		full := color.NRGBAModel.Convert(c).(color.NRGBA)
		for n := range steps {
			mix := func(from, to uint8) uint8 { return uint8((int(from)*n + int(to)*(steps-n)) / steps) }
			all = append(all, color.NRGBA{mix(paper.R, full.R), mix(paper.G, full.G), mix(paper.B, full.B), 0xff})
		}
	}
	return append(all, paper)
}()

// style is a text style of a size in units.
func (s *sheet) style(size float64, c color.Color, bold bool) draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(size)}
	if bold {
		f.Weight = boldWeight
	}
	return draw.TextStyle{Color: c, Font: f, Handler: text.Plain{Fonts: s.fonts}, YAlign: draw.YCenter}
}

// within shortens a text to a width in units, ending in "…".
func within(st draw.TextStyle, says string, width vg.Length) string {
	if st.Width(says) <= width {
		return says
	}
	runes := []rune(says)
	for len(runes) > 0 && st.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ,.;:") + "…"
}

// wrapped breaks a text into at most so many lines of a width; the last is
// shortened.
func wrapped(st draw.TextStyle, says string, width vg.Length, lines int) []string {
	var out []string
	for words := strings.Fields(says); len(words) > 0; {
		n := 1
		for n < len(words) && st.Width(strings.Join(words[:n+1], " ")) <= width {
			n++
		}
		if len(out)+1 == lines {
			n = len(words)
		}
		out = append(out, within(st, strings.Join(words[:n], " "), width))
		words = words[n:]
	}
	return out
}

func (s *sheet) write(st draw.TextStyle, x, y vg.Length, says string) {
	s.FillText(st, vg.Point{X: x, Y: y}, says)
}

func (s *sheet) box(c color.Color, x, y, w, h vg.Length) {
	s.FillPolygon(c, []vg.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}})
}

func (s *sheet) rule(c color.Color, width vg.Length, from, to vg.Point) {
	s.StrokeLine2(draw.LineStyle{Color: c, Width: width}, from.X, from.Y, to.X, to.Y)
}

// cell is one square of a level. What was not read is striped.
func (s *sheet) cell(l incident.Level, x, y, w, h vg.Length) {
	s.box(levels[l], x, y, w, h)
	if l != incident.LevelNotRead {
		return
	}
	for off := vg.Length(-h + 3); off < w; off += 5 {
		x0, y0, x1, y1 := x+off, y, x+off+h, y+h
		if x0 < x {
			y0, x0 = y0+(x-x0), x
		}
		if x1 > x+w {
			y1, x1 = y1-(x1-(x+w)), x+w
		}
		s.rule(line, 1, vg.Point{X: x0, Y: y0}, vg.Point{X: x1, Y: y1})
	}
}
