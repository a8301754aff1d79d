package play

import (
	"fmt"
	"strings"
)

// client is one chat platform as people use it: what it shows them, and what
// they can do in it. Whoever plays a person needs to know no more of it, so
// that the same play goes on either.
//
// A place is a channel's name; "" is the person's direct message with the bot.
// Commands are words without the way to address the bot.
type client interface {
	// name is how the platform is called.
	name() string
	// line is a command as it is typed there.
	line(words string) string
	// changed is closed at the next change of what is shown.
	changed() <-chan struct{}
	// shown is all that the bot said and did not take back, oldest first, and
	// then what it said to one person alone.
	shown() []Card
	// command types a command.
	command(who Person, place, words string) (outcome, error)
	// press presses a button where it is now. [errRedrawn] says that it is
	// gone: the card was redrawn while its person read it.
	press(who Person, c Card, b Button) (outcome, error)
	// form is the form in front of a person.
	form(who Person) (openForm, bool)
	// submit fills a form by the names of its inputs and sends it. A nil empties
	// an input; what is not named keeps its value.
	submit(who Person, f openForm, values map[string]any) (outcome, error)
	// complaints is what a client showed instead of the bot's answers.
	complaints() []string
}

// outcome is what came of an act at once.
type outcome struct {
	shown  string            // what the client showed because the bot failed
	errors map[string]string // what is wrong with a form, by input
}

// openForm is a form in front of a person.
type openForm struct {
	title string
	where any // for its client
}

// inChannel is a form's value that names a channel of the client's own.
type inChannel string

// The channels of every chat, by name.
const (
	opsName       = "it-ops"
	incidentsName = "m365-incidents"
)

// Platform says on which chat platforms a world's people are.
type Platform string

// The platforms. On Both, some people have accounts on each and others on one.
const (
	OnSlack Platform = "slack"
	OnTeams Platform = "teams"
	Both    Platform = "both"
)

func (p Platform) check() error {
	switch p {
	case OnSlack, OnTeams, Both:
		return nil
	}
	return fmt.Errorf("there is no platform %q: it is slack, teams or both", string(p))
}

// Slack reports whether the bot is connected to the simulated Slack.
func (p Platform) Slack() bool { return p != OnTeams }

// Teams reports whether the bot is connected to the simulated Teams.
func (p Platform) Teams() bool { return p == OnTeams || p == Both }

// Accounts are a person's chat accounts as a configuration writes them. On both
// platforms the requester is on Slack only, and two admins on Teams only: a run
// has to reach across.
func (p Platform) Accounts(who Person) []string {
	var out []string
	if p == OnSlack || p == Both && !who.onlyTeams() {
		out = append(out, "slack:"+Team+":"+who.Slack)
	}
	if p == OnTeams || p == Both && !who.onlySlack() {
		out = append(out, "teams:"+Directory+":"+who.Entra)
	}
	return out
}

func (x Person) onlySlack() bool { return x.Name == Rita.Name }

func (x Person) onlyTeams() bool { return x.Name == Priya.Name || x.Name == Sam.Name }

// sits reports whether a person works on Teams: on both platforms those who are
// only there, and Mona, whose cards on Slack somebody has to keep up to date.
func (p Platform) sits(who Person) bool {
	return p == OnTeams || p == Both && (who.onlyTeams() || who.Name == Mona.Name)
}

// clients are those of a world, the requester's first.
func clients(w *World) []client {
	var out []client
	if w.Platform.Slack() {
		out = append(out, &slackClient{w.Slack})
	}
	if w.Platform.Teams() {
		out = append(out, &teamsClient{server: w.Teams})
	}
	return out
}

// nameBy is the name of the person whom one of their IDs names.
func nameBy(id string) string {
	for _, x := range Everybody() {
		if x.Slack == id || strings.EqualFold(x.Entra, id) {
			return x.Name
		}
	}
	return id
}
