package microsoft

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const stamp = "2006-01-02T15:04:05Z"

// app finds the application that the path names.
func (c *call) app() (*application, error) {
	k := c.keys[0]
	var a *application
	switch k.name {
	case "":
		if !isGUID(k.value) {
			return nil, badRequest("Invalid object identifier '" + k.value + "'.")
		}
		a = c.s.st.appByID(k.value)
	case "appId":
		a = c.s.st.appByAppID(k.value)
	case "uniqueName":
		a = c.s.st.appByUniqueName(k.value)
	default:
		return nil, badRequest("'" + k.name + "' is not a key of an application.")
	}
	if a == nil {
		return nil, missingResource(k.value)
	}
	return a, nil
}

// changeable finds the application and checks that the caller may change it.
func (c *call) changeable() (*application, error) {
	a, err := c.app()
	if err != nil {
		return nil, err
	}
	return a, c.mayChange(a.OwnerApp, a.OwnerUser, managesApps)
}

func (c *call) listApps() (*reply, error) {
	return c.list("applications", documents(c.s.st.Apps, func(a *application) map[string]any { return c.s.renderApp(a, false) }))
}

func (c *call) getApp() (*reply, error) {
	a, err := c.app()
	if err != nil {
		return nil, err
	}
	return c.one("applications", c.s.renderApp(a, slices.Contains(c.selection(), "keyCredentials"))), nil
}

func (c *call) createApp() (*reply, error) {
	var body properties
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	return c.newApp(body, "")
}

// newApp creates a registration from a request's properties.
func (c *call) newApp(body properties, uniqueName string) (*reply, error) {
	if err := c.mayCreate(); err != nil {
		return nil, err
	}
	a := &application{SignInAudience: "AzureADMyOrg"}
	if err := c.s.apply(body, a); err != nil {
		return nil, err
	}
	if a.DisplayName == "" {
		return nil, badRequest("A value is required for property 'displayName' of resource 'Application'.")
	}
	a.UniqueName = uniqueName
	owner, person := "", ""
	if c.caller.user == nil {
		owner = c.caller.sp.AppID
	} else {
		person = c.caller.user.ID
	}
	c.s.addApp(a, owner, person)
	c.note("created app " + a.AppID + " " + a.DisplayName)
	c.s.changed()
	return &reply{status: http.StatusCreated, body: document(c.s.renderApp(a, false)), context: "applications/$entity"}, nil
}

// addApp gives a registration its IDs and puts it into the directory.
func (s *Server) addApp(a *application, ownerApp, ownerUser string) {
	a.ID, a.Created = s.newID(), s.now()
	if a.AppID == "" {
		a.AppID = s.newID()
	}
	a.OwnerApp, a.OwnerUser = ownerApp, ownerUser
	a.LagPrincipal, a.LagPassword = s.st.Lag.Principal, s.st.Lag.Password
	s.st.Apps = append(s.st.Apps, a)
}

func (c *call) mayCreate() error {
	u := c.caller.user
	if u == nil || c.s.st.Quirks.UsersMayRegister || anyOf(u.active(c.s.now()), createsApps) {
		return nil
	}
	return denied()
}

// patchApp updates, and upserts where the path names the uniqueName and the
// request prefers to create (Microsoft Graph, "Upsert application").
func (c *call) patchApp() (*reply, error) {
	var body properties
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if k := c.keys[0]; k.name == "uniqueName" && c.s.st.appByUniqueName(k.value) == nil && c.prefers("create-if-missing") {
		if k.value == "" {
			return nil, badRequest("uniqueName must not be empty.")
		}
		if c.s.st.Quirks.UniqueNameStaysBusy && find(c.s.st.Deleted, func(a *application) bool { return a.UniqueName == k.value }) != nil {
			return nil, conflict(http.StatusBadRequest, "Request_BadRequest", "Another object with the same value for property uniqueName already exists.", "uniqueName")
		}
		return c.newApp(body, k.value)
	}
	a, err := c.changeable()
	if err != nil {
		return nil, err
	}
	if err := c.s.apply(body, a); err != nil {
		return nil, err
	}
	c.note("updated app " + a.AppID)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

func (c *call) deleteApp() (*reply, error) {
	a, err := c.changeable()
	if err != nil {
		return nil, err
	}
	c.s.dropApp(a)
	c.note("deleted app " + a.AppID + " " + a.DisplayName)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

// dropApp soft-deletes a registration; its service principal and what was
// assigned to it go along and come back with a restore.
func (s *Server) dropApp(a *application) {
	now := s.now()
	a.Deleted = &now
	s.st.Apps = slices.DeleteFunc(s.st.Apps, func(x *application) bool { return x == a })
	if sp := s.st.principalByAppID(a.AppID); sp != nil {
		a.TakenPrincipal = sp
		a.TakenAssignments = s.dropPrincipal(sp)
	}
	s.st.Deleted = append(s.st.Deleted, a)
	for k, r := range s.st.Refresh {
		if r.AppID == a.AppID {
			delete(s.st.Refresh, k)
		}
	}
}

const restorable = 30 * 24 * time.Hour

// deleted lists what can still be restored; what is older is gone.
func (s *Server) deleted() []*application {
	s.st.Deleted = slices.DeleteFunc(s.st.Deleted, func(a *application) bool { return s.now().After(a.Deleted.Add(restorable)) })
	return s.st.Deleted
}

func (c *call) deletedApp() (*application, error) {
	for _, a := range c.s.deleted() {
		if strings.EqualFold(a.ID, c.keys[0].value) {
			return a, nil
		}
	}
	return nil, missingResource(c.keys[0].value)
}

func (c *call) listDeleted() (*reply, error) {
	return c.list("applications", documents(c.s.deleted(), func(a *application) map[string]any { return c.s.renderApp(a, false) }))
}

func (c *call) getDeleted() (*reply, error) {
	a, err := c.deletedApp()
	if err != nil {
		return nil, err
	}
	o := c.s.renderApp(a, false)
	o["@odata.type"] = "#microsoft.graph.application"
	return c.one("directoryObjects", o), nil
}

func (c *call) purgeDeleted() (*reply, error) {
	a, err := c.deletedApp()
	if err != nil {
		return nil, err
	}
	if err := c.mayChange(a.OwnerApp, a.OwnerUser, managesApps); err != nil {
		return nil, err
	}
	c.s.st.Deleted = slices.DeleteFunc(c.s.st.Deleted, func(x *application) bool { return x == a })
	c.note("purged app " + a.AppID)
	c.s.changed()
	return &reply{status: http.StatusNoContent}, nil
}

func (c *call) restoreDeleted() (*reply, error) {
	a, err := c.deletedApp()
	if err != nil {
		return nil, err
	}
	if err := c.mayChange(a.OwnerApp, a.OwnerUser, managesApps); err != nil {
		return nil, err
	}
	if a.UniqueName != "" && c.s.st.appByUniqueName(a.UniqueName) != nil {
		return nil, conflict(http.StatusBadRequest, "Request_BadRequest", "Another object with the same value for property uniqueName already exists.", "uniqueName")
	}
	st := &c.s.st
	st.Deleted = slices.DeleteFunc(st.Deleted, func(x *application) bool { return x == a })
	st.Apps = append(st.Apps, a)
	if a.TakenPrincipal != nil {
		st.Principals = append(st.Principals, a.TakenPrincipal)
		st.Assignments = append(st.Assignments, a.TakenAssignments...)
	}
	a.Deleted, a.TakenPrincipal, a.TakenAssignments = nil, nil, nil
	c.note("restored app " + a.AppID)
	c.s.changed()
	o := c.s.renderApp(a, false)
	o["@odata.type"] = "#microsoft.graph.application"
	return c.one("directoryObjects", o), nil
}

// renderApp is a registration as Graph shows it. The certificates themselves
// come only where a client selected keyCredentials.
func (s *Server) renderApp(a *application, withKeys bool) map[string]any {
	o := map[string]any{
		"id": a.ID, "appId": a.AppID, "displayName": a.DisplayName, "signInAudience": a.SignInAudience,
		"createdDateTime": a.Created.Format(stamp), "deletedDateTime": nil, "publisherDomain": s.cfg.Domain,
		"uniqueName": nil, "description": nil, "notes": nil, "identifierUris": []string{}, "tags": []string{}, "appRoles": []any{},
		"isFallbackPublicClient": nil, "requiredResourceAccess": a.required(),
		"web": map[string]any{"redirectUris": nonNil(a.Web.RedirectURIs), "homePageUrl": a.Web.HomePageURL, "logoutUrl": a.Web.LogoutURL,
			"implicitGrantSettings": map[string]any{"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false}},
		"passwordCredentials": renderPasswords(a.Passwords), "keyCredentials": renderKeys(a.Keys, withKeys),
	}
	if a.UniqueName != "" {
		o["uniqueName"] = a.UniqueName
	}
	if a.OwnerApp != "" {
		o["createdByAppId"] = a.OwnerApp
	}
	if a.Deleted != nil {
		o["deletedDateTime"] = a.Deleted.Format(stamp)
	}
	for k, v := range a.Other {
		o[k] = v
	}
	return o
}

func (a *application) required() []resourceAccess {
	if a.Required == nil {
		return []resourceAccess{}
	}
	return a.Required
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
