package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/recommend"
	"keyturn/bot/setup"
)

// Door is where people sign in at one outside system, by authorization code
// with PKCE.
type Door interface {
	// Address is the system's page that a browser is sent to. It asks nobody.
	Address(t bot.TenantID, r bot.SignInRequest) (string, error)
	// Redeem exchanges a code. Who signed in is what the system says and
	// signed, or answered to the token itself.
	Redeem(ctx context.Context, t bot.TenantID, c bot.SignInCode) (bot.SignedIn, error)
	// Issuer is what the page calls itself where it tells (RFC 9207), or "".
	Issuer(t bot.TenantID) string
	// Explain says what the page's error means, in plain words.
	Explain(code, description string) *bot.Failure
}

// attempt is one sign-in on its way. It is used once, by one browser, for one
// person and step, within a quarter of an hour. What would let somebody else
// go on with it is kept as a sum, or sealed.
type attempt struct {
	ID      string          `json:"id"`
	Purpose purpose         `json:"purpose,omitempty"`
	Person  bot.PersonID    `json:"person"`
	System  bot.System      `json:"system"`
	Run     string          `json:"run"`
	Step    string          `json:"step"`
	Via     string          `json:"via"` // the chat account that asked
	Account string          `json:"account,omitempty"`
	Stage   bot.SignInStage `json:"stage"`
	Number  string          `json:"number"`
	Numbers []string        `json:"numbers"`
	Browser string          `json:"browser,omitempty"` // sum
	State   string          `json:"state,omitempty"`   // sum
	Until   time.Time       `json:"until"`
	Says    string          `json:"says,omitempty"`
	Fix     string          `json:"fix,omitempty"`
	// Claims is what the system wants the token to carry.
	Claims string `json:"claims,omitempty"`
	// Found is the account that signed in and is not known as the person's.
	Found  string `json:"found,omitempty"`
	Object string `json:"object,omitempty"`
	// Question is what is asked, of the purpose to ask.
	Question string `json:"question,omitempty"`
}

// back is the button that leads on from a sign-in.
func (a attempt) back() bot.Button {
	if a.Purpose == toAsk {
		return bot.Button{Label: "Ask again", Action: recommend.ActAgain, Value: a.Question}
	}
	return bot.Button{Label: "Show my steps", Action: setup.ActMine, Value: a.Run}
}

// purpose is what a sign-in is for.
type purpose string

const (
	toCall   purpose = ""       // calls are made as the person
	toReveal purpose = "reveal" // a secret is shown once, to this person
	toAsk    purpose = "ask"    // a question is asked as the person; it belongs to no run
)

// sealedAttempt is what is needed to redeem a sign-in.
type sealedAttempt struct {
	Verifier string `json:"verifier"`
	Nonce    string `json:"nonce"`
	Code     string `json:"code,omitempty"`
}

var attempts = Kind[attempt]{Name: "sign-in"}

func attemptSecret(t bot.TenantID, id string) string { return "sign-in/" + string(t) + "/" + id }

// sum is what is kept of a value that only its bearer should know.
func sum(v string) string {
	h := sha256.Sum256([]byte(v))
	return hex.EncodeToString(h[:])
}

// token makes a value that nobody can guess, the same whenever this decision
// runs again.
func (d *Draft) token(what string) string {
	d.ids++
	h := sha256.Sum256([]byte(fmt.Sprintf("%s/%s/%s/%d", d.dice, what, d.key, d.ids)))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// number makes a number of two digits that is none of those given.
func (d *Draft) number(not ...string) string {
	for {
		h := sha256.Sum256([]byte(d.token("number")))
		n := fmt.Sprint(10 + (int(h[0])<<8|int(h[1]))%90)
		if !slices.Contains(not, n) {
			return n
		}
	}
}

// challenge is PKCE's S256 of a verifier (RFC 7636, 4.2).
func challenge(verifier string) string {
	h := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(h[:])
}
