package setup

// The steps, by the code of the part they belong to. IDs are stored in runs:
// a step may be retired, its ID never means something else.
const (
	StepBefore           StepID = "before"
	StepSignInEntra      StepID = "signin-entra"
	StepSignInServiceNow StepID = "signin-servicenow"

	StepPreflight       StepID = "preflight"
	StepPreflightPanel  StepID = "preflight-panel"
	StepEntraApp        StepID = "entra-app"
	StepEntraSecret     StepID = "entra-secret"
	StepOAuth           StepID = "sn-oauth"
	StepCrossScope      StepID = "sn-crossscope"
	StepScope           StepID = "sn-scope"
	StepReadyServiceNow StepID = "ready-servicenow"
	StepReadyM365       StepID = "ready-m365"
	StepWizard          StepID = "sn-wizard"
	StepReadBack        StepID = "sn-step6"
	StepM365Verify      StepID = "m365-verify"
	StepM365Basic       StepID = "m365-basic"
	StepM365Repository  StepID = "m365-repository"
	StepFinish          StepID = "sn-finish"
	StepRoles           StepID = "sn-roles"
	StepGoLive          StepID = "golive"

	StepReaderApp     StepID = "reader-app"
	StepReaderConsent StepID = "reader-consent"
	StepUnattended    StepID = "sn-unattended"
	StepMapping       StepID = "sn-mapping"
	StepIncidents     StepID = "sn-incidents"

	// StepChannels makes subscriptions and a test message, StepRecord closes
	// the run: the engine does both, no outside call belongs to them.
	StepChannels StepID = "channels"
	StepRecord   StepID = "record"

	StepDiscoverEntra      StepID = "discover-entra"
	StepDiscoverServiceNow StepID = "discover-servicenow"
	StepChooseEntra        StepID = "choose-entra"
	StepChooseServiceNow   StepID = "choose-servicenow"
	StepM365Remove         StepID = "m365-remove"
	StepRolesRemove        StepID = "sn-roles-remove"
	StepUserRemove         StepID = "sn-user-remove"
	StepOAuthRemove        StepID = "sn-oauth-remove"
	StepFlagsRestore       StepID = "sn-flags-restore"
	StepAppRemove          StepID = "sn-app-remove"
	StepSecretsRemove      StepID = "entra-secrets-remove"
	StepAppsRemove         StepID = "entra-apps-remove"

	StepRotateLook   StepID = "rotate-look"
	StepRotateReader StepID = "rotate-reader"
	StepRotateUse    StepID = "rotate-use"
	StepRotateRemove StepID = "rotate-remove"
	StepRotateEntry  StepID = "rotate-entry-remove"
)

// Facts that the engine and other parts read by name. The rest stay between
// the steps that make and use them.
const (
	FactReaderClientID = "reader.client_id" // client ID of the health reader registration
	FactReaderMessages = "reader.messages"  // "yes" where message center posts may be read

	FactEntraClientID  = "entra.client_id" // client ID of the registration for ServiceNow
	FactEntraSecretEnd = "entra.secret.until"

	FactServiceNowClientID = "sn.client_id" // of the registry entry for unattended work
	FactServiceNowUser     = "sn.user"      // sys_id of the user for unattended work

	FactIncidentGroup       = "incident.assignment_group" // sys_id
	FactIncidentCaller      = "incident.caller_id"        // sys_id
	FactIncidentCategory    = "incident.category"
	FactIncidentSubcategory = "incident.subcategory"
	FactIncidentCloseCode   = "incident.close_code"
	FactIncidentPriority    = "incident.priority_cap" // the most urgent priority to use, "1" to "5"
	FactIncidentResolve     = "incident.auto_resolve" // "yes" or "no"
	FactIncidentColumns     = "incident.columns"      // JSON object: further column -> value
	FactIncidentServices    = "incident.services"     // JSON object: service -> {group, ci} as sys_ids
	FactIncidentCancelled   = "incident.state.cancelled"

	FactPanel = "m365.panel" // "yes", or "no" where the Support integration panel is gone
)

// Options of the start form that steps read.
const (
	OptionSecretMonths = "secret_months"  // life of the client secret, 1 to 24; default 12
	OptionMessages     = "message_center" // "no": the health reader does not ask for message center posts
	OptionReader       = "reader"         // "new": make a reader although the configuration has one
	OptionUsers        = "insights_users" // user names, with commas
	OptionGroup        = "insights_group" // group name
	OptionChannel      = "channel"        // where incidents go
	OptionCleanup      = "cleanup"        // "connector", "direct" or "" for everything
	OptionRotate       = "rotate"         // the inventory's key of the credential to replace
	OptionUnattended   = "unattended"     // "yes": the tenant has a sign-in for unattended work from an earlier run
)

// UniqueReader is the tenant-wide natural key of the health reader
// registration.
const UniqueReader = "keyturn-health-reader"

const (
	nameReader     = "Keyturn service health reader"
	nameConnector  = "ServiceNow M365 support integration"
	nameProvider   = "Microsoft 365 support integration (outbound)"
	nameUnattended = "Keyturn unattended"
	userUnattended = "keyturn.integration"

	connectorHost = "connector.rave.microsoft.com"
	appScope      = "x_mioms_m365_assis"
	roleInsights  = appScope + ".insights_user"
	roleManage    = appScope + ".administrator"

	grantProperty = "glide.oauth.inbound.client.credential.grant_type.enabled"

	retirement = "Microsoft says that it shut this connector down on 2025-05-30"
)

// Identifiers of Microsoft Graph's permissions, from Microsoft's permissions
// reference.
const (
	graphAppID         = "00000003-0000-0000-c000-000000000000"
	roleServiceHealth  = "79c261e0-fe76-4144-aad5-bdc68fbe4037"
	roleServiceMessage = "1b620472-6534-4fe6-9df2-4680e8aa28ec"
	scopeUserRead      = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
)

// Permission is a delegated permission that Keyturn's own sign-in
// registration lists.
type Permission struct {
	Name, ID, Why string
	Optional      bool
}

// SignInPermissions lists the delegated Microsoft Graph permissions of the
// sign-in registration. Every call runs with the approver's own rights: none
// of them widens what a person may do.
func SignInPermissions() []Permission {
	return []Permission{
		{Name: "User.Read", ID: scopeUserRead, Why: "signs a person in; their token says which of their directory roles are active"},
		{Name: "Application.ReadWrite.All", ID: "bdfbf15f-ee85-4955-8675-146e8e5296b5", Why: "the registrations that a plan shows, made as the approver"},
		{Name: "Policy.Read.All", ID: "572fea84-0151-49b2-9301-11cb16974376", Optional: true, Why: "asks whether the tenant allows client secrets before one is made"},
	}
}

// UniqueConnector is the natural key of the registration that a ServiceNow
// instance uses.
func UniqueConnector(instance string) string {
	return "keyturn-servicenow-" + dashed(instance)
}

// SecretName is the display name of the credentials that a run makes.
func SecretName(run string) string { return "keyturn-" + run }
