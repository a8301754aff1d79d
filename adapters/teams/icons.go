package teams

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

// brand is the accent colour of the app: its icon's ground and the manifest's.
var brand = color.NRGBA{R: 0x2B, G: 0x5C, B: 0x8A, A: 0xFF}

const brandHex = "#2B5C8A"

// keyShape is the distance of the point (x, y), in a square of side 1, to the
// drawn key, a ring, a shaft and two teeth; it is negative inside.
func keyShape(x, y float64) float64 {
	ring := math.Abs(math.Hypot(x-0.32, y-0.5)-0.13) - 0.045
	shaft := box(x, y, 0.62, 0.5, 0.19, 0.042)
	tooth := box(x, y, 0.68, 0.575, 0.034, 0.06)
	last := box(x, y, 0.776, 0.59, 0.034, 0.075)
	return min(ring, shaft, tooth, last)
}

// box is the distance to a rectangle about (cx, cy), negative inside.
func box(x, y, cx, cy, w, h float64) float64 {
	dx, dy := math.Abs(x-cx)-w, math.Abs(y-cy)-h
	return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0)
}

// cover is the opacity of a point at a distance from a shape's border, for a
// picture of so many pixels.
func cover(distance float64, side int) float64 {
	return min(max(0.5-distance*float64(side), 0), 1)
}

// colorIcon is the icon of 192 by 192 pixels, a white key on the accent colour.
func colorIcon() ([]byte, error) {
	return draws(192, func(x, y float64, side int) color.NRGBA {
		a := cover(keyShape(x, y), side)
		mix := func(c uint8) uint8 { return uint8(math.Round(float64(c)*(1-a) + 255*a)) }
		return color.NRGBA{R: mix(brand.R), G: mix(brand.G), B: mix(brand.B), A: 255}
	})
}

// outlineIcon is the icon of 32 by 32 pixels: white on nothing, as Teams wants
// it.
func outlineIcon() ([]byte, error) {
	return draws(32, func(x, y float64, side int) color.NRGBA {
		x, y = 0.5+(x-0.53)*0.78, 0.5+(y-0.52)*0.78 // fills the small square
		return color.NRGBA{R: 255, G: 255, B: 255, A: uint8(math.Round(255 * cover(keyShape(x, y), side)))}
	})
}

func draws(side int, at func(x, y float64, side int) color.NRGBA) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetNRGBA(x, y, at((float64(x)+0.5)/float64(side), (float64(y)+0.5)/float64(side), side))
		}
	}
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img)
	return out.Bytes(), err
}
