package microsoft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// properties is the JSON object of a create or an update.
type properties map[string]json.RawMessage

// Properties of an application that a client may set and that this simulator
// keeps without looking at them.
var keptProperties = []string{"addIns", "api", "appRoles", "authenticationBehaviors", "defaultRedirectUri", "description",
	"groupMembershipClaims", "identifierUris", "info", "isDeviceOnlyAuthSupported", "isDisabled", "isFallbackPublicClient", "logo",
	"nativeAuthenticationApisEnabled", "notes", "oauth2RequirePostResponse", "optionalClaims", "parentalControlSettings", "publicClient",
	"requestSignatureVerification", "samlMetadataUrl", "serviceManagementReference", "servicePrincipalLockConfiguration", "spa", "tags",
	"tokenEncryptionKeyId"}

var readOnlyProperties = []string{"id", "appId", "uniqueName", "publisherDomain", "createdDateTime", "deletedDateTime",
	"applicationTemplateId", "certification", "createdByAppId", "disabledByMicrosoftStatus", "managerApplications", "verifiedPublisher"}

var audiences = []string{"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}

// apply sets an application's properties, all of them or none.
func (s *Server) apply(body properties, target *application) error {
	next := *target
	next.Other = map[string]json.RawMessage{}
	for k, v := range target.Other {
		next.Other[k] = v
	}
	for name, raw := range body {
		if err := s.applyOne(&next, name, raw); err != nil {
			return err
		}
	}
	*target = next
	return nil
}

func (s *Server) applyOne(a *application, name string, raw json.RawMessage) error {
	switch {
	case strings.HasPrefix(name, "@odata."):
		return nil
	case name == "displayName":
		return readName(raw, &a.DisplayName)
	case name == "signInAudience":
		var v string
		if err := strict(raw, &v, name); err != nil {
			return err
		}
		if !slices.Contains(audiences, v) {
			return badRequest("Invalid value specified for property 'signInAudience' of resource 'Application'.")
		}
		a.SignInAudience = v
	case name == "web":
		return readWeb(raw, a)
	case name == "requiredResourceAccess":
		return readRequired(raw, a)
	case name == "keyCredentials":
		return s.readKeys(raw, a)
	case name == "passwordCredentials":
		return s.readPasswords(raw, a)
	case slices.Contains(readOnlyProperties, name):
		return badRequest("Property '" + name + "' is read-only and cannot be set.")
	case slices.Contains(keptProperties, name):
		a.Other[name] = raw
	default:
		return badRequest("Invalid property '" + name + "'.")
	}
	return nil
}

// strict decodes a property and names what does not belong there.
func strict(raw json.RawMessage, v any, name string) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		return nil
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return badRequest("Invalid property '" + strings.Trim(field, `"`) + "'.")
	}
	return badRequest("Invalid value specified for property '" + name + "' of resource 'Application'.")
}

func readName(raw json.RawMessage, into *string) error {
	var v string
	if err := strict(raw, &v, "displayName"); err != nil {
		return err
	}
	if strings.TrimSpace(v) == "" || len(v) > 256 {
		return badRequest("Invalid value specified for property 'displayName' of resource 'Application': 1 to 256 characters are allowed.")
	}
	*into = v
	return nil
}

func readWeb(raw json.RawMessage, a *application) error {
	var v struct {
		RedirectURIs          *[]string         `json:"redirectUris"`
		HomePageURL           *string           `json:"homePageUrl"`
		LogoutURL             *string           `json:"logoutUrl"`
		ImplicitGrantSettings json.RawMessage   `json:"implicitGrantSettings"`
		RedirectURISettings   []json.RawMessage `json:"redirectUriSettings"`
		Type                  string            `json:"@odata.type"`
	}
	if err := strict(raw, &v, "web"); err != nil {
		return err
	}
	if v.RedirectURIs != nil {
		if err := checkRedirects(*v.RedirectURIs); err != nil {
			return err
		}
		a.Web.RedirectURIs = slices.Clone(*v.RedirectURIs)
	}
	if v.HomePageURL != nil {
		a.Web.HomePageURL = v.HomePageURL
	}
	if v.LogoutURL != nil {
		a.Web.LogoutURL = v.LogoutURL
	}
	return nil
}

// checkRedirects holds redirect URIs to Entra's rules: absolute, https except
// on the own machine, no fragment, none twice, at most 256.
func checkRedirects(list []string) error {
	if len(list) > 256 {
		return badRequest("The number of redirect URIs exceeds the limit of 256.")
	}
	for i, text := range list {
		u, err := url.Parse(text)
		local := err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
		switch {
		case err != nil || u.Host == "" || u.Fragment != "" || (u.Scheme != "https" && !local) || len(text) > 256:
			return badRequest(fmt.Sprintf("Invalid value specified for property 'redirectUris' of resource 'Application': '%s' must begin with https or be http://localhost.", text))
		case slices.Contains(list[:i], text):
			return &graphError{status: 400, code: "DuplicateValue", text: "Request contains a property with duplicate values.",
				details: []errorDetail{{"DuplicateValue", "Request contains a property with duplicate values.", "redirectUris"}}}
		}
	}
	return nil
}

func readRequired(raw json.RawMessage, a *application) error {
	var v []resourceAccess
	if err := strict(raw, &v, "requiredResourceAccess"); err != nil {
		return err
	}
	for _, r := range v {
		if !isGUID(r.ResourceAppID) {
			return badRequest("Invalid value specified for property 'resourceAppId' of resource 'RequiredResourceAccess'.")
		}
		for _, x := range r.ResourceAccess {
			if !isGUID(x.ID) || (x.Type != "Role" && x.Type != "Scope") {
				return badRequest("Invalid value specified for property 'resourceAccess' of resource 'Application': id must be a GUID and type Role or Scope.")
			}
		}
	}
	a.Required = v
	return nil
}
