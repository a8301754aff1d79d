package servicenow

import (
	"slices"
	"strings"
)

// Refusal is a business rule or data policy that somebody put on a table.
type Refusal struct {
	Table     string   `json:"table"`
	Operation string   `json:"operation"` // insert, update, delete; "" is insert and update
	Rule      string   `json:"rule"`      // the business rule's name
	Why       string   `json:"why,omitempty"`
	Fields    []string `json:"fields,omitempty"` // stops only writes that set one of these; none: every write
}

// before runs the rules that may change or stop a write. old is nil for an
// insert, next for a delete.
func (s *Server) before(c *caller, old, next *record) *refusal {
	if no := s.scripted(c, old, next); no != nil {
		return no
	}
	name := ""
	if next != nil {
		name = next.Table
	} else {
		name = old.Table
	}
	switch name {
	case "oauth_entity":
		return s.beforeEntity(old, next)
	case "oauth_entity_profile":
		return s.beforeProfile(old, next)
	case "incident":
		return s.beforeIncident(c, old, next)
	case "change_request", "kb_knowledge":
		if old == nil {
			s.number(next)
		}
	case "sys_user":
		return s.beforeUser(old, next)
	case "sys_user_has_role":
		return s.beforeRoleGrant(c, old, next)
	case "sys_properties":
		if old == nil && s.db.first("sys_properties", "name", next.get("name")) != nil {
			return duplicateKey(name, next.get("name"), "name")
		}
	}
	return nil
}

// after runs what follows from a write that has happened.
func (s *Server) after(c *caller, old, next *record) {
	name := ""
	if next != nil {
		name = next.Table
	} else {
		name = old.Table
	}
	switch name {
	case "oauth_entity":
		s.afterEntity(old, next)
	case "oauth_credential":
		if next == nil {
			s.forgetToken(old.id())
		}
	case "incident", "change_request":
		s.keepJournal(c, next)
	case "sys_user":
		if next == nil {
			s.forgetUser(old.id())
		}
	case "sys_user_grmember", "sys_group_has_role", "sys_user_has_role", "sys_user_role":
		s.inheritRoles()
	}
}

// scripted applies the refusals that the modes put on tables.
func (s *Server) scripted(c *caller, old, next *record) *refusal {
	if c.system {
		return nil
	}
	for _, rule := range s.modes.Refusals {
		op, r := "update", next
		switch {
		case old == nil:
			op = "insert"
		case next == nil:
			op, r = "delete", old
		}
		if rule.Table != r.Table || rule.Operation != op && (rule.Operation != "" || op == "delete") {
			continue
		}
		if len(rule.Fields) > 0 && op != "delete" && !slices.ContainsFunc(rule.Fields, func(f string) bool {
			return next.get(f) != "" && (old == nil || old.get(f) != next.get(f))
		}) {
			continue
		}
		why := rule.Why
		if len(rule.Fields) > 0 {
			why = strings.TrimSpace(why + " (" + strings.Join(rule.Fields, ", ") + ")")
		}
		return aborted(r.Table, rule.Rule, ruleID(rule.Rule), why)
	}
	return nil
}
