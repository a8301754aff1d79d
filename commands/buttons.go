package commands

// buttons names each command's button, as help and the menu show it.
var buttons = map[string]struct {
	label         string
	menu, channel bool
}{
	"setup":         {label: "Set something up", menu: true},
	"status":        {label: "Status", menu: true},
	"mine":          {label: "My steps", menu: true},
	"remind":        {label: "Remind me as usual"},
	"nudge":         {label: "Nudge"},
	"cancel":        {label: "Cancel"},
	"inventory":     {label: "What exists"},
	"mapping":       {label: "ServiceNow incidents"},
	"roles":         {label: "Roles"},
	"subscribe":     {label: "Tell a channel", menu: true, channel: true},
	"unsubscribe":   {label: "Stop telling this channel", channel: true},
	"subscriptions": {label: "What this channel is told", channel: true},
	"maintenance":   {label: "Change", channel: true},
	"undelivered":   {label: "Send again"},
	"on-it":         {label: "We are on it"},
	"mute":          {label: "Mute for me"},
	"unmute":        {label: "Unmute"},
	"health":        {label: "Service health", menu: true},
	"recommend":     {label: "Is it Microsoft?", menu: true},
	"incidents":     {label: "Open incidents"},
	"incident":      {label: "History"},
	"picture":       {label: "As a picture"},
	"help":          {label: "Help", menu: true},
}

// name gives the verbs their buttons.
func (t *Table) name() {
	for i := range t.Verbs {
		v := &t.Verbs[i]
		b := buttons[v.Name]
		v.Button, v.Menu, v.Channel = b.label, b.menu, b.channel
	}
}
