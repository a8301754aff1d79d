package main

import (
	"context"
	"fmt"
	"slices"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// spoken is a channel that Keyturn has something to post to.
type spoken struct {
	at      bot.Place
	purpose string // what it is for, such as "the admin channel"
	quiet   bool   // what is told there is not for everybody
}

// named are the channels that the configuration names for a tenant.
func (d *doctor) named(t *bot.Tenant) (out []spoken) {
	if t.Admins != nil {
		out = append(out, spoken{at: *t.Admins, purpose: "the admin channel", quiet: true})
	}
	if t.Fallback != nil {
		out = append(out, spoken{at: *t.Fallback, purpose: "the fallback"})
	}
	return out
}

// subscribed looks at the channels that are told of incidents.
func (d *doctor) subscribed(ctx context.Context, store engine.Store, t *bot.Tenant) []finding {
	var out []finding
	var places []spoken
	err := store.Read(ctx, func(v engine.View) error {
		subs, err := v.Subscriptions(t.ID)
		for _, s := range subs {
			if s.Stopped != "" {
				out = append(out, finding{Of: channelsOf(t), What: s.Place.Channel + ", told of incidents", State: warned, Says: "Nothing is told there any more: " + s.Stopped,
					Fix: "Type /keyturn subscribe there once that is mended, or /keyturn unsubscribe."})
				continue
			}
			if !s.Place.Direct() {
				places = append(places, spoken{at: s.Place, purpose: "told of incidents"})
			}
		}
		return err
	})
	if err != nil {
		return append(out, failed(channelsOf(t), "subscriptions", err, ""))
	}
	return append(out, d.channels(ctx, t, places)...)
}

func channelsOf(t *bot.Tenant) string { return "Channels of " + string(t.ID) }

// channels looks whether the bot is in each channel and may post there.
func (d *doctor) channels(ctx context.Context, t *bot.Tenant, places []spoken) (out []finding) {
	for _, p := range places {
		switch {
		case p.at.Platform == bot.Slack && d.slack != nil:
			out = append(out, d.slackChannel(ctx, t, p))
		case p.at.Platform == bot.Teams && d.teams != nil:
			out = append(out, d.teamsChannel(ctx, t, p))
		}
	}
	return out
}

func (d *doctor) slackChannel(ctx context.Context, t *bot.Tenant, p spoken) finding {
	f := finding{Of: channelsOf(t), What: p.at.Channel + ", " + p.purpose}
	c, err := d.slack.Channel(ctx, p.at)
	if err != nil {
		f = failed(f.Of, f.What, err, "")
		switch {
		case busy(err):
			f.State = unproved
		case f.Code == "channel_not_found":
			f.Says = "Slack tells Keyturn of no such channel: the ID is another, it was deleted, or it is private and Keyturn is not in it"
			f.Fix = "Look at the ID at the end of the channel's details, and type /invite @Keyturn in it."
		}
		return f
	}
	f.What = "#" + c.Name + " (" + p.at.Channel + "), " + p.purpose
	switch {
	case c.Archived:
		f.State, f.Says, f.Fix = broken, "It is archived", "Unarchive it, or choose another channel."
	case c.Closed:
		f.State, f.Says, f.Fix = broken, "Keyturn may not post there: it is read-only for it"+who(c.Posters), "Have a channel manager allow Keyturn under Posting permissions of the channel's settings."
	case !c.Member && c.Private:
		f.State, f.Says, f.Fix = broken, "Keyturn is not in it", "Type /invite @Keyturn in it."
	case !c.Member:
		f.State, f.Says, f.Fix = warned, "Keyturn is not in it. It posts there only by chat:write.public, and does not hear that the channel is archived", "Type /invite @Keyturn in it."
		if !d.granted(ctx, p.at.Team, "chat:write.public") {
			f.State, f.Says = broken, "Keyturn is not in it"
		}
	case c.Outside && p.quiet:
		f.State, f.Says, f.Fix = warned, "Keyturn is in it, and so are people of other organisations, who read there what is wrong", "Choose a channel of your own as admin_channel."
	default:
		f.State, f.Says = fine, "Keyturn is in it"+who(c.Posters)
		if c.Posters == "" {
			f.Says += "; everybody in it may post"
		}
		if p.quiet && !c.Private {
			f.Says += "; it is public, so everybody of the workspace may read it"
		}
	}
	return f
}

// busy reports whether an error says nothing of what was asked about.
func busy(err error) bool {
	k := bot.KindOf(err)
	return k == bot.KindThrottled || k == bot.KindUnreachable
}

func who(posters string) string {
	if posters == "" {
		return ""
	}
	return "; those who may post: " + posters
}

// granted reports whether a workspace's token has a scope.
func (d *doctor) granted(ctx context.Context, team, scope string) bool {
	s, err := d.slack.Standing(ctx, team)
	return err == nil && slices.Contains(s.Scopes, scope)
}

func (d *doctor) teamsChannel(ctx context.Context, t *bot.Tenant, p spoken) finding {
	f := finding{Of: channelsOf(t), What: p.at.Channel + ", " + p.purpose}
	people, err := d.teams.Roster(ctx, p.at)
	if err != nil {
		f = failed(f.Of, f.What, err, "")
		switch {
		case busy(err):
			f.State = unproved
		case bot.KindOf(err) == bot.KindNotFound:
			f.Says, f.Fix = "Teams knows no such channel: the ID is another, or it was deleted", "Copy the ID from the channel's link (Get link to channel), and decode %3A to : and %40 to @."
		}
		return f
	}
	f.State, f.Says = fine, "The app is in its team, so that Keyturn may post there"
	if people > 0 {
		f.Says += fmt.Sprintf("; %s in it", countOf(people, "person is", "people are"))
	}
	return f
}
