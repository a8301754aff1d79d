package setup

import (
	"strings"

	"keyturn/bot"
)

// byHandGuide is how a person does a step where Keyturn calls nothing: what is
// said there for the case that nothing is signed in for, or the step's own.
func (s *Spec) byHandGuide(c Context) *Guided {
	if g, ok := handGuides[s.ID]; ok && g(c) != nil {
		return g(c)
	}
	return s.Guided
}

// words say what a step does, what to mind and the way back: as Keyturn does it, or
// as people do it themselves where Keyturn calls nothing. What they made has no
// [Undo].
func (s *Spec) words(c Context) (what, mind, back string) {
	what, mind, back = s.What, s.Trap, s.Undo
	if _, ok := s.ByHand(c); !ok && !s.handed(c) {
		return what, mind, back
	}
	if s.API != nil && s.API.Back != nil {
		back = "What is made by hand is removed by hand, in the same place. The guide cleanup leads through that too."
	}
	if g := s.byHandGuide(c); g != nil && g.What != "" {
		what, mind = g.What, g.Mind
	}
	return what, mind, back
}

// handGuides are the steps that Keyturn does by itself elsewhere, or whose own
// words offer that.
var handGuides = map[StepID]func(Context) *Guided{
	StepPreflight:          handPreflight,
	StepEntraSecret:        handSecret,
	StepOAuth:              handProvider,
	StepReaderApp:          handRotatedReader,
	StepRotateLook:         handRotateLook,
	StepRotateRemove:       handRotateRemove,
	StepDiscoverEntra:      handDiscoverEntra,
	StepDiscoverServiceNow: handDiscoverServiceNow,
	StepSecretsRemove:      handSecretsRemove,
}

func handPreflight(Context) *Guided {
	return &Guided{
		Link: func(c Context) (string, string) {
			return "Installed store applications", recordList(c, "sys_store_app")
		},
		Do: always(
			"System Applications > All Available Applications > All, tab Installed.",
			"Look for Microsoft 365 support integration, and for its version.",
			"Then say what is there.",
		),
	}
}

func handSecret(c Context) *Guided {
	last := "Bring back its Secret ID and the day on which it ends: I watch that day."
	if c.Tenant.Mode(bot.Graph) != bot.NoCalls {
		last = "Then choose the check: I read from Entra when it ends, and watch that day."
	}
	return &Guided{
		What: "One client secret is made in Entra's portal and typed into ServiceNow's form, both by hand. I make none and see none.",
		Mind: "Entra shows a secret's value once, and nobody can read it later. It never goes to the Microsoft 365 admin.",
		Link: func(c Context) (string, string) {
			return "Certificates & secrets", entraApp(c, c.Fact(FactEntraClientID), "Credentials")
		},
		Do: always(
			"Client secrets > New client secret, with the description below. If the portal refuses, the tenant's policy forbids secrets: an Entra admin can exempt this one registration.",
			"Keep the page open: its value is typed into ServiceNow's form by yourself, together with the ServiceNow admin.",
			last,
		),
		Copy:  func(c Context) []bot.Copy { return []bot.Copy{{Label: "Description", Value: SecretName(c.Run.ID)}} },
		Leave: "Do NOT paste the value into a chat, a form of mine or a mail.",
	}
}

// handProvider has the secret that the step before made by hand typed into
// ServiceNow: into a new entry, or over the old value of the one in use.
func handProvider(c Context) *Guided {
	if c.Has(entraSecret) { // sealed here, before ServiceNow was closed to Keyturn
		return nil
	}
	own := *oauthProvider().Guided
	types := "Client Secret: the Entra admin types the value of the secret below, from the page that is still open. It is in no chat and in no form of mine."
	copies := own.Copy
	own.Do = always(
		"Do this together with the Entra admin, at one screen. Choose Global in the application picker (globe icon).",
		"New > Connect to a third party OAuth Provider. Enter the values below; Default Grant type: Client Credentials.",
		types,
		"Submit, and open the entry again.",
		"OAuth Entity Profiles: the default profile has the grant type Client Credentials.",
		"Then say that you did it.",
	)
	own.Copy = func(c Context) []bot.Copy {
		return append(copies(c), bot.Copy{Label: "The secret's description", Value: SecretName(c.Run.ID)})
	}
	if c.Option(OptionRotate) != "" {
		own.Do = always(
			"Do this together with the Entra admin, at one screen. Open the entry “"+nameProvider+"”. Do not make another one.",
			types,
			"Update. Leave everything else as it is: the old secret stays valid until the new one is proved.",
			"Then say that you did it.",
		)
		own.Copy = func(c Context) []bot.Copy {
			return []bot.Copy{{Label: "The secret's description", Value: SecretName(c.Run.ID)}}
		}
	}
	return &own
}

// handRotatedReader adds a key beside the one in use: the script of the guides
// would replace the whole list of keys.
func handRotatedReader(c Context) *Guided {
	if c.Option(OptionRotate) == "" {
		return nil
	}
	return &Guided{
		Link: func(c Context) (string, string) {
			return "Certificates & secrets", entraApp(c, c.Fact(FactReaderClientID), "Credentials")
		},
		Do: always(
			"Save the certificate below as a file, keyturn.pem. It is the public half of a key that was made here.",
			"Certificates > Upload certificate, with the description below.",
			"Then say that you did it. I ask for a token with the new key before it counts.",
		),
		Copy: func(c Context) []bot.Copy {
			return []bot.Copy{{Label: "Certificate", Value: strings.TrimSpace(c.Fact(readerKey + ".cert"))}, {Label: "Description", Value: SecretName(c.Run.ID)}}
		},
		Leave: "Do NOT delete the other certificate yet: it is in use until the new one is proved.",
	}
}

func handRotateLook(Context) *Guided {
	return &Guided{
		Link: func(c Context) (string, string) { return "App registrations", entraApps(c) },
		Do: func(c Context) []bot.Text {
			name := nameReader
			if o, _ := replaced(c); o.Kind == "secret" {
				name = nameConnector
			}
			return do("All applications: open “"+name+"”.", "Bring back the Application (client) ID of its Overview page.")
		},
	}
}

func handRotateRemove(Context) *Guided {
	return &Guided{
		Link: func(c Context) (string, string) {
			return "Certificates & secrets", entraApp(c, c.Fact(rotatedClient(c)), "Credentials")
		},
		Do: func(c Context) []bot.Text {
			return do("Delete what is called "+SecretName("")+"… and is not the one below. Leave what somebody else put there.", "Then say that you did it.")
		},
		Copy: func(c Context) []bot.Copy { return []bot.Copy{{Label: "This one stays", Value: SecretName(c.Run.ID)}} },
	}
}

func handDiscoverEntra(c Context) *Guided {
	return &Guided{
		Link: func(c Context) (string, string) { return "App registrations", entraApps(c) },
		Do: func(c Context) []bot.Text {
			lines := []string{}
			if cleans(c, Direct) {
				lines = append(lines, "All applications: look for “"+nameReader+"”.")
			}
			if cleansConnector(c) {
				lines = append(lines, "All applications: look for “"+nameConnector+"”.",
					"Others from years ago have a Redirect URI on "+c.Run.Instance+" and ask for no permission beyond User.Read. [Give me the script] searches for them with your own account.")
			}
			return do(append(lines, "Bring back the Application (client) ID of each. What stays is chosen afterwards.")...)
		},
	}
}

func handDiscoverServiceNow(c Context) *Guided {
	return &Guided{
		Link: func(c Context) (string, string) { return "Application Registry", recordList(c, "oauth_entity") },
		Do: func(c Context) []bot.Text {
			lines := []string{"[Give me the script] makes all of these searches with your own account; its answers have the sys_ids. In a list: right-click a row > Copy sys_id."}
			if cleansConnector(c) {
				lines = append(lines, "oauth_entity: the entry “"+nameProvider+"”, and entries with a client ID found at Entra.",
					"sys_user_has_role and sys_group_has_role: roles whose names begin with "+appScope+".",
					"sys_db_object: "+list(scopedTables)+", where other scopes may read them.")
			}
			if cleans(c, Direct) {
				lines = append(lines, "oauth_entity: entries whose names begin with “"+nameUnattended+"”. sys_user and sys_user_has_role: the user "+userUnattended+" and its roles.")
			}
			return do(append(lines, "Bring back table and sys_id of each. What stays is chosen afterwards.")...)
		},
	}
}

func handSecretsRemove(Context) *Guided {
	return &Guided{
		Link: func(c Context) (string, string) { return "App registrations", entraApps(c) },
		Do: func(c Context) []bot.Text {
			var lines []string
			for _, f := range chosenApps(c) {
				if f.Secrets > 0 && len(lines) < 5 {
					lines = append(lines, "Open "+f.Name+", Certificates & secrets > Client secrets: delete each.")
				}
			}
			return do(append(lines, "Then say that you did it.")...)
		},
	}
}
