package learn_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"keyturn/adapters/httpx"
	"keyturn/adapters/learn"
	"keyturn/bot"
	sim "keyturn/sim/learn"
)

func house(t *testing.T, more ...sim.Article) (*learn.Client, *sim.Server) {
	t.Helper()
	var server *sim.Server
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	server = sim.New(web.URL, append(sim.Samples(), more...))
	client, err := httpx.New(httpx.Config{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	return learn.New(web.URL, client, "test"), server
}

func titles(list []learn.Article) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.Title)
	}
	return out
}

func TestArticlesAreFoundByWhicheverWayAnswers(t *testing.T) {
	for name, modes := range map[string]sim.Modes{
		"by the MCP server": {NoSearch: true}, "by the search": {NoMCP: true}, "by a tool that was renamed": {Renamed: true, NoSearch: true},
	} {
		c, server := house(t)
		server.Set(modes)
		got, err := c.Search(t.Context(), "OneDrive sync")
		if err != nil || len(got) == 0 || got[0].Title != "Reset OneDrive sync" {
			t.Errorf("%s: %v, %v", name, titles(got), err)
		}
		if asked := server.Asked(); !slices.Equal(asked, []string{"OneDrive sync"}) {
			t.Errorf("%s: what left is %q", name, asked)
		}
	}
}

func TestAToolIsFoundAgainWhenItChanges(t *testing.T) {
	c, server := house(t)
	server.Set(sim.Modes{NoSearch: true})
	if _, err := c.Search(t.Context(), "Outlook password"); err != nil {
		t.Fatal(err)
	}
	server.Set(sim.Modes{Renamed: true}) // the session's tool is gone: the other way, then the new tool
	for range 2 {
		if got, err := c.Search(t.Context(), "Outlook password"); err != nil || len(got) == 0 {
			t.Fatalf("%v, %v", titles(got), err)
		}
	}
}

func TestWhereNothingAnswersItIsSaid(t *testing.T) {
	for _, modes := range []sim.Modes{{NoMCP: true, NoSearch: true}, {NoMCP: true, Web: true}} {
		c, server := house(t)
		server.Set(modes)
		got, err := c.Search(t.Context(), "Outlook")
		if bot.KindOf(err) != bot.KindUnreachable {
			t.Errorf("%+v: %v, %v", modes, titles(got), err)
		}
	}
}

func TestALinkThatLeadsElsewhereIsDropped(t *testing.T) {
	c, _ := house(t,
		sim.Article{Title: "Bookings for all", Path: "/bookings", Content: "Bookings."},
		sim.Article{Title: "Bookings phishing", URL: "https://learn.microsoft.com.example.com/x"},
		sim.Article{Title: "Bookings script", URL: "javascript:alert(1)"},
		sim.Article{Title: "Bookings user", URL: "https://me@learn.microsoft.com/x"},
		sim.Article{Title: "Bookings plain", URL: "http://learn.microsoft.com/x"},
		sim.Article{Title: "", URL: "https://learn.microsoft.com/bookings"},
		sim.Article{Title: "Bookings real", URL: "https://learn.microsoft.com/bookings?utm=1#x"})
	got, err := c.Search(t.Context(), "Bookings")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Bookings for all", "Bookings real"}; !slices.Equal(titles(got), want) {
		t.Errorf("%q, want %q", titles(got), want)
	}
	if got[1].URL != "https://learn.microsoft.com/bookings" {
		t.Errorf("link: %s", got[1].URL)
	}
}
