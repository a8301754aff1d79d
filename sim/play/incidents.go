package play

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Told cuts issues, of which only the last state is known, into the states that
// they went through: one a post, by the post's time, whatever the order of the
// array.
func Told(issues []json.RawMessage) ([][]json.RawMessage, error) {
	var out [][]json.RawMessage
	for _, raw := range issues {
		var issue map[string]json.RawMessage
		if err := json.Unmarshal(raw, &issue); err != nil {
			return nil, fmt.Errorf("an issue is no JSON object: %w", err)
		}
		var posts, states []json.RawMessage
		_ = json.Unmarshal(issue["posts"], &posts) // an issue without posts has one state
		slices.SortStableFunc(posts, func(a, b json.RawMessage) int { return created(a).Compare(created(b)) })
		for n := 1; n < len(posts); n++ {
			states = append(states, asOf(issue, posts[:n], created(posts[n-1]), false))
		}
		out = append(out, append(states, asOf(issue, posts, time.Time{}, true)))
	}
	return out, nil
}

func issueID(state json.RawMessage) string {
	var issue struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(state, &issue) // the simulated Graph says what is wrong with it
	return issue.ID
}

// newest is when the newest post of a state was written.
func newest(state json.RawMessage) (at time.Time) {
	var issue struct {
		Posts []json.RawMessage `json:"posts"`
	}
	_ = json.Unmarshal(state, &issue) // as above
	for _, p := range issue.Posts {
		if t := created(p); t.After(at) {
			at = t
		}
	}
	return at
}

func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // what is no string has no text
	return s
}

func created(post json.RawMessage) time.Time {
	var p struct {
		Created string `json:"createdDateTime"`
	}
	_ = json.Unmarshal(post, &p)
	t, _ := time.Parse(time.RFC3339Nano, p.Created) // an odd date sorts first
	return t
}

// asOf is an issue with only its first posts. Before its end it is not
// resolved yet.
func asOf(issue map[string]json.RawMessage, posts []json.RawMessage, modified time.Time, final bool) json.RawMessage {
	c := map[string]json.RawMessage{}
	for k, v := range issue {
		c[k] = v
	}
	if len(posts) > 0 {
		c["posts"], _ = json.Marshal(posts)
	}
	if !final {
		c["isResolved"] = json.RawMessage("false")
		c["endDateTime"] = json.RawMessage("null")
		if strings.Contains(strings.ToLower(text(issue["status"])), "restored") || strings.Contains(strings.ToLower(text(issue["status"])), "review") || strings.Contains(strings.ToLower(text(issue["status"])), "operational") {
			c["status"] = json.RawMessage(`"serviceDegradation"`)
		}
		c["lastModifiedDateTime"], _ = json.Marshal(modified.UTC().Format(time.RFC3339Nano))
	}
	out, _ := json.Marshal(c)
	return out
}

// incidents publishes every issue state by state and waits until the channel
// shows each.
func (g *game) incidents(ctx context.Context, stories [][]json.RawMessage) error {
	for n := 0; ; n++ {
		published := false
		for _, states := range stories {
			if n >= len(states) {
				continue
			}
			published = true
			id := issueID(states[n])
			if err := g.line(ctx, "Microsoft", "publishes %s, state %d of %d", id, n+1, len(states)); err != nil {
				return err
			}
			if err := g.World.Microsoft.PutIssue(now(states[n])); err != nil {
				return fmt.Errorf("publishing %s: %w", id, err)
			}
			// One after another, so that it is the same ones that come together,
			// however often the bot reads meanwhile.
			if n == 0 {
				if err := g.rooted(ctx, id); err != nil {
					return err
				}
			}
		}
		if !published {
			break
		}
		for _, states := range stories {
			if n < len(states) {
				if err := g.rooted(ctx, issueID(states[n])); err != nil {
					return err
				}
			}
		}
		if err := g.polled(ctx); err != nil {
			return err
		}
	}
	return g.resolved(ctx, stories)
}

// now stamps a state as changed just now: Microsoft writes the time of the
// change, and the bot reads what changed since it last looked.
func now(raw json.RawMessage) json.RawMessage {
	var issue map[string]json.RawMessage
	if json.Unmarshal(raw, &issue) != nil {
		return raw
	}
	issue["lastModifiedDateTime"], _ = json.Marshal(time.Now().UTC().Format(time.RFC3339Nano))
	out, _ := json.Marshal(issue)
	return out
}

// rooted waits until an incident has its message in the channel.
func (g *game) rooted(ctx context.Context, id string) error {
	for _, at := range g.clients {
		err := g.until(ctx, "a message about "+id+" in the channel on "+at.name(), func() bool {
			return slices.ContainsFunc(at.shown(), func(c Card) bool {
				return c.Where == incidentsName && c.Thread == "" && strings.Contains(c.Text, id)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// polled waits until the bot has read service health twice more, so that what
// was published is told, and prints it.
func (g *game) polled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	reads, from := 0, 0
	_, from = g.World.Microsoft.Journal.Since(0)
	for reads < 2 {
		changed := g.World.Microsoft.Journal.Changed()
		calls, _ := g.World.Microsoft.Journal.Since(from)
		reads = 0
		for _, c := range calls {
			if strings.Contains(c.Path, "/admin/serviceAnnouncement/issues") && c.Status == 200 {
				reads++
			}
		}
		if reads >= 2 {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the bot has stopped reading service health")
		}
	}
	return g.catchUp(ctx)
}

// resolved checks that every incident has one root, its own or that of the
// many that came together, and that its final state is shown.
func (g *game) resolved(ctx context.Context, stories [][]json.RawMessage) error {
	for _, at := range g.clients {
		for _, states := range stories {
			id, own, shared := issueID(states[0]), 0, 0
			for _, c := range at.shown() {
				if c.Where != incidentsName || c.Thread != "" {
					continue
				}
				for line := range strings.Lines(c.Text) {
					if strings.HasPrefix(line, id) && !strings.Contains(line, "has its own message") && strings.Contains(c.Text, "One message for all of them") {
						shared++
					}
				}
				if strings.Contains(c.Text, id) && strings.Contains(c.Text, "[History]") {
					own++
				}
			}
			if n := own + shared; n < 1 || n > 1 && !(g.killed && (at.name() == "Teams" || g.World.Unread)) {
				return fmt.Errorf("incident %s has %d messages of its own in the channel on %s and stands in %d for many, not in one of all", id, own, at.name(), shared)
			}
		}
	}
	return g.catchUp(ctx)
}

// subscribe has the channel on every platform be told everything at once:
// without a word advisories wait for the daily digest.
func (g *game) subscribe(ctx context.Context) error {
	who := []Person{Rita}
	if g.World.Platform == Both {
		who = append(who, Mona)
	}
	for _, x := range who {
		if err := g.types(ctx, x, incidentsName, "subscribe live"); err != nil {
			return err
		}
	}
	for _, at := range g.clients {
		err := g.until(ctx, "the word that the channel on "+at.name()+" is told everything at once", func() bool {
			return slices.ContainsFunc(at.shown(), func(c Card) bool {
				return c.Where == incidentsName && strings.Contains(c.Text, "advisories and message center posts of any service at once")
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// asks has somebody say what is wrong in their own words, and waits until the
// articles are there too.
func (g *game) asks(ctx context.Context) error {
	if err := g.types(ctx, Rita, opsName, "recommend onedrive files stay at sync pending"); err != nil {
		return err
	}
	return g.until(ctx, "articles for what Rita asked", func() bool { return g.sees(Rita, "Microsoft Learn was asked for") })
}
