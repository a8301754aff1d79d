package recommend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

const idOne, idTwo = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"

func TestWhatIsSoughtInServiceNowEndsNoCondition(t *testing.T) {
	for said, want := range map[string][]string{
		"Outlook keeps asking for my password":                 {"outlook", "keeps", "asking", "password"},
		"outlook^ORnumberISNOTEMPTY password^NQactive=true":    nil,
		"AADSTS53003 when signing in":                          {"aadsts53003"},
		"it does not work":                                     nil,
		"a b c d e f g outlook teams excel word forms planner": nil,
	} {
		got := Parse(said).Sought()
		if want != nil && !slices.Equal(got[:min(len(got), len(want))], want) {
			t.Errorf("%q looks for %q, want %q", said, got, want)
		}
		if len(got) > sought {
			t.Errorf("%q looks for %d words", said, len(got))
		}
		for _, w := range got {
			if strings.ContainsAny(w, "^=,&") {
				t.Errorf("%q looks for %q", said, w)
			}
		}
	}
}

// An instance passes over what it does not understand of a query: what comes
// back is checked once more.
func TestWhatAnInstanceGivesTooMuchIsDropped(t *testing.T) {
	body := json.RawMessage(`{"result":[
		{"sys_id":"` + idOne + `","number":"KB0000001","short_description":"yes","text":"<b>Read</b>&nbsp;this","kb_knowledge_base":"` + idTwo + `","workflow_state":"published","active":"true"},
		{"sys_id":"` + idOne + `","number":"KB0000002","short_description":"draft","kb_knowledge_base":"` + idTwo + `","workflow_state":"draft","active":"true"},
		{"sys_id":"` + idOne + `","number":"KB0000003","short_description":"elsewhere","kb_knowledge_base":"` + idOne + `","workflow_state":"published","active":"true"},
		{"sys_id":"` + idOne + `","number":"KB0000004","short_description":"old","kb_knowledge_base":"` + idTwo + `","workflow_state":"published","active":"false"},
		{"sys_id":"javascript:","number":"KB0000005","workflow_state":"published"},{"sys_id":"` + idOne + `","number":"<x>","workflow_state":"published"}, 7]}`)
	got := ReadKnowledge(body, []string{idTwo}, "https://contoso.service-now.com")
	if len(got) != 1 || got[0].ID != "KB0000001" || got[0].Says != "Read this" {
		t.Errorf("%+v", got)
	}
	past := ReadPast(json.RawMessage(`{"result":[{"sys_id":"`+idOne+`","number":"INC0000001","state":"6"},{"sys_id":"`+idOne+`","number":"INC0000002","state":"2"},{"sys_id":"`+idOne+`","number":"INC0000003","state":"7"}]}`), "", "INC0000003")
	if len(past) != 1 || past[0].ID != "INC0000001" {
		t.Errorf("%+v", past)
	}
	if _, ok := ReadRecord(json.RawMessage(`{"result":[{"sys_id":"`+idOne+`","number":"INC0000009"}]}`), "INC0000001"); ok {
		t.Error("another incident was taken for the one that was asked for")
	}
	if Held(json.RawMessage(`{"result":[{"user_name":"somebody.else"}]}`), "max.petrov") {
		t.Error("somebody else's role was taken for his")
	}
}

func TestANoteHasNothingOfTheOwnKnowledgeAndNoBrace(t *testing.T) {
	a := Answer{Said: "outlook", Record: "INC0000001", Hits: []Hit{{Doc: Doc{ID: "EX1", Kind: Incident, Title: "Outlook {{secret}}"}}},
		Ours: []Hit{{Doc: Doc{ID: "KB0000001", Kind: Knowledge, Title: "for few"}}}, Asks: Told, As: "max.petrov"}
	note := a.Note("Keyturn q-1")
	if strings.ContainsAny(note, "{}") || strings.Contains(note, "KB0000001") || !strings.Contains(note, "EX1") || !strings.HasSuffix(note, "Keyturn q-1") {
		t.Error(note)
	}
	if shared := a.Message("/keyturn", true).Words(); strings.Contains(shared, "KB0000001") || strings.Contains(shared, "says: “") {
		t.Errorf("shared:\n%s", shared)
	}
}
