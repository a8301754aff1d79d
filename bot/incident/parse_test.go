package incident

import (
	"encoding/binary"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func TestAnIssueIsReadWhateverGraphLeavesOut(t *testing.T) {
	got := parse(t, json.RawMessage(`{"id":"EX1","Classification":"Incident","status":"ServicaOperational","isResolved":null,
		"startDateTime":"2026-05-11T23:05:19.1234567Z","endDateTime":null,"lastModifiedDateTime":"2026-05-12T01:02:03",
		"highImpact":null,"unheardOf":{"a":[1]},"details":[{"name":"NotifyInApp","value":"True"}],
		"posts":[null,{"createdDateTime":"2026-05-12T01:00:00.5Z","description":null},{"createdDateTime":"2026-05-11T23:30:00+02:00","postType":"Regular","description":{"contentType":"Html","content":"x"}},{}]}`))
	want := Issue{ID: "EX1", Classification: "Incident", Status: "ServicaOperational",
		Start:    time.Date(2026, 5, 11, 23, 5, 19, 123456700, time.UTC),
		Modified: time.Date(2026, 5, 12, 1, 2, 3, 0, time.UTC),
		Posts: []Post{{}, {Created: time.Date(2026, 5, 11, 21, 30, 0, 0, time.UTC), Type: "Regular", HTML: true, Content: "x"},
			{Created: time.Date(2026, 5, 12, 1, 0, 0, 5e8, time.UTC)}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhereGraphDoesNotSayTheStatusDecidesWhetherItIsOver(t *testing.T) {
	for status, want := range map[string]bool{"ServiceRestored": true, "falsePositive": true, "False positive": true,
		"Extended recovery": false, "serviceDegradation": false, "somethingNew": false, "": false} {
		if got := parse(t, json.RawMessage(`{"id":"EX1","status":"`+status+`"}`)); got.Resolved != want {
			t.Errorf("%q: resolved is %v", status, got.Resolved)
		}
	}
	if parse(t, json.RawMessage(`{"id":"EX1","status":"serviceRestored","isResolved":false}`)).Resolved {
		t.Error("what Graph says does not count")
	}
}

func TestAWrongFieldIsNamed(t *testing.T) {
	for raw, want := range map[string]string{
		`{"id":7}`:                                               "id",
		`{"id":"EX1","isResolved":"yes"}`:                        "isResolved",
		`{"id":"EX1","posts":{}}`:                                "posts",
		`{"id":"EX1","posts":["x"]}`:                             "posts",
		`{"id":"EX1","posts":[{"createdDateTime":"soon"}]}`:      "posts[0].createdDateTime",
		`{"id":"EX1","endDateTime":"9999-12-31T23:59:59-05:00"}`: "endDateTime",
		`{"title":"no id"}`:                                      "no id",
		`null`:                                                   "not a JSON object",
		`[1`:                                                     "not a JSON object",
		`{"id":"EX1"`:                                            "no valid JSON",
		``:                                                       "not a JSON object",
	} {
		if _, err := Parse(json.RawMessage(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error %v does not name %q", raw, err, want)
		}
	}
	if _, err := ParseMessage(json.RawMessage(`{"id":"MC1","services":"Exchange"}`)); err == nil || !strings.Contains(err.Error(), "services") {
		t.Errorf("a message center post with wrong services: %v", err)
	}
}

func TestAMessageCenterPostIsRead(t *testing.T) {
	got, err := ParseMessage(json.RawMessage(`{"id":"MC1","title":"New","services":["Microsoft Clipchamp ",null],"category":"planForChange",
		"severity":"high","tags":["Admin impact"],"isMajorChange":true,"actionRequiredByDateTime":"2026-12-01T00:00:00Z",
		"lastModifiedDateTime":"2026-11-01T08:00:00.2Z","viewPoint":null,"details":[{"name":"Platforms","value":"Web"},{"name":"Summary","value":"Short."}],
		"body":{"contentType":"html","content":"<p>Long</p>"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Announcement{ID: "MC1", Title: "New", Services: []string{"Microsoft Clipchamp"}, Category: "planForChange", Severity: "high",
		Tags: []string{"Admin impact"}, Major: true, ActBy: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Modified: time.Date(2026, 11, 1, 8, 0, 0, 2e8, time.UTC), Summary: "Short.", Body: "<p>Long</p>"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestASavedAnswerIsReadInEveryShape(t *testing.T) {
	issue, post := `{"id":"EX1","classification":"advisory","posts":[]}`, `{"id":"MC1","category":"stayInformed","body":{"content":"x"}}`
	wide := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(issue)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	for name, c := range map[string]struct {
		in            string
		issues, posts int
	}{
		"one issue":              {issue, 1, 0},
		"one post":               {post, 0, 1},
		"a list of both":         {"[" + issue + "," + post + "]", 1, 1},
		"an answer of Graph":     {`{"@odata.context":"x","value":[` + issue + `]}`, 1, 0},
		"an empty answer":        {`{"value":[]}`, 0, 0},
		"overviews, expanded":    {`{"value":[{"id":"Exchange","service":"Exchange Online","status":"x","issues":[` + issue + `,` + issue + `]}]}`, 2, 0},
		"with a byte order mark": {"\xEF\xBB\xBF" + issue, 1, 0},
		"as PowerShell saves it": {string(wide), 1, 0},
	} {
		f, err := ParseFile([]byte(c.in))
		if err != nil || len(f.Issues) != c.issues || len(f.Announcements) != c.posts {
			t.Errorf("%s: %d issues, %d posts, %v", name, len(f.Issues), len(f.Announcements), err)
		}
	}
	for in, want := range map[string]string{"": "no JSON", "{": "JSON", "[{},1]": "item 1 of 2: this is neither", `{"value":{}}`: "not a list",
		"[" + issue + `,{"id":"EX2","posts":7}]`: "item 2 of 2"} {
		if f, err := ParseFile([]byte(in)); err == nil || !strings.Contains(err.Error(), want) || len(f.Issues) > 0 {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestSamplesAreWhatTheyPromise(t *testing.T) {
	services, disorder, worse, reopened := map[string]bool{}, 0, 0, 0
	for _, story := range SampleStories() {
		var known *Known
		for _, raw := range story {
			var order struct {
				Posts []struct{ CreatedDateTime string }
			}
			if err := json.Unmarshal(raw, &order); err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(order.Posts); i++ {
				if order.Posts[i].CreatedDateTime < order.Posts[i-1].CreatedDateTime {
					disorder++
				}
			}
			is := parse(t, raw)
			services[is.Service] = true
			for _, c := range Compare(known, is, is.Modified) {
				if c.Reason == Worse {
					worse++
				}
				if c.Reason == Reopened {
					reopened++
				}
			}
			k := Merge(known, is, is.Modified)
			known = &k
		}
	}
	if len(Samples()) < 6 || len(services) < 5 || disorder == 0 || worse == 0 || reopened == 0 {
		t.Errorf("%d samples of %d services, %d out of order, %d worse, %d re-opened", len(Samples()), len(services), disorder, worse, reopened)
	}
}

func FuzzParse(f *testing.F) {
	for _, story := range SampleStories() {
		for _, raw := range story {
			f.Add([]byte(raw))
		}
	}
	for _, s := range []string{`{"value":[{"id":"MC1","body":{}}]}`, `[]`, `{"id":"X","posts":[{"createdDateTime":"2026-01-01"}]}`, "\xff\xfe{\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if file, err := ParseFile(b); err == nil {
			for _, a := range file.Announcements {
				Announce(a)
			}
		}
		_, _ = ParseServices(b)
		is, err := Parse(b)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		for i := 1; i < len(is.Posts); i++ {
			if is.Posts[i].Created.Before(is.Posts[i-1].Created) {
				t.Error("posts are not in the order of time")
			}
		}
		k := Known{Issue: is}
		stored, err := json.Marshal(k)
		if err != nil {
			t.Fatalf("cannot be stored: %v", err)
		}
		var again Known
		if err := json.Unmarshal(stored, &again); err != nil || !reflect.DeepEqual(len(again.Issue.Posts), len(is.Posts)) {
			t.Fatalf("cannot be read back: %v", err)
		}
		if changes := Compare(&k, is, is.Modified); len(changes) > 0 {
			t.Errorf("the same issue differs from itself: %v", changes[0].Reason)
		}
		if n := size(Root(k, Subscription{}, Options{}).Parts); n > maxMessage {
			t.Errorf("the root has %d characters", n)
		}
		if n := size(History(k).Parts); n > maxMessage {
			t.Errorf("the history has %d characters", n)
		}
	})
}
