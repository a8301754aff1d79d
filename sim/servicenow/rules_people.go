package servicenow

import (
	"strconv"
	"strings"
)

// beforeUser keeps user names unique and the full name in step.
func (s *Server) beforeUser(old, next *record) *refusal {
	if next == nil {
		return nil
	}
	if name := next.get("user_name"); name != "" && (old == nil || old.get("user_name") != name) {
		if other := s.db.first("sys_user", "user_name", name); other != nil && other.id() != next.id() {
			return duplicateKey("sys_user", name, "user_name")
		}
	}
	if full := strings.TrimSpace(next.get("first_name") + " " + next.get("last_name")); full != "" {
		next.Values["name"] = full
	}
	if next.yes("web_service_access_only") {
		next.Values["identity_type"] = "machine"
	}
	return nil
}

const roleRule = "Check user role"

// beforeRoleGrant keeps role rows sound: both ends exist, one direct row for
// each pair, and inherited rows only by way of what they are inherited from.
func (s *Server) beforeRoleGrant(c *caller, old, next *record) *refusal {
	if c.system {
		return nil
	}
	if old != nil && old.yes("inherited") {
		return aborted("sys_user_has_role", roleRule, ruleID(roleRule), "An inherited role is removed where it comes from: the group or the role that contains it")
	}
	if next == nil {
		return nil
	}
	next.Values["inherited"], next.Values["inh_count"] = "false", "0"
	if s.db.find(schema["sys_user"], next.get("user")) == nil || s.db.find(schema["sys_user_role"], next.get("role")) == nil {
		return aborted("sys_user_has_role", roleRule, ruleID(roleRule), "User and Role must be existing records")
	}
	if other := s.db.first("sys_user_has_role", "user", next.get("user"), "role", next.get("role"), "inherited", "false"); other != nil && other.id() != next.id() {
		return aborted("sys_user_has_role", roleRule, ruleID(roleRule), "The user already has this role")
	}
	return nil
}

// inheritRoles brings the inherited rows of every user in step with the
// groups they are in and the roles that contain others.
func (s *Server) inheritRoles() {
	type grant struct{ user, role string }
	type origin struct {
		group, role string
		count       int
	}
	wanted := map[grant]*origin{}
	var order []grant
	want := func(user, role, group, via string) {
		g := grant{user, role}
		if wanted[g] == nil {
			wanted[g] = &origin{group: group, role: via}
			order = append(order, g)
		}
		wanted[g].count++
	}
	for _, member := range s.db.where("sys_user_grmember") {
		for _, held := range s.db.where("sys_group_has_role", "group", member.get("group")) {
			want(member.get("user"), held.get("role"), member.get("group"), "")
		}
	}
	for _, direct := range s.db.where("sys_user_has_role", "inherited", "false") {
		for _, contained := range s.contained(direct.get("role")) {
			want(direct.get("user"), contained, "", direct.get("role"))
		}
	}
	for i := 0; i < len(order); i++ { // roles inherited from a group contain roles too
		if g := order[i]; wanted[g].group != "" {
			for _, contained := range s.contained(g.role) {
				want(g.user, contained, "", g.role)
			}
		}
	}
	for _, r := range s.db.where("sys_user_has_role", "inherited", "true") {
		g := grant{r.get("user"), r.get("role")}
		if o := wanted[g]; o != nil {
			r.Values["inh_count"] = strconv.Itoa(o.count)
			delete(wanted, g)
			continue
		}
		s.db.drop(r)
	}
	for _, g := range order {
		o := wanted[g]
		if o == nil {
			continue
		}
		r := &record{Table: "sys_user_has_role", Values: map[string]string{
			"user": g.user, "role": g.role, "inherited": "true", "inh_count": strconv.Itoa(o.count),
			"granted_by": o.group, "included_in_role": o.role, "state": "active",
		}}
		s.stampNew(instance, r.class(), r, nil)
		s.db.add(r)
	}
}

// contained returns the sys_ids of the roles that a role includes, at any depth.
func (s *Server) contained(role string) []string {
	seen := map[string]bool{role: true}
	var out []string
	for queue := []string{role}; len(queue) > 0; queue = queue[1:] {
		r := s.db.find(schema["sys_user_role"], queue[0])
		if r == nil {
			continue
		}
		for _, name := range strings.Split(r.get("includes_roles"), ",") {
			inner := s.db.first("sys_user_role", "name", strings.TrimSpace(name))
			if inner != nil && !seen[inner.id()] {
				seen[inner.id()] = true
				out = append(out, inner.id())
				queue = append(queue, inner.id())
			}
		}
	}
	return out
}
