package state

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

func TestAJobsPayloadIsSealedUnderItsID(t *testing.T) {
	s := must(OpenSealer(must(NewKey())))
	b := must(EncodeJob(s, bot.Job{ID: 7, Lane: "l", Payload: []byte(`{"url":"https://hooks.slack.com/secret"}`)}))
	if bytes.Contains(b, []byte("hooks")) || !bytes.Contains(b, []byte(`"lane":"l"`)) {
		t.Errorf("the record is %s", b)
	}
	j, err := DecodeJob(s, 7, b)
	if err != nil || string(j.Payload) != `{"url":"https://hooks.slack.com/secret"}` {
		t.Errorf("the payload is %s, %v", j.Payload, err)
	}
	if _, err := DecodeJob(s, 8, b); !errors.Is(err, ErrSealed) {
		t.Errorf("as another job's: %v", err)
	}
	plain := must(EncodeJob(s, bot.Job{ID: 7, Lane: "l"}))
	if j, err := DecodeJob(s, 7, plain); err != nil || j.Payload != nil {
		t.Errorf("without a payload: %q, %v", j.Payload, err)
	}
}

func TestNamesThatNoStoreCanKeepAreRefused(t *testing.T) {
	for name, c := range map[string]engine.Changes{
		"delivery":                     {Delivery: &engine.Delivery{}},
		"binding":                      {Bindings: []engine.Binding{{}}},
		"ledger entry":                 {Sent: []bot.Sent{{}}},
		"secret":                       {Secrets: []engine.Sealed{{}}},
		"job":                          {Jobs: []bot.Job{{Lane: "a\x00b"}}},
		"object":                       {Objects: []bot.Object{{Key: "k"}}},
		"to do again":                  {Again: []bot.Job{{}}},
		"2048 are the most":            {Sent: []bot.Sent{{Key: strings.Repeat("x", MaxKey+1)}}},
		"object k is 2049 bytes":       {Objects: []bot.Object{{Key: "k", Run: strings.Repeat("x", MaxKey+1)}}},
		"a name of 257 bytes":          {Watches: []incident.Watch{{Tenant: bot.TenantID(strings.Repeat("x", MaxTenant+1))}}},
		"name of the record of kind k": {Records: []engine.Record{{Kind: "k", Tenant: "t", Key: strings.Repeat("x", MaxKey)}}},
	} {
		err := Validate(c)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) || len(err.Error()) > 300 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Validate(engine.Changes{}); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeDelivery(f *testing.F) {
	f.Add(must(EncodeDelivery(engine.Delivery{Key: "k", At: start, Reply: bot.Reply{
		Message: &bot.Message{Parts: []bot.Part{bot.Divider{}}}, Form: &bot.Form{Intro: []bot.Part{bot.Heading{Text: "h"}}}}})))
	f.Add([]byte(`{"reply":{"form":{}},"intro":{"parts":[{"kind":"x"}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := DecodeDelivery("k", b)
		if err != nil {
			return
		}
		once, err := EncodeDelivery(d)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		d2, err := DecodeDelivery("k", once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if twice, err := EncodeDelivery(d2); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("the record changes by being read and written: %s, %s, %v", once, twice, err)
		}
	})
}
