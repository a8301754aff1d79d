package httpx

import (
	"encoding/json"
	"net/url"
	"strings"

	"keyturn/bot"
)

// SecretsIn collects the values that a call's body or form holds under a
// telling name (client_secret, password, ...). Services repeat in an error now
// and then what they were sent; [ScrubFailure] takes it out.
func SecretsIn(body json.RawMessage, form map[string]string) []bot.Secret {
	var out []bot.Secret
	var v any
	if json.Unmarshal(body, &v) == nil {
		collect("", v, &out)
	}
	for k, s := range form {
		collect(k, s, &out)
	}
	return out
}

// SecretsInForm is [SecretsIn] for url.Values.
func SecretsInForm(form url.Values) []bot.Secret {
	var out []bot.Secret
	for k, list := range form {
		for _, s := range list {
			collect(k, s, &out)
		}
	}
	return out
}

func collect(name string, v any, out *[]bot.Secret) {
	switch v := v.(type) {
	case string:
		if telling(name) {
			*out = append(*out, bot.NewSecret(v))
		}
	case []any:
		for _, e := range v {
			collect(name, e, out)
		}
	case map[string]any:
		for k, e := range v {
			collect(k, e, out)
		}
	}
}

func telling(name string) bool {
	name = strings.ToLower(name)
	for _, ending := range []string{"_type", "type", "url", "_lifespan", "keyid", "_as"} {
		if strings.HasSuffix(name, ending) {
			return false // the address of a token endpoint is no token
		}
	}
	for _, part := range []string{"secret", "password", "token", "assertion", "salt"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "code" || name == "code_verifier"
}

// ScrubFailure takes secrets out of what a failure shows.
func ScrubFailure(f *bot.Failure, secrets ...bot.Secret) {
	f.Says = bot.Scrub(f.Says, secrets...)
	f.Fix = bot.Scrub(f.Fix, secrets...)
	f.Code = bot.Scrub(f.Code, secrets...)
	f.RequestID = bot.Scrub(f.RequestID, secrets...)
}
