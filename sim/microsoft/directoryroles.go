package microsoft

import (
	"fmt"
	"slices"
	"strings"
)

// Directory role template IDs (Microsoft Entra, "Microsoft Entra built-in roles").
const (
	GlobalAdministrator           = "62e90394-69f5-4237-9190-012177145e10"
	PrivilegedRoleAdministrator   = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	ApplicationAdministrator      = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	CloudApplicationAdministrator = "158c047a-c907-4556-b7ef-446551a6b5f7"
	ApplicationDeveloper          = "cf1c38e5-3621-4004-a7cb-879624dced7c"
	ServiceSupportAdministrator   = "f023fd81-a637-4b56-95fd-791ac0226033"
	HelpdeskAdministrator         = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	GlobalReader                  = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	MessageCenterReader           = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"
	MessageCenterPrivacyReader    = "ac16e43d-7b2d-40e0-ac05-243ff356ab5b"
	ReportsReader                 = "4a5d8f65-41da-4de4-8968-e035b65339cf"
)

type directoryRole struct{ template, name string }

var directoryRoles = []directoryRole{
	{GlobalAdministrator, "Global Administrator"},
	{PrivilegedRoleAdministrator, "Privileged Role Administrator"},
	{ApplicationAdministrator, "Application Administrator"},
	{CloudApplicationAdministrator, "Cloud Application Administrator"},
	{ApplicationDeveloper, "Application Developer"},
	{ServiceSupportAdministrator, "Service Support Administrator"},
	{HelpdeskAdministrator, "Helpdesk Administrator"},
	{GlobalReader, "Global Reader"},
	{MessageCenterReader, "Message Center Reader"},
	{MessageCenterPrivacyReader, "Message Center Privacy Reader"},
	{ReportsReader, "Reports Reader"},
}

// Who may do what. Graph application permissions are consented by the first
// two only (Microsoft Entra, "Grant tenant-wide admin consent").
var (
	consentsToGraph  = []string{GlobalAdministrator, PrivilegedRoleAdministrator}
	managesApps      = []string{GlobalAdministrator, ApplicationAdministrator, CloudApplicationAdministrator}
	createsApps      = append(slices.Clone(managesApps), ApplicationDeveloper)
	consentsToScopes = append(slices.Clone(managesApps), PrivilegedRoleAdministrator)
	readsPolicies    = append(slices.Clone(consentsToScopes), GlobalReader)
	readsHealth      = []string{GlobalAdministrator, ServiceSupportAdministrator, HelpdeskAdministrator, GlobalReader, ReportsReader}
	readsMessages    = append(slices.Clone(readsHealth), MessageCenterReader, MessageCenterPrivacyReader)
	opensAdminCenter = []string{GlobalAdministrator, ServiceSupportAdministrator, HelpdeskAdministrator}
)

func roleName(template string) string {
	for _, r := range directoryRoles {
		if r.template == template {
			return r.name
		}
	}
	return template
}

func roleNames(templates []string) string {
	names := make([]string, len(templates))
	for i, t := range templates {
		names[i] = roleName(t)
	}
	return strings.Join(names, ", ")
}

// roleTemplate finds a built-in role by template ID or display name.
func roleTemplate(s string) (string, error) {
	for _, r := range directoryRoles {
		if strings.EqualFold(r.template, s) || strings.EqualFold(r.name, s) {
			return r.template, nil
		}
	}
	return "", fmt.Errorf("directory role %q is unknown: use a built-in role's name or template ID", s)
}

func roleTemplates(list []string) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, s := range list {
		t, err := roleTemplate(s)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out, nil
}

func anyOf(have, want []string) bool {
	return slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
}
