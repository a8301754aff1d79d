package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Reading is a whole answer of service communications, as Microsoft sent it.
type Reading struct {
	At    time.Time         // when the reading began: what changed since may be missing
	Items []json.RawMessage // each once, in Microsoft's order
}

const (
	announcements = "/admin/serviceAnnouncement"
	maxPages      = 200
)

// Issues reads the service health issues that were modified at or after since;
// the zero time reads all that Microsoft still lists. An issue that is missing
// is neither resolved nor deleted: lists have gaps.
func (c *Client) Issues(ctx context.Context, t bot.TenantID, r bot.Reader, since time.Time) (Reading, error) {
	return c.list(ctx, t, r, announcements+"/issues", since)
}

// Messages reads the message center posts that were modified at or after
// since; the zero time reads all.
func (c *Client) Messages(ctx context.Context, t bot.TenantID, r bot.Reader, since time.Time) (Reading, error) {
	return c.list(ctx, t, r, announcements+"/messages", since)
}

// Overviews reads the state of every service of the tenant, without issues.
func (c *Client) Overviews(ctx context.Context, t bot.TenantID, r bot.Reader) (Reading, error) {
	return c.list(ctx, t, r, announcements+"/healthOverviews", time.Time{})
}

// Issue reads one issue; the reading has that one item. KindNotFound says
// that the tenant has no such issue.
func (c *Client) Issue(ctx context.Context, t bot.TenantID, r bot.Reader, id string) (Reading, error) {
	return c.one(ctx, t, r, announcements+"/issues/"+url.PathEscape(id))
}

// Message reads one message center post; the reading has that one item.
func (c *Client) Message(ctx context.Context, t bot.TenantID, r bot.Reader, id string) (Reading, error) {
	return c.one(ctx, t, r, announcements+"/messages/"+url.PathEscape(id))
}

func (c *Client) one(ctx context.Context, id bot.TenantID, r bot.Reader, path string) (Reading, error) {
	t, f := c.tenant(id, bot.Graph)
	if f != nil {
		return Reading{}, f
	}
	target, err := httpx.Target(c.cfg.GraphURL, path)
	if err != nil {
		return Reading{}, mine(bot.Graph, "Service health was not read: "+err.Error()+".", "Check the Graph address in Keyturn's configuration.")
	}
	reading := Reading{At: c.cfg.Now()}
	reply, f := c.read(ctx, t, r, target, path)
	if f != nil {
		return Reading{}, f
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(reply.Body, &o) != nil || text(o["id"]) == "" {
		return Reading{}, unreadable(reply, "an entry without an ID")
	}
	body, _ := reply.JSON() // valid: it was unmarshalled
	reading.Items = []json.RawMessage{body}
	return reading, nil
}

func (c *Client) list(ctx context.Context, id bot.TenantID, r bot.Reader, path string, since time.Time) (Reading, error) {
	t, f := c.tenant(id, bot.Graph)
	if f != nil {
		return Reading{}, f
	}
	if !since.IsZero() && !c.refusesFilter(id, path) {
		reading, f := c.walk(ctx, t, r, path, since, true)
		if f == nil {
			return reading, nil
		}
		if f.Status != http.StatusBadRequest || f.System != bot.Graph {
			return Reading{}, f
		}
		// Which properties can be filtered is nowhere documented.
		c.noteRefusal(id, path)
	}
	reading, f := c.walk(ctx, t, r, path, since, false)
	if f != nil {
		return Reading{}, f
	}
	return reading, nil
}

func (c *Client) refusesFilter(t bot.TenantID, path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plain[string(t)+path]
}

func (c *Client) noteRefusal(t bot.TenantID, path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plain[string(t)+path] = true
}

// walk reads a list page by page. Pages overlap now and then, so an item
// counts once, in its newest form.
func (c *Client) walk(ctx context.Context, t tenant, r bot.Reader, path string, since time.Time, filter bool) (Reading, *bot.Failure) {
	query := ""
	if filter {
		query = "?$filter=lastModifiedDateTime ge " + since.UTC().Format("2006-01-02T15:04:05Z")
	}
	next, err := httpx.Target(c.cfg.GraphURL, path+query)
	if err != nil {
		return Reading{}, mine(bot.Graph, "Service health was not read: "+err.Error()+".", "Check the Graph address in Keyturn's configuration.")
	}
	reading := Reading{At: c.cfg.Now()}
	type place struct {
		index   int
		changed time.Time
	}
	seen, been := make(map[string]place), make(map[string]bool)
	for range maxPages {
		been[next.String()] = true
		reply, f := c.read(ctx, t, r, next, path)
		if f != nil {
			return Reading{}, f
		}
		p, ok := parsePage(reply.Body)
		if !ok {
			return Reading{}, unreadable(reply, "something that is no list")
		}
		nameless := 0
		for _, item := range p.Value {
			id, changed := itemKey(item)
			if id == "" { // whoever understands it says so; it hides no other
				nameless++
				reading.Items = append(reading.Items, item)
				continue
			}
			if !changed.IsZero() && changed.Before(since.Truncate(time.Second)) {
				continue
			}
			old, again := seen[id]
			switch {
			case !again:
				seen[id] = place{len(reading.Items), changed}
				reading.Items = append(reading.Items, item)
			case changed.After(old.changed):
				seen[id] = place{old.index, changed}
				reading.Items[old.index] = item
			}
		}
		if nameless > 0 && nameless == len(p.Value) {
			return Reading{}, unreadable(reply, "entries without an ID")
		}
		if p.Next == "" {
			return reading, nil
		}
		if !httpx.SameOrigin(p.Next, c.cfg.GraphURL) {
			return Reading{}, unreadable(reply, "a next page on another host")
		}
		if next, err = url.Parse(p.Next); err != nil || been[next.String()] {
			return Reading{}, unreadable(reply, "pages that lead in a circle")
		}
	}
	return Reading{}, &bot.Failure{Kind: bot.KindMalformed, System: bot.Graph,
		Says: "The list of service health has no end.", Fix: "Report this to whoever maintains Keyturn."}
}

func (c *Client) read(ctx context.Context, t tenant, r bot.Reader, target *url.URL, path string) (httpx.Reply, *bot.Failure) {
	header := http.Header{"Prefer": {"odata.maxpagesize=" + strconv.Itoa(c.cfg.PageSize)}}
	return c.exchange(ctx, t, c.app(t, Credential(r)), outgoing{method: http.MethodGet, url: target, path: path, header: header})
}

// page is one page of an OData list.
type page struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"@odata.nextLink"`
}

// parsePage reads a page. A list without "value" is no list: an empty one has
// an empty value.
func parsePage(body []byte) (page, bool) {
	var p page
	if json.Unmarshal(body, &p) != nil || p.Value == nil {
		return page{}, false
	}
	return p, true
}

// itemKey gives an item's ID and, where it can be read, its time of change.
func itemKey(item json.RawMessage) (string, time.Time) {
	var w struct {
		ID       string          `json:"id"`
		Modified json.RawMessage `json:"lastModifiedDateTime"`
	}
	if json.Unmarshal(item, &w) != nil {
		return "", time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text(w.Modified))
	if err != nil {
		return w.ID, time.Time{}
	}
	return w.ID, t
}

func unreadable(reply httpx.Reply, what string) *bot.Failure {
	return &bot.Failure{Kind: bot.KindMalformed, System: bot.Graph, Status: reply.Status, RequestID: httpx.RequestID(reply.Header),
		Says: "Microsoft Graph answered with " + what + ", so service health is not known.",
		Fix:  "It is tried again; if it stays, a proxy may be changing the answers."}
}
