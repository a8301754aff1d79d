package setup

import (
	"strings"

	"keyturn/bot"
)

func outboundID(c Context) string {
	if id := c.Fact("sn.step6.client_id"); id != "" {
		return id
	}
	return c.Fact(FactEntraClientID)
}

func repositoryID(c Context) string {
	if id := c.Fact("sn.step6.repository"); id != "" {
		return id
	}
	return c.Fact("sn.repository")
}

// m365Verify is the Microsoft 365 admin's own look at the three values.
func m365Verify() Spec {
	return Spec{
		ID: StepM365Verify, Title: "Verify the three values", Role: bot.M365Admin, Minutes: 3, NoSkip: true,
		What:    "The Microsoft 365 admin compares the values with the wizard's page, with the ServiceNow admin beside them or on a shared screen.",
		Trap:    "You decide which application may act for your tenant. Compare with the page itself, not with what somebody typed.",
		Undo:    "Nothing is written.",
		IfWaits: "The wizard's page stays open, and the ServiceNow admin waits.",
		Guided: &Guided{
			Word: "They match",
			Do: func(c Context) []bot.Text {
				return do("Look at the wizard's last page with the ServiceNow admin.", "Compare each value below, character by character.", c.Fact("sn.endpoint.note"), "Tick each one that matches.")
			},
			Copy: func(c Context) []bot.Copy {
				return []bot.Copy{{Label: "Outbound App ID", Value: outboundID(c)}, {Label: "Repository ID", Value: repositoryID(c)}, {Label: "Endpoint", Value: c.Fact("sn.endpoint")}}
			},
			Leave: "Nobody presses Next (2.x: Test setup) yet.",
			Ask: func(Context) []bot.Input {
				return []bot.Input{
					{Name: "outbound", Label: "Outbound App ID matches", Kind: bot.Tick},
					{Name: "repository", Label: "Repository ID matches", Kind: bot.Tick},
					{Name: "endpoint", Label: "Endpoint matches", Kind: bot.Tick},
				}
			},
			Accept: func(_ Context, in map[string]string) (map[string]string, map[string]string) {
				wrong := map[string]string{}
				for _, name := range []string{"outbound", "repository", "endpoint"} {
					if in[name] != "yes" {
						wrong[name] = "If it does not match, stop here: ask the ServiceNow admin to read the page out again."
					}
				}
				if len(wrong) > 0 {
					return nil, wrong
				}
				return map[string]string{"m365.verified": "yes"}, nil
			},
		},
	}
}

// m365Basic is the panel's first half: tool and application ID.
func m365Basic() Spec {
	return Spec{
		ID: StepM365Basic, Title: "Admin center: basic information", Role: bot.M365Admin, Minutes: 3,
		What:    "The Microsoft 365 admin enters the support tool and the application ID in the admin center.",
		Trap:    "The field takes the application ID. The client secret never belongs there; some releases call the field “Application ID to issue OAuth token”.",
		Undo:    "The same panel removes it.",
		IfWaits: "The wizard's page stays open, and its test fails.",
		Guided: &Guided{
			Word: "I saved it",
			Link: func(c Context) (string, string) { return "Org settings > Organization profile", orgSettings(c) },
			Do: always(
				"Organization profile > Support integration > Basic information.",
				"Internal support tool: ServiceNow.",
				"Enter the application ID below, and save.",
				"Bring back what the field shows after saving.",
			),
			Copy: func(c Context) []bot.Copy {
				return []bot.Copy{{Label: "Application ID to issue Auth Token", Value: outboundID(c)}}
			},
			Leave: "Do NOT enter a client secret anywhere in the admin center.",
			Ask: func(Context) []bot.Input {
				return []bot.Input{{Name: "application", Label: "Application ID", Hint: "As the field shows it after saving", Kind: bot.Line, Max: 100}}
			},
			Accept: func(c Context, in map[string]string) (map[string]string, map[string]string) {
				id := strings.TrimSpace(in["application"])
				switch {
				case looksSecret(id):
					return nil, map[string]string{"application": secretTyped}
				case !isGUID(id):
					return nil, map[string]string{"application": "That is no application ID: it looks like 00000000-0000-0000-0000-000000000000."}
				case !strings.EqualFold(id, outboundID(c)):
					return nil, map[string]string{"application": "That is another application than the one that was made for ServiceNow. Enter " + outboundID(c) + " and save again."}
				}
				return map[string]string{"m365.application": id}, nil
			},
		},
	}
}

// m365Repository is the panel's second half: the repository.
func m365Repository() Spec {
	return Spec{
		ID: StepM365Repository, Title: "Admin center: repository", Role: bot.M365Admin, Minutes: 4,
		What:    "The Microsoft 365 admin adds the repository with its endpoint in the admin center.",
		Trap:    "The last three fields must not be empty and are not used: “ignored” is what Microsoft's guide enters. Real credentials do not belong there.",
		Undo:    "The same panel deletes the repository.",
		IfWaits: "The wizard's page stays open, and its test fails.",
		Guided: &Guided{
			Word: "I saved it",
			Link: func(c Context) (string, string) { return "Org settings > Organization profile", orgSettings(c) },
			Do: always(
				"Support integration > Repositories > New repository.",
				"Enter the values below, each in the field of the same name.",
				"Authentication type: AAD Auth, not Basic Auth.",
				"Save, and bring back what the list of repositories shows.",
			),
			Copy: func(c Context) []bot.Copy {
				return []bot.Copy{
					{Label: "Repository", Value: repositoryID(c)}, {Label: "Endpoint", Value: c.Fact("sn.endpoint")},
					{Label: "Authentication type", Value: "AAD Auth"}, {Label: "Client ID", Value: "ignored"},
					{Label: "Rest username", Value: "ignored"}, {Label: "Rest user password", Value: "ignored"},
				}
			},
			Ask: func(Context) []bot.Input {
				return []bot.Input{
					{Name: "repository", Label: "Repository", Hint: "As the list shows it after saving", Kind: bot.Line, Max: 100},
					{Name: "endpoint", Label: "Endpoint", Hint: "As the list shows it after saving", Kind: bot.Line, Max: 300},
					{Name: "auth", Label: "Authentication type", Kind: bot.Choice, Options: []bot.Option{{Value: "aad", Label: "AAD Auth"}, {Value: "basic", Label: "Basic Auth"}}},
				}
			},
			Accept: func(c Context, in map[string]string) (map[string]string, map[string]string) {
				wrong := map[string]string{}
				for name, want := range map[string]string{"repository": repositoryID(c), "endpoint": c.Fact("sn.endpoint")} {
					got := strings.TrimSpace(in[name])
					if why := plainText(got); why != "" {
						wrong[name] = why
					} else if got == "" {
						wrong[name] = "Enter what the list shows."
					} else if want != "" && got != want {
						wrong[name] = "The wizard has “" + want + "”. Edit the repository so that both are the same, character by character."
					}
				}
				if in["auth"] != "aad" {
					wrong["auth"] = "Choose AAD Auth in the admin center: with Basic Auth the connector would ask for a user that does not exist."
				}
				if len(wrong) > 0 {
					return nil, wrong
				}
				return map[string]string{"m365.repository": strings.TrimSpace(in["repository"])}, nil
			},
		},
	}
}
