package microsoft

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

var defaultUserProperties = []string{"id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
	"preferredLanguage", "surname", "userPrincipalName"}

// renderUser has every property; without $select Graph shows the default set.
func renderUser(u *user) map[string]any {
	given, surname, _ := strings.Cut(u.Name, " ")
	o := map[string]any{"id": u.ID, "displayName": u.Name, "givenName": given, "surname": surname, "userPrincipalName": u.UPN, "mail": nil,
		"businessPhones": []string{}, "jobTitle": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil,
		"accountEnabled": !u.Disabled, "userType": "Member", "otherMails": []string{}, "proxyAddresses": []string{}}
	if u.Mail != "" {
		o["mail"], o["proxyAddresses"] = u.Mail, []string{"SMTP:" + u.Mail}
	}
	return o
}

func (c *call) shortened(o map[string]any) map[string]any {
	if c.selection() != nil {
		return o
	}
	out := map[string]any{}
	for _, k := range defaultUserProperties {
		out[k] = o[k]
	}
	return out
}

// user finds the person that the path names, by object ID or UPN.
func (c *call) user() (*user, error) {
	u := c.s.st.userBy(c.keys[0].value)
	if c.keys[0].name != "" || u == nil {
		return nil, missingResource(c.keys[0].value)
	}
	return u, nil
}

// me is only reached by calls on behalf of a person.
func (c *call) me() (*user, error) { return c.caller.user, nil }

func (c *call) getMe() (*reply, error) {
	return c.one("users", c.shortened(renderUser(c.caller.user))), nil
}

func (c *call) getUser() (*reply, error) {
	u, err := c.user()
	if err != nil {
		return nil, err
	}
	return c.one("users", c.shortened(renderUser(u))), nil
}

func (c *call) listUsers() (*reply, error) {
	answer, err := c.list("users", documents(c.s.st.Users, renderUser))
	if err != nil {
		return nil, err
	}
	body, _ := answer.body.(map[string]any)
	page, _ := body["value"].([]map[string]any)
	for i := range page {
		page[i] = c.shortened(page[i])
	}
	return answer, nil
}

func (c *call) listMyGroups() (*reply, error)   { return c.memberships(c.me, false, false) }
func (c *call) listMyAll() (*reply, error)      { return c.memberships(c.me, true, false) }
func (c *call) listMyRoles() (*reply, error)    { return c.memberships(c.me, false, true) }
func (c *call) listMyAllRoles() (*reply, error) { return c.memberships(c.me, true, true) }
func (c *call) listGroups() (*reply, error)     { return c.memberships(c.user, false, false) }
func (c *call) listAll() (*reply, error)        { return c.memberships(c.user, true, false) }
func (c *call) listRoles() (*reply, error)      { return c.memberships(c.user, false, true) }
func (c *call) listAllRoles() (*reply, error)   { return c.memberships(c.user, true, true) }

// memberships lists a person's roles and role-assignable group; a role held
// through the group shows only where membership is transitive. The OData cast
// to directoryRole counts as an advanced query.
func (c *call) memberships(of func() (*user, error), transitive, rolesOnly bool) (*reply, error) {
	u, err := of()
	if err != nil {
		return nil, err
	}
	if rolesOnly && (!strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual") || c.query.Get("$count") != "true") {
		return nil, unsupportedQuery("The specified OData cast is only supported with the header ConsistencyLevel: eventual and $count=true.")
	}
	roles := u.direct(c.s.now())
	if transitive {
		roles = u.active(c.s.now())
	}
	var out []map[string]any
	for _, r := range roles {
		o := c.s.renderRole(r)
		o["@odata.type"] = "#microsoft.graph.directoryRole"
		out = append(out, o)
	}
	if len(u.GroupRoles) > 0 && !rolesOnly {
		out = append(out, map[string]any{"@odata.type": "#microsoft.graph.group", "id": u.groupID(), "displayName": "Admins like " + u.Name,
			"isAssignableToRole": true, "securityEnabled": true, "mailEnabled": false})
	}
	if c.s.st.Quirks.LimitedInfo {
		for _, o := range out {
			for k := range o {
				if k != "id" && k != "@odata.type" {
					o[k] = nil
				}
			}
		}
	}
	return c.list("directoryObjects", documents(out, func(o map[string]any) map[string]any { return o }))
}

func (s *Server) renderRole(template string) map[string]any {
	return map[string]any{"id": s.roleID(template), "deletedDateTime": nil, "displayName": roleName(template),
		"description": "Members hold the role " + roleName(template) + ".", "roleTemplateId": template}
}

// roleID is the object ID of an activated role, which differs per tenant.
func (s *Server) roleID(template string) string {
	return derivedID("directory role", s.cfg.TenantID, template)
}

// listDirectoryRoles lists activated roles only: those that somebody holds.
func (c *call) listDirectoryRoles() (*reply, error) {
	var out []map[string]any
	for _, r := range directoryRoles {
		if slices.ContainsFunc(c.s.st.Users, func(u *user) bool { return slices.Contains(u.active(c.s.now()), r.template) }) {
			out = append(out, c.s.renderRole(r.template))
		}
	}
	return c.list("directoryRoles", documents(out, func(o map[string]any) map[string]any { return o }))
}

func (c *call) listRoleMembers() (*reply, error) {
	template := ""
	for _, r := range directoryRoles {
		if (c.keys[0].name == "roleTemplateId" && r.template == c.keys[0].value) || (c.keys[0].name == "" && c.s.roleID(r.template) == c.keys[0].value) {
			template = r.template
		}
	}
	var out []map[string]any
	for _, u := range c.s.st.Users {
		if template != "" && slices.Contains(u.direct(c.s.now()), template) {
			o := c.shortened(renderUser(u))
			o["@odata.type"] = "#microsoft.graph.user"
			out = append(out, o)
		}
	}
	if len(out) == 0 {
		return nil, missingResource(c.keys[0].value)
	}
	return c.list("directoryObjects", documents(out, func(o map[string]any) map[string]any { return o }))
}

// listRoleAssignments shows active assignments as they are made: what a group
// holds is the group's, and what is only eligible does not appear.
func (c *call) listRoleAssignments() (*reply, error) {
	var out []map[string]any
	add := func(who, role string) {
		out = append(out, map[string]any{"id": derivedID("role assignment", who, role), "principalId": who, "roleDefinitionId": role,
			"directoryScopeId": "/", "appScopeId": nil, "condition": nil})
	}
	for _, u := range c.s.st.Users {
		for _, r := range u.direct(c.s.now()) {
			add(u.ID, r)
		}
		for _, r := range u.GroupRoles {
			add(u.groupID(), r)
		}
	}
	return c.list("roleManagement/directory/roleAssignments", documents(out, func(o map[string]any) map[string]any { return o }))
}

func (c *call) listRoleDefinitions() (*reply, error) {
	return c.list("roleManagement/directory/roleDefinitions", documents(directoryRoles, func(r directoryRole) map[string]any {
		return map[string]any{"id": r.template, "templateId": r.template, "displayName": r.name, "description": "Members hold the role " + r.name + ".",
			"isBuiltIn": true, "isEnabled": true, "resourceScopes": []string{"/"}, "rolePermissions": []any{}, "version": "1"}
	}))
}

func (c *call) listOrganization() (*reply, error) {
	o := map[string]any{"id": c.s.cfg.TenantID, "displayName": c.s.cfg.Name, "tenantType": "AAD", "deletedDateTime": nil,
		"verifiedDomains": []map[string]any{{"name": c.s.cfg.Domain, "isDefault": true, "isInitial": false, "type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"}}}
	return c.list("organization", documents([]map[string]any{o}, func(o map[string]any) map[string]any { return o }))
}

// getPolicy shows the default app management policy that addPassword obeys.
func (c *call) getPolicy() (*reply, error) {
	p := c.s.st.Policy
	state := func(on bool) string {
		if on {
			return "enabled"
		}
		return "disabled"
	}
	restriction := func(kind string, on bool, lifetime any) map[string]any {
		return map[string]any{"restrictionType": kind, "state": state(on), "maxLifetime": lifetime, "restrictForAppsCreatedAfterDateTime": "2019-10-19T10:37:00Z"}
	}
	var restrictions []map[string]any
	if p.ForbidSecrets {
		restrictions = append(restrictions, restriction("passwordAddition", true, nil))
	}
	if p.MaxLifetime > 0 {
		restrictions = append(restrictions, restriction("passwordLifetime", true, fmt.Sprintf("P%dD", int(p.MaxLifetime/(24*time.Hour)))))
	}
	config := map[string]any{"passwordCredentials": nonNilMaps(restrictions), "keyCredentials": []any{}}
	o := map[string]any{"id": "00000000-0000-0000-0000-000000000000", "displayName": "Default app management tenant policy", "deletedDateTime": nil,
		"description": "Default tenant policy that enforces app management restrictions on applications and service principals.",
		"isEnabled":   p.Enabled, "applicationRestrictions": config, "servicePrincipalRestrictions": map[string]any{"passwordCredentials": []any{}, "keyCredentials": []any{}}}
	return &reply{status: http.StatusOK, body: c.selected(document(o)), context: "policies/defaultAppManagementPolicy/$entity"}, nil
}

func nonNilMaps(list []map[string]any) []map[string]any {
	if list == nil {
		return []map[string]any{}
	}
	return list
}
