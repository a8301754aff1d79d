package bot_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"keyturn/bot"
)

const treasure = "s3cr3t~value"

// holder is how secrets travel: in fields, pointers, maps and slices, seen and
// not seen by reflection.
type holder struct {
	Field   bot.Secret
	Pointer *bot.Secret
	Map     map[string]bot.Secret
	List    []bot.Secret
	Any     any
	hidden  bot.Secret
}

func held() holder {
	s := bot.NewSecret(treasure)
	return holder{Field: s, Pointer: &s, Map: map[string]bot.Secret{"key": s}, List: []bot.Secret{s}, Any: s, hidden: s}
}

// canary fails when the value, or a piece of it, shows in any usual spelling.
func canary(t *testing.T, where, out string) {
	t.Helper()
	for _, leak := range []string{treasure, "s3cr3t", fmt.Sprintf("%x", treasure), fmt.Sprintf("%X", treasure), fmt.Sprintf("%d", []byte(treasure))} {
		if strings.Contains(out, leak) {
			t.Errorf("%s shows the secret: %s", where, out)
		}
	}
}

func TestNoVerbPrintsASecret(t *testing.T) {
	s := bot.NewSecret(treasure)
	for _, verb := range strings.Split("v +v #v s q x X d o b c U e t p T", " ") {
		canary(t, "%"+verb, fmt.Sprintf("%"+verb, s))
		canary(t, "%20"+verb, fmt.Sprintf("%20"+verb, s))
		canary(t, "%"+verb+" of a pointer", fmt.Sprintf("%"+verb, &s))
		canary(t, "%"+verb+" of a list", fmt.Sprintf("%"+verb, []bot.Secret{s}))
		canary(t, "%"+verb+" of a Return", fmt.Sprintf("%"+verb, bot.Return{URL: s, Trigger: s}))
	}
	if got := fmt.Sprint(s); got != bot.Redacted {
		t.Errorf("it prints as %q", got)
	}
	if got := fmt.Sprint(bot.Secret{}); got != "" {
		t.Errorf("no secret prints as %q", got)
	}
	if s.Reveal() != treasure || s.IsZero() || !(bot.Secret{}).IsZero() {
		t.Error("the value is lost")
	}
}

func TestNothingThatHoldsASecretPrintsIt(t *testing.T) {
	h := held()
	// fmt cannot call methods of unexported fields: the value itself has to
	// be out of its reach.
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%p"} {
		canary(t, verb, fmt.Sprintf(verb, h))
	}
	b, err := json.Marshal(held())
	if err != nil {
		t.Fatal(err)
	}
	canary(t, "JSON", string(b))
	if !strings.Contains(string(b), bot.Redacted) {
		t.Errorf("JSON does not say that there is a secret: %s", b)
	}
	type element struct{ S bot.Secret }
	if b, err = xml.Marshal(element{h.Field}); err != nil {
		t.Fatal(err)
	}
	canary(t, "XML", string(b))
	b, err = json.Marshal(map[bot.Secret]string{h.Field: "as a key"})
	if err != nil {
		t.Fatal(err)
	}
	canary(t, "a JSON key", string(b))
}

func TestNoLogShowsASecret(t *testing.T) {
	h := held()
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).With("with", h.Field).WithGroup("g").Info("calling", "secret", h.Field, "pointer", h.Pointer, "list", h.List, "holder", h, slog.Group("group", "s", h.Field))
		canary(t, "the "+name+" log", b.String())
		if !strings.Contains(b.String(), bot.Redacted) {
			t.Errorf("the %s log does not say that there is a secret: %s", name, b.String())
		}
	}
}

func TestNoErrorShowsASecret(t *testing.T) {
	s := bot.NewSecret(treasure)
	err := fmt.Errorf("signing in with %v and %s: %w", s, s, errors.New("refused"))
	canary(t, "an error", err.Error())
	canary(t, "a joined error", errors.Join(err, fmt.Errorf("%#v", s)).Error())
	canary(t, "a call's identity", fmt.Sprintf("%+v", bot.CallIdentity{Secret: s, Key: s}))
	canary(t, "a reader", fmt.Sprintf("%#v", bot.Reader{ClientID: "c", Secret: s, Key: s}))
}

func TestWhatWasRedactedDoesNotComeBackAsASecret(t *testing.T) {
	b, err := json.Marshal(bot.Return{URL: bot.NewSecret(treasure)})
	if err != nil {
		t.Fatal(err)
	}
	var r bot.Return
	if err := json.Unmarshal(b, &r); err == nil && r.URL.Reveal() == bot.Redacted {
		t.Error("the word [redacted] was taken for a secret")
	}
}
