package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/graph"
	"keyturn/bot"
)

func ids(t *testing.T, r graph.Reading) []string {
	t.Helper()
	var out []string
	for _, it := range r.Items {
		var o struct {
			ID   string `json:"id"`
			Note string `json:"note"`
		}
		if err := json.Unmarshal(it, &o); err != nil {
			t.Fatal(err)
		}
		out = append(out, o.ID+o.Note)
	}
	return out
}

func TestAllPagesAreReadAndEachItemCountsOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.graph = func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Prefer") != "odata.maxpagesize=2" {
			t.Errorf("page size: %q", r.Header.Get("Prefer"))
		}
		next := fmt.Sprintf(`,"@odata.nextLink":"%s/v1.0/admin/serviceAnnouncement/issues?$skip=`, w.URL)
		switch r.URL.Query().Get("$skip") {
		case "":
			says(200, `{"value":[{"id":"EX1"},{"id":"EX2","lastModifiedDateTime":"2026-11-23T10:00:00Z"}]`+next+`2"}`)(rw)
		case "2":
			says(200, `{"value":[{"id":"EX2","note":"+","lastModifiedDateTime":"2026-11-23T10:00:00.5Z"},{"id":"EX3"}]`+next+`4"}`)(rw)
		default:
			says(200, `{"value":[]}`)(rw)
		}
	}
	r, err := w.client(func(c *graph.Config) { c.PageSize = 2 }).Issues(t.Context(), "contoso", reader, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"EX1", "EX2+", "EX3"}, ids(t, r)); diff != "" || !r.At.Equal(w.clock()) {
		t.Errorf("read at %v %s", r.At, diff)
	}
}

func TestANextPageElsewhereIsNotAskedFor(t *testing.T) {
	var got int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got++ }))
	defer other.Close()
	w := newWorld(t, answers(says(200, `{"value":[{"id":"EX1"}],"@odata.nextLink":"`+other.URL+`/v1.0/x"}`)))
	_, err := w.client().Issues(t.Context(), "contoso", reader, time.Time{})
	if f := failure(t, err); f.Kind != bot.KindMalformed || got != 0 {
		t.Errorf("%v, %d requests there", f, got)
	}
}

func TestAnEntryWithoutAnIDHidesNoOther(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"value":[{"id":"EX1"},{"title":"nameless"},7,{"id":"EX2"}]}`)))
	r, err := w.client().Issues(t.Context(), "contoso", reader, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range r.Items {
		got = append(got, string(item))
	}
	if diff := cmp.Diff([]string{`{"id":"EX1"}`, `{"title":"nameless"}`, `7`, `{"id":"EX2"}`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAReadingIsWholeOrAnError(t *testing.T) {
	for name, second := range map[string]func(http.ResponseWriter){
		"circle":  nil,
		"no list": says(200, `{"ok":true}`),
		"null":    says(200, `{"value":null}`),
		"no ID":   says(200, `{"value":[{"title":"x"}]}`),
		"a page":  says(200, `<html>`),
		"failing": graphError(500, "InternalServerError", "x"),
		"nothing": says(200, ``),
	} {
		w := newWorld(t, nil)
		first := says(200, `{"value":[{"id":"EX1"}],"@odata.nextLink":"`+w.URL+`/v1.0/admin/serviceAnnouncement/issues?$skip=1"}`)
		if second == nil {
			second = first
		}
		w.script(func() { w.graph = answers(first, second) })
		r, err := w.client().Issues(t.Context(), "contoso", reader, time.Time{})
		if err == nil || len(r.Items) != 0 || !r.At.IsZero() {
			t.Errorf("%s: read %v, %v", name, ids(t, r), err)
			continue
		}
		failure(t, err)
	}
}

func TestAFilterThatIsRefusedIsNotTriedAgain(t *testing.T) {
	var filters []string
	w := newWorld(t, nil)
	w.graph = func(rw http.ResponseWriter, r *http.Request) {
		f := r.URL.Query().Get("$filter")
		filters = append(filters, f)
		if f != "" {
			graphError(400, "BadRequest", "The property cannot be filtered.")(rw)
			return
		}
		says(200, `{"value":[{"id":"EX1","lastModifiedDateTime":"2026-11-20T10:00:00Z"},{"id":"EX2","lastModifiedDateTime":"2026-11-23T11:00:00.2Z"},
			{"id":"EX3","lastModifiedDateTime":"2026-11-23T11:00:00"},{"id":"EX4"}]}`)(rw)
	}
	c := w.client()
	since := time.Date(2026, 11, 23, 11, 0, 0, 700_000_000, time.UTC)
	for range 2 {
		r, err := c.Issues(t.Context(), "contoso", reader, since)
		if err != nil {
			t.Fatal(err)
		}
		// What has no time that can be read is kept.
		if diff := cmp.Diff([]string{"EX2", "EX3", "EX4"}, ids(t, r)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{"lastModifiedDateTime ge 2026-11-23T11:00:00Z", "", ""}, filters); diff != "" {
		t.Error(diff)
	}
}

func TestAFilterThatWorksIsKept(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"value":[{"id":"MC1"}]}`)))
	c := w.client()
	for range 2 {
		if r, err := c.Messages(t.Context(), "contoso", reader, w.clock()); err != nil || len(r.Items) != 1 {
			t.Errorf("%v %v", r, err)
		}
	}
	if w.calls() != 2 || w.request(1).URL.Query().Get("$filter") == "" || !strings.HasSuffix(w.request(1).URL.Path, "/messages") {
		t.Errorf("%d calls, last %s", w.calls(), w.request(1).URL)
	}
}

func TestOneIssue(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"id":"EX1","title":"x"}`)))
	r, err := w.client().Issue(t.Context(), "contoso", reader, "EX1/../../users")
	if err == nil {
		t.Errorf("an ID that climbs was asked for: %v", w.request(0).URL)
	}
	r, err = w.client().Issue(t.Context(), "contoso", reader, "EX1")
	if err != nil || len(r.Items) != 1 || w.request(0).URL.Path != "/v1.0/admin/serviceAnnouncement/issues/EX1" {
		t.Errorf("%v %v", r, err)
	}
	w.script(func() {
		w.graph = answers(graphError(404, "UnknownError", `{"code":"forbidden","message":"{\u0022error\u0022:\u0022Resource doesn\\u0027t exist for the tenant. ActivityId: 1\u0022}"}`))
	})
	_, err = w.client().Message(t.Context(), "contoso", reader, "MC1")
	if f := failure(t, err); f.Kind != bot.KindNotFound || f.Code != "forbidden" {
		t.Errorf("%+v", f)
	}
}

func TestTheCallsOfAMinuteAndAnHourAreCounted(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"value":[]}`)))
	c := w.client()
	var sent []time.Time
	for {
		_, err := c.Overviews(t.Context(), "contoso", reader)
		if err == nil {
			sent = append(sent, w.clock())
			if len(sent) > 2000 {
				t.Fatal("there is no limit")
			}
			continue
		}
		f := failure(t, err)
		if f.Kind != bot.KindThrottled || f.RetryAfter < 50*time.Minute || f.RetryAfter > time.Hour {
			t.Errorf("%+v", f)
		}
		break
	}
	if len(sent) != 800 || w.calls() != 800 {
		t.Errorf("%d calls in the first hour", len(sent))
	}
	for i := 240; i < len(sent); i++ {
		if d := sent[i].Sub(sent[i-240]); d < time.Minute {
			t.Errorf("calls %d to %d took only %v", i-240, i, d)
			break
		}
	}
	// The health reader's budget is its own.
	if _, err := c.Call(t.Context(), "contoso", bot.Call{System: bot.Graph, Method: "GET", Path: "/organization"}, identity); err != nil {
		t.Errorf("another call: %v", err)
	}
	w.later(time.Hour)
	if _, err := c.Overviews(t.Context(), "contoso", reader); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestMicrosoftsSilenceIsKept(t *testing.T) {
	w := newWorld(t, answers(graphError(429, "TooManyRequests", "x", "Retry-After", "300"), says(200, `{"value":[]}`)))
	c := w.client()
	_, err := c.Issues(t.Context(), "contoso", reader, time.Time{})
	if f := failure(t, err); f.Kind != bot.KindThrottled || f.RetryAfter != 5*time.Minute {
		t.Errorf("%+v", f)
	}
	_, err = c.Messages(t.Context(), "contoso", reader, time.Time{})
	if f := failure(t, err); f.Kind != bot.KindThrottled || w.calls() != 1 {
		t.Errorf("%+v after %d calls", f, w.calls())
	}
	w.later(5 * time.Minute)
	if _, err := c.Messages(t.Context(), "contoso", reader, time.Time{}); err != nil {
		t.Error(err)
	}
}

func TestTwoReadersAtOnce(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"value":[{"id":"EX1"}]}`)))
	c := w.client()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if r, err := c.Issues(t.Context(), "contoso", reader, w.clock()); err != nil || len(r.Items) != 1 {
				t.Errorf("%v %v", r, err)
			}
		})
	}
	wg.Wait()
}
