package slack

import (
	"context"
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
