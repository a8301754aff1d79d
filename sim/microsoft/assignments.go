package microsoft

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) renderAssignment(a *assignment) map[string]any {
	o := map[string]any{"id": a.ID, "appRoleId": a.AppRoleID, "createdDateTime": a.Created.Format(stamp), "deletedDateTime": nil,
		"principalId": a.PrincipalID, "principalType": "ServicePrincipal", "principalDisplayName": nil, "resourceId": a.ResourceID, "resourceDisplayName": nil}
	if p := s.st.principalByID(a.PrincipalID); p != nil {
		o["principalDisplayName"] = p.DisplayName
	} else if u := s.st.userBy(a.PrincipalID); u != nil {
		o["principalType"], o["principalDisplayName"] = "User", u.Name
	}
	if p := s.st.principalByID(a.ResourceID); p != nil {
		o["resourceDisplayName"] = p.DisplayName
	}
	return o
}

// settled finds the path's service principal, as long as replication has
// brought it where assignments are kept.
func (c *call) settled() (*principal, error) {
	p, err := c.principal()
	if err != nil {
		return nil, err
	}
	if p.Lag > 0 {
		p.Lag--
		c.s.changed()
		return nil, missingResource(p.ID)
	}
	return p, nil
}

func (c *call) listAssignedTo() (*reply, error) {
	return c.assignmentList(func(a *assignment, p *principal) bool { return a.ResourceID == p.ID })
}

func (c *call) listAssignments() (*reply, error) {
	return c.assignmentList(func(a *assignment, p *principal) bool { return a.PrincipalID == p.ID })
}

func (c *call) assignmentList(ok func(*assignment, *principal) bool) (*reply, error) {
	p, err := c.settled()
	if err != nil {
		return nil, err
	}
	var list []*assignment
	for _, a := range c.s.st.Assignments {
		if ok(a, p) {
			list = append(list, a)
		}
	}
	return c.list("appRoleAssignments", documents(list, c.s.renderAssignment))
}

func (c *call) createAssignedTo() (*reply, error)  { return c.newAssignment(true) }
func (c *call) createAssignments() (*reply, error) { return c.newAssignment(false) }

func (c *call) newAssignment(pathIsResource bool) (*reply, error) {
	p, err := c.settled()
	if err != nil {
		return nil, err
	}
	var body struct {
		PrincipalID string `json:"principalId"`
		ResourceID  string `json:"resourceId"`
		AppRoleID   string `json:"appRoleId"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !isGUID(body.PrincipalID) || !isGUID(body.ResourceID) || !isGUID(body.AppRoleID) {
		return nil, badRequest("principalId, resourceId and appRoleId are required and must be GUIDs.")
	}
	if (pathIsResource && !strings.EqualFold(p.ID, body.ResourceID)) || (!pathIsResource && !strings.EqualFold(p.ID, body.PrincipalID)) {
		return nil, badRequest("The resource in the path and in the body of the assignment differ.")
	}
	resource, who := c.s.st.principalByID(body.ResourceID), c.s.st.principalByID(body.PrincipalID)
	if resource == nil {
		return nil, missingResource(body.ResourceID)
	}
	var principalID string
	if who != nil {
		if who.Lag > 0 {
			who.Lag--
			c.s.changed()
			return nil, missingResource(who.ID)
		}
		principalID = who.ID
	} else if u := c.s.st.userBy(body.PrincipalID); u != nil {
		principalID = u.ID
	} else {
		return nil, missingResource(body.PrincipalID)
	}
	if _, ok := permissionByID(body.AppRoleID, "Role"); resource.AppID != GraphAppID || !ok {
		return nil, badRequest("Permission being assigned was not found on application '" + resource.AppID + "'.")
	}
	if c.s.st.assigned(principalID, resource.ID, body.AppRoleID) != nil {
		return nil, badRequest("Permission being assigned already exists on the object")
	}
	a := c.s.addAssignment(body.AppRoleID, principalID, resource.ID)
	perm, _ := permissionByID(a.AppRoleID, "Role")
	c.note("granted " + perm.value + " to " + principalID)
	c.s.changed()
	return &reply{status: http.StatusCreated, body: c.s.renderAssignment(a), context: "appRoleAssignments/$entity"}, nil
}

func (c *call) deleteAssignedTo() (*reply, error) {
	return c.dropAssignment(func(a *assignment, p *principal) bool { return a.ResourceID == p.ID })
}

func (c *call) deleteAssignments() (*reply, error) {
	return c.dropAssignment(func(a *assignment, p *principal) bool { return a.PrincipalID == p.ID })
}

func (c *call) dropAssignment(ok func(*assignment, *principal) bool) (*reply, error) {
	p, err := c.principal()
	if err != nil {
		return nil, err
	}
	st := &c.s.st
	before := len(st.Assignments)
	st.Assignments = slices.DeleteFunc(st.Assignments, func(a *assignment) bool { return a.ID == c.keys[1].value && ok(a, p) })
	if len(st.Assignments) == before {
		return nil, missingResource(c.keys[1].value)
	}
	c.note("revoked assignment " + c.keys[1].value)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

func renderGrant(g *scopeGrant) map[string]any {
	o := map[string]any{"id": g.ID, "clientId": g.ClientID, "consentType": g.ConsentType, "principalId": nil, "resourceId": g.ResourceID, "scope": g.Scope}
	if g.PrincipalID != "" {
		o["principalId"] = g.PrincipalID
	}
	return o
}

func (c *call) listGrants() (*reply, error) {
	return c.list("oauth2PermissionGrants", documents(c.s.st.Grants, renderGrant))
}

func (c *call) createGrant() (*reply, error) {
	g := &scopeGrant{}
	if err := c.decode(g); err != nil {
		return nil, err
	}
	everyone := g.ConsentType == "AllPrincipals" && g.PrincipalID == ""
	person := g.ConsentType == "Principal" && c.s.st.userBy(g.PrincipalID) != nil
	if !everyone && !person {
		return nil, badRequest("consentType must be AllPrincipals without, or Principal with the principalId of a user.")
	}
	if c.s.st.principalByID(g.ClientID) == nil || c.s.st.principalByID(g.ResourceID) == nil {
		return nil, missingResource(g.ClientID)
	}
	if find(c.s.st.Grants, func(x *scopeGrant) bool {
		return x.ClientID == g.ClientID && x.ResourceID == g.ResourceID && x.ConsentType == g.ConsentType && x.PrincipalID == g.PrincipalID
	}) != nil {
		return nil, conflict(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.", "None")
	}
	g.ID = c.s.token(43)
	c.s.st.Grants = append(c.s.st.Grants, g)
	c.note("granted scopes " + g.Scope)
	c.s.changed()
	return &reply{status: http.StatusCreated, body: renderGrant(g), context: "oauth2PermissionGrants/$entity"}, nil
}

func (c *call) deleteGrant() (*reply, error) {
	st := &c.s.st
	before := len(st.Grants)
	st.Grants = slices.DeleteFunc(st.Grants, func(g *scopeGrant) bool { return g.ID == c.keys[0].value })
	if len(st.Grants) == before {
		return nil, missingResource(c.keys[0].value)
	}
	c.note("revoked scopes")
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}
