package incident

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"keyturn/bot"
)

// FollowUp is what follows for ServiceNow from one change of an issue.
type FollowUp struct {
	Call   *bot.Call // nil where nothing is written
	Record Record    // to store once the call is done
	Why    string    // in words, also where nothing is written
}

// WantsRecord reports whether an issue gets a ServiceNow incident: an open one
// of a class that is mapped.
func WantsRecord(k Known, m Mapping) bool {
	return m.Group != "" && !k.Issue.Resolved && (m.Advisories || !k.Issue.Advisory())
}

// Create makes the ServiceNow incident of an issue. A record with its
// correlation_id, which an interrupted attempt may have left, is taken instead,
// so there is never a second one. The facts sys_id and number are saved.
func Create(k Known, m Mapping, c Change, at time.Time) FollowUp {
	id := k.Issue.ID
	save := map[string]string{"sys_id": "result.sys_id", "number": "result.number"}
	fields := RecordFields(k, m)
	call := bot.Call{ID: "create", System: bot.ServiceNow, Method: "POST", As: Unattended, Path: tablePath(""),
		Body: fieldsJSON(fields), Save: save, What: "Makes a ServiceNow incident for " + id,
		Look: &bot.Look{Path: tablePath("") + "?sysparm_query=" + url.QueryEscape("correlation_id="+id) + "&sysparm_fields=" + recordColumns + ",sys_created_on,sys_created_by&sysparm_exclude_reference_link=true&sysparm_limit=10",
			List: "result", Match: map[string]string{"correlation_id": id}, Save: map[string]string{"sys_id": "sys_id", "number": "number"},
			Key: "sys_id", Twice: bot.SecondIncident(m.cancelled(), m.CloseCode), Maker: "sys_created_by", Made: "sys_created_on"}}
	return FollowUp{Call: &call, Why: "the first change of " + id + " that is mapped",
		Record: Record{Issue: id, Made: at, Pushed: weigh(&k.Issue, m.PriorityCap), Last: ChangeID(id, c)}}
}

// Follow decides what a change means for the ServiceNow incident of an issue.
// r is nil where there is none; now is what [ReadRecord] just said of it, with
// there false where it is gone. Changes come one after another, in order, each
// with the record as the one before left it:
//
//	(none) --first change that is mapped--> open --each post--> work note
//	open --Microsoft resolves, auto-resolve--> resolved by us --Microsoft re-opens--> open
//	open --a person resolves, closes or cancels it--> left alone
//
// A write sets correlation_display to the change it carries: after an
// ambiguous answer that tells whether it took effect, so no note stands twice.
func Follow(r *Record, now RecordState, there bool, k Known, c Change, m Mapping, at time.Time) FollowUp {
	switch {
	case r == nil && !WantsRecord(k, m):
		return FollowUp{Why: "a " + k.Issue.Class() + " that is not mapped, or over already"}
	case r == nil && !tells(c):
		return FollowUp{Why: "nothing worth a record changed"}
	case r == nil:
		return Create(k, m, c, at)
	case r.Closed:
		return FollowUp{Record: *r, Why: r.Number + " is left alone: a person closed it"}
	case !there:
		left := *r
		left.Closed = true
		return FollowUp{Record: left, Why: r.Number + " cannot be found any more, so nothing is written"}
	case now.Display == display(ChangeID(k.Issue.ID, c)) || r.Last == ChangeID(k.Issue.ID, c):
		return FollowUp{Record: *r, Why: "it stands there already"}
	case overState(now.State, m) && !(r.Ours && now.State == m.resolved()):
		left := *r
		left.Closed, left.Ours = true, false
		return FollowUp{Record: left, Why: r.Number + " was closed in ServiceNow, so it is left alone from now on"}
	case r.Ours && c.Reason != Reopened:
		return FollowUp{Record: *r, Why: r.Number + " is resolved, so nothing more is noted there"}
	}
	return writeTo(*r, k, c, m)
}

func writeTo(r Record, k Known, c Change, m Mapping) FollowUp {
	id := ChangeID(k.Issue.ID, c)
	fields := map[string]string{}
	if note := WorkNote(k, c); note != "" {
		fields["work_notes"] = note
	}
	why := "a work note for " + string(c.Reason)
	if w := weigh(&k.Issue, m.PriorityCap); w != r.Pushed && !k.Issue.Resolved {
		fields["impact"], fields["urgency"] = strconv.Itoa(w.Impact), strconv.Itoa(w.Urgency)
		r.Pushed = w
	}
	switch {
	case c.Reason == Resolved && m.AutoResolve:
		maps.Copy(fields, ResolveFields(k, m))
		r.Ours = true
		why = "Microsoft resolved it"
	case c.Reason == Reopened && r.Ours:
		fields["state"], r.Ours = m.progress(), false
		why = "Microsoft opened it again"
	}
	if len(fields) == 0 {
		return FollowUp{Record: r, Why: "nothing worth a note changed"}
	}
	fields["correlation_display"] = display(id)
	r.Last = id
	call := bot.Call{ID: "update", System: bot.ServiceNow, Method: "PATCH", As: Unattended, Path: tablePath(r.SysID),
		Body: fieldsJSON(fields), What: "Writes to " + r.Number + " what Microsoft changed",
		Look: &bot.Look{Path: tablePath(r.SysID) + "?sysparm_fields=" + recordColumns + "&sysparm_exclude_reference_link=true",
			Match: map[string]string{"result.correlation_display": display(id)}}}
	return FollowUp{Call: &call, Record: r, Why: why}
}

// display is the correlation_display of a record after a change. The column
// holds 100 characters.
func display(change string) string {
	const room = 100
	s := "Keyturn " + change
	return s[:min(room, len(s))]
}

// overState reports whether a state of the instance means that a record is
// over: resolved, closed or cancelled, of a baseline instance or as mapped.
func overState(state string, m Mapping) bool {
	return state == m.resolved() || slices.Contains([]string{"6", "7", "8"}, state)
}

// fieldsJSON is a record's columns as a body. Maps of strings always marshal,
// with their keys in order.
func fieldsJSON(fields map[string]string) json.RawMessage {
	b, err := json.Marshal(fields)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}
