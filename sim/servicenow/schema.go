package servicenow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kind is what a column holds; it decides how a value is read in, compared
// and shown.
type kind string

const (
	kindString   kind = "str"
	kindInteger  kind = "int"
	kindBoolean  kind = "bool"
	kindRef      kind = "ref"
	kindList     kind = "list"
	kindDateTime kind = "dt"
	kindDate     kind = "date"
	kindDue      kind = "due"
	kindDuration kind = "dur"
	kindGUID     kind = "guid"
	kindDomain   kind = "domain"
	kindClass    kind = "class"
	kindJournal  kind = "journal"
	kindSecret   kind = "pw"   // two-way encrypted: never shown, used by the instance
	kindPassword kind = "pass" // one-way hashed: never shown
)

// column is one column of a table.
type column struct {
	Name      string
	Kind      kind
	Ref       string // table that a reference or list points to
	Default   string
	Max       int // longer values are cut without a word, as the platform does; 0 is no limit
	Mandatory bool
	Label     string
	Table     string // where it is declared
}

// table is one table with everything it inherits.
type table struct {
	Name     string
	Label    string
	Parent   *table
	Children []*table
	Columns  []*column // own and inherited, by name
	Own      []*column
	Display  string // column shown for a reference to a row
	Metadata bool   // application files: rows belong to a scope
	byName   map[string]*column
}

func (t *table) column(name string) *column { return t.byName[name] }

// family returns t and everything that extends it.
func (t *table) family() []*table {
	all := []*table{t}
	for _, c := range t.Children {
		all = append(all, c.family()...)
	}
	return all
}

const baseColumns = `
sys_id         guid Sys ID
sys_created_by str  Created by
sys_created_on dt   Created
sys_mod_count  int  Updates
sys_tags       str  Tags
sys_updated_by str  Updated by
sys_updated_on dt   Updated
`

// declared lists every table in an order in which parents come first.
var declared = []struct{ name, label, parent, display, columns string }{
	{"sys_metadata", "Application File", "", "sys_name", metadataColumns},
	{"task", "Task", "", "number", taskColumns},
	{"incident", "Incident", "task", "number", incidentColumns},
	{"change_request", "Change Request", "task", "number", changeColumns},
	{"sys_journal_field", "Journal Entry", "", "element", journalColumns},
	{"kb_knowledge_base", "Knowledge Base", "", "title", knowledgeBaseColumns},
	{"kb_knowledge", "Knowledge", "", "number", knowledgeColumns},
	{"cmdb_ci", "Configuration Item", "", "name", ciColumns},
	{"cmdb_ci_service", "Service", "cmdb_ci", "name", ciServiceColumns},
	{"sys_user", "User", "", "name", userColumns},
	{"sys_user_group", "Group", "", "name", groupColumns},
	{"sys_user_grmember", "Group Member", "", "user", groupMemberColumns},
	{"sys_group_has_role", "Group Role", "", "role", groupRoleColumns},
	{"sys_user_role", "Role", "sys_metadata", "name", roleColumns},
	{"sys_user_has_role", "User Role", "", "role", userRoleColumns},
	{"sys_user_preference", "User Preference", "sys_metadata", "name", preferenceColumns},
	{"sys_db_object", "Table", "sys_metadata", "label", dbObjectColumns},
	{"sys_dictionary", "Dictionary Entry", "sys_metadata", "column_label", dictionaryColumns},
	{"sys_choice", "Choice", "sys_metadata", "label", choiceColumns},
	{"sys_package", "Package", "", "name", packageColumns},
	{"sys_plugins", "System Plugin", "sys_package", "name", pluginColumns},
	{"v_plugin", "Plugin", "", "name", pluginColumns},
	{"sys_scope", "Scope", "sys_package", "name", scopeColumns},
	{"sys_app", "Custom Application", "sys_scope", "name", appColumns},
	{"sys_store_app", "Store Application", "sys_scope", "name", "latest_version str Latest version\n"},
	{"sys_scope_privilege", "Cross scope privilege", "sys_metadata", "target_name", privilegeColumns},
	{"sys_properties", "System Property", "sys_metadata", "name", propertyColumns},
	{"sys_rate_limit_rules", "Rate Limit Rule", "sys_metadata", "name", rateRuleColumns},
	{"oauth_entity", "Application Registry", "sys_metadata", "name", oauthEntityColumns},
	{"oauth_entity_profile", "OAuth Entity Profile", "sys_metadata", "name", oauthProfileColumns},
	{"oauth_entity_scope", "OAuth Entity Scope", "sys_metadata", "name", oauthScopeColumns},
	{"oauth_entity_profile_scope", "OAuth Entity Profile Scope", "sys_metadata", "oauth_entity_scope", oauthProfileScopeColumns},
	{"oauth_credential", "OAuth Credential", "", "type", oauthCredentialColumns},
	{"syslog", "Log Entry", "", "message", syslogColumns},
	{"sys_outbound_http_log", "Outbound HTTP Log", "", "url", outboundLogColumns},
}

// schema is the same for every instance.
var schema = buildSchema()

func buildSchema() map[string]*table {
	all := map[string]*table{}
	for _, d := range declared {
		t := &table{Name: d.name, Label: d.label, Display: d.display, byName: map[string]*column{}}
		text := d.columns
		if d.parent == "" {
			text = baseColumns + text
		} else {
			t.Parent = all[d.parent]
			t.Parent.Children = append(t.Parent.Children, t)
			t.Columns = append(t.Columns, t.Parent.Columns...)
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.TrimSpace(line) != "" {
				c := parseColumn(line)
				c.Table = d.name
				t.Own = append(t.Own, c)
			}
		}
		// A child may declare a column of its parent again, as sys_plugins does.
		for _, c := range t.Own {
			t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(o *column) bool { return o.Name == c.Name })
			t.Columns = append(t.Columns, c)
		}
		slices.SortFunc(t.Columns, func(a, b *column) int { return strings.Compare(a.Name, b.Name) })
		for _, c := range t.Columns {
			t.byName[c.Name] = c
		}
		t.Metadata = t.byName["sys_scope"] != nil
		all[d.name] = t
	}
	return all
}

// parseColumn reads "name kind[:target][#max][=default][!] label". It panics on a
// line that it cannot read: the lines are constants of this package.
func parseColumn(line string) *column {
	f := strings.Fields(line)
	if len(f) < 2 {
		panic(fmt.Sprintf("column line %q needs a name and a kind", line))
	}
	c := &column{Name: f[0], Label: strings.Join(f[2:], " ")}
	spec, mandatory := strings.CutSuffix(f[1], "!")
	c.Mandatory = mandatory
	spec, def, _ := strings.Cut(spec, "=")
	c.Default = strings.ReplaceAll(def, "+", " ")
	spec, limit, _ := strings.Cut(spec, "#")
	c.Max, _ = strconv.Atoi(limit)
	k, ref, _ := strings.Cut(spec, ":")
	c.Kind, c.Ref = kind(k), ref
	if c.Label == "" {
		words := strings.ReplaceAll(c.Name, "_", " ")
		c.Label = strings.ToUpper(words[:1]) + words[1:]
	}
	return c
}
