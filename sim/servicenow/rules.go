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
	if no := s.fixed(c, name, old, next); no != nil {
		return no
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
		s.takeAlong(old)
	}
	switch name {
	case "oauth_entity":
		s.afterEntity(old, next)
	case "incident", "change_request":
		s.keepJournal(c, next)
	case "sys_user_group", "sys_user_grmember", "sys_group_has_role", "sys_user_has_role", "sys_user_role":
		s.inheritRoles()
	}
}

// fixed holds what nobody changes row by row: applications and plugins come
// and go by installing, tables and tokens by other means than a row.
func (s *Server) fixed(c *caller, name string, old, next *record) *refusal {
	if c.system {
		return nil
	}
	const rule = "Protect platform records"
	switch name {
	case "sys_store_app", "sys_plugins", "v_plugin", "sys_package":
		return aborted(name, rule, ruleID(rule), "Install, upgrade or uninstall the application instead")
	case "sys_db_object":
		if old == nil || next == nil {
			return aborted(name, rule, ruleID(rule), "This instance has a fixed set of tables")
		}
	case "oauth_credential":
		if next != nil {
			return aborted(name, rule, ruleID(rule), "Tokens are issued by the token endpoint")
		}
	}
	return nil
}

// follows says which rows go when the row they belong to is deleted.
var follows = map[string][]struct{ table, column string }{
	"sys_user":             {{"sys_user_has_role", "user"}, {"sys_user_grmember", "user"}, {"sys_user_preference", "user"}, {"oauth_credential", "user"}},
	"sys_user_group":       {{"sys_user_grmember", "group"}, {"sys_group_has_role", "group"}},
	"sys_user_role":        {{"sys_user_has_role", "role"}, {"sys_group_has_role", "role"}},
	"oauth_entity":         {{"oauth_entity_profile", "oauth_entity"}, {"oauth_entity_scope", "oauth_entity"}, {"oauth_credential", "peer"}},
	"oauth_entity_profile": {{"oauth_entity_profile_scope", "oauth_entity_profile"}},
	"oauth_entity_scope":   {{"oauth_entity_profile_scope", "oauth_entity_scope"}},
	"incident":             {{"sys_journal_field", "element_id"}},
	"change_request":       {{"sys_journal_field", "element_id"}},
}

// takeAlong deletes what belonged to a row that is gone; a token goes with
// its row.
func (s *Server) takeAlong(gone *record) {
	if gone.Table == "oauth_credential" {
		s.forgetToken(gone.id())
	}
	for _, f := range follows[gone.Table] {
		for _, r := range s.db.where(f.table, f.column, gone.id()) {
			s.db.drop(r)
			s.takeAlong(r)
		}
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
