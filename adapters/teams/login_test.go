package teams

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/bot"
)

func TestTheTokenIsFetchedOnceAndRenewedWhenItIsNotTaken(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if _, err := w.Post(t.Context(), channelP.In("5"), hello); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.logins) != 1 {
		t.Fatalf("%d logins", len(w.logins))
	}
	l := w.logins[0]
	if l.Path != "/"+contoso+"/oauth2/v2.0/token" || l.Form.Get("grant_type") != "client_credentials" || l.Form.Get("client_secret") != canary ||
		l.Form.Get("client_id") != appID || l.Form.Get("scope") != "https://api.botframework.com/.default" {
		t.Errorf("got %+v", l)
	}
	w.next(401, "")
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); err != nil || w.lastCall().Auth != "Bearer bot-token-2" {
		t.Errorf("got %v, %s", err, w.lastCall().Auth)
	}
	w.pass(56 * time.Minute)
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); err != nil || w.lastCall().Auth != "Bearer bot-token-3" {
		t.Errorf("got %v, %s", err, w.lastCall().Auth)
	}
}

func TestARefusedLoginSaysWhatToDo(t *testing.T) {
	for says, want := range map[string]string{
		"AADSTS700016: Application with identifier 'x' was not found": "directory", "AADSTS7000215: Invalid client secret provided": "not its ID",
		"AADSTS7000222: The provided client secret keys are expired": "expired", "AADSTS99999: Something else": "check"} {
		w := newWorld(t)
		w.login = func(rw http.ResponseWriter) {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(401)
			fmt.Fprintf(rw, `{"error":"invalid_client","error_description":"%s Trace ID: 1 %s"}`, says, canary)
		}
		_, err := w.Post(t.Context(), channelP.In("5"), hello)
		if bot.KindOf(err) != bot.KindSignIn || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), strings.Split(says, ":")[0]) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", says, err)
		}
		if len(w.sent()) != 0 {
			t.Error("a message was sent without a token")
		}
	}
	w := newWorld(t)
	w.login = func(rw http.ResponseWriter) { rw.WriteHeader(503) }
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindUnreachable {
		t.Errorf("got %v", err)
	}
}

func TestTheBotProvesItselfWithACertificateOrAFederatedCredential(t *testing.T) {
	key := newSigner("bot").key
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: noon.AddDate(1, 0, 0)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	for name, c := range map[string]Credential{
		"PKCS 1": {Key: bot.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))), Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))},
		"PKCS 8": {Key: bot.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))), Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))},
	} {
		w := newWorld(t, func(cfg *Config) { cfg.Credential = c })
		if _, err := w.Post(t.Context(), channelP.In("5"), hello); err != nil {
			t.Fatal(name, err)
		}
		f := w.logins[0].Form
		var claims jwt.RegisteredClaims
		token, err := jwt.ParseWithClaims(f.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
			jwt.WithValidMethods([]string{"PS256"}), jwt.WithTimeFunc(func() time.Time { return noon }), jwt.WithIssuer(appID))
		if err != nil || f.Get("client_secret") != "" || token.Header["x5t#S256"] == nil || !strings.HasSuffix(claims.Audience[0], "/oauth2/v2.0/token") {
			t.Errorf("%s: %v %v", name, err, f)
		}
	}
	w := newWorld(t, func(cfg *Config) {
		cfg.Credential = Credential{Assertion: func(_ context.Context, audience string) (bot.Secret, error) {
			return bot.NewSecret("of-the-platform-for-" + audience), nil
		}}
	})
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); err != nil || !strings.HasPrefix(w.logins[0].Form.Get("client_assertion"), "of-the-platform-for-http") {
		t.Errorf("%v: got %v", err, w.logins)
	}
	w = newWorld(t, func(cfg *Config) {
		cfg.Credential = Credential{Assertion: func(context.Context, string) (bot.Secret, error) { return bot.Secret{}, errors.New("no identity here") }}
	})
	if _, err := w.Post(t.Context(), channelP.In("5"), hello); bot.KindOf(err) != bot.KindSignIn {
		t.Errorf("got %v", err)
	}
}
