package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"keyturn/adapters/slack"
	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/bot/incident"
)

type previewCmd struct {
	Platform platformFlag `help:"Chat platform to draw for: slack or teams." required:"" placeholder:"PLATFORM"`
	Thread   bool         `help:"Also what stands in an issue's thread: the replies that follow its posts, and its history."`
	Files    []string     `arg:"" name:"file" help:"Saved answer of Microsoft Graph: one issue or message center post, a list, or {\"value\": [...]}; - is standard input."`
}

// Run prints every message as the JSON body that would be posted, one a line.
// It reads every file before it prints anything and uses no network.
func (p previewCmd) Run(c *console) error {
	var messages []bot.Message
	var wrong []error
	for _, name := range p.Files {
		f, err := readSaved(name)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if len(f.Issues)+len(f.Announcements) == 0 {
			fmt.Fprintf(c.err, "%s holds no issue and no message center post.\n", name)
		}
		messages = append(messages, p.messages(f)...)
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	payload := slack.PreviewPayload
	if p.Platform == platformFlag(bot.Teams) {
		payload = teams.PreviewPayload
	}
	for _, m := range messages {
		b, err := payload(m)
		if err != nil {
			return fmt.Errorf("drawing %q: %w", m.Words(), err)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, b); err != nil {
			return fmt.Errorf("drawing %q: %w", m.Words(), err)
		}
		line.WriteByte('\n')
		if _, err := line.WriteTo(c.out); err != nil {
			return fmt.Errorf("writing the preview: %w", err)
		}
	}
	return nil
}

func (p previewCmd) messages(f incident.File) []bot.Message {
	var out []bot.Message
	for _, is := range f.Issues {
		k := incident.Merge(nil, is, is.Modified)
		out = append(out, incident.Root(k, incident.Subscription{}, incident.Options{}))
		if p.Thread {
			out = append(append(out, replies(is)...), incident.History(k))
		}
	}
	for _, a := range f.Announcements {
		out = append(out, incident.Announce(a))
	}
	return out
}

// replies are what a channel would have been told that watched the issue from
// its first post. Graph keeps no earlier states of an issue, so all that came
// before its last post is taken to be unresolved and otherwise as it is now.
func replies(now incident.Issue) []bot.Message {
	var out []bot.Message
	var known *incident.Known
	for n := 1; n <= len(now.Posts); n++ {
		then, at := now, now.Modified
		if n < len(now.Posts) {
			at = now.Posts[n-1].Created
			then.Posts, then.Modified, then.Resolved, then.End = now.Posts[:n:n], at, false, time.Time{}
		}
		if known != nil {
			for _, change := range incident.Compare(known, then, at) {
				if change.Replies() {
					out = append(out, incident.Reply(incident.Merge(known, then, at), change))
				}
			}
		}
		k := incident.Merge(known, then, at)
		known = &k
	}
	return out
}

// readSaved reads a saved answer. Its errors name the file and the item.
func readSaved(name string) (incident.File, error) {
	read, called := os.ReadFile, filepath.ToSlash(name)
	if name == "-" {
		read, called = func(string) ([]byte, error) { return io.ReadAll(os.Stdin) }, "standard input"
	}
	b, err := read(name)
	if err != nil {
		return incident.File{}, fmt.Errorf("%s cannot be read: %w", called, err)
	}
	f, err := incident.ParseFile(b)
	if err != nil {
		return incident.File{}, fmt.Errorf("%s: %w", called, err)
	}
	return f, nil
}

// platformFlag is a platform that Keyturn can draw for.
type platformFlag string

// UnmarshalText reads the platform's name.
func (p *platformFlag) UnmarshalText(b []byte) error {
	switch name := string(b); name {
	case string(bot.Slack), string(bot.Teams):
		*p = platformFlag(name)
		return nil
	default:
		return fmt.Errorf("there is no platform %q; Keyturn draws for slack and for teams", name)
	}
}
