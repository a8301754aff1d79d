package main

import (
	"testing"

	"keyturn/sim/play"
)

func TestTheDirectGuideFromItsCommandToItsRecord(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	h.expectChecklist("✅ finished", "What exists now")
	if n := len(h.checklists()); n != 1 {
		t.Errorf("the run has %d checklists, not one that is edited", n)
	}
	h.expectChannel(play.Incidents, "From now on this channel is told")
}
