package teams

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Credential is how the bot proves itself to Microsoft's sign-in service:
// exactly one of a secret, a key with its certificate, and a federated
// credential.
type Credential struct {
	Secret bot.Secret
	Key    bot.Secret // PEM, RSA
	Cert   string     // PEM, uploaded to the app registration
	// Assertion gives a signed assertion for the audience, such as the token
	// of a managed identity or of a workload identity.
	Assertion func(ctx context.Context, audience string) (bot.Secret, error)
}

// login gets the bot's own tokens: one fetch for any number of askers, from
// the sign-in service and for the Bot Connector alone.
type login struct {
	appID, address, scope string
	secret                bot.Secret
	assert                func(ctx context.Context, audience string) (bot.Secret, error)
	http                  *http.Client
	now                   func() time.Time
	cache                 httpx.TokenCache
}

var directoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.\-]{0,200}$`)

func newLogin(c Config, cloud Cloud, client *http.Client, now func() time.Time) (*login, error) {
	ways := 0
	for _, given := range []bool{!c.Credential.Secret.IsZero(), !c.Credential.Key.IsZero(), c.Credential.Assertion != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return nil, errors.New("the Teams bot needs exactly one credential: a secret, a key with its certificate, or a federated credential")
	}
	if !directoryName.MatchString(c.Directory) {
		return nil, fmt.Errorf("%q is no directory of an app registration: give the Entra tenant ID that the bot is registered in", c.Directory)
	}
	l := &login{appID: c.AppID, scope: cloud.Scope, secret: c.Credential.Secret, assert: c.Credential.Assertion, http: client, now: now,
		address: strings.TrimRight(cloud.LoginURL, "/") + "/" + url.PathEscape(c.Directory) + "/oauth2/v2.0/token"}
	l.cache.Now = now
	if !c.Credential.Key.IsZero() {
		key, thumb, err := keyPair(c.Credential)
		if err != nil {
			return nil, fmt.Errorf("the key of the Teams bot cannot be used: %w", err)
		}
		l.assert = func(_ context.Context, audience string) (bot.Secret, error) { return l.sign(key, thumb, audience) }
	}
	return l, nil
}

const cacheKey = "bot"

// token gives a token that lives long enough for a call.
func (l *login) token(ctx context.Context) (bot.Secret, error) {
	t, err := l.cache.Get(ctx, cacheKey, l.fetch)
	if err != nil {
		return bot.Secret{}, err
	}
	return t.Value, nil
}

// refused forgets a token that the Bot Connector did not take.
func (l *login) refused(t bot.Secret) { l.cache.Drop(cacheKey, t) }

func (l *login) fetch(ctx context.Context) (httpx.Token, error) {
	c := clientcredentials.Config{ClientID: l.appID, TokenURL: l.address, Scopes: []string{l.scope}, AuthStyle: oauth2.AuthStyleInParams}
	if l.assert == nil {
		c.ClientSecret = l.secret.Reveal()
	} else {
		assertion, err := l.assert(ctx, l.address)
		if err != nil {
			return httpx.Token{}, &bot.Failure{Kind: bot.KindSignIn, System: bot.Login, Err: err,
				Says: "The bot could not prove itself to Microsoft's sign-in service.", Fix: "An operator has to look at the bot's credential."}
		}
		c.EndpointParams = url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion.Reveal()},
		}
	}
	began := l.now()
	t, err := c.Token(context.WithValue(ctx, oauth2.HTTPClient, l.http))
	if err != nil {
		return httpx.Token{}, l.explain(err)
	}
	return httpx.Token{Value: bot.NewSecret(t.AccessToken), Type: t.TokenType, Fetched: began, Expires: began.Add(lifetime(t))}, nil
}

// lifetime is how long the token lives, by the answer and not by this
// machine's clock.
func lifetime(t *oauth2.Token) time.Duration {
	seconds := float64(t.ExpiresIn)
	switch v := t.Extra("expires_in").(type) {
	case float64:
		seconds = v
	case string:
		seconds, _ = strconv.ParseFloat(v, 64)
	}
	if !(seconds > 0) {
		return 5 * time.Minute
	}
	return time.Duration(min(seconds, 86400) * float64(time.Second))
}

var entraCode = regexp.MustCompile(`AADSTS[0-9]{3,8}`)

// explain says what a refusal of the sign-in service means.
func (l *login) explain(err error) error {
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) || r.Response == nil {
		f := httpx.Lost(bot.Login, false, "", httpx.Clean(err))
		return f
	}
	f := &bot.Failure{Kind: bot.KindSignIn, System: bot.Login, Status: r.Response.StatusCode, RequestID: httpx.RequestID(r.Response.Header),
		Code: first(entraCode.FindString(r.ErrorDescription), httpx.Plain(r.ErrorCode, 60)),
		Says: "Microsoft's sign-in service gave the bot no token.",
		Fix:  "An operator has to check the bot's app ID, directory and credential."}
	switch {
	case f.Status == http.StatusTooManyRequests:
		f.Kind, f.Fix = bot.KindThrottled, ""
		f.RetryAfter = 30 * time.Second
		if d, ok := httpx.RetryAfter(r.Response.Header, l.now()); ok {
			f.RetryAfter = d
		}
	case f.Status >= 500:
		f.Kind, f.Fix = bot.KindUnreachable, "It is tried again."
	case f.Code == "AADSTS700016" || f.Code == "AADSTS90002":
		f.Fix = "The app registration is not in the configured directory: give the tenant ID that the bot is registered in."
	case f.Code == "AADSTS7000222":
		f.Fix = "The bot's secret or certificate has expired: make a new one in the app registration."
	case f.Code == "AADSTS7000215":
		f.Fix = "The bot's secret is wrong: configure its value, not its ID."
	}
	return f
}

// sign makes a client assertion, as the Microsoft identity platform's page on
// certificate credentials describes it.
func (l *login) sign(key *rsa.PrivateKey, thumb, audience string) (bot.Secret, error) {
	now := l.now()
	t := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.RegisteredClaims{
		Issuer: l.appID, Subject: l.appID, Audience: jwt.ClaimStrings{audience}, ID: httpx.NewRequestID(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	})
	t.Header["x5t#S256"] = thumb
	s, err := t.SignedString(key)
	return bot.NewSecret(s), err
}

// keyPair reads a key and its certificate. Its errors never quote the key.
func keyPair(c Credential) (*rsa.PrivateKey, string, error) {
	kb, _ := pem.Decode([]byte(c.Key.Reveal()))
	cb, _ := pem.Decode([]byte(c.Cert))
	if kb == nil || cb == nil || cb.Type != "CERTIFICATE" {
		return nil, "", errors.New("key and certificate have to be PEM")
	}
	key, err := x509.ParsePKCS1PrivateKey(kb.Bytes)
	if err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(kb.Bytes)
		rsaKey, ok := parsed.(*rsa.PrivateKey)
		if err != nil || !ok {
			return nil, "", errors.New("it has to be an unencrypted RSA key, PKCS #1 or PKCS #8")
		}
		key = rsaKey
	}
	cert, err := x509.ParseCertificate(cb.Bytes)
	if err != nil || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, "", errors.New("its certificate cannot be read or belongs to another key")
	}
	sum := sha256.Sum256(cb.Bytes)
	return key, base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
