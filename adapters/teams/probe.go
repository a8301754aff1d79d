package teams

import (
	"context"

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
		return 0, &bot.Failure{Kind: bot.KindUnreachable, System: system, Err: httpx.Clean(err),
			Says: "The keys that sign Microsoft's requests cannot be read, so every request from Teams would be refused.",
			Fix:  "Let this server reach the key list, and check outside.teams_openid in the configuration if it is set."}
	}
	return len(keys), nil
}
