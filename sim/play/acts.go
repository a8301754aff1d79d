package play

import (
	"context"
	"fmt"
	"strings"

	"keyturn/sim/microsoft"
)

// act does a guided step in the portals. It returns what to bring back into
// the form: nil where the bot finds out by itself, empty where the step asks
// for the word alone.
type act func(ctx context.Context, g *game, who Person, c Card) (map[string]any, error)

// acts are the guided steps, by the step's ID.
var acts = map[string]act{
	"reader-consent":    consent,
	"sn-mapping":        mapping,
	"preflight-panel":   lookForPanel,
	"sn-scope":          switchScope,
	"sn-wizard":         walkWizard,
	"sn-step6":          readStep6,
	"m365-verify":       verifyValues,
	"m365-basic":        enterApplication,
	"m365-repository":   enterRepository,
	"sn-finish":         pressNext,
	"golive":            goLive,
	"choose-entra":      chooseAll,
	"choose-servicenow": chooseAll,
	"m365-remove":       emptyPanel,
	"sn-app-remove":     uninstall,
}

// wrongAnswers is the one wrong value that a script enters on the way.
var wrongAnswers = map[string]map[string]any{
	"sn-mapping": {"columns": "no equals sign here"},
	"sn-step6":   {"outbound": "99999999-0000-4000-8000-000000000009"},
}

// justSaySo is a step that only wants the person's word.
func justSaySo(context.Context, *game, Person, Card) (map[string]any, error) {
	return map[string]any{}, nil
}

// consent opens Microsoft's page, finds the role inactive, activates it, and
// accepts.
func consent(ctx context.Context, g *game, who Person, c Card) (map[string]any, error) {
	link := ""
	for _, l := range c.Links {
		if strings.Contains(l, "/adminconsent") {
			link = l
		}
	}
	if link == "" {
		return nil, fmt.Errorf("the card has no consent link")
	}
	b := g.browser(who)
	if err := g.line(ctx, who.Name, "opens Microsoft's consent page"); err != nil {
		return nil, err
	}
	accept := func() error {
		if err := b.open(link); err != nil {
			return err
		}
		_ = b.press("", "~"+who.UPN, nil) // only asked for the first time
		return b.press("", "Accept", nil)
	}
	if err := accept(); err != nil || strings.Contains(b.page.text, "approval") {
		if err := g.line(ctx, who.Name, "reads: %s", short(b.page.text, 200)); err != nil {
			return nil, err
		}
		if err := g.line(ctx, who.Name, "activates the role in PIM"); err != nil {
			return nil, err
		}
		if err := b.open(g.World.MicrosoftURL + "/entra/pim?as=" + who.UPN); err != nil {
			return nil, err
		}
		if err := b.press("", "Activate", map[string]string{"reason": "consent for the health reader"}); err != nil {
			return nil, err
		}
		if err := accept(); err != nil {
			return nil, err
		}
	}
	return nil, g.line(ctx, who.Name, "accepts; the page says: %s", short(b.page.text, 160))
}

func mapping(context.Context, *game, Person, Card) (map[string]any, error) {
	return map[string]any{"group": "Service Desk", "category": "Software"}, nil
}

func (g *game) panel() string {
	return g.World.MicrosoftURL + "/admin/settings/organization-profile/support-integration"
}

// lookForPanel sees whether the admin center has the panel.
func lookForPanel(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.World.MicrosoftURL + "/admin/settings/organization-profile?as=" + who.UPN); err != nil {
		return nil, err
	}
	there := strings.Contains(b.page.text, "Support integration")
	if err := g.line(ctx, who.Name, "looks into the admin center: Support integration is in the list: %v", there); err != nil {
		return nil, err
	}
	if there {
		return map[string]any{"panel": "yes"}, nil
	}
	return map[string]any{"panel": "no"}, nil
}

func (g *game) instance(path string, who Person) string {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return g.World.ServiceNowURL + path + sep + "as=" + who.Now
}

const setupPage = "/x_mioms_m365_assis_setup.do"

// switchScope switches to the app's scope and opens Setup.
func switchScope(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	if err := g.inScope(who, "Microsoft 365 support"); err != nil {
		return nil, err
	}
	if err := b.open(g.instance(setupPage, who)); err != nil {
		return nil, err
	}
	if e := b.page.ids["error"]; e != "" {
		return nil, fmt.Errorf("Setup shows: %s", e)
	}
	return map[string]any{"setup": "fine"}, g.line(ctx, who.Name, "switches to the app's scope and opens Setup: no error")
}

// walkWizard walks the 1.x wizard up to its last page.
func walkWizard(ctx context.Context, g *game, who Person, c Card) (map[string]any, error) {
	b := g.browser(who)
	if err := g.inScope(who, "Microsoft 365 support"); err != nil {
		return nil, err
	}
	if err := b.open(g.instance(setupPage, who)); err != nil {
		return nil, err
	}
	profile, repository := c.Value("Outbound OAuth Provider"), c.Value("Repository ID")
	pages := []struct {
		button string
		fill   map[string]string
	}{
		{"Agree", nil},
		{"Next", map[string]string{"outbound_profile": ""}},
		{"Next", map[string]string{"skip_inbound": "true"}},
		{"Next", map[string]string{"skip_user": "true"}},
		{"Next", map[string]string{"repository_id": repository}},
		{"Next", map[string]string{"admin_email": Mona.UPN, "test_environment": "true"}},
	}
	for _, p := range pages {
		if _, ok := p.fill["outbound_profile"]; ok {
			p.fill["outbound_profile"] = b.option("outbound_profile", profile)
		}
		if err := b.press("setup", p.button, p.fill); err != nil {
			return nil, err
		}
		if e := b.page.ids["error"]; e != "" {
			return nil, fmt.Errorf("the wizard shows: %s", e)
		}
	}
	if err := g.line(ctx, who.Name, "walks the wizard to its last page and leaves it open (profile %q, repository %q)", profile, repository); err != nil {
		return nil, err
	}
	return map[string]any{"repository": repository, "email": Mona.UPN, "test": []string{"yes"}}, nil
}

// readStep6 reads the values off the wizard's last page.
func readStep6(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.instance(setupPage, who)); err != nil {
		return nil, err
	}
	v := map[string]any{"outbound": b.page.ids["outbound_app_id"], "repository": b.page.ids["repository_id"], "endpoint": b.page.ids["endpoint"]}
	return v, g.line(ctx, who.Name, "reads the wizard's last page: %v, %v, %v", v["outbound"], v["repository"], v["endpoint"])
}

// verifyValues compares the card with the wizard's page on a shared screen.
func verifyValues(ctx context.Context, g *game, who Person, c Card) (map[string]any, error) {
	b := g.browser(Sam)
	if err := b.open(g.instance(setupPage, Sam)); err != nil {
		return nil, err
	}
	for label, id := range map[string]string{"Outbound App ID": "outbound_app_id", "Repository ID": "repository_id", "Endpoint": "endpoint"} {
		if c.Value(label) != b.page.ids[id] {
			return nil, fmt.Errorf("the card says %s %q, the wizard %q", label, c.Value(label), b.page.ids[id])
		}
	}
	yes := []string{"yes"}
	return map[string]any{"outbound": yes, "repository": yes, "endpoint": yes}, g.line(ctx, who.Name, "compares the three values with Sam's screen: they match")
}

// enterApplication fills the admin center's basic information.
func enterApplication(ctx context.Context, g *game, who Person, c Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.panel() + "?as=" + who.UPN); err != nil {
		return nil, err
	}
	id := c.Value("Application ID to issue Auth Token")
	if err := b.press("basic", "Save", map[string]string{"tool": "ServiceNow", "applicationId": id}); err != nil {
		return nil, err
	}
	if err := b.open(g.panel() + "?as=" + who.UPN); err != nil {
		return nil, err
	}
	saved := ""
	for _, f := range b.page.forms {
		if f.id == "basic" {
			saved = f.fields.Get("applicationId")
		}
	}
	return map[string]any{"application": saved}, g.line(ctx, who.Name, "enters the application ID in the admin center; it shows %s", saved)
}

// enterRepository adds the repository in the admin center.
func enterRepository(ctx context.Context, g *game, who Person, c Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.panel() + "?as=" + who.UPN); err != nil {
		return nil, err
	}
	fill := map[string]string{"repository": c.Value("Repository"), "endpoint": c.Value("Endpoint"), "authenticationType": c.Value("Authentication type"),
		"clientId": c.Value("Client ID"), "restUsername": c.Value("Rest username"), "restUserPassword": c.Value("Rest user password")}
	if err := b.press("new-repository", "Save", fill); err != nil {
		return nil, err
	}
	var saved microsoft.Repository
	for _, r := range g.World.Microsoft.Inventory().AdminCenter.Repositories {
		if r.Name == fill["repository"] {
			saved = r
		}
	}
	if err := g.line(ctx, who.Name, "adds the repository in the admin center; the list shows %s, %s", saved.Name, saved.Endpoint); err != nil {
		return nil, err
	}
	return map[string]any{"repository": saved.Name, "endpoint": saved.Endpoint, "auth": "aad"}, nil
}

// pressNext finishes the wizard and looks at an incident.
func pressNext(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.instance(setupPage, who)); err != nil {
		return nil, err
	}
	if err := b.press("setup", "Next", nil); err != nil {
		return nil, err
	}
	if e := b.page.ids["error"]; e != "" {
		return nil, fmt.Errorf("the wizard shows: %s (%s)", e, b.page.ids["detail"])
	}
	return map[string]any{"result": "fine"}, g.line(ctx, who.Name, "presses Next: %s", b.page.ids["done"])
}

// goLive empties the box Test Environment.
func goLive(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.instance("/x_mioms_m365_assis_settings.do", who)); err != nil {
		return nil, err
	}
	if err := b.press("settings", "Save", map[string]string{"test_environment": ""}); err != nil {
		return nil, err
	}
	return map[string]any{"test": "empty"}, g.line(ctx, who.Name, "empties Test Environment in the app's settings")
}

// chooseAll keeps what the form has ticked.
func chooseAll(context.Context, *game, Person, Card) (map[string]any, error) {
	return map[string]any{"remove": keep{}}, nil
}

// keep leaves an input as it is filled in.
type keep struct{}

// emptyPanel removes what the admin center has.
func emptyPanel(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	for range 10 {
		if err := b.open(g.panel() + "?as=" + who.UPN); err != nil {
			return nil, err
		}
		if b.press("", "Delete", nil) != nil {
			break
		}
	}
	if err := b.open(g.panel() + "?as=" + who.UPN); err != nil {
		return nil, err
	}
	_ = b.press("clear-basic", "Clear", nil) // there is no such button where nothing is saved
	return map[string]any{"panel": "removed"}, g.line(ctx, who.Name, "removes repository and application ID in the admin center")
}

// uninstall removes the connector's app from the instance.
func uninstall(ctx context.Context, g *game, who Person, _ Card) (map[string]any, error) {
	b := g.browser(who)
	if err := b.open(g.instance("/sys_store_app_list.do", who)); err != nil {
		return nil, err
	}
	if err := b.press("", "Uninstall", nil); err != nil {
		return nil, err
	}
	return map[string]any{}, g.line(ctx, who.Name, "uninstalls the app")
}
