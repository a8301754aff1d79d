package servicenow

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// view is how rows are asked to be shown.
type view struct {
	display string // "false", "true" or "all"
	noLinks bool
	fields  []string // nil is every column
	zone    *time.Location
}

// show makes the JSON object of a row.
func (s *Server) show(t *table, r *record, v view) map[string]any {
	out := map[string]any{}
	if v.fields == nil {
		for _, c := range t.Columns {
			out[c.Name] = s.cell(r.class(), c, r, r.get(c.Name), v)
		}
		return out
	}
	for _, path := range v.fields {
		c := walk(t, path)
		if c == nil {
			continue
		}
		owner := s.rowAt(r, path)
		class := schema[c.Table]
		if owner != nil {
			class = owner.class()
		}
		out[path] = s.cell(class, c, owner, s.db.valueAt(r, path), v)
	}
	return out
}

// rowAt is the row that the last step of a path is read from, or nil.
func (s *Server) rowAt(r *record, path string) *record {
	for {
		step, rest, deeper := strings.Cut(path, ".")
		if !deeper || r == nil {
			return r
		}
		c := r.class().column(step)
		if c == nil {
			return nil
		}
		r, path = s.db.find(schema[c.Ref], r.get(step)), rest
	}
}

func (s *Server) cell(t *table, c *column, r *record, value string, v view) any {
	if hidden(c, r) {
		value = masked(c, value)
	}
	isRef := c.Kind == kindRef || c.Kind == kindDomain
	link := ""
	if isRef && value != "" {
		ref := c.Ref
		if c.Kind == kindDomain {
			ref = "sys_user_group"
		}
		link = "https://" + s.cfg.Host + "/api/now/table/" + ref + "/" + url.PathEscape(value)
	}
	if v.display == "false" {
		if c.Kind == kindJournal {
			value = ""
		}
		if link == "" || v.noLinks {
			return value
		}
		return map[string]any{"link": link, "value": value}
	}
	shown := s.shown(t, c, r, value, v.zone)
	if v.display == "true" {
		if link == "" || v.noLinks {
			return shown
		}
		return map[string]any{"display_value": shown, "link": link}
	}
	if c.Kind == kindJournal {
		value = ""
	}
	out := map[string]any{"display_value": shown, "value": value}
	if value == "" && c.Kind == kindDuration {
		out["display_value"] = nil
	}
	if link != "" && !v.noLinks {
		out["link"] = link
	}
	return out
}

// hidden reports a cell whose value never leaves the instance.
func hidden(c *column, r *record) bool {
	if c.Kind == kindSecret || c.Kind == kindPassword {
		return true
	}
	return r != nil && r.Table == "sys_properties" && c.Name == "value" && r.get("type") == "password2"
}

// masked hides a secret: the same text whatever the secret is, so that
// nothing can be learnt or compared.
func masked(c *column, value string) string {
	if value == "" || c.Kind == kindPassword {
		return ""
	}
	return "********"
}

// shown is the display value of a cell.
func (s *Server) shown(t *table, c *column, r *record, value string, zone *time.Location) string {
	switch c.Kind {
	case kindRef:
		if target := s.db.find(schema[c.Ref], value); target != nil {
			return s.db.display(target)
		}
		return ""
	case kindClass:
		if known := schema[value]; known != nil {
			return known.Label
		}
		return value
	case kindDateTime, kindDue:
		if value == "" && c.Kind == kindDue {
			return "UNKNOWN"
		}
		at, err := time.Parse(timeLayout, value)
		if err != nil {
			return value
		}
		return at.In(zone).Format(timeLayout)
	case kindJournal:
		return s.journalText(r, c, zone)
	}
	return s.choiceLabel(t, c.Name, value)
}

// journalText is how a journal column reads: every entry, newest first.
func (s *Server) journalText(r *record, c *column, zone *time.Location) string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	entries := s.db.where("sys_journal_field", "element_id", r.id(), "element", c.Name)
	slices.Reverse(entries)
	for _, e := range entries {
		who := e.get("sys_created_by")
		if u := s.db.first("sys_user", "user_name", who); u != nil {
			who = s.db.display(u)
		}
		at, _ := time.Parse(timeLayout, e.get("sys_created_on"))
		fmt.Fprintf(&b, "%s - %s (%s)\n%s\n\n", at.In(zone).Format(timeLayout), who, c.Label, e.get("value"))
	}
	return b.String()
}

// choices returns the choices of a column, own table first and then what it extends.
func (s *Server) choices(t *table, element string) []*record {
	for ; t != nil; t = t.Parent {
		if rows := s.db.where("sys_choice", "name", t.Name, "element", element, "inactive", "false"); len(rows) > 0 {
			return rows
		}
	}
	return nil
}

func (s *Server) choiceLabel(t *table, element, value string) string {
	for _, c := range s.choices(t, element) {
		if c.get("value") == value {
			return c.get("label")
		}
	}
	return value
}

// choiceValue finds the stored value of a label; what is no label stays.
func (s *Server) choiceValue(t *table, element, text string) string {
	for _, c := range s.choices(t, element) {
		if c.get("value") == text || strings.EqualFold(c.get("label"), text) {
			return c.get("value")
		}
	}
	return text
}

// zone is the caller's time zone: their own, or the instance's.
func (s *Server) zone(c *caller) *time.Location {
	name := ""
	if c.user != nil {
		name = c.user.get("time_zone")
	}
	if name == "" {
		name = s.property("glide.sys.default.tz")
	}
	if loc, err := time.LoadLocation(name); err == nil {
		return loc
	}
	return time.UTC
}

// property is the value of a system property, "" where there is none.
func (s *Server) property(name string) string {
	if p := s.db.first("sys_properties", "name", name); p != nil {
		return p.get("value")
	}
	return ""
}
