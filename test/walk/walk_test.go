package walk

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// The platforms, as the list of places heads them.
const (
	onSlack = "Slack"
	onTeams = "Microsoft Teams"
)

// is becomes somebody and goes to one of their conversations.
func (b *browser) is(name, platform, place string) {
	b.Helper()
	b.presses(name, "person")
	b.until(name+" to be looking", func() bool { var ok bool; b.ask(&ok, "at", name, ""); return ok })
	b.presses(place, platform)
	b.until("the conversation "+place, func() bool { var ok bool; b.ask(&ok, "at", name, place); return ok })
}

// says sends what the page suggests, or an answer in one's own words.
func (b *browser) says(words string) {
	b.Helper()
	b.until("somewhere to write", func() bool { var ok bool; b.ask(&ok, "compose"); return ok })
	b.run(input.InsertText(words))
	b.enters()
}

// signsIn follows the link that the bot has just given, through Keyturn's own
// page and the system's, and back.
func (b *browser) signsIn(account string) {
	b.Helper()
	var link, number string
	b.until("the link to the sign-in page", func() bool {
		b.ask(&link, "link", "/signin/go/")
		return link != "" && !slices.Contains(b.followed, link)
	})
	b.followed = append(b.followed, link)
	first, last, _ := strings.Cut(account, ".")
	name := strings.ToUpper(first[:1]) + first[1:] + " " + strings.ToUpper(last[:1]) + last[1:] // in ServiceNow's list
	b.ask(&number, "number", link)
	if number == "" {
		b.Fatal("the bot shows no number to compare")
	}
	b.tab(link, func(own *browser) {
		own.sees("Which number does the chat show you?")
		own.presses(number)
		if strings.Contains(account, "@") {
			own.presses(account) // in Microsoft's list
		} else {
			own.until("ServiceNow to ask", func() bool { return own.shows("would like to connect") })
			if own.shows("Switch user") { // the browser is signed in as somebody else
				own.presses("Switch user")
			}
			own.fills("User name", name)
			own.presses("Allow")
		}
		own.sees("You are signed in")
	})
}

// asksAbout uses the menu of the last message, on a phone, where no pointer
// hovers over it.
func (b *browser) asksAbout(answer string) {
	b.Helper()
	b.looks(phone)
	b.presses("⋯")
	b.presses("Is this Microsoft?")
	b.sees(answer)
	b.looks(light)
}

// activates activates a role in PIM.
func (b *browser) activates(microsoft, account string) {
	b.Helper()
	b.tab(microsoft+"/entra/pim?as="+account, func(portal *browser) {
		portal.run(chromedp.SendKeys(`input[name="reason"]`, "a setup with Keyturn", chromedp.ByQuery))
		portal.presses("Activate")
		portal.sees("Activated until")
	})
}

// consents goes to Microsoft's consent page, which the card links to: first
// without the role that it takes, then with it.
func (b *browser) consents(microsoft, account string) {
	b.Helper()
	var link string
	b.until("the link to the consent page", func() bool { b.ask(&link, "link", "/adminconsent"); return link != "" })
	b.tab(link, func(page *browser) {
		page.until("Microsoft to ask for consent", func() bool { return page.shows("Accept") || page.shows(account) || page.shows("Need admin approval") })
		if !page.shows("Need admin approval") {
			page.presses(account)
			page.sees("Need admin approval")
		}
	})
	b.activates(microsoft, account)
	b.tab(link, func(page *browser) {
		page.until("Microsoft to ask for consent", func() bool { return page.shows("Accept") || page.shows(account) })
		if !page.shows("Accept") {
			page.presses(account)
		}
		page.presses("Accept")
		page.sees("Admin consent was granted")
	})
}

func TestASetupAndAnIncidentInTheBrowser(t *testing.T) {
	b := startBrowser(t)
	b.opens(startDemo(t))
	microsoft := b.microsoft()

	// Before anything is set up.
	b.is("Rita", onSlack, "it-ops")
	b.view("empty", "Nothing was said here yet")
	b.is("Rita", onSlack, "Keyturn Home")
	b.sees("Set something up")
	b.view("home-first", "Nothing waits for you")

	// Rita asks, with a slip.
	b.is("Rita", onSlack, "it-ops")
	b.says("/keyturn")
	b.sees("What can I do for you?")
	b.view("menu", "What can I do for you?", light, phone)
	b.presses("Help")
	b.sees("This list")
	b.says("/keyturn setpu direct")
	b.sees("Did you mean")
	b.view("typo", "Did you mean")
	b.presses("/keyturn setup direct")
	b.enters() // what is suggested stands in the message field, which has the focus
	b.sees("Set up: direct")
	b.view("start", "Set up: direct")
	b.fills("Channel for incidents", "m365-incidents")
	b.presses("Start")
	b.sees("0 of 10 done")

	// Her own step, in her direct messages.
	b.is("Rita", onSlack, "Keyturn")
	b.sees("waits for you")
	b.view("before", "waits for you")
	b.presses("Go on")
	b.seesNoMore("1 step waits for you")

	// Erin, the Entra admin, is on Slack.
	b.is("Erin", onSlack, "Keyturn")
	b.sees("1 step waits for you")
	b.view("hand-off", "1 step waits for you", light, phone)
	b.presses("Sign in")
	b.sees("Open the sign-in page")
	b.view("sign-in", "Open the sign-in page")
	b.signsIn("erin.admin@contoso.example")
	b.sees("Registration for reading service health", "Activated")
	b.view("role", "Activated")
	b.activates(microsoft, "erin.admin@contoso.example")
	b.presses("Activated")
	b.signsIn("erin.admin@contoso.example")
	b.seesNoMore("If you hold it in PIM")
	b.sees("Approve and run")
	b.view("plan", "Approve and run", light, dark)
	b.presses("Show exact calls")
	b.sees("PATCH")
	b.view("calls", "PATCH")
	b.presses("Approve and run")
	b.sees("done, read back")
	b.view("done", "done, read back")

	// Sam, the ServiceNow admin, is on Teams.
	b.is("Sam", onTeams, "Keyturn")
	b.sees("wait for you", "Fill in the form")
	b.view("hand-off-teams", "Fill in the form", light, phone)
	b.presses("Fill in the form")
	b.sees("Assignment group")
	b.view("form-teams", "Assignment group")
	b.fills("Assignment group", "Service Desk")
	b.fills("Category", "Software")
	b.fills("Further columns", "no equals sign here")
	b.presses("Check")
	b.sees("write one pair a line")
	b.view("form-teams-wrong", "write one pair a line")
	b.fills("Further columns", "")
	b.presses("Check")
	b.seesNoMore("Assignment group *")
	b.sees("confirmed by Sam Duarte") // the card is drawn anew: a click meanwhile would be lost
	b.presses("Sign in")
	b.signsIn("sam.duarte")
	b.sees("Approve and run")
	b.presses("Approve and run")
	b.sees("A test incident in ServiceNow", "Approve and run")
	b.presses("Approve and run")
	b.sees("INC0010001")

	b.is("Rita", onSlack, "it-ops")
	b.sees("waiting for the Privileged Role Administrators")
	b.view("checklist", "asked for by Rita Okafor", light, phone)

	// Priya, who consents, is on Teams too.
	b.is("Priya", onTeams, "Keyturn")
	b.sees("Consent to reading service health")
	b.presses("Sign in")
	b.signsIn("priya.admin@contoso.example")
	b.sees("Microsoft's consent page")
	b.view("guided-teams", "Microsoft's consent page", light, dark)
	b.consents(microsoft, "priya.admin@contoso.example")
	b.sees("done, read back")

	// It is done, and the record says what exists.
	b.is("Rita", onSlack, "it-ops")
	b.sees("✅ finished")
	b.view("record", "✅ finished", light)
	b.is("Rita", onSlack, "Keyturn Home")
	b.sees("No open incident", "Channels that you set up")
	b.is("Mona", onTeams, "Keyturn")
	b.says("hi")
	b.sees("What can I do for you?")
	b.view("menu-teams", "What can I do for you?", light, phone)
	b.is("Mona", onTeams, "m365-incidents")
	b.says("@Keyturn subscribe ")
	b.sees("From now on this channel is told")

	// An incident, on both.
	b.publishes(microsoft, 1, false)
	b.sees("EX1234567")
	b.is("Rita", onSlack, "m365-incidents")
	b.sees("EX1234567")
	b.publishes(microsoft, 2, false)
	b.sees("1 reply")
	b.presses("1 reply")
	b.sees("Thread", "reverting")
	b.view("incident", "EX1234567", light, dark, phone)
	b.is("Rita", onSlack, "Keyturn Home")
	b.sees("EX1234567")
	b.view("home", "Microsoft 365 now", light, dark, phone)
	b.is("Mona", onTeams, "m365-incidents")
	b.sees("EX1234567", "reverting")
	b.view("incident-teams", "EX1234567", light, dark, phone)
	b.is("Mona", onTeams, "Keyturn")
	b.says("is outlook down?")
	b.sees("EX1234567")
	b.view("free-teams", "is outlook down?", light)
	b.says("help")
	b.sees("This list")
	b.view("help-teams", "This list", light, phone)
	b.says("home")
	b.sees("Microsoft 365 now")
	b.view("home-teams", "Microsoft 365 now", light, phone)

	// A colleague's words, asked about in the menu of their message.
	b.is("Sam", onTeams, "it-ops")
	b.sees("Nothing was said here yet")
	b.says("Nothing that I send in Outlook on the web leaves. Anybody else?")
	b.is("Mona", onTeams, "it-ops")
	b.sees("Nothing that I send")
	b.asksAbout("May match EX1234567")
	b.view("is-this-microsoft-teams", "May match EX1234567")
	b.presses("Close this dialog")
	b.is("Erin", onSlack, "m365-incidents")
	b.sees("EX1234567")
	b.says("Nothing that I send in Outlook on the web leaves. Anybody else?")
	b.is("Rita", onSlack, "m365-incidents")
	b.sees("Nothing that I send")
	b.asksAbout("About the message")
	b.view("is-this-microsoft", "About the message")

	// What the organisation knows itself, for who may see it.
	b.is("Rita", onSlack, "Keyturn")
	b.says("/keyturn recommend onedrive files stay at sync pending")
	b.sees("Your ServiceNow may know more")
	b.presses("Sign in at ServiceNow")
	b.signsIn("rita.okafor")
	b.sees("Ask again")
	b.presses("Ask again")
	b.sees("From your ServiceNow, for you alone", "OneDrive stays at sync pending in our offices")
	b.view("own-knowledge", "From your ServiceNow, for you alone")
	b.publishes(microsoft, 3, true)
	b.is("Rita", onSlack, "m365-incidents")
	b.sees("🟢 Resolved")
	b.view("resolved", "🟢 Resolved")
	b.is("Rita", onSlack, "Keyturn")
	b.says("/keyturn help")
	b.sees("This list")
	b.view("help", "This list", light, phone)
	if len(b.unringed) > 0 {
		t.Errorf("what has the focus does not show it: %q", b.unringed)
	}
}
