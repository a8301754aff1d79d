package play

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// browser is one person's browser in the portals.
type browser struct {
	client *http.Client
	page   *page
	writes int // forms sent
}

// page is what a browser shows.
type page struct {
	url    *url.URL
	status int
	forms  []form
	ids    map[string]string // text of elements with an id
	text   string
}

// form is one form of a page.
type form struct {
	id, action, method string
	fields             url.Values
	buttons            []pageButton
	options            map[string][][2]string // of each select: value and words
}

type pageButton struct{ label, name, value string }

func newBrowser() *browser {
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	return &browser{client: &http.Client{Jar: jar, Timeout: patience}}
}

// open goes to an address.
func (b *browser) open(address string) error {
	resp, err := b.client.Get(address)
	return b.show(resp, err)
}

func (b *browser) show(resp *http.Response, err error) error {
	if err != nil {
		return fmt.Errorf("a portal does not answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("reading a portal's page: %w", err)
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		return fmt.Errorf("a portal's page is no HTML: %w", err)
	}
	b.page = &page{url: resp.Request.URL, status: resp.StatusCode, ids: map[string]string{}}
	b.page.read(root, nil)
	b.page.text = strings.Join(strings.Fields(textOf(root)), " ")
	return nil
}

// press fills a form and presses one of its buttons. The form is found by its
// id or by the button's words, with "~" by a part of them; fields that are not
// named keep their values.
func (b *browser) press(formID, button string, fill map[string]string) error {
	for i := range b.page.forms {
		f := &b.page.forms[i]
		if formID != "" && f.id != formID {
			continue
		}
		for _, btn := range f.buttons {
			if !strings.EqualFold(btn.label, button) && !(strings.HasPrefix(button, "~") && strings.Contains(btn.label, button[1:])) {
				continue
			}
			return b.send(f, btn, fill)
		}
	}
	return fmt.Errorf("the page %s has no button %q (it says: %s)", b.page.url, button, short(b.page.text, 300))
}

func (b *browser) send(f *form, btn pageButton, fill map[string]string) error {
	values := url.Values{}
	for k, v := range f.fields {
		values[k] = v
	}
	for k, v := range fill {
		if v == "" {
			values.Del(k)
			continue
		}
		values.Set(k, v)
	}
	if btn.name != "" {
		values.Set(btn.name, btn.value)
	}
	to := b.page.url
	if f.action != "" {
		u, err := b.page.url.Parse(f.action)
		if err != nil {
			return fmt.Errorf("a form's address is no address: %w", err)
		}
		to = u
	}
	b.writes++
	if strings.EqualFold(f.method, "post") {
		resp, err := b.client.PostForm(to.String(), values)
		return b.show(resp, err)
	}
	u := *to
	u.RawQuery = values.Encode()
	return b.open(u.String())
}

func (p *page) read(n *html.Node, in *form) {
	if n.Type == html.ElementNode {
		if id := attr(n, "id"); id != "" {
			p.ids[id] = strings.Join(strings.Fields(textOf(n)), " ")
		}
		switch n.Data {
		case "form":
			p.forms = append(p.forms, form{id: attr(n, "id"), action: attr(n, "action"), method: attr(n, "method"), fields: url.Values{}})
			f := &p.forms[len(p.forms)-1]
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				p.read(c, f)
			}
			return
		case "input", "textarea", "select", "button":
			if in != nil {
				in.take(n)
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.read(c, in)
	}
}

func (f *form) take(n *html.Node) {
	name, value := attr(n, "name"), attr(n, "value")
	switch n.Data {
	case "button":
		f.buttons = append(f.buttons, pageButton{strings.Join(strings.Fields(textOf(n)), " "), name, value})
	case "textarea":
		f.fields.Set(name, textOf(n))
	case "select":
		f.fields.Set(name, chosen(n))
		if f.options == nil {
			f.options = map[string][][2]string{}
		}
		f.options[name] = optionsOf(n)
	case "input":
		kind := attr(n, "type")
		if (kind == "checkbox" || kind == "radio") && !has(n, "checked") {
			return
		}
		if kind == "submit" {
			f.buttons = append(f.buttons, pageButton{value, name, value})
			return
		}
		if name != "" {
			f.fields.Set(name, value)
		}
	}
}

func chosen(n *html.Node) string {
	first, found := "", false
	var walk func(*html.Node) (string, bool)
	walk = func(n *html.Node) (string, bool) {
		if n.Type == html.ElementNode && n.Data == "option" {
			v := attr(n, "value")
			if !has(n, "value") {
				v = strings.TrimSpace(textOf(n))
			}
			if !found {
				first, found = v, true
			}
			if has(n, "selected") {
				return v, true
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if v, ok := walk(c); ok {
				return v, true
			}
		}
		return "", false
	}
	if v, ok := walk(n); ok {
		return v
	}
	return first
}

func optionsOf(n *html.Node) [][2]string {
	var out [][2]string
	if n.Type == html.ElementNode && n.Data == "option" {
		words := strings.Join(strings.Fields(textOf(n)), " ")
		v := words
		if has(n, "value") {
			v = attr(n, "value")
		}
		return [][2]string{{v, words}}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, optionsOf(c)...)
	}
	return out
}

// option finds the value of a select's option by a part of its words.
func (b *browser) option(name, words string) string {
	for _, f := range b.page.forms {
		for _, o := range f.options[name] {
			if strings.Contains(strings.ToLower(o[1]), strings.ToLower(words)) {
				return o[0]
			}
		}
	}
	return ""
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Type == html.ElementNode && (n.Data == "style" || n.Data == "script") {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
		b.WriteString(" ")
	}
	return b.String()
}

func short(s string, max int) string {
	if r := []rune(s); len(r) > max {
		return string(r[:max]) + "…"
	}
	return s
}

func (p *Player) browser(who Person) *browser {
	b, ok := p.browsers[who.Name]
	if !ok {
		b = newBrowser()
		p.browsers[who.Name] = b
	}
	return b
}
