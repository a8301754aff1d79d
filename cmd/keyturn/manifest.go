package main

import (
	"bytes"
	"fmt"

	"keyturn/adapters/slack"
)

type manifestCmd struct {
	Slack slackManifestCmd `cmd:"" help:"Print the manifest that Slack's \"Create an app from a manifest\" takes."`
}

type slackManifestCmd struct {
	URL string `help:"Address at which Slack reaches Keyturn, for example https://keyturn.contoso.com." required:"" placeholder:"https://HOST" name:"url"`
}

// Run prints the manifest.
func (m slackManifestCmd) Run(c *console) error {
	b, err := slack.Manifest(m.URL)
	if err != nil {
		return err
	}
	if _, err := c.out.Write(append(bytes.TrimSpace(b), '\n')); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}
