package play

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// story is one issue as it was told, post by post.
type story struct {
	id     string
	states []json.RawMessage // of the issue, oldest first
	times  []time.Time       // when each state's newest post was written
	posts  int
}

// stories cuts issues into their successive states: one a post, by the post's
// time, whatever the order of the array.
func stories(issues []json.RawMessage) ([]story, error) {
	var out []story
	for _, raw := range issues {
		var issue map[string]json.RawMessage
		if err := json.Unmarshal(raw, &issue); err != nil {
			return nil, fmt.Errorf("an issue is no JSON object: %w", err)
		}
		var posts []json.RawMessage
		_ = json.Unmarshal(issue["posts"], &posts) // an issue without posts has one state
		slices.SortStableFunc(posts, func(a, b json.RawMessage) int { return created(a).Compare(created(b)) })
		s := story{id: text(issue["id"]), posts: len(posts)}
		for _, p := range posts {
			s.times = append(s.times, created(p))
		}
		for n := 1; n < len(posts); n++ {
			s.states = append(s.states, asOf(issue, posts[:n], created(posts[n-1]), false))
		}
		s.states = append(s.states, asOf(issue, posts, time.Time{}, true))
		out = append(out, s)
	}
	return out, nil
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
func (g *game) incidents(ctx context.Context, issues []json.RawMessage) error {
	list, err := stories(issues)
	if err != nil {
		return err
	}
	shown := 0
	for n := 0; ; n++ {
		published := false
		for i := range list {
			s := &list[i]
			if n >= len(s.states) {
				continue
			}
			published = true
			if err := g.line(ctx, "Microsoft", "publishes %s, state %d of %d", s.id, n+1, len(s.states)); err != nil {
				return err
			}
			if err := g.World.Microsoft.PutIssue(now(s.states[n])); err != nil {
				return fmt.Errorf("publishing %s: %w", s.id, err)
			}
			// One after another, so that it is the same ones that come together,
			// however often the bot reads meanwhile.
			if n == 0 {
				if err := g.rooted(ctx, s.id); err != nil {
					return err
				}
			}
		}
		if !published {
			break
		}
		for i := range list {
			if n < len(list[i].states) {
				if err := g.rooted(ctx, list[i].id); err != nil {
					return err
				}
			}
		}
		if err := g.polled(ctx); err != nil {
			return err
		}
		shown++
	}
	return g.resolved(ctx, list)
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
func (g *game) resolved(ctx context.Context, list []story) error {
	for _, at := range g.clients {
		for _, s := range list {
			own, shared := 0, 0
			for _, c := range at.shown() {
				if c.Where != incidentsName || c.Thread != "" {
					continue
				}
				for line := range strings.Lines(c.Text) {
					if strings.HasPrefix(line, s.id) && !strings.Contains(line, "has its own message") && strings.Contains(c.Text, "One message for all of them") {
						shared++
					}
				}
				if strings.Contains(c.Text, s.id) && strings.Contains(c.Text, "[History]") {
					own++
				}
			}
			if n := own + shared; n < 1 || n > 1 && !(g.killed && (at.name() == "Teams" || g.World.Unread)) {
				return fmt.Errorf("incident %s has %d messages of its own in the channel on %s and stands in %d for many, not in one of all", s.id, own, at.name(), shared)
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
