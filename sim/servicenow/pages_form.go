package servicenow

import (
	"net/http"
	"slices"
)

// field is one field of a form.
type field struct {
	Name, Label, Value string
	Input              string // text, password, tick, select, area or fixed
	Hint               string // shown in an empty field: that a secret is stored
	Options            []option
}

// heldRole is one row of the roles on a user's form.
type heldRole struct {
	ID, Name  string
	Inherited bool
}

func (s *Server) showForm(w http.ResponseWriter, r *http.Request, c *caller, t *table, row *record, problem string, tab *m365Tab) {
	body := map[string]any{"Table": t.Name, "ID": "-1", "Next": r.FormValue("next")}
	d := pageData{Title: t.Label, Error: problem, Body: body}
	if row != nil {
		body["ID"] = row.id()
		d.Title += " " + s.db.display(row)
		body["Journal"] = s.activity(c, row)
	}
	if r.URL.Query().Get("saved") == "1" {
		d.Notice = "Record saved"
	}
	var fields []field
	for _, col := range columnsOf(t, formColumns) {
		fields = append(fields, s.fieldOf(r, c, t, row, col))
	}
	body["Fields"] = fields
	if row != nil && t.Name == "sys_user" && c.has("user_admin") {
		body["Roles"] = s.rolesOf(row)
	}
	if tab != nil {
		body["M365"] = tab
	}
	s.page(w, r, http.StatusOK, "form", d)
}

// fieldOf is a column as a form field: what was just typed, what is stored,
// or the default.
func (s *Server) fieldOf(r *http.Request, c *caller, t *table, row *record, col *column) field {
	f := field{Name: col.Name, Label: col.Label, Value: col.Default, Input: "text"}
	if row != nil {
		f.Value = s.formValue(c, row, col, false)
	}
	if typed, ok := r.PostForm[col.Name]; ok && r.Method == http.MethodPost {
		f.Value = typed[len(typed)-1]
	}
	if row == nil && f.Value == "" && t.Name == "oauth_entity" && col.Name == "type" {
		f.Value = s.cfg.TypeChoice
	}
	choices := s.choices(t, col.Name)
	switch {
	case slices.Contains(fixedFields, col.Name) || slices.Contains(readOnlyTables, t.Name):
		f.Input = "fixed"
		if row != nil {
			f.Value = s.formValue(c, row, col, true)
		}
	case col.Kind == kindSecret || col.Kind == kindPassword:
		f.Input, f.Hint, f.Value = "password", f.Value, ""
		if r.Method == http.MethodPost {
			f.Hint = ""
		}
	case col.Kind == kindBoolean:
		f.Input = "tick"
	case col.Kind == kindJournal || col.Max > 1000:
		f.Input = "area"
	case len(choices) > 0:
		f.Input, f.Options = "select", []option{{"", "-- None --", f.Value == ""}}
		for _, choice := range choices {
			f.Options = append(f.Options, option{choice.get("value"), choice.get("label"), choice.get("value") == f.Value})
		}
	case col.Kind == kindRef && schema[col.Ref] != nil:
		f.Input, f.Options = "select", []option{{"", "-- None --", f.Value == ""}}
		for _, target := range s.db.all(schema[col.Ref]) {
			if s.canRead(c, target) {
				f.Options = append(f.Options, option{target.id(), s.db.display(target), target.id() == f.Value})
			}
		}
	}
	return f
}

// activity is the journal of a record, of all its journal columns.
func (s *Server) activity(c *caller, row *record) string {
	text := ""
	for _, col := range row.class().Columns {
		if col.Kind == kindJournal {
			text += s.journalText(row, col, s.zone(c))
		}
	}
	return text
}

func (s *Server) rolesOf(user *record) map[string]any {
	var held []heldRole
	for _, r := range s.db.where("sys_user_has_role", "user", user.id()) {
		held = append(held, heldRole{r.id(), s.db.display(r), r.yes("inherited")})
	}
	var grantable []option
	for _, r := range s.db.where("sys_user_role", "elevated_privilege", "false") {
		grantable = append(grantable, option{Value: r.id(), Label: r.get("name")})
	}
	slices.SortFunc(grantable, func(a, b option) int {
		if a.Label < b.Label {
			return -1
		}
		return 1
	})
	return map[string]any{"Held": held, "Grantable": grantable, "User": user.id(), "Next": "/sys_user.do?sys_id=" + user.id()}
}

// appsPage lists the installed applications, with what an admin may do.
func (s *Server) appsPage(w http.ResponseWriter, r *http.Request, c *caller) {
	if !c.admin() {
		s.deny(w, r)
		return
	}
	if r.Method == http.MethodPost {
		installed := s.db.find(schema["sys_store_app"], appSysID) != nil
		switch action := r.PostFormValue("action"); {
		case action == "uninstall" && installed:
			s.uninstallApp()
			note(r, "", "uninstalled the support integration")
		case action == "install" && !installed && s.storeVersion() != "":
			s.installApp(s.storeVersion())
			note(r, "", "installed the support integration")
		}
		http.Redirect(w, r, "/sys_store_app_list.do", http.StatusSeeOther)
		return
	}
	type app struct{ Name, Scope, Version string }
	var apps []app
	for _, row := range s.db.where("sys_store_app") {
		apps = append(apps, app{row.get("name"), row.get("scope"), row.get("version")})
	}
	body := map[string]any{"Apps": apps, "Store": ""}
	if len(apps) == 0 && s.storeVersion() != "" {
		body["Store"], body["Version"] = appName, s.storeVersion()
	}
	s.page(w, r, http.StatusOK, "apps", pageData{Title: "Store applications", Body: body})
}

// storeVersion is the version that the Store offers, "" once the app is withdrawn.
func (s *Server) storeVersion() string {
	return map[World]string{Alive1: "1.0.11", Alive2: "2.1.0"}[s.cfg.World]
}
