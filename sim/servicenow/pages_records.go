package servicenow

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// formColumns are the fields of the forms that people fill in; other tables
// show every column of their own.
var formColumns = map[string][]string{
	"oauth_entity": {"name", "client_id", "client_secret", "default_grant_type", "token_url", "auth_url", "redirect_url", "revoke_token_url",
		"send_client_credentials_as", "type", "user", "access_token_lifespan", "refresh_token_lifespan", "public_client", "access", "active", "comments"},
	"sys_db_object": {"name", "label", "access", "read_access", "create_access", "update_access", "delete_access", "ws_access"},
	"sys_user":      {"user_name", "first_name", "last_name", "email", "user_password", "time_zone", "active", "locked_out", "web_service_access_only"},
	"incident": {"number", "caller_id", "short_description", "description", "category", "subcategory", "impact", "urgency", "priority", "state",
		"assignment_group", "assigned_to", "business_service", "cmdb_ci", "correlation_id", "close_code", "close_notes", "work_notes"},
	"sys_user_has_role": {"user", "role"},
	"sys_properties":    {"name", "value", "type", "description"},
	"syslog":            {"sys_created_on", "level", "source", "message"},
	"sys_outbound_http_log": {"sys_created_on", "method", "url_hostname", "url_path", "response_status",
		"response_time", "message"},
}

// listColumns are the columns of the lists.
var listColumns = map[string][]string{
	"oauth_entity":         {"name", "type", "client_id", "default_grant_type", "active", "sys_scope"},
	"oauth_entity_profile": {"name", "oauth_entity", "grant_type", "default"},
	"sys_db_object":        {"name", "label", "access", "read_access"},
	"sys_user":             {"user_name", "name", "email", "active", "web_service_access_only"},
	"sys_properties":       {"name", "value"},
	"incident":             {"number", "short_description", "state", "priority", "assignment_group", "correlation_id", "sys_updated_on"},
	"sys_scope_privilege":  {"target_name", "source_scope", "operation", "status"},
}

var fixedFields = []string{"number", "priority"}

// readOnlyTables are written by the instance alone.
var readOnlyTables = []string{"syslog", "sys_outbound_http_log", "sys_journal_field", "oauth_credential", "sys_package"}

func columnsOf(t *table, lists map[string][]string) []*column {
	names, ok := lists[t.Name]
	if !ok {
		if names, ok = formColumns[t.Name]; !ok {
			return slices.DeleteFunc(slices.Clone(t.Own), func(c *column) bool { return managed[c.Name] })
		}
	}
	var out []*column
	for _, n := range names {
		out = append(out, t.column(n))
	}
	return out
}

// recordPages serves /{table}_list.do and /{table}.do for every table.
func (s *Server) recordPages(w http.ResponseWriter, r *http.Request, c *caller) {
	if r.URL.Path == "/" {
		s.page(w, r, http.StatusOK, "home", pageData{Title: "Home"})
		return
	}
	name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".do")
	name, list := strings.CutSuffix(name, "_list")
	t := schema[name]
	if !ok || t == nil {
		s.missing(w, r)
		return
	}
	if !allows(c, tableRights[name].read) {
		s.deny(w, r)
		return
	}
	if list {
		s.listPage(w, r, c, t)
		return
	}
	s.formPage(w, r, c, t)
}

type listRow struct {
	ID    string
	Cells []string
}

func (s *Server) listPage(w http.ResponseWriter, r *http.Request, c *caller, t *table) {
	text := r.URL.Query().Get("sysparm_query")
	q := parseQuery(text).without(func(path string) bool {
		col := walk(t, path)
		return col == nil || col.Kind == kindSecret || col.Kind == kindPassword
	})
	columns := columnsOf(t, listColumns)
	var rows []listRow
	all := s.db.all(t)
	if len(q.Order) == 0 && slices.Contains(readOnlyTables, t.Name) {
		slices.Reverse(all) // logs show the newest first
	}
	s.db.sortRows(all, q.Order)
	for _, row := range all {
		if len(rows) == 200 || !s.canRead(c, row) || !s.db.match(q, row, c.id()) {
			continue
		}
		cells := listRow{ID: row.id()}
		for _, col := range columns {
			cells.Cells = append(cells.Cells, s.formValue(c, row, col, true))
		}
		rows = append(rows, cells)
	}
	var heads []string
	for _, col := range columns {
		heads = append(heads, col.Label)
	}
	s.page(w, r, http.StatusOK, "list", pageData{Title: t.Label + " list", Body: map[string]any{
		"Table": t.Name, "Query": text, "Columns": heads, "Rows": rows, "New": !slices.Contains(readOnlyTables, t.Name),
	}})
}

// formValue is what a field of a form or list shows; never a secret.
func (s *Server) formValue(c *caller, row *record, col *column, display bool) string {
	value := row.get(col.Name)
	switch {
	case hidden(col, row):
		return masked(col, value)
	case display:
		return s.shown(row.class(), col, row, value, s.zone(c))
	}
	return value
}

// formPage shows, makes, changes and deletes one record, by the same rules as
// the Table API except that a secret typed here is stored well.
func (s *Server) formPage(w http.ResponseWriter, r *http.Request, c *caller, t *table) {
	id := r.URL.Query().Get("sys_id")
	var row *record
	if id == "" {
		// A form can be addressed by an encoded query too, as deep links do.
		q := parseQuery(r.URL.Query().Get("sysparm_query"))
		for _, candidate := range s.db.all(t) {
			if len(q.Alternatives) > 0 && s.db.match(q, candidate, c.id()) && s.canRead(c, candidate) {
				row = candidate
				break
			}
		}
	} else if id != "-1" {
		row = s.db.find(t, id)
	}
	if row == nil && id != "-1" && id != "" || row != nil && !s.canRead(c, row) {
		s.page(w, r, http.StatusNotFound, "message", pageData{Title: t.Label, Error: "Record not found"})
		return
	}
	problem := ""
	if r.Method == http.MethodPost {
		saved, no := s.submit(r, c, t, row)
		if no == nil {
			to := "/" + t.Name + "_list.do"
			if saved != nil {
				to = "/" + t.Name + ".do?sys_id=" + saved.id() + "&saved=1"
			}
			if next := r.PostFormValue("next"); next != "" {
				to = localPath(next)
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		note(r, "", "refused: "+no.Error())
		problem = no.Message
		if no.Detail != "" {
			problem = no.Detail
		}
	}
	var tab *m365Tab
	if row != nil && t.Name == "incident" {
		tab = s.tabFor(c, row)
	}
	s.showForm(w, r, c, t, row, problem, tab)
}

// submit takes a posted form. It returns the record that there is afterwards.
func (s *Server) submit(r *http.Request, c *caller, t *table, row *record) (*record, *refusal) {
	if slices.Contains(readOnlyTables, t.Name) {
		return row, securityStopped("Update")
	}
	if err := r.ParseForm(); err != nil {
		return row, badPayload
	}
	action := r.PostForm.Get("sys_action")
	if action == "sysverb_delete" && row != nil {
		note(r, "", "deleted "+label(row, s))
		return nil, s.remove(c, row)
	}
	values := formValues(t, r.PostForm)
	if row == nil {
		if t.Name == "oauth_entity" && values["type"] == "" {
			values["type"] = s.cfg.TypeChoice // what people make by hand is a third-party provider
		}
		saved, no := s.insert(c, t, values, writeMode{form: true})
		if no == nil {
			note(r, "", "created "+label(saved, s))
		}
		return saved, no
	}
	no := s.update(c, row, values, writeMode{form: true})
	note(r, "", "updated "+label(row, s))
	return row, no
}

// formValues reads the fields of a form. An empty secret leaves the old one.
func formValues(t *table, form url.Values) map[string]string {
	values := map[string]string{}
	for name, given := range form {
		col := t.column(name)
		if col == nil || len(given) == 0 {
			continue
		}
		value := given[len(given)-1] // a ticked box follows its hidden "false"
		if (col.Kind == kindSecret || col.Kind == kindPassword) && value == "" {
			continue
		}
		values[name] = value
	}
	return values
}
