package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with a key pair is said by check, before anything is signed with
// it: Entra would say no more than that a signature is not valid.
func TestACheckFindsWhatIsWrongWithAKeyPair(t *testing.T) {
	one, other := madePair(t), madePair(t)
	for name, c := range map[string]struct{ private, certificate, says string }{
		"as openssl makes it":       {one.private, one.certificate, ""},
		"dots for the certificate":  {one.private, "-----BEGIN CERTIFICATE-----\n...\n", "certificate: it cannot be read: paste all of the PEM file"},
		"the key as certificate":    {one.private, one.private, "certificate: it cannot be read"},
		"no certificate":            {one.private, "", "certificate: the certificate (PEM) of the private key is missing"},
		"another certificate":       {one.private, other.certificate, "certificate: it belongs to another private key"},
		"the certificate as key":    {one.certificate, one.certificate, "private_key: it cannot be read: it has to be an RSA key in PEM"},
		"a key with a passphrase":   {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n", one.certificate, "private_key: it is encrypted"},
		"something else as the key": {"hunter2", one.certificate, "private_key: it cannot be read"},
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(c.private), 0o600); err != nil {
			t.Fatal(err)
		}
		indented := func(spaces string) string {
			return "|\n" + spaces + strings.ReplaceAll(strings.TrimSpace(c.certificate), "\n", "\n"+spaces)
		}
		conf, err := parseConfig([]byte(`public_url: https://keyturn.contoso.com
teams:
  private_key: file:` + file + `
  certificate: ` + indented("    ") + `
tenants:
- id: contoso
  reader: {client_id: x, private_key: "file:` + file + `", certificate: ` + yamlText(c.certificate) + `}
  sign_in:
    entra_client_id: x
    entra_private_key: file:` + file + `
    entra_certificate: ` + indented("      ") + `
`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, f := conf.check()
		for _, where := range []string{"teams.", "tenants.contoso.reader.", "tenants.contoso.sign_in.entra_"} {
			var said []string
			for _, fault := range faultsOf(f, where) {
				if rest := strings.TrimPrefix(fault, where); strings.HasPrefix(rest, "certificate") || strings.HasPrefix(rest, "private_key") {
					said = append(said, rest)
				}
			}
			if got := strings.Join(said, "\n"); (c.says == "") != (got == "") || !strings.HasPrefix(got, c.says) || strings.Contains(got, "hunter2") || strings.Contains(got, "MII") {
				t.Errorf("%s: check says of %s %q, expected %q", name, where, got, c.says)
			}
		}
	}
}

// yamlText is a text of several lines as one quoted one.
func yamlText(s string) string { return `"` + strings.ReplaceAll(s, "\n", `\n`) + `"` }
