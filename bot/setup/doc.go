// Package setup decides who must do what next.
package setup
