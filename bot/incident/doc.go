// Package incident decides what changed at Microsoft, who wants to know, and
// what to say.
package incident
