package servicenow

import (
	"fmt"
	"slices"
	"strconv"
)

// Baseline incident states.
const (
	stateNew      = "1"
	stateProgress = "2"
	stateHold     = "3"
	stateResolved = "6"
	stateClosed   = "7"
	stateCanceled = "8"
)

// incidentMoves says which state may follow which.
var incidentMoves = map[string][]string{
	stateNew:      {stateProgress, stateHold, stateResolved, stateClosed, stateCanceled},
	stateProgress: {stateNew, stateHold, stateResolved, stateClosed, stateCanceled},
	stateHold:     {stateNew, stateProgress, stateResolved, stateClosed, stateCanceled},
	stateResolved: {stateNew, stateProgress, stateHold, stateClosed},
	stateClosed:   {},
	stateCanceled: {},
}

const stateRule = "Check incident state"

func (s *Server) beforeIncident(c *caller, old, next *record) *refusal {
	if next == nil {
		return nil
	}
	if old == nil {
		s.number(next)
		next.Values["task_effective_number"] = next.get("number")
		if next.get("opened_by") == "" {
			next.Values["opened_by"] = c.id()
		}
		if next.get("opened_at") == "" {
			next.Values["opened_at"] = stamp(s.now())
		}
	} else {
		next.Values["number"] = old.get("number")
	}
	if no := s.moveState(c, old, next); no != nil {
		return no
	}
	if no := s.incidentPolicy(c, old, next); no != nil {
		return no
	}
	next.Values["priority"] = priority(next.get("impact"), next.get("urgency"))
	if old != nil && old.get("assignment_group") != "" && old.get("assignment_group") != next.get("assignment_group") {
		n, _ := strconv.Atoi(next.get("reassignment_count"))
		next.Values["reassignment_count"] = strconv.Itoa(n + 1)
	}
	return nil
}

// moveState keeps state, incident_state and the dates that depend on them in step.
func (s *Server) moveState(c *caller, old, next *record) *refusal {
	was := stateNew
	if old != nil {
		was = old.get("state")
	}
	to := next.get("state")
	if old != nil && to == was && next.get("incident_state") != old.get("incident_state") {
		to = next.get("incident_state") // the older column still works
	}
	if old != nil && to != was && !slices.Contains(incidentMoves[was], to) {
		return aborted("incident", stateRule, ruleID(stateRule), fmt.Sprintf("State cannot go from %s to %s",
			s.choiceLabel(next.class(), "state", was), s.choiceLabel(next.class(), "state", to)))
	}
	if _, known := incidentMoves[to]; !known {
		return aborted("incident", stateRule, ruleID(stateRule), fmt.Sprintf("%q is not a state of an incident", to))
	}
	next.Values["state"], next.Values["incident_state"] = to, to
	next.Values["active"] = strconv.FormatBool(to != stateClosed && to != stateCanceled)
	if to == was {
		return nil
	}
	now := stamp(s.now())
	switch to {
	case stateResolved:
		next.Values["resolved_at"], next.Values["resolved_by"] = now, c.id()
	case stateClosed, stateCanceled:
		next.Values["closed_at"], next.Values["closed_by"] = now, c.id()
	default:
		if was == stateResolved {
			n, _ := strconv.Atoi(next.get("reopen_count"))
			next.Values["reopen_count"] = strconv.Itoa(n + 1)
			next.Values["reopened_time"], next.Values["reopened_by"] = now, c.id()
			next.Values["resolved_at"], next.Values["resolved_by"] = "", ""
		}
	}
	return nil
}

// incidentPolicy is the data policy of the table: the fields this instance
// wants always, and the two that every instance wants of a resolution.
func (s *Server) incidentPolicy(c *caller, old, next *record) *refusal {
	if c.system {
		return nil
	}
	var missing []string
	for _, name := range s.modes.Mandatory {
		if col := next.class().column(name); col != nil && next.get(name) == "" {
			missing = append(missing, col.Label)
		}
	}
	ends := next.get("state") == stateResolved || next.get("state") == stateClosed
	if ends && (old == nil || old.get("state") != next.get("state")) {
		// A resolution code that the instance does not know counts as none.
		known := s.choices(next.class(), "close_code")
		if !slices.ContainsFunc(known, func(c *record) bool { return c.get("value") == next.get("close_code") }) {
			missing = append(missing, "Resolution code")
		}
		if next.get("close_notes") == "" {
			missing = append(missing, "Close notes")
		}
	}
	if len(missing) > 0 {
		return policyBroken(missing)
	}
	return nil
}

// priority is the platform's look-up of impact and urgency.
func priority(impact, urgency string) string {
	i, errI := strconv.Atoi(impact)
	u, errU := strconv.Atoi(urgency)
	if errI != nil || errU != nil || i < 1 || i > 3 || u < 1 || u > 3 {
		return "4"
	}
	return strconv.Itoa(i + u - 1)
}

var numberPrefixes = map[string]struct {
	prefix string
	start  int
}{
	"incident":       {"INC", 10000},
	"change_request": {"CHG", 30000},
	"kb_knowledge":   {"KB", 10000},
}

// number gives a new task its number, whatever the request asked for.
func (s *Server) number(r *record) {
	n := numberPrefixes[r.Table]
	if s.db.Numbers[n.prefix] == 0 {
		s.db.Numbers[n.prefix] = n.start
	}
	s.db.Numbers[n.prefix]++
	r.Values["number"] = fmt.Sprintf("%s%07d", n.prefix, s.db.Numbers[n.prefix])
}

// keepJournal moves what was written into a journal column to
// sys_journal_field; the column itself stays empty.
func (s *Server) keepJournal(c *caller, r *record) {
	if r == nil {
		return
	}
	for _, col := range r.class().Columns {
		if col.Kind != kindJournal || r.get(col.Name) == "" {
			continue
		}
		entry := &record{Table: "sys_journal_field", Values: map[string]string{
			"element": col.Name, "element_id": r.id(), "name": r.Table, "value": r.get(col.Name),
		}}
		s.stampNew(c, entry.class(), entry, nil)
		s.db.add(entry)
		r.Values[col.Name] = ""
	}
}
