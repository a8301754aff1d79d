package teams

import (
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
)

var since = time.Date(2026, 11, 23, 9, 42, 0, 0, time.UTC)

// scenes are messages as the bot says them, each with what may go wrong in it.
func scenes() map[string]bot.Message {
	who := bot.Account{Platform: bot.Teams, Team: contoso, ID: bob}
	return map[string]bot.Message{
		"checklist": {Key: "run/1", Parts: []bot.Part{
			bot.Heading{Text: "Connect service health to ServiceNow"},
			bot.Pairs{Items: []bot.Pair{
				{Label: "Tenant", Value: bot.T("Contoso")}, {Label: "Instance", Value: bot.C("contoso.service-now.com")},
				{Label: "Progress", Value: bot.T("5 of 12 done")}, {Label: "Waiting for", Value: bot.Join(bot.T("the ServiceNow team since "), bot.When(since, bot.Clock))},
			}},
			bot.Paragraph{Text: bot.Lines(
				bot.T("✅ Registration for ServiceNow · Entra admin · done, read back"),
				bot.T("☑️ Scope switched · ServiceNow admin · confirmed by Dana, no check exists"),
				bot.Join(bot.T("🔵 "), bot.B("OAuth provider"), bot.T(" · waiting for "), bot.Mention(who, "Bob [Ops]")),
				bot.T("⚪ Wizard · ServiceNow admin · open"),
			)},
			bot.Buttons{Items: []bot.Button{
				{Label: "Status", Action: "run.status", Value: "run-1", Says: "Status of the setup for Contoso"},
				{Label: "Nudge", Action: "run.nudge", Value: "run-1"},
				{Label: "Cancel", Action: "run.cancel", Value: "run-1", Style: bot.Danger,
					Confirm: &bot.Confirm{Title: "Cancel this setup?", Text: "Two registrations exist already; you are asked about them next.", Yes: "Cancel it", No: "Keep it"}},
			}},
		}},
		"approval": {Key: "run/1/step/2", Parts: []bot.Part{
			bot.Heading{Text: "Approve: registration for ServiceNow"},
			bot.Paragraph{Text: bot.Join(bot.T("Two calls to "), bot.B("Microsoft Graph"), bot.T(", as "), bot.C("erin.admin@contoso.com"), bot.T(". "), bot.Link("What they change", "https://learn.microsoft.com/graph/api/application-post?view=a&b=1"), bot.T("."))},
			bot.Numbered{Items: []bot.Text{
				bot.T("Make the registration keyturn_servicenow, single tenant."),
				bot.Join(bot.T("Add the redirect URI "), bot.C("https://contoso.service-now.com/oauth_redirect.do"), bot.T(".")),
			}},
			bot.Code{Title: "POST /v1.0/applications", Text: "{\n  \"displayName\": \"Keyturn *for* ServiceNow\",\n  \"note\": \"a < b & `c`\",\n\n  \"secret\": \"[redacted]\"\n}"},
			bot.Buttons{Items: []bot.Button{
				{Label: "Approve and run", Action: "step.approve", Value: "run-1/2/9f3c", Style: bot.Primary},
				{Label: "I did it by hand, check", Action: "step.check", Value: "run-1/2"},
				{Label: "Not me", Action: "step.pass", Value: "run-1/2"},
				{Label: "Reject", Action: "step.reject", Value: "run-1/2"},
			}},
			bot.Note{Text: bot.Join(bot.T("Expires "), bot.When(since.Add(48*time.Hour), bot.DateOnly), bot.T(" · plan "), bot.C("9f3c_2a"), bot.T(" · "), bot.Link("checklist", "https://teams.microsoft.com/l/message/19%3Aops/1(2)"))},
		}},
		"guided": {Key: "run/1/step/7", Parts: []bot.Part{
			bot.Heading{Text: "In the admin center: Support integration"},
			bot.Paragraph{Text: bot.Join(bot.T("Open "), bot.Link("Settings > Org settings > Organization profile", "https://admin.microsoft.com/#/Settings/OrganizationProfile"), bot.T(" and choose Support integration. Do "), bot.B("not"), bot.T(" press Next yet."))},
			bot.Copy{Label: "Application ID to issue Auth Token", Value: "4f1c0f9a-0d52-4a1e-9d0e-1c2b3a4d5e6f"},
			bot.Copy{Label: "Endpoint", Value: "https://contoso.service-now.com/api/x_mioms_o365_assis/_*odd*_<path>"},
			bot.Divider{},
			bot.Buttons{Items: []bot.Button{
				{Label: "Open the admin center", URL: "https://admin.microsoft.com/#/Settings/OrganizationProfile"},
				{Label: "I did it", Action: "step.confirm", Value: "run-1/7", Style: bot.Primary},
			}},
		}},
		"incident": {Key: "incident/EX1", Aloud: true, Parts: []bot.Part{
			bot.Heading{Text: "🔴 Incident · Exchange Online · Users can't send mail to *external* recipients <at>Bob</at>"},
			bot.Paragraph{Text: bot.T("Some users may be unable to send mail with attachments named report_final_v2.docx or *.zip. [Click here](https://evil.example) See {{DATE(2020-01-01T00:00:00Z,SHORT)}} &lt;b&gt;\n\n- not a list\n# not a heading\n1. not a number")},
			bot.Pairs{Items: []bot.Pair{
				{Label: "Status", Value: bot.T("Service degradation")}, {Label: "Since", Value: bot.When(since, bot.DateTime)},
				{Label: "Workaround", Value: bot.T("Use Outlook on the web, or send a link instead of the attachment. Administrators can also route mail through the secondary connector as described in MC123456; this takes up to an hour to take effect everywhere, and longer where mail is queued already.")},
				{Label: "Next update", Value: bot.T("Monday, November 23, 2026, at 4:00 PM UTC")}, {Label: "Tag", Value: bot.T("[x](https://evil.example)")},
			}},
			bot.Image{URL: "https://keyturn.contoso.com/chart/1.png", Alt: "Open incidents per day: 3 on Monday"},
			bot.Image{URL: "file:///etc/passwd", Alt: "A picture that Teams cannot fetch"},
			bot.Buttons{Items: []bot.Button{{Label: "History", Action: "incident.history", Value: "EX1"}, {Label: "What can I do?", Action: "incident.recommend", Value: "EX1"}}},
			bot.Note{Text: bot.Join(bot.Link("EX1234567", "https://admin.microsoft.com/#/servicehealth/:/alerts/EX1234567"), bot.T(" · Microsoft updated "), bot.When(since, bot.Clock))},
			bot.Note{Text: bot.Join(bot.Mention(who, "Bob"), bot.T(" on call, says *as read* <at>Bob</at> & "), bot.Mention(bot.Account{Platform: bot.Teams, ID: erin}, "Bob"))},
		}},
		"long": long(),
	}
}

// long does not fit into one card.
func long() bot.Message {
	var text strings.Builder
	for i := range 900 {
		fmt.Fprintf(&text, "Sentence number %d says what Microsoft wrote that day. ", i)
		if i%40 == 39 {
			text.WriteString("\n")
		}
	}
	return bot.Message{Key: "long", Parts: []bot.Part{
		bot.Heading{Text: strings.Repeat("A very long title ", 40)},
		bot.Paragraph{Text: bot.T(text.String())},
		bot.Copy{Label: "Value", Value: "this comes after the cut"},
		bot.Buttons{Items: []bot.Button{{Label: "History", Action: "incident.history", Value: "EX1"}}},
	}}
}
