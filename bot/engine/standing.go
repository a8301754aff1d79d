package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// readerSecret is the store's name of the credential for reading service
// health that a run has made.
func readerSecret(t bot.TenantID) string { return "tenant/" + string(t) + "/reader" }

// standingReader is that credential at rest.
type standingReader struct {
	ClientID string `json:"client_id"`
	Key      string `json:"key"`
	Cert     string `json:"cert"`
}

// unattendedSecret is the store's name of the ServiceNow sign-in for
// unattended work that a run has made.
func unattendedSecret(t bot.TenantID) string { return "tenant/" + string(t) + "/unattended" }

// standingUnattended is that sign-in at rest.
type standingUnattended struct {
	ClientID string `json:"client_id"`
	Secret   string `json:"secret"`
}

// Standing gives what Keyturn may do in a tenant while nobody is signed in: the
// credential for reading service health and the dedicated user at ServiceNow.
// What there is none of is zero.
func Standing(v View, t *bot.Tenant) (bot.Reader, bot.CallIdentity, error) {
	reader, _, err := readerOf(v, t)
	if err != nil {
		return reader, bot.CallIdentity{}, err
	}
	as, _, err := unattended(v, t.ID)
	return reader, as, err
}

func (e *Engine) reader(v View, t *bot.Tenant) (bot.Reader, bool, error) { return readerOf(v, t) }

// Reads reports whether there is a credential to read a tenant's service health
// with, whether or not it was read yet.
func (d *Draft) Reads(t *bot.Tenant) (bool, error) {
	_, ok, err := readerOf(d.View, t)
	return ok, err
}

// readerOf finds the credential for reading a tenant's service health: the
// configured one, or the one that a run has made.
func readerOf(v View, t *bot.Tenant) (bot.Reader, bool, error) {
	if t.Reader.Configured() {
		return t.Reader, true, nil
	}
	s, err := v.Secret(readerSecret(t.ID))
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Reader{}, false, nil
	}
	if err != nil {
		return bot.Reader{}, false, err
	}
	var r standingReader
	if err := json.Unmarshal([]byte(s.Reveal()), &r); err != nil {
		return bot.Reader{}, false, fmt.Errorf("the stored credential for reading service health of %s is damaged: run the guide's step again: %w", t.ID, err)
	}
	return bot.Reader{ClientID: r.ClientID, Key: bot.NewSecret(r.Key), Cert: r.Cert}, true, nil
}

// standing keeps what a proved step gives the tenant for good, and forgets
// what cleanup has removed.
func (d *Draft) standing(r *setup.Run, step setup.StepID) error {
	if step == setup.StepUnattended {
		secret, err := d.Secret(secretName(r.ID, "sn.client_secret"))
		if errors.Is(err, bot.ErrNotFound) {
			return nil // done by hand: the person keeps the secret
		}
		if err != nil {
			return fmt.Errorf("the secret for unattended work: %w", err)
		}
		kept := standingUnattended{ClientID: r.Facts[setup.FactServiceNowClientID].Value, Secret: secret.Reveal()}
		if err := d.seal(unattendedSecret(r.Tenant), kept); err != nil {
			return err
		}
	}
	if step == setup.StepIncidents {
		if err := d.keepMapping(r); err != nil {
			return err
		}
	}
	if step == setup.StepReaderConsent || step == setup.StepRotateReader {
		key, err := d.Secret(secretName(r.ID, "reader.key"))
		if err != nil {
			return fmt.Errorf("the private key of the health reader registration: %w", err)
		}
		kept := standingReader{ClientID: r.Facts["reader.client_id"].Value, Key: key.Reveal(), Cert: r.Facts["reader.key.cert"].Value}
		if err := d.seal(readerSecret(r.Tenant), kept); err != nil {
			return err
		}
		d.pollNow(r.Tenant)
	}
	return d.forgetReader(r)
}

// seal keeps a credential of several values under one name.
func (d *Draft) seal(name string, credential any) error {
	value, err := json.Marshal(credential)
	if err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	d.Out.Secrets = append(d.Out.Secrets, Sealed{Name: name, Value: bot.NewSecret(string(value))})
	return nil
}

// forgetReader drops the standing credential when its registration is gone.
func (d *Draft) forgetReader(r *setup.Run) error {
	s, err := d.Secret(readerSecret(r.Tenant))
	if errors.Is(err, bot.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var reader standingReader
	if err := json.Unmarshal([]byte(s.Reveal()), &reader); err != nil {
		return err
	}
	objects, err := d.Objects(r.Tenant)
	if err != nil {
		return err
	}
	for _, o := range overlay(objects, d.Out.Objects) {
		if o.Kind == "application" && o.ID == setup.UniqueReader && !o.Removed.IsZero() {
			d.Out.Forget = append(d.Out.Forget, readerSecret(r.Tenant))
			return nil
		}
	}
	return nil
}

// forget drops the secrets of a step that was undone.
func (d *Draft) forget(r *setup.Run, step setup.StepID) {
	for name, f := range r.Facts {
		if f.Secret && f.Step == step {
			d.Out.Forget = append(d.Out.Forget, secretName(r.ID, name))
		}
	}
	slices.Sort(d.Out.Forget)
}
