package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"keyturn/adapters/slack"
	"keyturn/adapters/teams"
	"keyturn/commands"
)

type manifestCmd struct {
	Slack slackManifestCmd `cmd:"" help:"Print the manifest that Slack's \"Create an app from a manifest\" takes."`
	Entra entraManifestCmd `cmd:"" help:"Print the registration in Entra with which people sign in: its calls, its clicks, its consent link."`
	Teams teamsManifestCmd `cmd:"" help:"Build the app package that Teams takes: manifest and icons."`
}

type slackManifestCmd struct {
	URL    string `help:"Address at which Slack reaches Keyturn, for example https://keyturn.contoso.com." placeholder:"https://HOST" name:"url" required:"" xor:"way"`
	Socket bool   `help:"For Socket Mode: Keyturn opens the connections, and Slack needs no address of it." name:"socket-mode" required:"" xor:"way"`
}

// Run prints the manifest.
func (m slackManifestCmd) Run(c *console) error {
	b := slack.SocketManifest()
	if !m.Socket {
		var err error
		if b, err = slack.Manifest(m.URL); err != nil {
			return err
		}
	}
	if _, err := c.out.Write(append(bytes.TrimSpace(b), '\n')); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

type teamsManifestCmd struct {
	Config  string `help:"Configuration file; the app ID and public_url stand there." required:"" type:"existingfile"`
	Out     string `help:"Package to write (zip); without it the manifest is printed." short:"o" type:"path"`
	Release string `help:"Version of the package; Teams takes only newer ones." default:"1.0.0"`
	Privacy string `help:"Address of your privacy statement. Default: Keyturn's own page, public_url/privacy." placeholder:"https://..."`
	Terms   string `help:"Address of your terms of use. Default: Keyturn's own page, public_url/terms." placeholder:"https://..."`
}

// Run writes the package, or prints the manifest.
func (m teamsManifestCmd) Run(c *console) error {
	conf, _, err := load(m.Config)
	if err != nil {
		return err
	}
	if conf.Teams == nil || conf.PublicURL == "" {
		return fmt.Errorf("%s names no Teams bot to build a package for: add teams with app_id, and public_url", m.Config)
	}
	of := teams.ManifestConfig{AppID: conf.Teams.AppID, BaseURL: conf.PublicURL, Version: m.Release, Privacy: m.Privacy, Terms: m.Terms, Commands: teamsCommands(), Targeted: conf.Teams.Targeted}
	if m.Out == "" {
		b, err := teams.Manifest(of)
		if err != nil {
			return err
		}
		_, err = c.out.Write(append(bytes.TrimSpace(b), '\n'))
		return err
	}
	b, err := teams.Package(of)
	if err != nil {
		return err
	}
	if err := os.WriteFile(m.Out, b, 0o644); err != nil {
		return fmt.Errorf("writing the package: %w", err)
	}
	fmt.Fprintln(c.out, "Wrote", m.Out+". Upload it in the Teams admin center, or under Apps > Manage your apps.")
	return nil
}

// teamsMenu are the commands that the menu of Teams has first: it holds at most
// twelve a scope.
var teamsMenu = []string{"help", "health", "recommend", "status", "mine", "setup", "subscribe", "subscriptions", "incidents", "incident", "on-it", "inventory"}

// teamsCommands is the command menu that Teams offers, from the same table as
// the help.
func teamsCommands() []teams.Command {
	verbs := commands.New("@Keyturn").Verbs
	place := func(v commands.Verb) int {
		if i := slices.Index(teamsMenu, v.Name); i >= 0 {
			return i
		}
		return len(teamsMenu)
	}
	slices.SortStableFunc(verbs, func(a, b commands.Verb) int { return place(a) - place(b) })
	var out []teams.Command
	for _, v := range verbs {
		inChannel := v.Name != "mine" && v.Name != "roles" && v.Name != "inventory"
		out = append(out, teams.Command{Title: v.Name, Description: v.What, Direct: !v.Channel, Channels: inChannel})
	}
	return out
}
