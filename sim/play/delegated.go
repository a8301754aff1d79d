package play

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"sync"
	"time"

	"keyturn/sim/microsoft"
	"keyturn/sim/servicenow"
)

// SignInKey is the key pair of Keyturn's sign-in registration. It opens
// nothing but simulators.
type SignInKey struct {
	Private, Certificate string // PEM
	der                  []byte
}

// oneKey is the same in every world of a process that forgets everything.
var oneKey = sync.OnceValue(func() SignInKey {
	k, err := newKey()
	if err != nil {
		panic(err) // the system has no randomness
	}
	return k
})

func newKey() (SignInKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return SignInKey{}, fmt.Errorf("making the sign-in key: %w", err)
	}
	t := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Keyturn sign-in"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &t, &t, &key.PublicKey, key)
	if err != nil {
		return SignInKey{}, fmt.Errorf("making the sign-in certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return SignInKey{}, fmt.Errorf("encoding the sign-in key: %w", err)
	}
	return SignInKey{Private: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), der: der}, nil
}

// keptKey is the key pair of a world that remembers, made at its first start.
func keptKey(path string) (SignInKey, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		k, err := newKey()
		if err != nil {
			return SignInKey{}, err
		}
		return k, os.WriteFile(path, []byte(k.Private+k.Certificate), 0o600)
	}
	if err != nil {
		return SignInKey{}, fmt.Errorf("reading the sign-in key: %w", err)
	}
	private, rest := pem.Decode(b)
	cert, _ := pem.Decode(rest)
	if private == nil || cert == nil {
		return SignInKey{}, fmt.Errorf("the file %s does not hold a key and its certificate: remove it with the folder around it to start anew", path)
	}
	return SignInKey{Private: string(pem.EncodeToMemory(private)), Certificate: string(pem.EncodeToMemory(cert)), der: cert.Bytes}, nil
}

// adminAccounts are the accounts of a directory in which admins have separate
// ones, and Erin's role is inactive until she activates it.
func adminAccounts() []microsoft.User {
	var out []microsoft.User
	for _, p := range Everybody() {
		u := microsoft.User{ID: p.Entra, Name: p.Name, UPN: p.UPN, Mail: p.UPN, Active: p.Active, Eligible: p.PIM}
		if p.Admin != "" {
			out = append(out, microsoft.User{ID: p.Entra, Name: p.Name, UPN: p.Daily(), Mail: p.Daily()})
			u.ID, u.Name, u.Mail = p.Admin, p.Name+" (admin)", ""
		}
		if p.Name == Erin.Name {
			u.Active, u.Eligible = nil, p.Active
		}
		out = append(out, u)
	}
	return out
}

// Daily is the account that a person reads mail with.
func (x Person) Daily() string { return strings.Replace(x.UPN, ".admin@", "@", 1) }

// SignInScopes are what people consented to for Keyturn's sign-in registration.
// What they do not cover is refused.
func SignInScopes() []string {
	return []string{"User.Read", "Application.ReadWrite.All", "Policy.Read.All"}
}

// delegatedApps are Keyturn's own registrations where everybody signs in: none
// of them may write.
func delegatedApps(o Options) []microsoft.App {
	return []microsoft.App{
		{AppID: SignInClient, Name: "Keyturn sign-in", RedirectURIs: []string{o.Bot + "/signin/entra"}, Certificates: [][]byte{o.key.der},
			Scopes: SignInScopes()},
		{AppID: ReaderClient, Name: "Service health reader of the operations team", Secrets: []microsoft.Secret{{Name: "reader", Value: ReaderSecret}},
			Roles: []string{"ServiceHealth.Read.All", "ServiceMessage.Read.All"}},
	}
}

// delegatedClients are Keyturn's own clients on the instance.
func delegatedClients(o Options) []servicenow.Client {
	return []servicenow.Client{{Name: "Keyturn sign-in", ID: SignInNowClient, Secret: SignInNowSecret, Grant: "authorization_code", Redirect: o.Bot + "/signin/servicenow/contoso"}}
}

// BotAt says where the bot is: Slack sends there, and both systems send
// browsers back there after a sign-in.
func (w *World) BotAt(url string) error {
	if w.Slack != nil {
		w.Slack.SetBotURL(url)
	}
	if !w.SignIn {
		return nil
	}
	return errors.Join(w.Microsoft.SetRedirects(SignInClient, url+"/signin/entra"), w.ServiceNow.SetRedirects(SignInNowClient, url+"/signin/servicenow/contoso"))
}
