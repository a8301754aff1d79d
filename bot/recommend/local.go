package recommend

import "keyturn/bot"

// trials are what somebody can try in a minute, by what the question is about:
// each tells whether it is them, their network, or everybody.
var trials = map[string]string{
	"exchange":       "Open Outlook on the web. If mail works there, it is the program or its profile, not the service.",
	"outlook":        "Open Outlook on the web. If mail works there, it is the program or its profile, not the service.",
	"teams":          "Open teams.microsoft.com in a private window, or the app on a phone. If it works there, it is the desktop program: quit it and clear its cache.",
	"sharepoint":     "Open the same page in a private window. If it opens there, it is the browser's cache or an extension.",
	"onedrive":       "Look at the same folder in the browser. If it is complete there, it is the sync program on this computer.",
	"365 apps":       "Open the same document in the browser. If it works there, it is the installation on this computer.",
	"entra":          "Sign in in a private window, and look at the clock of the device: a wrong time breaks sign-ins.",
	"intune":         "Sync the device in Company Portal, and look whether a second device has the same.",
	"power bi":       "Open the report in a private window, and look at the data set's refresh history.",
	"power automate": "Look at the flow's run history: a run that failed names its cause, no run at all points to the trigger.",
}

// localFault is how somebody tells a fault of their own from one of the
// service.
func localFault(q Query, command string) []bot.Text {
	var out []bot.Text
	if t := q.Trial(); t != "" {
		out = append(out, bot.T(t))
	}
	return append(out,
		bot.T("Ask a colleague at another place. If they have it too, it is not your device."),
		bot.T("Try a phone on mobile data. If it works there, it is your network, VPN or proxy."),
		bot.Join(bot.C(command+" health"), bot.T(" shows what Microsoft says now. Ask me again in half an hour: news comes late.")))
}

// Trial is the first thing to try about what the question names; "" where
// nothing is known of it.
func (q Query) Trial() string {
	for _, s := range q.Services {
		if t, ok := trials[s]; ok {
			return t
		}
	}
	return ""
}
