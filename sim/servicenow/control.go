package servicenow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// act runs a change from outside under the lock and saves.
func (s *Server) act(change func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := change(); err != nil {
		return err
	}
	s.save()
	return s.saveErr
}

// Modes returns how the instance behaves now.
func (s *Server) Modes() Modes {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.modes
	m.Mandatory, m.Refusals = slices.Clone(m.Mandatory), slices.Clone(m.Refusals)
	return m
}

// SetRedirects replaces the redirect URLs of an inbound client.
func (s *Server) SetRedirects(clientID string, urls ...string) error {
	return s.act(func() error {
		entity := s.db.first("oauth_entity", "client_id", clientID, "type", "client")
		if entity == nil {
			return fmt.Errorf("there is no client with the ID %s", clientID)
		}
		entity.Values["redirect_url"] = strings.Join(urls, ",")
		return nil
	})
}

// Publish puts an article into a knowledge base, and returns its number and the
// base's sys_id.
func (s *Server) Publish(a Article) (number, base string, err error) {
	err = s.act(func() error {
		number, base = s.publish(a)
		return nil
	})
	return number, base, err
}

func (s *Server) publish(a Article) (number, base string) {
	b := s.db.first("kb_knowledge_base", "title", a.Base)
	if b == nil {
		b = s.put("kb_knowledge_base", map[string]string{"title": a.Base, "readers": a.Readers})
	}
	state := "published"
	if a.Draft {
		state = "draft"
	}
	r := s.put("kb_knowledge", map[string]string{"kb_knowledge_base": b.id(), "short_description": a.Title, "text": a.Text, "workflow_state": state})
	return r.get("number"), b.id()
}

// Raise files an incident, as the instance itself, and returns its number and
// sys_id.
func (s *Server) Raise(values map[string]string) (number, id string, err error) {
	err = s.act(func() error {
		r := s.put("incident", values)
		number, id = r.get("number"), r.id()
		return nil
	})
	return number, id, err
}

// Notes are the work notes of an incident, oldest first.
func (s *Server) Notes(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.db.where("sys_journal_field", "element_id", id, "element", "work_notes") {
		out = append(out, e.get("value"))
	}
	return out
}

// Standing lists the roles that inbound clients have without anybody signing
// in: those of the users of client credentials.
func (s *Server) Standing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.db.where("oauth_entity", "type", "client", "active", "true", "default_grant_type", "client_credentials") {
		for _, h := range s.db.where("sys_user_has_role", "user", e.get("user")) {
			if role := s.db.find(schema["sys_user_role"], h.get("role")); role != nil && !slices.Contains(out, role.get("name")) {
				out = append(out, role.get("name"))
			}
		}
	}
	return out
}

// RevokeTokens ends every sign-in of an account, as an admin does.
func (s *Server) RevokeTokens(userName string) error {
	return s.act(func() error {
		user := s.db.first("sys_user", "user_name", userName)
		if user == nil {
			return fmt.Errorf("there is no user %q", userName)
		}
		for k, t := range s.tokens {
			if t.User == user.id() {
				delete(s.tokens, k)
			}
		}
		return nil
	})
}

// SetModes changes how the instance behaves. Mandatory names columns of
// incident, which sys_dictionary then marks as mandatory.
func (s *Server) SetModes(m Modes) error {
	return s.act(func() error {
		switch m.SecretWrite {
		case SecretStored, SecretGarbled, SecretRefused:
		case "":
			m.SecretWrite = SecretStored
		default:
			return fmt.Errorf("a secret write is stored, garbled or refused, not %q", m.SecretWrite)
		}
		for _, name := range m.Mandatory {
			if schema["incident"].column(name) == nil {
				return fmt.Errorf("incident has no column %q that could be mandatory", name)
			}
		}
		for _, rule := range m.Refusals {
			if schema[rule.Table] == nil || rule.Rule == "" {
				return fmt.Errorf("a refusal needs a table of the instance and the name of a rule, not %q and %q", rule.Table, rule.Rule)
			}
		}
		for _, row := range s.db.where("sys_dictionary") {
			if t := row.get("name"); t == "task" || t == "incident" {
				row.Values["mandatory"] = strconv.FormatBool(slices.Contains(m.Mandatory, row.get("element")))
			}
		}
		s.modes = m
		return nil
	})
}

// SetWorld changes what is left of the integration's other side. It does not
// touch the app.
func (s *Server) SetWorld(w World) error {
	return s.act(func() error {
		if _, ok := worldNames[w]; !ok {
			return fmt.Errorf("%v is no world", w)
		}
		s.cfg.World = w
		return nil
	})
}

// SetApp installs the support integration in this version, upgrades it, or
// with NotInstalled removes it and what belongs to its scope.
func (s *Server) SetApp(version string) error {
	return s.act(func() error {
		app := s.db.find(schema["sys_store_app"], appSysID)
		switch {
		case version == NotInstalled || version == "":
			s.uninstallApp()
		case app == nil:
			s.installApp(version)
		default:
			s.cfg.AppVersion = version
			app.Values["version"], app.Values["latest_version"] = version, version
			s.setup = Setup{}
		}
		return nil
	})
}

// SetOutbound maps a host that the instance calls to the base URL that
// answers; an empty base makes the host unknown. A simulator whose address is
// known only later is connected this way.
func (s *Server) SetOutbound(host, base string) error {
	return s.act(func() error {
		mapped := map[string]string{}
		for k, v := range s.cfg.Outbound {
			mapped[k] = v
		}
		if mapped[host] = base; base == "" {
			delete(mapped, host)
		}
		s.cfg.Outbound = mapped
		return nil
	})
}

// SetRateLimit puts a limit of requests per hour on everybody; 0 takes it away.
func (s *Server) SetRateLimit(perHour int) error {
	return s.act(func() error {
		for _, r := range s.db.where("sys_rate_limit_rules") {
			s.db.drop(r)
		}
		if perHour > 0 {
			s.put("sys_rate_limit_rules", map[string]string{"name": "Table API for all users", "request_limit": strconv.Itoa(perHour)})
		}
		return nil
	})
}

// AddUser makes an account.
func (s *Server) AddUser(u User) error {
	return s.act(func() error {
		if u.Name == "" || s.db.first("sys_user", "user_name", u.Name) != nil {
			return fmt.Errorf("a user needs a name of their own, not %q", u.Name)
		}
		s.addUser(u)
		return nil
	})
}

// AddClient makes an inbound OAuth client.
func (s *Server) AddClient(c Client) error {
	return s.act(func() error {
		if c.ID == "" || s.db.first("oauth_entity", "client_id", c.ID) != nil {
			return fmt.Errorf("a client needs an ID of its own, not %q", c.ID)
		}
		s.addClient(c)
		return nil
	})
}

// Grant gives a user a role directly, or takes it.
func (s *Server) Grant(user, role string, held bool) error {
	return s.act(func() error {
		u, r := s.db.first("sys_user", "user_name", user), s.db.first("sys_user_role", "name", role)
		if u == nil || r == nil {
			return fmt.Errorf("there is no user %q or no role %q", user, role)
		}
		row := s.db.first("sys_user_has_role", "user", u.id(), "role", r.id(), "inherited", "false")
		switch {
		case held && row == nil:
			s.put("sys_user_has_role", map[string]string{"user": u.id(), "role": r.id(), "inherited": "false"})
		case !held && row != nil:
			_ = s.remove(instance, row) // the instance itself is never refused
		}
		return nil
	})
}

// Pick moves a person's application picker: a scope's name, "global" or
// "x_mioms_m365_assis".
func (s *Server) Pick(user, scope string) error {
	return s.act(func() error {
		u, row := s.db.first("sys_user", "user_name", user), s.db.first("sys_scope", "scope", scope)
		if u == nil || row == nil {
			return fmt.Errorf("there is no user %q or no scope %q", user, scope)
		}
		s.pick(u, row.id())
		return nil
	})
}

// CloseIncident is a person closing an incident by hand, with their notes.
func (s *Server) CloseIncident(number, user, notes string) error {
	return s.EditIncident(number, user, map[string]string{
		"state": stateClosed, "close_code": "Solved (Permanently)", "close_notes": notes,
	})
}

// EditIncident is a person changing an incident by hand, with that person's
// rights. Values are stored values.
func (s *Server) EditIncident(number, user string, values map[string]string) error {
	return s.act(func() error {
		row, u := s.db.first("incident", "number", number), s.db.first("sys_user", "user_name", user)
		if row == nil || u == nil {
			return fmt.Errorf("there is no incident %q or no user %q", number, user)
		}
		if no := s.update(s.callerFor(u), row, values, writeMode{form: true}); no != nil {
			return no
		}
		return nil
	})
}

// Setup returns where the wizard stands.
func (s *Server) Setup() Setup {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.setup
	at.Step = s.step()
	return at
}

// Inventory is what a setup may change on an instance, as sorted lines, so
// that a test can compare before with after. It holds no secret.
type Inventory map[string][]string

// Inventory lists registry entries, profiles, privileges, table flags, role
// rows, integration users, properties and the app.
func (s *Server) Inventory() Inventory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inventory()
}

func (s *Server) inventory() Inventory {
	s.settle()
	inv := Inventory{}
	list := func(name, table string, show ...string) {
		lines := []string{}
		for _, r := range s.db.where(table) {
			parts := make([]string, len(show))
			for i, path := range show {
				col := walk(schema[table], path)
				value := s.db.valueAt(r, path)
				if hidden(col, r) {
					value = masked(col, value)
				}
				if col.Kind == kindRef {
					value = s.db.display(s.db.find(schema[col.Ref], value))
				}
				parts[i] = path + "=" + value
			}
			lines = append(lines, strings.Join(parts, " "))
		}
		slices.Sort(lines)
		inv[name] = lines
	}
	list("registry", "oauth_entity", "name", "type", "client_id", "token_url", "default_grant_type", "active", "sys_scope")
	list("profiles", "oauth_entity_profile", "name", "oauth_entity", "grant_type", "default")
	list("privileges", "sys_scope_privilege", "source_scope.scope", "target_name", "operation", "status")
	list("tables", "sys_db_object", "name", "access", "read_access", "ws_access")
	list("roles", "sys_user_has_role", "user.user_name", "role", "inherited")
	list("group roles", "sys_group_has_role", "group", "role")
	list("users", "sys_user", "user_name", "active", "web_service_access_only")
	list("properties", "sys_properties", "name", "value")
	list("app", "sys_store_app", "scope", "version")
	list("rate limits", "sys_rate_limit_rules", "name", "request_limit", "active")
	return inv
}
