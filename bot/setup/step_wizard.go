package setup

import (
	"net/url"
	"strings"

	"keyturn/bot"
)

// ready asks one side of the wizard's hour whether it is ready.
func ready(id StepID, role bot.Role, other string, also ...string) Spec {
	return Spec{
		ID: id, Title: "Ready for the wizard (" + role.Title() + ")", Role: role, Minutes: 1,
		What:    "The wizard is one page left open, about 20 minutes together. It starts when both admins have said that they are ready.",
		Trap:    "Left half-way, the wizard shows its users “Please contact your ServiceNow admin and ask them to complete the setup steps for the app.”",
		Undo:    "Nothing happens before both are ready.",
		IfWaits: "The other admin waits for you.",
		Guided: &Guided{Word: "I am ready", Do: always(append([]string{
			"Agree on a time with " + other + ": about 20 minutes, both at their desks.",
		}, also...)...)},
	}
}

func readyServiceNow() Spec {
	return ready(StepReadyServiceNow, bot.ServiceNowAdmin, "the Microsoft 365 admin",
		"Have Setup open in the app's scope.", "Choose [I am ready] when you can begin.")
}

func readyM365() Spec {
	return ready(StepReadyM365, bot.M365Admin, "the ServiceNow admin",
		"Have the role active: Helpdesk Administrator, Service Support Administrator or Global Administrator.",
		"Have the admin center open at Org settings > Organization profile.", "Choose [I am ready] when you can begin.")
}

func proposedRepository(c Context) string {
	if r := c.Fact("sn.repository"); r != "" {
		return r
	}
	return "keyturn-" + label(c.Run.Instance)
}

// wizard is the app's Setup, up to the page that must stay open.
func wizard() Spec {
	return Spec{
		ID: StepWizard, Title: "The app's wizard, up to its last page", Role: bot.ServiceNowAdmin, Minutes: 10,
		What:    "Walks through Setup in the version that was found, and stops on the last page.",
		Trap:    "The inbound parts are skipped on purpose: service health and recommended solutions need none. Whoever presses Agree accepts Microsoft's terms for the organisation; their name is recorded.",
		Undo:    "The wizard can be walked through again from its first page.",
		IfWaits: "The Microsoft 365 admin waits for three values from its last page.",
		Guided: &Guided{
			Word: "I am on the last page",
			Link: func(c Context) (string, string) { return "ServiceNow", portal(c, "servicenow") },
			Do: func(c Context) []bot.Text {
				if wizardMajor(c) == 2 {
					return do(
						"Microsoft 365 Support > Setup: read the terms and press Agree.",
						"Tick “This is a test environment”, then press Start setup, not “Continue without any setup”.",
						"Enter the tenant's domain below.",
						"The page about the Microsoft Entra (AAD) app: it exists already, go on.",
						"Choose the ServiceNow OAuth application below.",
						"Stop on the page that shows the values to verify, and leave it open.",
					)
				}
				return do(
					"Microsoft 365 Support > Setup: read the terms and press Agree.",
					"Outbound OAuth Provider: choose the profile below.",
					"Inbound OAuth Provider: tick Skip current step.",
					"Inbound integration user: tick Skip current step.",
					"Repository ID: enter the value below, or your own.",
					"Application Settings: SSO with Microsoft 365 only if the instance signs in with it, the admin e-mail, and tick Test Environment.",
					"Stop on “Complete the Integration” (Step 6), and leave it open.",
				)
			},
			Copy: func(c Context) []bot.Copy {
				profile := c.Fact("sn.oauth_profile_name")
				if profile == "" {
					profile = nameProvider
				}
				if wizardMajor(c) == 2 {
					return []bot.Copy{{Label: "Tenant domain", Value: c.Tenant.Domain}, {Label: "ServiceNow OAuth application", Value: nameProvider}}
				}
				return []bot.Copy{{Label: "Outbound OAuth Provider", Value: profile}, {Label: "Repository ID", Value: proposedRepository(c)}}
			},
			Leave: "Do NOT press Next (2.x: Test setup) yet. The Microsoft 365 admin has to enter the values first.",
			Ask:   askWizard, Accept: acceptWizard,
		},
	}
}

func askWizard(c Context) []bot.Input {
	test := bot.Input{Name: "test", Label: "Test Environment is ticked", Hint: "It keeps Microsoft's agents from contacting you until you go live", Kind: bot.Tick}
	if wizardMajor(c) == 2 {
		return []bot.Input{test}
	}
	return []bot.Input{
		{Name: "repository", Label: "Repository ID", Hint: "The Microsoft 365 admin enters exactly this", Kind: bot.Line, Values: []string{proposedRepository(c)}, Max: 100},
		{Name: "sso", Label: "SSO with Microsoft 365", Hint: "What you chose", Kind: bot.Choice, Values: []string{"no"}, Options: []bot.Option{{Value: "no", Label: "Off"}, {Value: "yes", Label: "On"}}},
		{Name: "email", Label: "Microsoft 365 admin email", Hint: "What you entered; Microsoft writes there", Kind: bot.Line, Max: 200},
		test,
	}
}

func acceptWizard(c Context, in map[string]string) (map[string]string, map[string]string) {
	wrong := map[string]string{}
	facts := map[string]string{"sn.test_environment": "yes"}
	if in["test"] != "yes" {
		wrong["test"] = "Tick Test Environment in the wizard: otherwise Microsoft's agents may contact people before the setup works. The last step of this guide unticks it."
	}
	if wizardMajor(c) == 1 {
		repository := strings.TrimSpace(in["repository"])
		if why := plainText(repository); why != "" {
			wrong["repository"] = why
		} else if repository == "" {
			wrong["repository"] = "The wizard does not go on without a Repository ID. Enter the one that it has."
		} else if isGUID(repository) && strings.EqualFold(repository, c.Fact(FactEntraClientID)) {
			wrong["repository"] = "That is the Outbound App ID. The Repository ID is the name that you gave on its own page."
		}
		email := strings.TrimSpace(in["email"])
		if why := plainText(email); why != "" {
			wrong["email"] = why
		} else if !isEmail(email) {
			wrong["email"] = "That is not an e-mail address: write it as name@" + c.Tenant.Domain + "."
		}
		if in["sso"] != "yes" && in["sso"] != "no" {
			wrong["sso"] = "Choose on or off."
		}
		facts["sn.repository"], facts["sn.sso"], facts["sn.admin_email"] = repository, in["sso"], email
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return facts, nil
}

// readBack is Step 6: what the page says, compared with what is known.
func readBack() Spec {
	return Spec{
		ID: StepReadBack, Title: "Read out the wizard's last page", Role: bot.ServiceNowAdmin, Minutes: 3, NoSkip: true,
		What:    "The ServiceNow admin reads out Outbound App ID, Repository ID and Endpoint; I compare them with what was made.",
		Trap:    "A wrong Outbound App ID means that the wizard was given the wrong OAuth profile. It shows up here, and nowhere else before the test fails.",
		Undo:    "Nothing is written.",
		IfWaits: "The Microsoft 365 admin has nothing to enter, and the page stays open.",
		Guided: &Guided{
			Word:  "Enter the three values",
			Do:    always("Copy each value from the page “Complete the Integration” (2.x: the page to verify).", "Leave the page open."),
			Leave: "Do NOT press Next (2.x: Test setup) yet.",
			Ask: func(Context) []bot.Input {
				return []bot.Input{
					{Name: "outbound", Label: "Outbound App ID", Hint: "An ID, never a secret", Kind: bot.Line, Max: 100},
					{Name: "repository", Label: "Repository ID", Hint: "As the page shows it", Kind: bot.Line, Max: 100},
					{Name: "endpoint", Label: "Endpoint", Hint: "The whole address", Kind: bot.Line, Max: 300},
				}
			},
			Accept: acceptReadBack,
		},
	}
}

func acceptReadBack(c Context, in map[string]string) (map[string]string, map[string]string) {
	wrong := map[string]string{}
	outbound, repository, endpoint := strings.TrimSpace(in["outbound"]), strings.TrimSpace(in["repository"]), strings.TrimSpace(in["endpoint"])
	if why := wrongClient(c, outbound); why != "" {
		wrong["outbound"] = why
	}
	known := c.Fact("sn.repository")
	switch why := plainText(repository); {
	case why != "":
		wrong["repository"] = why
	case repository == "":
		wrong["repository"] = "Enter the Repository ID that the page shows."
	case known != "" && repository != known:
		wrong["repository"] = "You entered “" + known + "” in the wizard, and the page shows another value. Look again; the wizard can be walked back to that page."
	}
	u, err := url.Parse(endpoint)
	switch why := plainText(endpoint); {
	case why != "":
		wrong["endpoint"] = why
	case err != nil || u.Scheme != "https" || u.Host == "":
		wrong["endpoint"] = "The Endpoint is an address that begins with https://."
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	facts := map[string]string{"sn.step6.client_id": outbound, "sn.step6.repository": repository, "sn.endpoint": endpoint}
	if !strings.EqualFold(u.Hostname(), c.Run.Instance) {
		facts["sn.endpoint.note"] = "The Endpoint is on " + u.Hostname() + ", not on " + c.Run.Instance + ". That may be right; ask the ServiceNow admin once."
	}
	return facts, nil
}

// wrongClient says what is wrong with a value that should be the client ID of
// the registration, or "". It never repeats a value that may be a secret.
func wrongClient(c Context, s string) string {
	known := c.Fact(FactEntraClientID)
	switch {
	case s == "":
		return "Enter the ID that the page shows."
	case looksSecret(s):
		return secretTyped
	case !isGUID(s):
		return "That is no application ID: it looks like 00000000-0000-0000-0000-000000000000."
	case known != "" && !strings.EqualFold(s, known):
		return "That is another application: the wizard's step for the outbound provider chose the wrong OAuth profile. Go back there, choose “" + c.Fact("sn.oauth_profile_name") + "”, and read the page again."
	}
	return ""
}
