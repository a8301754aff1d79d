package walk

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
)

// small is a picture with at most 256 colours: a third of the size, and of a
// page of words nobody sees the difference.
func small(raw []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	size := from.Bounds()
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA {
		r, g, b, _ := from.At(x, y).RGBA()
		return color.RGBA{coarse(r), coarse(g), coarse(b), 255}
	}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var few color.Palette
	// A colour that is nearly there already is worth less than another hue.
	for _, near := range []int{48, 12, 0} {
		for _, c := range all {
			if len(few) < 256 && !slices.ContainsFunc(few, func(x color.Color) bool { return apart(x.(color.RGBA), c) <= near }) {
				few = append(few, c)
			}
		}
	}
	index := map[color.RGBA]uint8{}
	for _, c := range all {
		index[c] = uint8(few.Index(c))
	}
	to := image.NewPaletted(size, few)
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			to.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to)
	return out.Bytes(), err
}

// coarse keeps six bits of a colour; black stays black, and white white.
func coarse(v uint32) uint8 {
	six := uint8(v >> 10)
	return six<<2 | six>>4
}

// apart is how different two colours are: the sum of the differences.
func apart(a, b color.RGBA) int {
	return diff(a.R, b.R) + diff(a.G, b.G) + diff(a.B, b.B)
}

func diff(a, b uint8) int { return int(max(a, b)) - int(min(a, b)) }
