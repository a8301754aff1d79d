package servicenow

import (
	"maps"
	"strconv"
)

// insert makes a row the way the platform does: rights, values, defaults,
// business rules, then the row and what follows from it. A refusal leaves
// nothing behind.
func (s *Server) insert(c *caller, t *table, in map[string]string, mode writeMode) (*record, *refusal) {
	values, no := s.accept(c, t, in, mode)
	if no != nil {
		return nil, no
	}
	if !s.canCreate(c, t, values) {
		return nil, securityStopped("Insert")
	}
	r := &record{Table: t.Name, Values: map[string]string{}}
	for _, col := range t.Columns {
		if col.Default != "" {
			r.Values[col.Name] = col.Default
		}
	}
	maps.Copy(r.Values, values)
	s.stampNew(c, t, r, in)
	if no := s.before(c, nil, r); no != nil {
		return nil, no
	}
	s.db.add(r)
	s.after(c, nil, r)
	s.changed()
	return r, nil
}

// stampNew fills the columns that the platform itself manages.
func (s *Server) stampNew(c *caller, t *table, r *record, in map[string]string) {
	now := stamp(s.now())
	r.Values["sys_id"] = newID()
	if c.system && in["sys_id"] != "" {
		r.Values["sys_id"] = in["sys_id"]
	}
	r.Values["sys_created_on"], r.Values["sys_updated_on"] = now, now
	r.Values["sys_created_by"], r.Values["sys_updated_by"] = c.name(), c.name()
	r.Values["sys_mod_count"] = "0"
	if t.column("sys_class_name") != nil {
		r.Values["sys_class_name"] = t.Name
	}
	if t.Metadata {
		scope := s.landingScope(c, in["sys_scope"])
		r.Values["sys_scope"], r.Values["sys_package"] = scope, scope
		r.Values["sys_name"] = r.get(t.Display)
		r.Values["sys_update_name"] = t.Name + "_" + r.id()
	}
}

// landingScope is the application that a new application file belongs to:
// the one that its maker's picker stands on, whatever the request asked for.
func (s *Server) landingScope(c *caller, asked string) string {
	if asked != "" && (c.system || s.modes.ExplicitScopeSticks) && s.db.find(schema["sys_scope"], asked) != nil {
		return asked
	}
	if c.user != nil {
		if scope := s.currentApp(c); scope != nil {
			return scope.id()
		}
	}
	return globalScope
}

// currentApp is the scope that a person's application picker stands on; nil
// is Global.
func (s *Server) currentApp(c *caller) *record {
	pref := s.db.first("sys_user_preference", "user", c.id(), "name", currentAppPreference)
	if pref == nil {
		return nil
	}
	return s.db.find(schema["sys_scope"], pref.get("value"))
}

// update changes a row, whole or not at all.
func (s *Server) update(c *caller, r *record, in map[string]string, mode writeMode) *refusal {
	values, no := s.accept(c, r.class(), in, mode)
	if no != nil {
		return no
	}
	if !s.canWrite(c, r) {
		return securityStopped("Update")
	}
	old := &record{Table: r.Table, Seq: r.Seq, Values: maps.Clone(r.Values)}
	next := &record{Table: r.Table, Seq: r.Seq, Values: maps.Clone(r.Values)}
	delete(values, "sys_scope") // a file does not move between applications
	delete(values, "sys_package")
	maps.Copy(next.Values, values)
	if no := s.before(c, old, next); no != nil {
		return no
	}
	if maps.Equal(old.Values, next.Values) {
		return nil // nothing changed: the platform does not count an update
	}
	count, _ := strconv.Atoi(next.get("sys_mod_count"))
	next.Values["sys_mod_count"] = strconv.Itoa(count + 1)
	next.Values["sys_updated_on"], next.Values["sys_updated_by"] = stamp(s.now()), c.name()
	if r.class().Metadata {
		next.Values["sys_name"] = next.get(r.class().Display)
	}
	r.Values = next.Values
	s.after(c, old, r)
	s.changed()
	return nil
}

// remove deletes a row and what goes with it.
func (s *Server) remove(c *caller, r *record) *refusal {
	if !s.canDelete(c, r) {
		return securityStopped("Delete")
	}
	if no := s.before(c, r, nil); no != nil {
		return no
	}
	s.db.drop(r)
	s.after(c, r, nil)
	s.changed()
	return nil
}

// put inserts a row on behalf of the instance itself. It panics if the
// instance's own row is refused, which is a mistake in this package.
func (s *Server) put(tableName string, values map[string]string) *record {
	r, no := s.insert(instance, schema[tableName], values, writeMode{form: true})
	if no != nil {
		panic("the instance refuses its own " + tableName + ": " + no.Error())
	}
	return r
}
