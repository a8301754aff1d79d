package bot

import (
	"encoding/json"
	"fmt"
	"time"
)

// Doubt is a call that may have taken effect twice: it left after another worker
// had made the same one, or a provider held it back.
type Doubt struct {
	Call  Call      `json:"call"`
	Began time.Time `json:"began,omitzero"` // its intent
	// Made is the [Look.Key] of what the late call made, where its worker heard
	// the answer.
	Made string `json:"made,omitempty"`
}

// Fact is the name of the fact that holds the [Look.Key] of a call's effect.
func (d Doubt) Fact() string {
	if d.Call.Look == nil {
		return ""
	}
	for _, save := range []map[string]string{d.Call.Look.Save, d.Call.Save} {
		for name, path := range save {
			if path == d.Call.Look.Key {
				return name
			}
		}
	}
	return ""
}

// apart is how far the clocks of two systems may be apart.
const apart = 5 * time.Minute

// Second gives the keys of what is to be taken away of all that a look found.
// kept is the effect that is known; without one only an orphan is taken away: what
// the late call is known to have made, or a secret, whose value nobody has.
func (d Doubt) Second(look *Look, found []json.RawMessage, kept string) (keys []string) {
	maker := ""
	for _, item := range found {
		if key, _ := Pick(item, look.Key); key == kept {
			maker, _ = Pick(item, look.Maker)
		}
	}
	for _, item := range found {
		key, _ := Pick(item, look.Key)
		switch {
		case key == "" || key == kept:
		case look.Remove != nil, key == d.Made:
			keys = append(keys, key)
		case d.Made == "" && kept != "" && d.late(look, item, maker):
			keys = append(keys, key)
		}
	}
	return keys
}

// late reports whether an item was made by whoever made the one that is known,
// and not before the call.
func (d Doubt) late(look *Look, item json.RawMessage, maker string) bool {
	who, _ := Pick(item, look.Maker)
	when, _ := Pick(item, look.Made)
	at, err := time.Parse(time.DateTime, when)
	return err == nil && who != "" && who == maker && !at.Before(d.Began.Add(-apart))
}

// SecondIncident takes back a ServiceNow incident that was made a second time.
// Deleting one takes an admin, so it is cancelled, and is found by no
// correlation_id any more. state is the instance's value for Canceled.
func SecondIncident(state, code string) *Call {
	fields := map[string]string{"state": state, "close_notes": "Keyturn made this incident a second time, by mistake. The other one goes on.", "correlation_id": ""}
	if code != "" {
		fields["close_code"] = code
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(fmt.Sprintf("an incident that cannot be written: %v", err)) // strings always can
	}
	return &Call{ID: "second", System: ServiceNow, Method: "PATCH", Path: "/api/now/table/incident/{found}", As: "unattended", Body: body,
		What: "Cancels an incident that was made a second time"}
}
