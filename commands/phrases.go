package commands

import "strings"

// The lists of this file are how people speak to the bot, mostly at night. They
// are to be read and lengthened.

var (
	// greetings are dropped before what somebody wants; alone they ask for the menu.
	greetings = wordSet("hi hello hey hallo hej moin servus salut bonjour ciao hola morning thanks thank thx danke merci please pls plz bitte ok okay bye menu sorry bot")
	// greets are greetings of two words.
	greets = map[string]map[string]bool{
		"good": wordSet("morning evening afternoon day night"), "guten": wordSet("morgen tag abend"), "gute": wordSet("nacht"), "grüß": wordSet("gott"), "bon": wordSet("jour soir"), "thank": wordSet("you"), "hi": wordSet("there"), "hey": wordSet("there"), "hello": wordSet("there"),
	}
	thanks = wordSet("please pls plz bitte svp thanks thx danke merci")
	// leads stand before what somebody wants to look at.
	leads = wordSet("show list get give tell me the us all current currently")
	// looks are the commands that change nothing, by whatever words.
	looks = wordSet("health incidents incident status mine roles inventory subscriptions help undelivered")

	// upOrDown are the words of a question for health beside the service's name.
	upOrDown = wordSet(`is are was were be do does there any anybody everybody everyone anyone anything something nobody else having have has had what's what how hows how's whats the a an of for with in on to at it its all everything
		down up ok okay fine good bad working work works worked broken available unavailable reachable online offline outage outages status health healthy issue issues problem problems kaputt
		trouble incident incidents currently right now today still again here us me my our we i think about any known happening happened going wrong not can cannot can't cant doesn't doesnt don't dont won't wont isn't isnt
		or and service services wtf why just tonight people users seems seem be been since last night week weekend yesterday overnight evening resolved
		ist sind geht gehen läuft nicht funktioniert gestört störung ausfall der die das bei heute gerade wieder noch gibt es ein
		est est-ce que qu'est-ce ne pas marche fonctionne panne en un une le la les`)
	// past are the words of a question for what is over, too.
	past = wordSet("happened night yesterday overnight weekend last resolved")
	// heads are commands that also begin a sentence, and what follows them then.
	heads = map[string]map[string]bool{
		"help": wordSet("me with my the us i"), "status": wordSet("of for with on"), "health": wordSet("of for with on"),
		"mine": wordSet("is does has doesn't isn't won't can't"), "issues": wordSet("with in on"), "incidents": wordSet("with in on for"),
	}
)

// asked are questions that are a command in other words, as [plainWords] writes
// them; no command is the menu. None changes anything.
var asked = func() map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(`
: start | who are you | what are you | are you there | you there | there | you up | ping | test | testing
help: what can you do | what do you do | what can i do | what can i ask | how does this work | how do i use this | how do i use you | commands | help me | i need help | what now
status: who is waiting | who's waiting | who are you waiting for | who are we waiting for | what are we waiting for | what are you waiting for | who is blocking | how far are we | what is left | whats left | what's left | where are we | setup status | status of the setup | status of setup
mine: what do you need from me | what do i have to do | what should i do | what am i supposed to do | is it my turn | my turn | what is waiting for me | what waits for me | anything for me
roles: who is the owner | who owns this | who are the admins | who is the admin | who is admin | who can approve | who may approve | who are the owners | who is entra admin | who is the entra admin | who is servicenow admin | who is the servicenow admin
inventory: what exists | what did you make | what did you create | what did you change | what have you made | what have you changed
setup: how do i set this up | how do i set it up | set this up | set it up | get started | getting started | how do i start | how do i begin
health: service health | servicehealth | m365 | ms365 | o365 | office365 | microsoft365 | microsoft 365 | office 365 | microsoft | is it us or microsoft | is it us or them | is it microsoft or us | is it microsoft | is this microsoft | down | outage | outages
subscriptions: what is this channel told | what are you subscribed to`), "\n") {
		command, sentences, _ := strings.Cut(line, ":")
		for _, s := range strings.Split(sentences, "|") {
			out[strings.TrimSpace(s)] = command
		}
	}
	return out
}()

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
