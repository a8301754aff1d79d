package microsoft

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// change runs f under the lock and saves what it changed.
func (s *Server) change(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	return s.save()
}

// SetWorld switches between the connector's life and its end.
func (s *Server) SetWorld(w World) error {
	if err := w.check(); err != nil {
		return err
	}
	return s.change(func() error { s.st.World = w; return nil })
}

// SetRedirects replaces the redirect URIs of a registration.
func (s *Server) SetRedirects(appID string, uris ...string) error {
	return s.change(func() error {
		app := s.st.appByAppID(appID)
		if app == nil {
			return fmt.Errorf("there is no registration with the client ID %s", appID)
		}
		app.Web.RedirectURIs = slices.Clone(uris)
		return nil
	})
}

// SetQuirks replaces the switches.
func (s *Server) SetQuirks(q Quirks) error {
	return s.change(func() error { s.st.Quirks = q; return nil })
}

// SetLag sets the replication lag of what is created from now on.
func (s *Server) SetLag(l Lag) error {
	return s.change(func() error { s.st.Lag = l; return nil })
}

// SetPolicy replaces the tenant's policy on client secrets.
func (s *Server) SetPolicy(p SecretPolicy) error {
	return s.change(func() error { s.st.Policy = p; return nil })
}

// AddUser adds a person.
func (s *Server) AddUser(u User) error {
	return s.change(func() error { return s.addUser(u) })
}

func (s *Server) addUser(u User) error {
	if err := u.check(); err != nil {
		return err
	}
	if s.st.userBy(u.UPN) != nil {
		return fmt.Errorf("there is a user %s already", u.UPN)
	}
	if u.ID == "" {
		u.ID = derivedID("user", s.cfg.TenantID, u.UPN)
	}
	if u.Name == "" {
		u.Name = u.UPN
	}
	for _, list := range []*[]string{&u.Active, &u.Eligible, &u.GroupRoles} {
		roles, err := roleTemplates(*list)
		if err != nil {
			return fmt.Errorf("user %s: %w", u.UPN, err)
		}
		*list = roles
	}
	s.st.Users = append(s.st.Users, &user{User: u, Activated: map[string]time.Time{}})
	return nil
}

func (s *Server) withUser(id string, f func(*user) error) error {
	return s.change(func() error {
		u := s.st.userBy(id)
		if u == nil {
			return fmt.Errorf("there is no user %q", id)
		}
		return f(u)
	})
}

// activationLasts is how long a role activated in PIM counts.
const activationLasts = 8 * time.Hour

// Activate activates an eligible role of a user (UPN or object ID) for 8 hours.
func (s *Server) Activate(userID, role string) error {
	return s.withUser(userID, func(u *user) error { return s.activate(u, role) })
}

func (s *Server) activate(u *user, role string) error {
	t, err := roleTemplate(role)
	if err != nil {
		return err
	}
	if !slices.Contains(u.Eligible, t) {
		return fmt.Errorf("%s is not eligible for %s", u.UPN, roleName(t))
	}
	u.Activated[t] = s.now().Add(activationLasts)
	return nil
}

// Deactivate ends an activation.
func (s *Server) Deactivate(userID, role string) error {
	return s.withUser(userID, func(u *user) error {
		t, err := roleTemplate(role)
		delete(u.Activated, t)
		return err
	})
}

// Assign gives a user a permanently active role; Unassign takes it away.
func (s *Server) Assign(userID, role string) error {
	return s.withUser(userID, func(u *user) error {
		t, err := roleTemplate(role)
		if err == nil && !slices.Contains(u.Active, t) {
			u.Active = append(u.Active, t)
		}
		return err
	})
}

// Unassign takes a role from a user altogether: active, eligible and by group.
func (s *Server) Unassign(userID, role string) error {
	return s.withUser(userID, func(u *user) error {
		t, err := roleTemplate(role)
		is := func(r string) bool { return r == t }
		u.Active, u.Eligible, u.GroupRoles = slices.DeleteFunc(u.Active, is), slices.DeleteFunc(u.Eligible, is), slices.DeleteFunc(u.GroupRoles, is)
		return err
	})
}

// Block makes Conditional Access refuse a user's sign-ins and refreshes
// (AADSTS53003), or stops that.
func (s *Server) Block(userID string, blocked bool) error {
	return s.withUser(userID, func(u *user) error { u.Blocked = blocked; return nil })
}

// Disable disables a user's account, or enables it.
func (s *Server) Disable(userID string, disabled bool) error {
	return s.withUser(userID, func(u *user) error { u.Disabled = disabled; return nil })
}

// RevokeSessions ends every refresh token that a user holds (AADSTS50173).
func (s *Server) RevokeSessions(userID string) error {
	return s.withUser(userID, func(u *user) error {
		for _, r := range s.st.Refresh {
			if r.UserID == u.ID && r.Revoked.IsZero() {
				r.Revoked = s.now()
			}
		}
		return nil
	})
}

// DisableApp disables an application's service principal (AADSTS7000112), or
// enables it.
func (s *Server) DisableApp(appID string, disabled bool) error {
	return s.change(func() error {
		p := s.st.principalByAppID(appID)
		if p == nil {
			return fmt.Errorf("app %s has no service principal", appID)
		}
		p.Disabled = disabled
		return nil
	})
}

// TrustIssuer lets federated credentials of that issuer be checked with a
// public key, as if its key set could be fetched.
func (s *Server) TrustIssuer(issuer string, key crypto.PublicKey) error {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return fmt.Errorf("trusting %s: %w", issuer, err)
	}
	return s.change(func() error { s.st.Trusted[issuer] = der; return nil })
}

// Register adds a registration made beforehand and returns it with its client
// ID. It has no replication lag: it is old.
func (s *Server) Register(a App) (App, error) {
	err := s.change(func() (err error) { a, err = s.register(a); return err })
	return a, err
}

func (s *Server) register(a App) (App, error) {
	switch {
	case a.Name == "":
		return a, errors.New("a registration needs a name")
	case a.AppID != "" && !isGUID(a.AppID):
		return a, fmt.Errorf("registration %s: client ID %q is not a GUID", a.Name, a.AppID)
	case a.AppID != "" && s.st.appByAppID(a.AppID) != nil:
		return a, fmt.Errorf("there is a registration with client ID %s already", a.AppID)
	case a.UniqueName != "" && s.st.appByUniqueName(a.UniqueName) != nil:
		return a, fmt.Errorf("there is a registration with the unique name %q already", a.UniqueName)
	case a.NoPrincipal && len(a.Roles)+len(a.Scopes) > 0:
		return a, fmt.Errorf("registration %s: permissions can be granted to a service principal only", a.Name)
	}
	app := &application{AppID: a.AppID, DisplayName: a.Name, UniqueName: a.UniqueName, SignInAudience: "AzureADMyOrg",
		Web: web{RedirectURIs: slices.Clone(a.RedirectURIs)}, Public: a.Public}
	required, err := requireGraph(append(slices.Clone(a.Roles), a.Requested...), a.Scopes)
	if err != nil {
		return a, fmt.Errorf("registration %s: %w", a.Name, err)
	}
	app.Required = required
	now := s.now()
	for _, sec := range a.Secrets {
		if sec.Ends.IsZero() {
			sec.Ends = now.AddDate(2, 0, 0)
		}
		app.Passwords = append(app.Passwords, &password{KeyID: s.newID(), DisplayName: sec.Name, Hint: sec.Value[:min(3, len(sec.Value))],
			Start: minTime(now, sec.Ends.AddDate(-2, 0, 0)), End: sec.Ends.UTC(), Sum: sum(sec.Value)})
	}
	for _, der := range a.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return a, fmt.Errorf("registration %s: reading a certificate: %w", a.Name, err)
		}
		app.Keys = append(app.Keys, &keyCredential{KeyID: s.newID(), DisplayName: cert.Subject.String(), Start: cert.NotBefore.UTC(), End: cert.NotAfter.UTC(), Certificate: slices.Clone(der)})
	}
	s.addApp(app, "", "")
	app.LagPrincipal, app.LagPassword = 0, 0
	a.AppID = app.AppID
	if !a.NoPrincipal {
		s.seedPrincipal(app, a)
	}
	return a, nil
}

func (s *Server) seedPrincipal(app *application, a App) {
	sp := s.addPrincipal(app, "", "")
	sp.Lag = 0
	graph := s.st.principalByAppID(GraphAppID)
	for _, value := range a.Roles {
		if p, err := permissionByName(value, "Role"); err == nil {
			s.addAssignment(p.role, sp.ID, graph.ID)
		}
	}
	if len(a.Scopes) > 0 {
		s.addScopes(sp, "AllPrincipals", "", a.Scopes)
	}
}

func requireGraph(roles, scopes []string) ([]resourceAccess, error) {
	var list []accessID
	for _, kind := range []string{"Role", "Scope"} {
		names := roles
		if kind == "Scope" {
			names = scopes
		}
		for _, n := range names {
			p, err := permissionByName(n, kind)
			if err != nil {
				return nil, err
			}
			if id := (accessID{p.id(kind), kind}); !slices.Contains(list, id) {
				list = append(list, id)
			}
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return []resourceAccess{{GraphAppID, list}}, nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a.UTC()
	}
	return b.UTC()
}

// RepositoryPasswordIs compares what somebody typed as a repository's "Rest
// user password" in the admin center, of which only a sum is kept.
func (s *Server) RepositoryPasswordIs(repository, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.st.Admin.Repositories, func(r savedRepository) bool {
		return strings.EqualFold(r.Name, repository) && r.PasswordSum == sum(password)
	})
}
