package setup

import "keyturn/bot"

// before is the first step of every guide: what will be made, by whom, what
// it cannot do. The engine adds who cannot approve what and who cannot be
// reached.
func before(guide GuideID) Spec {
	s := Spec{
		ID: StepBefore, Title: "Before anything starts", Role: bot.Requester, Minutes: 2, NoSkip: true,
		What:    "Says what will be made, by whom, and what it cannot do.",
		Undo:    "Nothing has been made yet; [Cancel] ends the run.",
		IfWaits: "Nobody else is asked for anything until you go on.",
		Guided:  &Guided{Word: "Go on"},
	}
	switch guide {
	case Connector:
		s.Trap = retirement + ". Opening cases with Microsoft support is not part of this either: it sets up service health incidents and recommended solutions only."
		s.Guided.Do = always(
			"The Entra admin approves an app registration for ServiceNow with one client secret, and a second registration with which Keyturn reads service health.",
			"The ServiceNow admin approves an OAuth provider and the cross-scope read, and walks through the app's wizard, about 20 minutes together with the Microsoft 365 admin.",
			"The Microsoft 365 admin enters three values in the admin center. No API exists for that part.",
			"A Privileged Role Administrator consents to reading service health, on Microsoft's own page.",
			"Nothing is written before the first two checks have found the app, its service and its panel in the admin center.",
			"It cannot open cases with Microsoft support, and nobody gets the administrator role of the app.",
			"If the service is gone the run ends there, and offers the guides that work today: direct and cleanup.",
		)
	case Cleanup:
		s.What = "Says what will be looked for and removed, by whom, and what stays."
		s.Undo = "Nothing has been removed yet; [Cancel] ends the run."
		s.Trap = "Nothing is assumed: what is found is shown with the evidence, and each removal has its owner and its own approval."
		s.Guided.Do = func(c Context) []bot.Text {
			return do(append([]string{searching(c)},
				"Each of them chooses what goes and what stays.",
				"The Microsoft 365 admin removes the repository and the application ID in the admin center. No API exists for that part.",
				"ServiceNow goes first, Entra's secrets then, the registrations last.",
				"Keyturn's own sign-in registrations stay: they belong to the installation, not to a setup.",
			)...)
		}
	default:
		s.Trap = "It reads what Microsoft publishes and keeps your incidents in step. It opens no cases with Microsoft support."
		s.Guided.Do = func(c Context) []bot.Text {
			lines := []string{
				"The Entra admin approves one app registration with which Keyturn reads service health. Its key is made here and never leaves.",
				"A Privileged Role Administrator consents to it, on Microsoft's own page.",
			}
			if c.WithServiceNow() {
				lines = append(lines,
					"The ServiceNow admin approves a user for unattended work with the least role for incidents, and its sign-in.",
					"The ServiceNow admin says where incidents go. One test incident is made and cancelled.",
				)
			}
			return do(append(lines,
				"Then incidents appear in the channel that you chose, with a test message first.",
				"It cannot open cases with Microsoft support, and it changes nothing at Microsoft 365.",
			)...)
		}
	}
	return s
}

// searching says how cleanup finds what is left.
func searching(c Context) string {
	var hand []string
	for _, system := range []bot.System{bot.Graph, bot.ServiceNow} {
		if c.Tenant.Mode(system) == bot.NoCalls && (system == bot.Graph || c.WithServiceNow()) {
			hand = append(hand, system.Name())
		}
	}
	if len(hand) > 0 {
		return "The admins search by hand at " + list(hand) + ", where the configuration has me call nothing: I say where to look and give a script. Elsewhere they sign in, and I search with their rights. Searching changes nothing."
	}
	return "The Entra admin and the ServiceNow admin sign in, and I search with their rights. Searching changes nothing."
}

// channels makes the subscription and a test message; the engine does both.
func channels() Spec {
	return Spec{
		ID: StepChannels, Title: "Channels and a test message", Role: bot.Requester, Minutes: 2,
		What:    "Subscribes the channel that was chosen at the start and posts one test message there.",
		Undo:    "/keyturn unsubscribe takes it back at any time.",
		IfWaits: "Nothing is posted until it is done; Microsoft's incidents are not lost.",
		API:     &API{Auto: true},
	}
}

// closing is the record: what exists now. The engine writes it.
func closing() Spec {
	return Spec{
		ID: StepRecord, Title: "The record", Role: bot.Requester, Minutes: 1,
		What:    "Lists what exists now, where, approved by whom, and what expires when.",
		Undo:    "The guide cleanup removes what the record lists.",
		IfWaits: "It is written as soon as the last step is settled.",
		API:     &API{Auto: true},
	}
}
