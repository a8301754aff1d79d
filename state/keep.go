package state

import (
	"cmp"
	"time"
)

// Keep says how long a store keeps what is over.
type Keep struct {
	Runs      time.Duration // after their end; 400 days where zero
	Incidents time.Duration // resolved ones, after their last change was seen; 90 days where zero
	// Audit is how long entries of the audit trails stay; zero keeps them for
	// good. A checkpoint is left in the place of those that are removed.
	Audit time.Duration
}

// The defaults of [Keep].
const (
	KeepRuns      = 400 * 24 * time.Hour
	KeepIncidents = 90 * 24 * time.Hour
)

// WithDefaults fills in what is not said.
func (k Keep) WithDefaults() Keep {
	k.Runs = cmp.Or(k.Runs, KeepRuns)
	k.Incidents = cmp.Or(k.Incidents, KeepIncidents)
	return k
}
