package microsoft

import (
	"fmt"
	"strings"
)

// GraphAppID is the application ID of Microsoft Graph in every tenant.
const GraphAppID = "00000003-0000-0000-c000-000000000000"

const (
	graphResource     = "https://graph.microsoft.com"
	connectorResource = "https://connector.rave.microsoft.com"
)

// permission is one permission of Microsoft Graph (Microsoft Graph permissions
// reference). An empty ID means that there is no such form.
type permission struct {
	value, role, scope string
	user               bool // a user may consent to the delegated form
}

var graphPermissions = []permission{
	{value: "ServiceHealth.Read.All", role: "79c261e0-fe76-4144-aad5-bdc68fbe4037", scope: "55896846-df78-47a7-aa94-8d3d4442ca7f"},
	{value: "ServiceMessage.Read.All", role: "1b620472-6534-4fe6-9df2-4680e8aa28ec", scope: "eda39fa6-f8cf-4c3c-a909-432c683e4c9b"},
	{value: "ServiceMessageViewpoint.Write", scope: "636e1b0b-1cc2-4b1c-9aa9-4eeed9b9761b"},
	{value: "Application.ReadWrite.OwnedBy", role: "18a4783c-866b-4cc7-a460-3d5e5662c884"},
	{value: "Application.ReadWrite.All", role: "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", scope: "bdfbf15f-ee85-4955-8675-146e8e5296b5"},
	{value: "Application.Read.All", role: "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", scope: "c79f8feb-a9db-4090-85f9-90d820caa0eb"},
	{value: "AppRoleAssignment.ReadWrite.All", role: "06b708a9-e830-4db3-a914-8e69da51d44f", scope: "84bccea3-f856-4a8a-967b-dbe0a3d53a64"},
	{value: "DelegatedPermissionGrant.ReadWrite.All", role: "8e8e4742-1d95-4f68-9d56-6ee75648c72a", scope: "41ce6ca6-6826-4807-84f1-1c82854f7ee5"},
	{value: "RoleManagement.Read.Directory", role: "483bed4a-2ad3-4361-a73b-c83ccdbdc53c", scope: "741c54c3-0c1e-44a1-818b-3f97ab4e8c83"},
	{value: "Directory.Read.All", role: "7ab1d382-f21e-4acd-a863-ba3e13f7da61", scope: "06da0dbc-49e2-44d2-8312-53f166ab848a"},
	{value: "Policy.Read.All", role: "246dd0d5-5bd0-4def-940b-0421030a5b68", scope: "572fea84-0151-49b2-9301-11cb16974376"},
	{value: "Organization.Read.All", role: "498476ce-e0fe-48b0-b801-37ba7e2685c6", scope: "4908d5b9-3fb2-4b1e-9336-1888b7937185"},
	{value: "User.Read.All", role: "df021288-bdef-4463-88db-98f22de89214", scope: "a154be20-db9c-4678-8ab7-66f6cc099a59"},
	{value: "User.ReadBasic.All", role: "97235f07-e226-4f63-ace3-39588e11d3a1", scope: "b340eb25-3456-403f-be2f-af7a0d370277", user: true},
	{value: "User.Read", scope: "e1fe6dd8-ba31-4d61-89e7-88639da4683d", user: true},
	{value: "openid", scope: "37f7f235-527c-4136-accd-4a02d197296e", user: true},
	{value: "profile", scope: "14dad69e-099b-42c9-810b-d002981feec1", user: true},
	{value: "email", scope: "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", user: true},
	{value: "offline_access", scope: "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", user: true},
}

func permissionByID(id, kind string) (permission, bool) {
	for _, p := range graphPermissions {
		if (kind == "Role" && p.role != "" && strings.EqualFold(p.role, id)) ||
			(kind == "Scope" && p.scope != "" && strings.EqualFold(p.scope, id)) {
			return p, true
		}
	}
	return permission{}, false
}

// permissionByName finds the permission of that value in the given form
// ("Role" or "Scope").
func permissionByName(value, kind string) (permission, error) {
	for _, p := range graphPermissions {
		if strings.EqualFold(p.value, value) && ((kind == "Role" && p.role != "") || (kind == "Scope" && p.scope != "")) {
			return p, nil
		}
	}
	return permission{}, fmt.Errorf("microsoft graph has no %s permission %q that this simulator knows", strings.ToLower(kind), value)
}

func (p permission) id(kind string) string {
	if kind == "Role" {
		return p.role
	}
	return p.scope
}
