package bot_test

import (
	"encoding/json"
	"testing"

	"keyturn/bot"
)

const answer = ` {"id":"a1","n":12,"big":12345678901234567890,"yes":true,"none":null,"empty":"",
 "result":{"sys_id":"s1","user":{"display_value":"Abel","value":"u1","link":"https://x"},"odd":{"link":"x"},"number":{"value":7}},
 "value":[{"id":"v0"},{"id":"v1","tags":["p","q"]}],"a.b":"dotted","uni":"\u00e9\ud83d\ude00"} `

func TestPickReadsAScalar(t *testing.T) {
	for path, want := range map[string]string{
		"id": "a1", "n": "12", "big": "12345678901234567890", "yes": "true", "none": "", "empty": "", "uni": "é😀",
		"result.sys_id": "s1", "result.user": "u1", "result.user.display_value": "Abel",
		"value.0.id": "v0", "value.1.tags.1": "q",
	} {
		if got, ok := bot.Pick(json.RawMessage(answer), path); !ok || got != want {
			t.Errorf("%s: %q %v, want %q", path, got, ok, want)
		}
	}
	for _, path := range []string{"ID", "missing", "id.deeper", "value", "value.2.id", "value.-1.id", "value.x", "result", "result.odd", "result.number", "", ".", "id.", ".id", "a.b", "none.x"} {
		if got, ok := bot.Pick(json.RawMessage(answer), path); ok {
			t.Errorf("%q gives %q", path, got)
		}
	}
}

func TestPickOfWhatIsNoJSON(t *testing.T) {
	for _, body := range []string{"", " ", "<html>", `{"id":`, `[`, `{"id":"x"`, "null", `"s"`} {
		if got, ok := bot.Pick(json.RawMessage(body), "id"); ok {
			t.Errorf("%q gives %q", body, got)
		}
	}
	if _, ok := bot.Pick(nil, "id"); ok {
		t.Error("no answer has an ID")
	}
}

func TestPickListReadsAList(t *testing.T) {
	if l := bot.PickList(json.RawMessage(answer), "value"); len(l) != 2 {
		t.Errorf("value has %d", len(l))
	}
	if l := bot.PickList(json.RawMessage(`[1,2,3]`), ""); len(l) != 3 {
		t.Errorf("the document has %d", len(l))
	}
	if l := bot.PickList(json.RawMessage(answer), "value.1.tags"); len(l) != 2 || string(l[0]) != `"p"` {
		t.Errorf("tags: %s", l)
	}
	for _, path := range []string{"id", "result", "missing", "none", "value.0"} {
		if l := bot.PickList(json.RawMessage(answer), path); len(l) != 0 {
			t.Errorf("%s has %d", path, len(l))
		}
	}
}

func FuzzPick(f *testing.F) {
	for _, path := range []string{"id", "result.user", "value.0.id", "value.99999999999999999999.id", "", "..", "value.1.tags"} {
		f.Add([]byte(answer), path)
	}
	f.Add([]byte(`{"a":`), "a")
	f.Add([]byte(`[[[[`), "0.0.0.0")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		got, ok := bot.Pick(body, path)
		if !ok && got != "" {
			t.Errorf("nothing was found, but %q was given", got)
		}
		for _, item := range bot.PickList(body, path) {
			if json.Valid(body) && !json.Valid(item) {
				t.Errorf("an item of valid JSON is not valid: %q", item)
			}
		}
	})
}
