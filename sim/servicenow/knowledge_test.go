package servicenow

import (
	"strings"
	"testing"
)

// Articles are for those whom their knowledge base is for, and drafts for those
// who write them; a query for roles finds also those of a group.
func TestWhoSeesAnArticleAndWhoHoldsARole(t *testing.T) {
	s, err := New(Config{Groups: map[string][]string{"Desk": {"itil"}}, Users: []User{{Name: "max", Groups: []string{"Desk"}}, {Name: "rita"}, {Name: "writer", Roles: []string{"knowledge"}}},
		Articles: []Article{{Base: "All", Title: "from the beginning"}}})
	if err != nil {
		t.Fatal(err)
	}
	articles := map[string]Article{
		"from the beginning": {}, "for all": {Base: "All", Title: "for all"}, "for the desk": {Base: "Desk", Readers: "itil", Title: "for the desk"}, "a draft": {Base: "All", Title: "a draft", Draft: true},
	}
	for _, a := range articles {
		if a.Title == "" {
			continue
		}
		if _, _, err := s.Publish(a); err != nil {
			t.Fatal(err)
		}
	}
	for user, sees := range map[string]string{"max": "from the beginning for all for the desk", "rita": "from the beginning for all", "writer": "from the beginning for all for the desk a draft"} {
		c := s.callerFor(s.db.first("sys_user", "user_name", user))
		for _, r := range s.db.all(schema["kb_knowledge"]) {
			title := r.get("short_description")
			if _, ours := articles[title]; ours && s.canRead(c, r) != strings.Contains(sees, title) {
				t.Errorf("%s sees %q: %v", user, title, s.canRead(c, r))
			}
		}
	}
	for user, want := range map[string]bool{"max": true, "rita": false} {
		q := parseQuery("user_name=" + user + "^active=true^roles=itil")
		if got := s.db.match(q, s.db.first("sys_user", "user_name", user), ""); got != want {
			t.Errorf("%s holds itil: %v", user, got)
		}
	}
}
