package microsoft

// What each operation asks for (Microsoft Graph permissions reference): the
// least privileged permission and those that include it.
var (
	appsRead = permit{
		app:   []string{"Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.Read.All"},
		scope: []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"}}
	appsWrite = permit{
		app:   []string{"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"},
		scope: []string{"Application.ReadWrite.All"}}
	assignmentsRead = permit{
		app:   []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"},
		scope: []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"}}
	assignmentsWrite = permit{
		app:   []string{"AppRoleAssignment.ReadWrite.All+Application.Read.All", "AppRoleAssignment.ReadWrite.All+Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All+Directory.Read.All"},
		scope: []string{"AppRoleAssignment.ReadWrite.All+Application.Read.All", "AppRoleAssignment.ReadWrite.All+Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All+Directory.Read.All"},
		roles: consentsToGraph}
	assignmentsDelete = permit{
		app: []string{"AppRoleAssignment.ReadWrite.All"}, scope: []string{"AppRoleAssignment.ReadWrite.All"}, roles: consentsToGraph}
	grantsRead = permit{
		app:   []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All"},
		scope: []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All"}}
	grantsWrite = permit{
		app: []string{"DelegatedPermissionGrant.ReadWrite.All"}, scope: []string{"DelegatedPermissionGrant.ReadWrite.All"}, roles: consentsToScopes}
	organizationRead = permit{
		app:   []string{"Organization.Read.All", "Directory.Read.All"},
		scope: []string{"User.Read", "Organization.Read.All", "Directory.Read.All"}}
	selfRead  = permit{scope: []string{"User.Read", "User.ReadBasic.All", "User.Read.All", "Directory.Read.All"}}
	usersRead = permit{
		app:   []string{"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"},
		scope: []string{"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"}}
	membersRead = permit{
		app:   []string{"User.Read.All", "Directory.Read.All"},
		scope: []string{"User.Read", "User.Read.All", "Directory.Read.All"}}
	rolesRead = permit{
		app:   []string{"RoleManagement.Read.Directory", "Directory.Read.All"},
		scope: []string{"RoleManagement.Read.Directory", "Directory.Read.All"}}
	policyRead = permit{
		app: []string{"Policy.Read.All"}, scope: []string{"Policy.Read.All"}, roles: readsPolicies}
	healthRead = permit{
		app: []string{"ServiceHealth.Read.All"}, scope: []string{"ServiceHealth.Read.All"}, roles: readsHealth}
	messagesRead = permit{
		app: []string{"ServiceMessage.Read.All"}, scope: []string{"ServiceMessage.Read.All"}, roles: readsMessages}
)

var operations []operation

func init() { // a function, because the handlers lead back to the table
	operations = []operation{
		{"GET", "applications", appsRead, (*call).listApps},
		{"POST", "applications", appsWrite, (*call).createApp},
		{"GET", "applications/*", appsRead, (*call).getApp},
		{"PATCH", "applications/*", appsWrite, (*call).patchApp},
		{"DELETE", "applications/*", appsWrite, (*call).deleteApp},
		{"POST", "applications/*/addPassword", appsWrite, (*call).addPassword},
		{"POST", "applications/*/removePassword", appsWrite, (*call).removePassword},
		{"GET", "applications/*/federatedIdentityCredentials", appsRead, (*call).listFederated},
		{"POST", "applications/*/federatedIdentityCredentials", appsWrite, (*call).createFederated},
		{"DELETE", "applications/*/federatedIdentityCredentials/*", appsWrite, (*call).deleteFederated},
		{"GET", "directory/deletedItems/microsoft.graph.application", appsRead, (*call).listDeleted},
		{"GET", "directory/deletedItems/*", appsRead, (*call).getDeleted},
		{"DELETE", "directory/deletedItems/*", appsWrite, (*call).purgeDeleted},
		{"POST", "directory/deletedItems/*/restore", appsWrite, (*call).restoreDeleted},
		{"GET", "servicePrincipals", appsRead, (*call).listPrincipals},
		{"POST", "servicePrincipals", appsWrite, (*call).createPrincipal},
		{"GET", "servicePrincipals/*", appsRead, (*call).getPrincipal},
		{"PATCH", "servicePrincipals/*", appsWrite, (*call).patchPrincipal},
		{"DELETE", "servicePrincipals/*", appsWrite, (*call).deletePrincipal},
		{"GET", "servicePrincipals/*/appRoleAssignedTo", assignmentsRead, (*call).listAssignedTo},
		{"POST", "servicePrincipals/*/appRoleAssignedTo", assignmentsWrite, (*call).createAssignedTo},
		{"DELETE", "servicePrincipals/*/appRoleAssignedTo/*", assignmentsDelete, (*call).deleteAssignedTo},
		{"GET", "servicePrincipals/*/appRoleAssignments", assignmentsRead, (*call).listAssignments},
		{"POST", "servicePrincipals/*/appRoleAssignments", assignmentsWrite, (*call).createAssignments},
		{"DELETE", "servicePrincipals/*/appRoleAssignments/*", assignmentsDelete, (*call).deleteAssignments},
		{"GET", "oauth2PermissionGrants", grantsRead, (*call).listGrants},
		{"POST", "oauth2PermissionGrants", grantsWrite, (*call).createGrant},
		{"DELETE", "oauth2PermissionGrants/*", grantsWrite, (*call).deleteGrant},
		{"GET", "organization", organizationRead, (*call).listOrganization},
		{"GET", "me", selfRead, (*call).getMe},
		{"GET", "me/memberOf", membersRead, (*call).listMyGroups},
		{"GET", "me/transitiveMemberOf", membersRead, (*call).listMyAll},
		{"GET", "me/memberOf/microsoft.graph.directoryRole", membersRead, (*call).listMyRoles},
		{"GET", "me/transitiveMemberOf/microsoft.graph.directoryRole", membersRead, (*call).listMyAllRoles},
		{"GET", "users", usersRead, (*call).listUsers},
		{"GET", "users/*", usersRead, (*call).getUser},
		{"GET", "users/*/memberOf", membersRead, (*call).listGroups},
		{"GET", "users/*/transitiveMemberOf", membersRead, (*call).listAll},
		{"GET", "users/*/memberOf/microsoft.graph.directoryRole", membersRead, (*call).listRoles},
		{"GET", "users/*/transitiveMemberOf/microsoft.graph.directoryRole", membersRead, (*call).listAllRoles},
		{"GET", "directoryRoles", rolesRead, (*call).listDirectoryRoles},
		{"GET", "directoryRoles/*/members", rolesRead, (*call).listRoleMembers},
		{"GET", "roleManagement/directory/roleAssignments", rolesRead, (*call).listRoleAssignments},
		{"GET", "roleManagement/directory/roleDefinitions", rolesRead, (*call).listRoleDefinitions},
		{"GET", "policies/defaultAppManagementPolicy", policyRead, (*call).getPolicy},
		{"GET", "admin/serviceAnnouncement", healthRead, (*call).getAnnouncements},
		{"GET", "admin/serviceAnnouncement/healthOverviews", healthRead, (*call).listOverviews},
		{"GET", "admin/serviceAnnouncement/healthOverviews/*", healthRead, (*call).getOverview},
		{"GET", "admin/serviceAnnouncement/healthOverviews/*/issues", healthRead, (*call).overviewIssues},
		{"GET", "admin/serviceAnnouncement/issues", healthRead, (*call).listIssues},
		{"GET", "admin/serviceAnnouncement/issues/*", healthRead, (*call).getIssue},
		{"GET", "admin/serviceAnnouncement/issues/*/incidentReport", healthRead, (*call).incidentReport},
		{"GET", "admin/serviceAnnouncement/messages", messagesRead, (*call).listMessages},
		{"GET", "admin/serviceAnnouncement/messages/*", messagesRead, (*call).getMessage},
		{"GET", "admin/serviceAnnouncement/messages/*/attachments", messagesRead, (*call).listAttachments},
		{"GET", "admin/serviceAnnouncement/messages/*/attachments/*", messagesRead, (*call).getAttachment},
	}
}
