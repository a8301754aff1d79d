package microsoft_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// submit fills the form with that ID on a page and sends it, as a browser does:
// hidden and prefilled fields go along.
func (w *world) submit(page answer, id string, fields ...string) answer {
	w.Helper()
	doc := parse(w, page.body)
	f := byID(doc, id)
	if f == nil {
		w.Fatalf("the page has no form %q: %s", id, page.body)
	}
	values := url.Values{}
	walk(f, func(n *html.Node) {
		if n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "checkbox" {
			values.Set(attr(n, "name"), attr(n, "value"))
		}
	})
	for k, v := range form(fields...) {
		values[k] = v
	}
	if attr(f, "method") == "get" {
		return w.get(attr(f, "action") + "?" + values.Encode())
	}
	var pairs []string
	for k, v := range values {
		pairs = append(pairs, k, v[0])
	}
	return w.post(attr(f, "action"), pairs...)
}

// follow goes where a redirect leads.
func (w *world) follow(a answer) answer {
	w.Helper()
	if a.header.Get("Location") == "" {
		w.Fatalf("status %d, no redirect: %s", a.status, a.body)
	}
	return w.get(a.header.Get("Location"))
}

func parse(t testing.TB, page []byte) *html.Node {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func byID(n *html.Node, id string) (found *html.Node) {
	walk(n, func(n *html.Node) {
		if attr(n, "id") == id {
			found = n
		}
	})
	return found
}

// read returns the text of the element with that ID, "" where there is none.
func read(t testing.TB, page answer, id string) string {
	t.Helper()
	n := byID(parse(t, page.body), id)
	if n == nil {
		return ""
	}
	var b strings.Builder
	var text func(*html.Node)
	text = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			text(c)
		}
	}
	text(n)
	return strings.Join(strings.Fields(b.String()), " ")
}
