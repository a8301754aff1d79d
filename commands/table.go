package commands

import (
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// Level is who may ask for an intent at all. Steps of a run are checked
// further, against the role that the step needs.
type Level int

// The levels. A line of the table that names none is for nobody.
const (
	nobody Level = iota
	Member       // anybody in a workspace of the tenant
	Known        // people whom the configuration knows
	Holder       // people who hold any role
	Owner        // owners
)

// Verb is something that can be typed.
type Verb struct {
	Name    string
	Also    []string // other spellings
	Group   string   // heading in help
	What    string   // one line
	Example string   // pastable, without the command's name
	Level   Level
	Run     func(*Ask) (bot.Reply, error)
	Button  string // the button that does the same
	Menu    bool   // the button stands in the menu
	Channel bool   // it is about the channel that it is typed in
}

// Click is something that a button or a form asks for. Verb names the command
// that does the same.
type Click struct {
	Action string
	Verb   string
	Level  Level
	Run    func(*Ask) (bot.Reply, error)
}

// Ask is one request on its way through a verb.
type Ask struct {
	*engine.Draft
	Request bot.Request
	Tenant  *bot.Tenant
	Person  bot.Person // zero for members whom the configuration does not know
	Args    []string
	Table   *Table
}

// Words is the arguments as typed.
func (a *Ask) Words() string { return strings.Join(a.Args, " ") }

// Table is everything that can be typed and clicked.
type Table struct {
	Command string // "/keyturn"
	Verbs   []Verb
	Clicks  []Click
}

// New is Keyturn's table.
func New(command string) *Table {
	t := &Table{Command: command}
	t.Verbs = []Verb{
		{Name: "health", Group: "Is it us or Microsoft?", What: "Which services are not fine, worst first; with all, which are", Example: "health", Level: Member, Run: healthVerb},
		{Name: "recommend", Also: []string{"solve"}, Group: "Is it us or Microsoft?", What: "What may explain or mend what is wrong, in your own words", Example: "recommend outlook keeps asking for my password", Level: Member, Run: recommendVerb},
		{Name: "incidents", Also: []string{"issues"}, Group: "Is it us or Microsoft?", What: "What is open, of all services or of one; with all, what is resolved too; export says how to get JSON", Example: "incidents Exchange Online all", Level: Member, Run: incidentsVerb},
		{Name: "incident", Also: []string{"history"}, Group: "Is it us or Microsoft?", What: "One incident with its whole history", Example: "incident EX123456", Level: Member, Run: incidentVerb},
		{Name: "picture", Also: []string{"heatmap", "timeline"}, Group: "Is it us or Microsoft?", What: "Posts a picture here: all services or some by day, for 30 days or another number, or one incident over time", Example: "picture Exchange Online 14", Level: Member, Run: pictureVerb},
		{Name: "subscribe", Group: "Be told about incidents", What: "Tell this channel about incidents, of all services or of some", Example: "subscribe Exchange Online, Microsoft Teams; digest 08:00", Level: Known, Run: subscribeVerb},
		{Name: "subscriptions", Group: "Be told about incidents", What: "What this channel is told, and changing it", Example: "subscriptions", Level: Known, Run: subscriptionsVerb},
		{Name: "unsubscribe", Group: "Be told about incidents", What: "Stop telling this channel", Example: "unsubscribe", Level: Known, Run: unsubscribeVerb},
		{Name: "maintenance", Group: "Be told about incidents", What: "Hold back what happens while you work on something", Example: "maintenance 2026-12-01 22:00 to 2026-12-02 04:00 of Exchange Online", Level: Known, Run: maintenanceVerb},
		{Name: "on-it", Also: []string{"onit"}, Group: "Be told about incidents", What: "Say that you work on an incident", Example: "on-it EX123456", Level: Known, Run: onItVerb},
		{Name: "mute", Group: "Be told about incidents", What: "Do not mention me about an incident, or in this channel", Example: "mute EX123456", Level: Known, Run: muteVerb},
		{Name: "unmute", Group: "Be told about incidents", What: "Mention me again, about an incident or in this channel", Example: "unmute EX123456", Level: Known, Run: unmuteVerb},
		{Name: "undelivered", Group: "Be told about incidents", What: "Messages that were given up, with why; sends them again", Example: "undelivered", Level: Owner, Run: undeliveredVerb},
		{Name: "setup", Group: "Set something up", What: "Start a guide: service health with or without ServiceNow, or cleaning up", Example: "setup direct", Level: Holder, Run: setupVerb},
		{Name: "mine", Also: []string{"steps", "my", "home"}, Group: "Set something up", What: "Your open steps; in a chat with me your whole page, with your settings", Example: "mine", Level: Known, Run: mineVerb},
		{Name: "status", Group: "Set something up", What: "Who is waited for, for what, since when", Example: "status", Level: Known, Run: statusVerb},
		{Name: "nudge", Group: "Set something up", What: "Remind whoever a run waits for", Example: "nudge", Level: Known, Run: nudgeVerb},
		{Name: "remind", Group: "Set something up", What: "Remind me as usual again of the steps that I put off until tomorrow", Example: "remind", Level: Known, Run: remindVerb},
		{Name: "cancel", Group: "Set something up", What: "Cancel a run; it lists what exists already", Example: "cancel", Level: Known, Run: cancelVerb},
		{Name: "inventory", Group: "What exists, and who may", What: "What Keyturn made: where, approved by whom, expires when", Example: "inventory", Level: Known, Run: inventoryVerb},
		{Name: "mapping", Group: "What exists, and who may", What: "How ServiceNow incidents are filled: say it, or change it", Example: "mapping", Level: Holder, Run: mappingVerb},
		{Name: "roles", Group: "What exists, and who may", What: "Who holds which role; owners change it here, and take back admin accounts that were confirmed in chat", Example: "roles", Level: Known, Run: rolesVerb},
		{Name: "help", Also: []string{"?"}, Group: "Help", What: "This list; with a command's name, that one alone", Example: "help", Level: Member, Run: helpVerb},
	}
	t.Clicks = clicks()
	t.name()
	return t
}

// Verb finds a verb by its name or another spelling, without case.
func (t *Table) Verb(name string) (*Verb, bool) {
	for i := range t.Verbs {
		v := &t.Verbs[i]
		if strings.EqualFold(v.Name, name) {
			return v, true
		}
		for _, a := range v.Also {
			if strings.EqualFold(a, name) {
				return v, true
			}
		}
	}
	return nil, false
}

// Nearest is the verb that a mistyped name probably means: one slip of the
// finger away, or two where the name is long.
func (t *Table) Nearest(name string) (*Verb, bool) {
	best, at := 3, -1
	for i, v := range t.Verbs {
		for _, n := range append([]string{v.Name}, v.Also...) {
			if d := distance(strings.ToLower(name), n); d < best && len(n) > 3 && d <= max(1, len(n)/4) {
				best, at = d, i
			}
		}
	}
	if at < 0 {
		return nil, false
	}
	return &t.Verbs[at], true
}

// distance counts insertions, deletions, replacements and swaps of
// neighbours.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
