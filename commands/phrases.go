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
var asked = phrases(`
: start | who are you | what are you | are you there | are you a human | are you a bot | about | you there | there | you up | ping | test | testing
help: what can you do | what do you do | what can i do | what can i ask | how does this work | how do i use this | how do i use you | commands | help me | i need help | version
status: who is waiting | who's waiting | who are you waiting for | who are we waiting for | what are we waiting for | what are you waiting for | who is blocking | how far are we | what is left | whats left | what's left | where are we | setup status | status of the setup | status of setup | progress | where do we stand | whose turn is it | who is next | who's next | why is it taking so long | what is blocking | what's blocking | what is it waiting for
mine: what do you need from me | what do i have to do | what should i do | what am i supposed to do | is it my turn | my turn | what is waiting for me | what waits for me | anything for me | my tasks | tasks | todo | to do | what now | what next | what's next | what should i do next | what do i do now | next | next step | continue | resume | go on
mine: approve | approve it | i approve | approve and run | reject | i reject | i did it | did it | done | it is done | it's done | i have done it | finished | check | check it | check again | retry | try again | sign in | sign me in | log in | log me in | take it | i take it | i'll take it | take over | skip | skip it | skip this step | undo | not me | activated | back | go back | yes | no | y | n
roles: who is the owner | who owns this | who are the admins | who is the admin | who is admin | who can approve | who may approve | who are the owners | who is entra admin | who is the entra admin | who is servicenow admin | who is the servicenow admin | who can approve this | who may approve this | give me a role | make me admin | make me owner | add me as owner | add me
inventory: what exists | what did you make | what did you create | what did you change | what have you made | what have you changed | secrets | list secrets | which secrets expire | when does the secret expire | what expires | what expires when | expiry | certificates | rotate | rotate the secret | replace the secret | replace the certificate
incidents: any news | news | any update | any updates | updates | update | latest | what is new | what's new | anything new
setup: how do i set this up | how do i set it up | set this up | set it up | get started | getting started | how do i start | how do i begin
health: service health | servicehealth | m365 | ms365 | o365 | office365 | microsoft365 | microsoft 365 | office 365 | microsoft | is it us or microsoft | is it us or them | is it microsoft or us | is it microsoft | is this microsoft | down | outage | outages
subscriptions: what is this channel told | what are you subscribed to | digest | the digest | report | weekly report`)

// meant are the commands that change something, in other words: they are offered,
// and nothing is done before somebody takes one.
var meant = phrases(`
cancel, unsubscribe: stop | stop it | stop this | end | end it | quit
cancel: abort | abort it | abort the setup | stop the setup | stop setup | end the setup | end the run | stop the run | abort the run
unsubscribe: stop telling us | stop telling this channel | stop posting | stop posting here | stop the messages | stop the notifications | no more messages
mute, unsubscribe: shut up | be quiet | quiet | silence | too many messages
subscribe: notify us | notify me | notify this channel | notify us about outages | notify us about incidents | tell us about incidents | tell us about outages | tell this channel | tell this channel about incidents | tell a channel | alert us | alert this channel | alerts | notifications | post incidents here | post incidents | follow
on-it: we are on it | we're on it | i am on it | i'm on it | on it | working on it | we are working on it | i am working on it | ack | acknowledge | acknowledged
nudge: ping them | remind them | remind the others | chase them | nudge them
setup direct: direct | start direct | the guide direct
setup connector: connector | start connector | the guide connector
setup cleanup: cleanup | clean up | clean this up | clean it up | start cleanup | remove everything | delete everything | delete | uninstall | remove what exists | the guide cleanup
setup: install | configure | connect | integrate`)

// phrases reads lists of sentences, each line with the commands before a colon.
func phrases(lists string) map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(lists), "\n") {
		command, sentences, _ := strings.Cut(line, ":")
		for _, s := range strings.Split(sentences, "|") {
			out[strings.TrimSpace(s)] = command
		}
	}
	return out
}

// What a sentence about the setup itself holds, and what one holds that asks how
// far it is.
var (
	aboutSetup = wordSet("setup integrate integration")
	howFar     = wordSet("how status blocking blocked blocks going far progress waiting waits who whom stuck long left done when why")
)

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
