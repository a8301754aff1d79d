package play

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// askedNumber is the number that the bot shows beside a sign-in link.
var askedNumber = regexp.MustCompile(`number: (?:\*|\*\*)?(\d\d)`)

// signIn asks for a sign-in on a card, and signs in on the pages that it leads
// to, as the person's browser would.
func (g *game) signIn(ctx context.Context, who Person, c Card, b Button) error {
	link, number, err := g.askSignIn(ctx, who, c, b)
	if err != nil || link == "" { // the card had gone on between the look and the click
		return err
	}
	said, err := g.walkSignIn(ctx, who, link, number, who.UPN)
	if err != nil {
		return err
	}
	if !strings.Contains(said, "You are signed in") { // the bot was stopped in between: they begin anew
		return nil
	}
	return g.until(ctx, "the card of "+who.Name+" to go on after the sign-in", func() bool {
		return !slices.ContainsFunc(g.cardsOf(who), func(k Card) bool {
			now, ok := k.Has("Sign in", b.Value)
			return ok && now.Label == "Sign in" && k.key() == c.key() && k.Edited == c.Edited
		})
	})
}

// askSignIn clicks a button that leads to a sign-in. It gives the link and the
// number that the bot shows beside it, or none where the step went on meanwhile.
func (g *game) askSignIn(ctx context.Context, who Person, c Card, b Button) (link, number string, err error) {
	seen := map[string]int{}
	for _, k := range g.client(who).shown() {
		seen[k.key()] = k.Edited + 1
	}
	if err := g.click(ctx, who, c, b); err != nil {
		return "", "", err
	}
	err = g.until(ctx, "the sign-in link for "+who.Name, func() bool {
		for _, k := range slices.Backward(g.client(who).shown()) {
			if k.For(who) && seen[k.key()] <= k.Edited && strings.Contains(k.Text, "not waiting for that now") {
				return true
			}
			m := askedNumber.FindStringSubmatch(k.Text)
			if m == nil || !k.For(who) || seen[k.key()] > k.Edited {
				continue
			}
			for _, l := range k.Links {
				if strings.Contains(l, "/signin/go/") {
					link, number = l, m[1]
					return true
				}
			}
		}
		return false
	})
	return link, number, err
}

// walkSignIn goes from Keyturn's page through the system's own and back. It
// gives what the page says in the end: Keyturn's, or the system's where that
// lets nobody through.
func (g *game) walkSignIn(ctx context.Context, who Person, link, number, account string) (string, error) {
	br := g.browser(who)
	if err := br.open(link); err != nil {
		return "", err
	}
	host, expected := br.page.ids["host"], br.page.ids["account"]
	if err := g.line(ctx, who.Name, "reads Keyturn's page: %s, run %s, to %s as %s; presses %s", br.page.ids["steps"], br.page.ids["run"], host, expected, number); err != nil {
		return "", err
	}
	if err := br.press("confirm", number, nil); err != nil {
		return "", err
	}
	if br.page.url.Host != host {
		return "", fmt.Errorf("%s was sent to %s, and the page had named %s", who.Name, br.page.url.Host, host)
	}
	if err := g.atSystem(ctx, br, who, account); err != nil {
		return "", err
	}
	for range 200 { // the page asks again by itself
		if !strings.Contains(br.page.text, "One moment") {
			break
		}
		if err := waitFor(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
		if err := br.open(br.page.url.String()); err != nil {
			return "", err
		}
	}
	return br.page.text, g.line(ctx, who.Name, "is back on Keyturn's page: %s", br.page.ids["says"])
}

// atSystem signs in on the system's own page with an account, or with ""
// chooses not to.
func (g *game) atSystem(ctx context.Context, br *browser, who Person, account string) error {
	at, form, button, fill := "Microsoft", "signin", "~"+account, map[string]string(nil)
	if strings.HasPrefix(br.page.url.Path, "/oauth_auth.do") {
		if account == who.UPN {
			account = who.Now
		}
		at, form, button, fill = "ServiceNow", "authorize", "Allow", map[string]string{"user_name": account}
	}
	if account == "" {
		if button = "Cancel"; form == "authorize" {
			button = "Deny"
		}
		if err := g.line(ctx, who.Name, "chooses [%s] at %s", button, at); err != nil {
			return err
		}
		return br.press(form, button, nil)
	}
	if err := g.line(ctx, who.Name, "signs in at %s as %s", at, account); err != nil {
		return err
	}
	return br.press(form, button, fill)
}

func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// activate activates a role in PIM and signs in anew, as the card suggests.
func (g *game) activate(ctx context.Context, who Person, c Card, b Button) error {
	br := g.browser(who)
	if err := g.line(ctx, who.Name, "activates the role in PIM"); err != nil {
		return err
	}
	if err := br.open(g.World.MicrosoftURL + "/entra/pim?as=" + who.UPN); err != nil {
		return err
	}
	if err := br.press("", "Activate", map[string]string{"reason": "a setup with Keyturn"}); err != nil {
		return err
	}
	return g.signIn(ctx, who, c, b)
}

// mend does what a failed step asks for before it is tried again: calls run as
// a person land in the scope that the person works in.
func (g *game) mend(ctx context.Context, who Person, c Card) error {
	if !strings.Contains(c.Text, "Choose Global in the application picker") || who.Now == "" {
		return nil
	}
	if err := g.inScope(who, "Global"); err != nil {
		return err
	}
	return g.line(ctx, who.Name, "chooses Global in the application picker")
}

// inScope chooses an application in a person's picker.
func (g *game) inScope(who Person, name string) error {
	br := g.browser(who)
	if err := br.open(g.instance("/application_picker.do", who)); err != nil {
		return err
	}
	return br.press("application_picker", "Switch", map[string]string{"scope": br.option("scope", name)})
}

// standing says what Keyturn may do without anybody's sign-in, and fails where
// that is more than reading service health and, in ServiceNow, incidents.
func (p *Player) standing() error {
	var rights []string
	for _, a := range p.World.Microsoft.Inventory().Assignments {
		if !strings.HasSuffix(a.Permission, ".Read.All") {
			return fmt.Errorf("a registration of Keyturn holds %s, a standing right to write", a.Permission)
		}
		if !slices.Contains(rights, a.Permission) {
			rights = append(rights, a.Permission)
		}
	}
	now := p.World.ServiceNow.Standing()
	for _, role := range now {
		if !strings.HasPrefix(role, "sn_incident_") && role != "itil" {
			return fmt.Errorf("a client of Keyturn holds the role %s in ServiceNow without anybody signing in", role)
		}
	}
	fmt.Fprintf(p.Out, "\nstanding rights: in Entra %s; in ServiceNow %s\n", orNone(sorted(rights)), orNone(sorted(now)))
	return nil
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
