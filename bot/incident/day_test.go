package incident

import (
	"maps"
	"testing"
)

func TestADayKeepsItsWorst(t *testing.T) {
	down, mend := mail(), mail()
	down.Status, down.Classification = "serviceInterruption", "incident"
	mend.Status, mend.Resolved = "serviceRestored", true
	var d Day
	for n, step := range []struct {
		services []Service
		known    []Known
		more     bool
		want     map[string]Level
	}{
		{[]Service{{Name: "Exchange Online", Status: "serviceOperational"}}, nil, false, nil},
		{[]Service{{Name: "Microsoft Teams", Status: "serviceDegradation"}}, nil, true, map[string]Level{"Microsoft Teams": LevelAdvisory}},
		{nil, []Known{{Issue: down}}, true, map[string]Level{"Microsoft Teams": LevelAdvisory, "Exchange Online": LevelOutage}},
		{[]Service{{Name: "Teams", Status: "serviceOperational"}}, []Known{{Issue: mend}}, false, map[string]Level{"Microsoft Teams": LevelAdvisory, "Exchange Online": LevelOutage}},
		{[]Service{{Name: "teams", Status: "serviceInterruption"}}, nil, true, map[string]Level{"Microsoft Teams": LevelOutage, "Exchange Online": LevelOutage}},
	} {
		before := maps.Clone(d.Levels)
		after, more := d.Saw(step.services, step.known)
		if more != step.more || !maps.Equal(after.Levels, step.want) || !maps.Equal(d.Levels, before) {
			t.Errorf("step %d: more %v, %v (was %v)", n, more, after.Levels, d.Levels)
		}
		d = after
	}
}

func TestADayForSomeServices(t *testing.T) {
	d := Day{Levels: map[string]Level{"Exchange Online": LevelOutage, "Microsoft Teams": LevelAdvisory}}
	if got := d.Of([]string{"teams"}); len(got.Levels) != 1 || got.Levels["Microsoft Teams"] != LevelAdvisory || len(d.Levels) != 2 {
		t.Errorf("%v, and the day itself is %v", got.Levels, d.Levels)
	}
	if got := d.Of(nil); len(got.Levels) != 2 {
		t.Errorf("of all: %v", got.Levels)
	}
}
