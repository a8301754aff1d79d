package teams

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Prove gets a token for the bot, which proves its app ID, directory and
// credential. A token that is still good is used.
func (a *Adapter) Prove(ctx context.Context) error {
	_, err := a.tokens.token(ctx)
	return err
}

// Keys reads the keys that sign Microsoft's requests and gives their number.
// Without them no request could be told from a forged one.
func (a *Adapter) Keys(ctx context.Context) (int, error) {
	keys, err := a.valid.keys.fetch(ctx)
	if err != nil {
		f := &bot.Failure{Kind: bot.KindUnreachable, System: system, Err: httpx.Clean(err),
			Says: "The keys that sign Microsoft's requests cannot be read, so every request from Teams would be refused.",
			Fix:  "Let this server reach the key list, and check outside.teams_openid in the configuration if it is set."}
		if sent := new(httpx.Error); errors.As(err, &sent) {
			lost := httpx.Lost("the key list of Teams", false, "", sent)
			f.Says += " " + lost.Says
			f.Fix = lost.Fix
		}
		return 0, f
	}
	return len(keys), nil
}

// Roster asks Teams for the roster of a channel and gives how many people it
// has, 0 where Teams does not say. Teams answers only a bot whose app is in the
// channel's team, so that a success says that the bot can post there.
func (a *Adapter) Roster(ctx context.Context, at bot.Place) (people int, err error) {
	if err := a.mayAddress(at.Team); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = a.elsewhere(at.Team, at.Channel, func(service string) error {
		target, err := address(service, "conversations", at.Channel, "pagedmembers")
		if err != nil {
			return err
		}
		target.RawQuery = "pageSize=50"
		answer, err := a.exchange(ctx, http.MethodGet, target, nil, false)
		if err != nil {
			return err
		}
		var page struct {
			Members []json.RawMessage `json:"members"`
			Total   int               `json:"totalCount"`
			More    string            `json:"continuationToken"`
		}
		if json.Unmarshal(answer, &page) != nil {
			return &bot.Failure{Kind: bot.KindMalformed, System: system, Says: "Teams answered with something that cannot be read.",
				Fix: "Look whether a proxy changes the answers."}
		}
		if people = page.Total; people == 0 && page.More == "" {
			people = len(page.Members)
		}
		return nil
	})
	return people, err
}
