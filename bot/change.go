package bot

import (
	"slices"
	"strings"
	"time"
)

// ChangeRule says that work on some systems has to carry a change number, and
// what makes one good. A tenant has one for all, or several with a number each.
type ChangeRule struct {
	Pattern string // regular expression for the whole number; "" is any text
	Example string // CHG0030001
	Says    string // what to write, in the organisation's words; "" has words of ours
	// Systems are those whose writes need one; none is every system.
	Systems []System
	// Apart says that the rule is one of several: a run has a number of its own for
	// its systems.
	Apart bool
	// Read looks the number up in ServiceNow: it has to be approved, in its
	// window, and not in a freeze. What was done goes back as a work note.
	Read bool
}

// For reports whether the rule is about a system.
func (c ChangeRule) For(s System) bool { return len(c.Systems) == 0 || slices.Contains(c.Systems, s) }

// Names says which systems the rule is about: "Entra and ServiceNow".
func (c ChangeRule) Names() string {
	var out []string
	for _, s := range c.Systems {
		if s == Graph {
			out = append(out, "Entra") // nobody else says Graph of a change
			continue
		}
		out = append(out, s.Name())
	}
	if n := len(out); n > 1 {
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
	return strings.Join(out, "")
}

// ChangeRules are a tenant's rules for change numbers; none asks for none.
type ChangeRules []ChangeRule

// For is the rule about a system.
func (r ChangeRules) For(s System) (ChangeRule, bool) {
	for _, c := range r {
		if c.For(s) {
			return c, true
		}
	}
	return ChangeRule{}, false
}

// Change is a change request as ServiceNow had it when it was read.
type Change struct {
	Number   string    `json:"number"`
	ID       string    `json:"id,omitempty"` // sys_id; "" where ServiceNow has no such change
	Title    string    `json:"title,omitempty"`
	State    string    `json:"state,omitempty"`
	Approval string    `json:"approval,omitempty"`
	Hold     bool      `json:"hold,omitempty"`
	Conflict bool      `json:"conflict,omitempty"` // with a freeze, or with another change
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
	Read     time.Time `json:"read"`
	Trouble  string    `json:"trouble,omitempty"` // why it could not be read
}

// ChangeHolds is how long a reading of a change counts where somebody approves
// who cannot read it themselves.
const ChangeHolds = 24 * time.Hour

// ReadChange is the call that reads a change. It is made as a person, never by
// a standing right.
func ReadChange(number string) Call {
	return Call{ID: "change", System: ServiceNow, Method: "GET", What: "Reads the change " + number,
		Path: "/api/now/table/change_request?sysparm_query=number%3D" + plainNumber(number) + "&sysparm_limit=1&sysparm_exclude_reference_link=true&sysparm_fields=sys_id,number,short_description,state,approval,on_hold,conflict_status,start_date,end_date"}
}

// plainNumber keeps what a change number is made of, so that it cannot end the
// query that it stands in.
func plainNumber(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, s)
}

// ParseChange reads the answer to [ReadChange].
func ParseChange(number string, a Answer, now time.Time) Change {
	get := func(field string) string { s, _ := Pick(a.Body, "result.0."+field); return s }
	c := Change{Number: number, Read: now}
	if !strings.EqualFold(get("number"), number) { // an instance may ignore a part of a query
		return c
	}
	c.ID, c.Title, c.State, c.Approval = plainNumber(get("sys_id")), get("short_description"), get("state"), get("approval")
	c.Hold, c.Conflict = get("on_hold") == "true", strings.EqualFold(get("conflict_status"), "conflict")
	c.Start, _ = time.Parse(time.DateTime, get("start_date"))
	c.End, _ = time.Parse(time.DateTime, get("end_date"))
	return c
}

// The states of a change request in which its work is done.
const (
	changeScheduled = "-2"
	changeImplement = "-1"
)

// Wrong says why nothing may be run under the change now, and when that ends
// by itself; "" where it may.
func (c Change) Wrong(now time.Time) (says Text, until time.Time) {
	n := "Change " + c.Number
	switch {
	case c.Trouble != "":
		return T(n + " cannot be read in ServiceNow: " + c.Trouble), time.Time{}
	case c.ID == "":
		return T("ServiceNow has no change " + c.Number + ", or does not show it to the account that looked."), time.Time{}
	case c.State == "0" || c.State == "3" || c.State == "4":
		return T(n + " is over: it is in review, closed or cancelled."), time.Time{}
	case c.Approval != "approved":
		return T(n + " is not approved yet. Whoever approves changes can do that in ServiceNow."), time.Time{}
	case c.Hold:
		return T(n + " is on hold. Its assignee can take it off hold in ServiceNow."), time.Time{}
	case c.State != changeScheduled && c.State != changeImplement:
		return T(n + " is neither scheduled nor being implemented. Its assignee can move it on in ServiceNow."), time.Time{}
	case c.Conflict:
		return T(n + " is in conflict with a freeze or another change. The change manager can say what goes first."), time.Time{}
	case c.Start.After(now):
		return Join(T("The window of change "+c.Number+" begins "), When(c.Start, DateTime), T(".")), c.Start
	case !c.End.IsZero() && !c.End.After(now):
		return Join(T("The window of change "+c.Number+" ended "), When(c.End, DateTime), T(". Its assignee can plan it anew in ServiceNow.")), time.Time{}
	}
	return nil, time.Time{}
}
