package state

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// Schema is the version of the records' form. A store refuses data with a
// higher one; a Keyturn that changes the form raises it and converts older
// data when it opens.
const Schema = 1

// KeepDeliveries is how long the answer to a delivery key is kept.
const KeepDeliveries = 72 * time.Hour

// Encode writes a record that needs no care of its own.
func Encode[T any](what string, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %s cannot be encoded: %w", ErrInvalid, what, err)
	}
	return b, nil
}

// Decode reads what [Encode] wrote.
func Decode[T any](what string, b []byte) (T, error) {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("%s cannot be read from the store: %w", what, err)
	}
	return v, nil
}

// delivery is how an answer is stored. A form's intro is kept beside it as a
// message, since parts have no JSON of their own.
type delivery struct {
	Reply bot.Reply    `json:"reply"`
	Intro *bot.Message `json:"intro,omitempty"`
	At    time.Time    `json:"at"`
}

// EncodeDelivery writes the answer to a delivery key.
func EncodeDelivery(d engine.Delivery) ([]byte, error) {
	rec := delivery{Reply: d.Reply, At: d.At}
	if f := d.Reply.Form; f != nil && len(f.Intro) > 0 {
		rec.Intro = &bot.Message{Parts: f.Intro}
	}
	return Encode("the answer to delivery "+d.Key, rec)
}

// DecodeDelivery reads what [EncodeDelivery] wrote for the key.
func DecodeDelivery(key string, b []byte) (engine.Delivery, error) {
	rec, err := Decode[delivery]("the answer to delivery "+key, b)
	if err != nil {
		return engine.Delivery{}, err
	}
	if rec.Reply.Form != nil && rec.Intro != nil {
		rec.Reply.Form.Intro = rec.Intro.Parts
	}
	return engine.Delivery{Key: key, Reply: rec.Reply, At: rec.At}, nil
}

// EncodeJob writes a job with its payload sealed.
func EncodeJob(s Sealer, j bot.Job) ([]byte, error) {
	name := jobName(j.ID)
	if len(j.Payload) > 0 {
		sealed, err := s.Seal(name, j.Payload)
		if err != nil {
			return nil, err
		}
		if j.Payload, err = json.Marshal(sealed); err != nil {
			return nil, fmt.Errorf("the payload of %s cannot be encoded: %w", name, err)
		}
	}
	return Encode(name, j)
}

// DecodeJob reads what [EncodeJob] wrote and opens the payload.
func DecodeJob(s Sealer, id bot.JobID, b []byte) (bot.Job, error) {
	name := jobName(id)
	j, err := DecodeJobShut(id, b)
	if err != nil || len(j.Payload) == 0 {
		return j, err
	}
	var sealed []byte
	if err := json.Unmarshal(j.Payload, &sealed); err != nil {
		return bot.Job{}, fmt.Errorf("the payload of %s cannot be read from the store: %w", name, err)
	}
	j.Payload, err = s.Open(name, sealed)
	return j, err
}

// DecodeJobShut reads what [EncodeJob] wrote and leaves the payload sealed: of
// use only for what surrounds it.
func DecodeJobShut(id bot.JobID, b []byte) (bot.Job, error) {
	return Decode[bot.Job](jobName(id), b)
}

func jobName(id bot.JobID) string { return "job/" + strconv.FormatUint(uint64(id), 10) }

// EncodeSecret seals a named secret.
func EncodeSecret(s Sealer, v engine.Sealed) ([]byte, error) {
	return s.Seal("secret/"+v.Name, []byte(v.Value.Reveal()))
}

// DecodeSecret opens what [EncodeSecret] sealed under the name.
func DecodeSecret(s Sealer, name string, b []byte) (bot.Secret, error) {
	clear, err := s.Open("secret/"+name, b)
	if err != nil {
		return bot.Secret{}, err
	}
	return bot.NewSecret(string(clear)), nil
}

const (
	sealedMark = "keyturn/mark"
	markText   = "this data belongs to this key"
)

// NewMark is a sealed value that a store keeps to recognise its key.
func NewMark(s Sealer) ([]byte, error) { return s.Seal(sealedMark, []byte(markText)) }

// CheckMark gives an error where the key is not the one that sealed the mark.
func CheckMark(s Sealer, mark []byte) error {
	if b, err := s.Open(sealedMark, mark); err != nil || string(b) != markText {
		return fmt.Errorf("the sealing key does not belong to this data: start with the key that it was made with (rotating adds a key to the old ones and replaces none): %w", ErrSealed)
	}
	return nil
}

// record is how an [engine.Record] is stored; its name is its key in the store.
type record struct {
	Value json.RawMessage `json:"value"`
	Until time.Time       `json:"until,omitzero"`
}

// EncodeRecord writes a record without its name.
func EncodeRecord(r engine.Record) ([]byte, error) {
	return Encode("the record "+r.Key+" of kind "+r.Kind, record{r.Value, r.Until})
}

// DecodeRecord reads what [EncodeRecord] wrote under a name.
func DecodeRecord(kind string, tenant bot.TenantID, key string, b []byte) (engine.Record, error) {
	r, err := Decode[record]("the record "+key+" of kind "+kind, b)
	return engine.Record{Kind: kind, Tenant: tenant, Key: key, Value: r.Value, Until: r.Until}, err
}

// Over reports whether a record's time is over.
func Over(r engine.Record, now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }
