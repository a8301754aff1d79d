package servicenow

import (
	"slices"
	"strconv"
	"strings"
)

const (
	globalScope          = "global"
	currentAppPreference = "apps.current_app"

	// The support integration app in the ServiceNow Store.
	appSysID   = "6d05c93f1b7784507ddd4227cc4bcb9f"
	appScope   = "x_mioms_m365_assis"
	appName    = "Microsoft 365 support integration"
	roleView   = appScope + ".insights_user"
	roleManage = appScope + ".administrator"
)

// seed fills a new instance.
func (s *Server) seed() {
	s.put("sys_scope", map[string]string{"sys_id": globalScope, "name": "Global", "scope": globalScope, "source": globalScope})
	s.seedTables()
	s.seedChoices()
	s.seedRoles()
	if s.cfg.AppVersion != NotInstalled {
		s.installApp(s.cfg.AppVersion)
	}
	for name, value := range map[string]string{
		"glide.sys.default.tz":                      "America/Los_Angeles",
		"com.snc.platform.security.oauth.is.active": "true",
		"glide.servlet.uri":                         "https://" + s.cfg.Host + "/",
		"instance_name":                             strings.SplitN(s.cfg.Host, ".", 2)[0],
	} {
		s.put("sys_properties", map[string]string{"name": name, "value": value, "type": "string"})
	}
	if s.cfg.ClientCredentials {
		s.put("sys_properties", map[string]string{"name": clientCredentialsProperty, "value": "true", "type": "boolean"})
	}
	for _, table := range []string{"sys_plugins", "v_plugin"} {
		s.put(table, map[string]string{"name": "OAuth 2.0", "id": "com.snc.platform.security.oauth", "source": "com.snc.platform.security.oauth", "active": "active", "version": "1.0.0"})
	}
	for _, g := range sortedKeys(s.cfg.Groups) {
		s.group(g)
		for _, role := range s.cfg.Groups[g] {
			s.put("sys_group_has_role", map[string]string{"group": s.group(g).id(), "role": s.role(role).id()})
		}
	}
	for _, u := range s.cfg.Users {
		s.addUser(u)
	}
	for _, c := range s.cfg.Clients {
		s.addClient(c)
	}
	s.seedServices()
	for _, a := range s.cfg.Articles {
		s.publish(a)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// seedTables describes the tables to the instance itself, and the columns of
// those that people map incidents and providers to.
func (s *Server) seedTables() {
	ids := map[string]string{}
	for _, d := range declared {
		values := map[string]string{"name": d.name, "label": d.label, "ws_access": "true", "read_access": "true", "access": "public"}
		if d.parent != "" {
			values["super_class"] = ids[d.parent]
		}
		if (d.name == "oauth_entity" || d.name == "oauth_entity_profile") && s.cfg.CrossScope == CrossScopeClosed {
			values["read_access"] = "false"
		}
		ids[d.name] = s.put("sys_db_object", values).id()
	}
	for _, name := range []string{"task", "incident", "change_request", "oauth_entity", "oauth_entity_profile"} {
		for _, c := range schema[name].Own {
			s.put("sys_dictionary", map[string]string{
				"name": name, "element": c.Name, "column_label": c.Label, "internal_type": internalTypes[c.Kind],
				"reference": c.Ref, "default_value": c.Default, "max_length": strconv.Itoa(c.Max),
				"mandatory": "false", "display": strconv.FormatBool(c.Name == schema[name].Display),
			})
		}
	}
}

var internalTypes = map[kind]string{
	kindString: "string", kindInteger: "integer", kindBoolean: "boolean", kindRef: "reference", kindList: "glide_list",
	kindDateTime: "glide_date_time", kindDate: "glide_date", kindDue: "due_date", kindDuration: "glide_duration", kindGUID: "GUID",
	kindDomain: "domain_id", kindClass: "sys_class_name", kindJournal: "journal_input", kindSecret: "password2", kindPassword: "password",
}

// seedChoices fills sys_choice: table.column, then value=label pairs.
func (s *Server) seedChoices() {
	for key, pairs := range map[string][]string{
		"task.state":              {"1=Open", "2=Work in Progress", "3=Closed Complete"},
		"incident.state":          {"1=New", "2=In Progress", "3=On Hold", "6=Resolved", "7=Closed", "8=Canceled"},
		"incident.incident_state": {"1=New", "2=In Progress", "3=On Hold", "6=Resolved", "7=Closed", "8=Canceled"},
		"task.impact":             {"1=1 - High", "2=2 - Medium", "3=3 - Low"},
		"task.urgency":            {"1=1 - High", "2=2 - Medium", "3=3 - Low"},
		"task.priority":           {"1=1 - Critical", "2=2 - High", "3=3 - Moderate", "4=4 - Low", "5=5 - Planning"},
		"incident.category":       {"inquiry=Inquiry / Help", "software=Software", "hardware=Hardware", "network=Network", "database=Database"},
		"incident.subcategory":    {"antivirus=Antivirus", "email=Email", "internal application=Internal Application", "os=Operating System"},
		"incident.close_code":     {"Closed/Resolved by Caller=Closed/Resolved by Caller", "Solved (Permanently)=Solved (Permanently)", "Solved (Work Around)=Solved (Work Around)", "Not Solved (Not Reproducible)=Not Solved (Not Reproducible)"},
		"incident.hold_reason":    {"1=Awaiting Caller", "3=Awaiting Problem", "4=Awaiting Vendor", "5=Awaiting Change"},
		"task.contact_type":       {"phone=Phone", "email=Email", "self-service=Self-service", "monitoring=Monitoring", "integration=Integration"},
		"change_request.state":    {"-5=New", "-4=Assess", "-3=Authorize", "-2=Scheduled", "-1=Implement", "0=Review", "3=Closed", "4=Canceled"},
		"oauth_entity.type":       {s.cfg.TypeChoice + "=OAuth Provider", "client=OAuth Client", "oidc=External OIDC Provider", "jwt_provider=JWT Provider"},
		"oauth_entity.default_grant_type": {"authorization_code=Authorization Code", "password=Resource Owner Password Credentials", "client_credentials=Client Credentials",
			"urn:ietf:params:oauth:grant-type:jwt-bearer=JWT Bearer"},
		"oauth_entity.send_client_credentials_as": {"request_body_parameter=In Request Body (Form URL-Encoded)", "basic_authorization_header=As Basic Authorization Header"},
		"oauth_entity_profile.grant_type":         {"authorization_code=Authorization Code", "password=Resource Owner Password Credentials", "client_credentials=Client Credentials"},
		"sys_db_object.access":                    {"public=All application scopes", "package_private=This application scope only"},
		"oauth_entity.access":                     {"public=All application scopes", "package_private=This application scope only"},
		"sys_scope_privilege.status":              {"requested=Requested", "allowed=Allowed", "denied=Denied"},
		"sys_scope_privilege.operation":           {"read=Read", "write=Write", "create=Create", "delete=Delete", "execute=Execute API"},
		"syslog.level":                            {"0=Information", "1=Warning", "2=Error"},
		"sys_user.identity_type":                  {"human=Human", "machine=Machine", "ai_agent=AI Agent", "unclassified=-"},
	} {
		table, element, _ := strings.Cut(key, ".")
		for i, pair := range pairs {
			value, label, _ := strings.Cut(pair, "=")
			s.put("sys_choice", map[string]string{"name": table, "element": element, "value": value, "label": label, "sequence": strconv.Itoa(i + 1)})
		}
	}
}

func (s *Server) seedRoles() {
	for _, r := range []struct{ name, includes, elevated string }{
		{"admin", "", "false"}, {"security_admin", "", "true"}, {"sn_incident_read", "", "false"},
		{"sn_incident_write", "sn_incident_read", "false"}, {"sn_change_read", "", "false"},
		{"sn_change_write", "sn_change_read", "false"}, {"itil", "sn_incident_write,sn_change_write", "false"},
		{"oauth_admin", "", "false"}, {"user_admin", "", "false"}, {"incident_manager", "itil", "false"},
		{"personalize_dictionary", "", "false"}, {"knowledge", "", "false"}, {"cmdb_read", "", "false"}, {"mi_admin", "", "false"},
	} {
		s.put("sys_user_role", map[string]string{"name": r.name, "includes_roles": r.includes, "elevated_privilege": r.elevated})
	}
}

// seedServices gives people something to map Microsoft's services to.
func (s *Server) seedServices() {
	desk := s.group("Service Desk")
	for _, name := range []string{"Exchange Online", "Microsoft Teams", "SharePoint Online"} {
		s.put("cmdb_ci_service", map[string]string{"name": name, "support_group": desk.id()})
	}
	s.put("kb_knowledge", map[string]string{"short_description": "What to do when mail is slow", "text": "Check the service health dashboard first.", "workflow_state": "published"})
}

// group returns the group of that name, made where it does not exist.
func (s *Server) group(name string) *record {
	if g := s.db.first("sys_user_group", "name", name); g != nil {
		return g
	}
	return s.put("sys_user_group", map[string]string{"name": name})
}

// role returns the role of that name, made where it does not exist.
func (s *Server) role(name string) *record {
	if r := s.db.first("sys_user_role", "name", name); r != nil {
		return r
	}
	return s.put("sys_user_role", map[string]string{"name": name})
}

func (s *Server) addUser(u User) *record {
	first, last, _ := strings.Cut(u.Full, " ")
	if u.Full == "" {
		first = u.Name
	}
	row := s.put("sys_user", map[string]string{
		"user_name": u.Name, "first_name": first, "last_name": last, "email": u.Email, "user_password": u.Password,
		"web_service_access_only": strconv.FormatBool(u.WebServiceOnly), "active": strconv.FormatBool(!u.Inactive), "time_zone": u.TimeZone,
	})
	for _, role := range u.Roles {
		s.put("sys_user_has_role", map[string]string{"user": row.id(), "role": s.role(role).id(), "inherited": "false"})
	}
	for _, group := range u.Groups {
		s.put("sys_user_grmember", map[string]string{"user": row.id(), "group": s.group(group).id()})
	}
	return row
}

func (s *Server) addClient(c Client) *record {
	values := map[string]string{
		"name": c.Name, "type": "client", "client_id": c.ID, "client_secret": c.Secret,
		"redirect_url": c.Redirect, "public_client": strconv.FormatBool(c.Public),
	}
	if c.Grant != "" {
		values["default_grant_type"] = c.Grant
	}
	if u := s.db.first("sys_user", "user_name", c.User); u != nil {
		values["user"] = u.id()
	}
	return s.put("oauth_entity", values)
}

// installApp puts the support integration on the instance: the application,
// its two roles and its two cross-scope privileges.
func (s *Server) installApp(version string) {
	s.cfg.AppVersion = version
	s.put("sys_store_app", map[string]string{
		"sys_id": appSysID, "name": appName, "scope": appScope, "source": appScope, "version": version, "latest_version": version,
		"vendor": "Microsoft", "vendor_prefix": "x_mioms", "short_description": "Service health incidents and recommended solutions",
	})
	for name, what := range map[string]string{
		roleView:   "Sees service health incidents and recommended solutions",
		roleManage: "Opens and manages cases with Microsoft support",
	} {
		role := s.role(name)
		role.Values["description"], role.Values["sys_scope"], role.Values["sys_package"] = what, appSysID, appSysID
	}
	for _, table := range []string{"oauth_entity", "oauth_entity_profile"} {
		s.put("sys_scope_privilege", map[string]string{
			"source_scope": appSysID, "target_scope": globalScope, "target_name": table, "target_type": "sys_db_object",
			"operation": "read", "status": "allowed", "sys_scope": appSysID,
		})
	}
	s.setup = Setup{}
}

// uninstallApp removes the application and everything that belongs to its scope.
func (s *Server) uninstallApp() {
	app := s.db.find(schema["sys_store_app"], appSysID)
	if app == nil {
		return
	}
	for _, role := range []string{roleView, roleManage} {
		if row := s.db.first("sys_user_role", "name", role); row != nil {
			s.db.drop(row)
			s.takeAlong(row)
		}
	}
	for _, p := range s.db.where("sys_scope_privilege", "source_scope", appSysID) {
		s.db.drop(p)
	}
	for _, p := range s.db.where("sys_user_preference", "name", currentAppPreference, "value", appSysID) {
		p.Values["value"] = globalScope
	}
	s.db.drop(app)
	s.inheritRoles()
	s.cfg.AppVersion = NotInstalled
	s.setup = Setup{}
	s.changed()
}
