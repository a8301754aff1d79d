package slack

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// Standing is what Slack says of a bot token.
type Standing struct {
	Team   string // the workspace that it belongs to, whatever the configuration says
	Org    string // the organisation, where the token is of an org-wide install
	Name   string // the workspace's name
	Scopes []string
}

// Standing asks Slack whose a workspace's token is and what it may do
// (auth.test). It changes nothing, also not what the adapter knows.
func (a *Adapter) Standing(ctx context.Context, team string) (Standing, error) {
	api, err := a.client(team)
	if err != nil {
		return Standing{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	r, err := api.AuthTestContext(ctx)
	if err != nil {
		return Standing{}, failure(err)
	}
	s := Standing{Team: r.TeamID, Org: r.EnterpriseID, Name: r.Team}
	for scope := range strings.SplitSeq(r.Header.Get("X-Oauth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			s.Scopes = append(s.Scopes, scope)
		}
	}
	return s, nil
}

// Alive reports an error where an account cannot be written to: it is unknown,
// or deactivated.
func (a *Adapter) Alive(ctx context.Context, who bot.Account) error {
	api, err := a.client(who.Team)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	u, err := api.GetUserInfoContext(ctx, who.ID)
	if err != nil {
		return failure(err)
	}
	if u.Deleted {
		return judged(slack.SlackErrorResponse{Err: "user_disabled"}, false)
	}
	return nil
}

// Channel is what Slack says of a channel that the bot posts to.
type Channel struct {
	Name     string // without #
	Member   bool   // the bot is in it
	Private  bool
	Outside  bool // people of other organisations are in it, or invited
	Archived bool
	Closed   bool   // the bot may not post there though it is in it
	Posters  string // who may post there; "" is everybody in it
	People   int    // how many are in it, where Slack says so
}

// Channel asks Slack about a channel. One that the bot is not told of, because
// it is private and the bot is not in it, is a failure like one that does not
// exist: Slack says no more.
func (a *Adapter) Channel(ctx context.Context, at bot.Place) (Channel, error) {
	api, err := a.client(at.Team)
	if err != nil {
		return Channel{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	c, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: at.Channel, IncludeNumMembers: true})
	if err != nil {
		return Channel{}, failure(err)
	}
	out := Channel{Name: c.Name, Member: c.IsMember, Private: c.IsPrivate, Archived: c.IsArchived, Closed: c.IsReadOnly, People: c.NumMembers,
		Outside: c.IsExtShared || c.IsPendingExtShared}
	if c.Properties != nil {
		out.Posters = posters(c.Properties.PostingRestrictedTo)
	}
	return out, nil
}

// posters says in words whom a channel's managers let post.
func posters(r slack.RestrictedTo) string {
	words := map[string]string{"admin": "admins of the workspace", "org_admin": "admins of the organisation", "owner": "owners of the workspace", "ra": "everybody but guests"}
	var all []string
	for _, t := range r.Type {
		if w, ok := words[t]; ok {
			t = w
		}
		all = append(all, t)
	}
	switch n := len(r.User); {
	case n == 1:
		all = append(all, "1 named account")
	case n > 1:
		all = append(all, fmt.Sprintf("%d named accounts", n))
	}
	return strings.Join(all, ", ")
}
