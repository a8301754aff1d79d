package microsoft

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

var keptPrincipalProperties = []string{"alternativeNames", "appRoleAssignmentRequired", "customSecurityAttributes", "description", "homepage",
	"loginUrl", "logoutUrl", "notes", "notificationEmailAddresses", "preferredSingleSignOnMode", "replyUrls", "servicePrincipalNames", "tags"}

// principal finds the service principal that the path names.
func (c *call) principal() (*principal, error) {
	k := c.keys[0]
	var p *principal
	switch k.name {
	case "":
		p = c.s.st.principalByID(k.value)
	case "appId":
		p = c.s.st.principalByAppID(k.value)
	default:
		return nil, badRequest("'" + k.name + "' is not a key of a service principal.")
	}
	if p == nil {
		return nil, missingResource(k.value)
	}
	return p, nil
}

func (c *call) listPrincipals() (*reply, error) {
	return c.list("servicePrincipals", documents(c.s.st.Principals, c.s.renderPrincipal))
}

func (c *call) getPrincipal() (*reply, error) {
	p, err := c.principal()
	if err != nil {
		return nil, err
	}
	return c.one("servicePrincipals", c.s.renderPrincipal(p)), nil
}

func (c *call) createPrincipal() (*reply, error) {
	var body properties
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	var appID string
	if err := json.Unmarshal(body["appId"], &appID); err != nil || appID == "" {
		return nil, badRequest("A value is required for property 'appId' of resource 'ServicePrincipal'.")
	}
	if c.s.st.principalByAppID(appID) != nil {
		return nil, conflict(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue",
			"The service principal cannot be created, updated, or restored because the service principal name "+appID+" is already in use.", "None")
	}
	delete(body, "appId")
	return c.newPrincipal(appID, body)
}

func (c *call) newPrincipal(appID string, body properties) (*reply, error) {
	a := c.s.st.appByAppID(appID)
	if a == nil || a.LagPrincipal > 0 {
		if a != nil {
			a.LagPrincipal--
			c.s.changed()
		}
		return nil, c.noBackingApplication(appID)
	}
	if err := c.mayChange(a.OwnerApp, a.OwnerUser, managesApps); err != nil {
		return nil, err
	}
	probe := &principal{Other: map[string]json.RawMessage{}, DisplayName: a.DisplayName}
	if err := applyPrincipal(body, probe); err != nil {
		return nil, err
	}
	owner, person := "", ""
	if c.caller.user == nil {
		owner = c.caller.sp.AppID
	} else {
		person = c.caller.user.ID
	}
	p := c.s.addPrincipal(a, owner, person)
	p.Other, p.Disabled = probe.Other, probe.Disabled
	c.note("created service principal " + p.ID + " of app " + appID)
	c.s.changed()
	return &reply{status: http.StatusCreated, body: document(c.s.renderPrincipal(p)), context: "servicePrincipals/$entity"}, nil
}

// noBackingApplication is what a directory says while the registration has not
// reached it. An application with the right to its own objects only is told
// something else.
func (c *call) noBackingApplication(appID string) error {
	if c.caller.owned {
		return &graphError{status: http.StatusForbidden, code: "Authorization_RequestDenied",
			text: "When using this permission, the backing application of the service principal being created must in the local tenant"}
	}
	text := "The appId '" + appID + "' of the service principal does not reference a valid application object."
	e := badRequest(text)
	e.details = []errorDetail{{"NoBackingApplicationObject", text, "appId"}}
	return e
}

func (s *Server) addPrincipal(a *application, ownerApp, ownerUser string) *principal {
	p := &principal{ID: s.newID(), AppID: a.AppID, DisplayName: a.DisplayName, Created: s.now(),
		OwnerApp: ownerApp, OwnerUser: ownerUser, Lag: s.st.Lag.Assignment, Other: map[string]json.RawMessage{}}
	s.st.Principals = append(s.st.Principals, p)
	return p
}

// patchPrincipal updates, and upserts by appId where the request prefers it
// (Microsoft Graph, "Upsert servicePrincipal").
func (c *call) patchPrincipal() (*reply, error) {
	var body properties
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	p, err := c.principal()
	if err != nil {
		if k := c.keys[0]; k.name == "appId" && c.prefers("create-if-missing") {
			return c.newPrincipal(k.value, body)
		}
		return nil, err
	}
	if err := c.mayChange(p.OwnerApp, p.OwnerUser, managesApps); err != nil {
		return nil, err
	}
	if p.Microsoft {
		return nil, denied()
	}
	if err := applyPrincipal(body, p); err != nil {
		return nil, err
	}
	c.note("updated service principal " + p.ID)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

func applyPrincipal(body properties, target *principal) error {
	next := *target
	next.Other = map[string]json.RawMessage{}
	for k, v := range target.Other {
		next.Other[k] = v
	}
	for name, raw := range body {
		switch {
		case strings.HasPrefix(name, "@odata."):
		case name == "accountEnabled":
			var on bool
			if err := json.Unmarshal(raw, &on); err != nil {
				return badRequest("Invalid value specified for property 'accountEnabled' of resource 'ServicePrincipal'.")
			}
			next.Disabled = !on
		case name == "displayName":
			if err := readName(raw, &next.DisplayName); err != nil {
				return err
			}
		case name == "appId":
			var id string
			if json.Unmarshal(raw, &id) != nil || (target.AppID != "" && !strings.EqualFold(id, target.AppID)) {
				return badRequest("Property 'appId' is read-only and cannot be set.")
			}
		case slices.Contains(keptPrincipalProperties, name):
			next.Other[name] = raw
		default:
			return badRequest("Invalid property '" + name + "'.")
		}
	}
	*target = next
	return nil
}

func (c *call) deletePrincipal() (*reply, error) {
	p, err := c.principal()
	if err != nil {
		return nil, err
	}
	if p.Microsoft {
		return nil, denied()
	}
	if err := c.mayChange(p.OwnerApp, p.OwnerUser, managesApps); err != nil {
		return nil, err
	}
	c.s.dropPrincipal(p)
	c.note("deleted service principal " + p.ID)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

// dropPrincipal removes a service principal with its grants, and returns the
// app role assignments that went with it.
func (s *Server) dropPrincipal(p *principal) []*assignment {
	s.st.Principals = slices.DeleteFunc(s.st.Principals, func(x *principal) bool { return x == p })
	s.st.Grants = slices.DeleteFunc(s.st.Grants, func(g *scopeGrant) bool { return g.ClientID == p.ID })
	var taken []*assignment
	s.st.Assignments = slices.DeleteFunc(s.st.Assignments, func(a *assignment) bool {
		mine := a.PrincipalID == p.ID || a.ResourceID == p.ID
		if mine {
			taken = append(taken, a)
		}
		return mine
	})
	return taken
}

func (s *Server) renderPrincipal(p *principal) map[string]any {
	o := map[string]any{
		"id": p.ID, "appId": p.AppID, "displayName": p.DisplayName, "appDisplayName": p.DisplayName, "accountEnabled": !p.Disabled,
		"servicePrincipalType": "Application", "signInAudience": "AzureADMyOrg", "appOwnerOrganizationId": s.cfg.TenantID, "deletedDateTime": nil,
		"servicePrincipalNames": []string{p.AppID}, "appRoleAssignmentRequired": false, "appRoles": []any{}, "oauth2PermissionScopes": []any{},
		"replyUrls": []string{}, "tags": []string{}, "passwordCredentials": []any{}, "keyCredentials": []any{}, "createdDateTime": p.Created.Format(stamp),
	}
	if a := s.st.appByAppID(p.AppID); a != nil {
		o["signInAudience"], o["replyUrls"] = a.SignInAudience, nonNil(a.Web.RedirectURIs)
	}
	if p.Microsoft {
		o["appOwnerOrganizationId"], o["signInAudience"] = "f8cdef31-a31e-4b4a-93e4-5f571e91255a", "AzureADMultipleOrgs"
	}
	if p.AppID == GraphAppID {
		o["appRoles"], o["oauth2PermissionScopes"] = graphRoles(), graphScopes()
		o["servicePrincipalNames"] = []string{GraphAppID, graphResource}
	}
	for k, v := range p.Other {
		o[k] = v
	}
	return o
}

func graphRoles() []map[string]any {
	var out []map[string]any
	for _, p := range graphPermissions {
		if p.role != "" {
			out = append(out, map[string]any{"id": p.role, "value": p.value, "displayName": p.value, "description": "Allows the app to use " + p.value + " without a signed-in user.",
				"allowedMemberTypes": []string{"Application"}, "isEnabled": true, "origin": "Application"})
		}
	}
	return out
}

func graphScopes() []map[string]any {
	var out []map[string]any
	for _, p := range graphPermissions {
		if p.scope != "" {
			kind := "Admin"
			if p.user {
				kind = "User"
			}
			out = append(out, map[string]any{"id": p.scope, "value": p.value, "type": kind, "isEnabled": true, "adminConsentDisplayName": p.value,
				"adminConsentDescription": "Allows the app to use " + p.value + " on behalf of the signed-in user."})
		}
	}
	return out
}
