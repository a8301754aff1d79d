//go:build !race

package playground

const underRace = false
