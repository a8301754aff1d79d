package servicenow

import (
	"slices"
	"strings"
)

// caller is who acts: a person on a page, a person or an integration by API,
// or the instance itself.
type caller struct {
	user   *record // sys_user; nil for the instance itself
	roles  map[string]bool
	system bool // the instance itself: no access control applies
}

var instance = &caller{system: true}

func (c *caller) name() string {
	if c.user == nil {
		return "system"
	}
	return c.user.get("user_name")
}

func (c *caller) id() string {
	if c.user == nil {
		return ""
	}
	return c.user.id()
}

func (c *caller) admin() bool { return c.system || c.roles["admin"] }

// has reports whether the caller holds any of the roles; admin holds all.
func (c *caller) has(roles ...string) bool {
	return c.admin() || slices.ContainsFunc(roles, func(r string) bool { return c.roles[r] })
}

// callerFor resolves a user row with the roles granted, inherited from groups
// and included in other roles.
func (s *Server) callerFor(user *record) *caller {
	c := &caller{user: user, roles: map[string]bool{}}
	for _, row := range s.db.where("sys_user_has_role", "user", user.id()) {
		if role := s.db.find(schema["sys_user_role"], row.get("role")); role != nil {
			c.roles[role.get("name")] = true
		}
	}
	return c
}

// rights names the roles that open one table. Admin opens every one. A nil
// list leaves only admin; the word "public" opens it to any signed-in user.
type rights struct{ read, create, write, remove []string }

var (
	public   = []string{"public"}
	anyone   = []string{"itil", "oauth_admin", "user_admin", "personalize_dictionary", "sn_incident_read", "sn_incident_write", "sn_change_read", "x_mioms_m365_assis.insights_user"}
	registry = rights{read: []string{"oauth_admin"}, create: []string{"oauth_admin"}, write: []string{"oauth_admin"}, remove: []string{"oauth_admin"}}
	userRows = rights{read: anyone, create: []string{"user_admin"}, write: []string{"user_admin"}, remove: []string{"user_admin"}}
	roleRows = rights{read: []string{"user_admin"}, create: []string{"user_admin"}, write: []string{"user_admin"}, remove: []string{"user_admin"}}
	ciRows   = rights{read: []string{"itil", "cmdb_read"}, create: []string{"itil"}, write: []string{"itil"}}
)

var tableRights = map[string]rights{
	"incident": {
		read:   []string{"itil", "sn_incident_read", "sn_incident_write"},
		create: []string{"itil", "sn_incident_write"},
		write:  []string{"itil", "sn_incident_write"},
	},
	"task":                       {read: []string{"itil", "sn_incident_read", "sn_incident_write"}},
	"change_request":             {read: []string{"itil", "sn_change_read", "sn_change_write"}, create: []string{"itil", "sn_change_write"}, write: []string{"itil", "sn_change_write"}},
	"sys_journal_field":          {}, // whoever may not read it gets an empty list; what was noted they read in the record
	"kb_knowledge_base":          {read: public, create: []string{"knowledge_admin"}, write: []string{"knowledge_admin"}},
	"kb_knowledge":               {read: public, create: []string{"knowledge"}, write: []string{"knowledge"}},
	"cmdb_ci":                    ciRows,
	"cmdb_ci_service":            ciRows,
	"sys_user":                   {read: public, create: []string{"user_admin"}, write: []string{"user_admin"}, remove: []string{"user_admin"}},
	"sys_user_group":             userRows,
	"sys_user_grmember":          userRows,
	"sys_group_has_role":         roleRows,
	"sys_user_has_role":          roleRows,
	"sys_user_role":              {read: public},
	"sys_user_preference":        {read: public, create: public, write: public, remove: public},
	"sys_db_object":              {read: anyone},
	"sys_dictionary":             {read: anyone},
	"sys_choice":                 {read: public},
	"sys_package":                {read: anyone},
	"sys_plugins":                {read: anyone},
	"v_plugin":                   {read: anyone},
	"sys_scope":                  {read: anyone},
	"sys_app":                    {read: anyone},
	"sys_store_app":              {read: anyone},
	"sys_scope_privilege":        {read: []string{"oauth_admin"}},
	"sys_properties":             {},
	"sys_rate_limit_rules":       {},
	"oauth_entity":               registry,
	"oauth_entity_profile":       registry,
	"oauth_entity_scope":         registry,
	"oauth_entity_profile_scope": registry,
	"oauth_credential":           {read: []string{"oauth_admin"}, remove: []string{"oauth_admin"}},
	"syslog":                     {},
	"sys_outbound_http_log":      {},
}

func allows(c *caller, roles []string) bool {
	return c.admin() || slices.Contains(roles, "public") || c.has(roles...)
}

// protected reports a table that nobody may query over HTTP.
func (s *Server) protected(t *table) bool {
	return s.modes.ProtectedLogs && (t.Name == "syslog" || t.Name == "sys_outbound_http_log")
}

// canRead applies the rights of the row's own class and the rules that look
// at the row itself.
func (s *Server) canRead(c *caller, r *record) bool {
	if c.system {
		return true
	}
	switch r.Table {
	case "sys_user_role":
		// Elevated roles are invisible to a session that cannot elevate.
		return !r.yes("elevated_privilege")
	case "kb_knowledge":
		return s.mayReadArticle(c, r)
	case "sys_user_preference":
		return c.admin() || r.get("user") == c.id() || r.yes("system")
	case "sys_properties":
		if c.admin() {
			return true
		}
		readers := strings.Split(r.get("read_roles"), ",")
		return !r.yes("is_private") && readers[0] != "" && c.has(readers...)
	}
	return allows(c, tableRights[r.Table].read)
}

// mayReadArticle shows drafts to those who write articles, and published ones to
// those whom the knowledge base is for.
func (s *Server) mayReadArticle(c *caller, r *record) bool {
	if c.has("knowledge", "knowledge_admin") {
		return true
	}
	if r.get("workflow_state") != "published" || !r.yes("active") {
		return false
	}
	base := s.db.find(schema["kb_knowledge_base"], r.get("kb_knowledge_base"))
	if base == nil || base.get("readers") == "" {
		return true
	}
	return c.has(strings.Split(base.get("readers"), ",")...)
}

func (s *Server) canCreate(c *caller, t *table, values map[string]string) bool {
	if t.Name == "sys_user_preference" && !c.admin() && values["user"] != c.id() {
		return false
	}
	return c.system || allows(c, tableRights[t.Name].create) && s.mayGrant(c, t, values)
}

func (s *Server) canWrite(c *caller, r *record) bool {
	if r.Table == "sys_user_preference" && !c.admin() {
		return r.get("user") == c.id()
	}
	if r.Table == "incident" && !c.admin() && (r.get("state") == stateClosed || r.get("state") == stateCanceled) {
		return false
	}
	return c.system || allows(c, tableRights[r.Table].write)
}

func (s *Server) canDelete(c *caller, r *record) bool {
	if r.Table == "sys_user_preference" && !c.admin() {
		return r.get("user") == c.id()
	}
	return c.system || allows(c, tableRights[r.Table].remove) && s.mayGrant(c, r.class(), r.Values)
}

// mayGrant keeps a user administrator from handing out admin, and everybody
// on a session that cannot elevate from handing out an elevated role.
func (s *Server) mayGrant(c *caller, t *table, values map[string]string) bool {
	if t.Name != "sys_user_has_role" && t.Name != "sys_group_has_role" {
		return true
	}
	role := s.db.find(schema["sys_user_role"], values["role"])
	if role == nil {
		return true
	}
	if role.yes("elevated_privilege") {
		return false
	}
	return role.get("name") != "admin" || c.admin()
}
