package teams_test

import (
	"encoding/json"
	"strings"
	"testing"

	"keyturn/sim/teams"
)

func lonely(t testing.TB) *teams.Server {
	s, err := teams.New(teams.Config{BotSecret: "x", Users: []teams.User{{ID: "a", Name: "Ann"}},
		Teams: []teams.Team{{ID: incidents, Name: "T", Installed: true}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func FuzzCheckCard(f *testing.F) {
	for _, c := range []m{
		card([]any{block("x"), m{"type": "Input.Text", "id": "a", "regex": "("}}, execute("Go", "go", m{"a": 1}), m{"type": "Action.ShowCard", "card": card(nil, submit("s", nil))}),
		card([]any{m{"type": "ColumnSet", "columns": []any{m{"items": []any{block("x")}}}}, m{"type": "Table", "rows": []any{m{"cells": []any{m{"items": []any{}}}}}}}),
		{"type": "AdaptiveCard", "version": "1.5", "msteams": m{"entities": []any{1, m{"type": "mention"}}}, "refresh": m{"userIds": []any{1}}},
	} {
		b, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := teams.CheckCard(raw); err == nil && !json.Valid(raw) {
			t.Errorf("a card that is no JSON was taken: %q", raw)
		}
	})
}

func FuzzReadActivity(f *testing.F) {
	s := lonely(f)
	for _, a := range []string{`{"type":"message","text":"x"}`, `{"type":"typing"}`, `{"type":"message","text":"<at>A</at>","entities":[{"type":"mention","text":"<at>A</at>","mentioned":{"id":"a"}}]}`,
		`{"type":"message","text":"x","attachments":[{"contentType":"image/png"},null]}`, `[]`, `null`} {
		f.Add([]byte(a))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, refused := s.ReadActivity(incidents, raw)
		if refused && parts != 0 {
			t.Errorf("refused, and %d parts all the same", parts)
		}
		if !refused && parts > 0 && !strings.Contains(string(raw), "message") && !strings.Contains(string(raw), `\u`) {
			t.Errorf("%q became a message", raw)
		}
	})
}

func FuzzEncode(f *testing.F) {
	s := lonely(f)
	for _, line := range []string{"@Keyturn help", "@@Ann", "a@Keyturn@Ann", "@", "é@Kéyturn <at>"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		wire, entities := s.Encode(line)
		if n := strings.Count(wire, "<at>") - strings.Count(line, "<at>"); n != len(entities) {
			t.Errorf("%q became %q with %d entities", line, wire, len(entities))
		}
	})
}
