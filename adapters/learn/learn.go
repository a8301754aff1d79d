package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// Base is where Microsoft Learn is.
const Base = "https://learn.microsoft.com"

// Limit is how long one question may take.
const Limit = 5 * time.Second

// System names Microsoft Learn in failures.
const System bot.System = "Microsoft Learn"

// most is how many articles are taken from one answer.
const most = 10

// Article is one page that Learn names.
type Article struct{ Title, URL, Text string }

// Client asks one Microsoft Learn.
type Client struct {
	base    string
	http    *http.Client
	version string
	mu      sync.Mutex
	session *mcp.ClientSession
	tool    tool
}

// tool is the search tool as the server describes it: its name and its
// argument may change any day.
type tool struct{ name, argument string }

// New makes a client. base is the scheme and host, "" is Microsoft's own; client
// should come from httpx.New.
func New(base string, client *http.Client, version string) *Client {
	if base == "" {
		base = Base
	}
	return &Client{base: strings.TrimSuffix(base, "/"), http: client, version: version}
}

// Search gives articles for a query, in Learn's own order. The error is a
// [*bot.Failure].
func (c *Client) Search(ctx context.Context, query string) ([]Article, error) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	quick, stop := context.WithTimeout(ctx, Limit*3/5) // leaves time for the other way
	found, err := c.byMCP(quick, query)
	stop()
	if err == nil {
		return found, nil
	}
	found, other := c.bySearch(ctx, query)
	if other != nil {
		return nil, &bot.Failure{Kind: bot.KindUnreachable, System: System, Says: "Microsoft Learn did not answer.",
			Fix: "Look there yourself, or ask again later.", Err: errors.Join(err, other)}
	}
	return found, nil
}

// byMCP calls the search tool. A session or a tool that is no longer good is
// dropped, so that the next question finds the new ones.
func (c *Client) byMCP(ctx context.Context, query string) ([]Article, error) {
	session, t, err := c.connected(ctx)
	if err != nil {
		return nil, err
	}
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: t.name, Arguments: map[string]any{t.argument: query}})
	if err == nil && result.IsError {
		err = fmt.Errorf("the tool %s failed", t.name)
	}
	if err != nil {
		c.drop(session)
		return nil, err
	}
	return c.read(result)
}

func (c *Client) connected(ctx context.Context) (*mcp.ClientSession, tool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return c.session, c.tool, nil
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "keyturn", Version: c.version}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: c.base + "/api/mcp", HTTPClient: c.http, MaxRetries: -1, DisableStandaloneSSE: true}, nil)
	if err != nil {
		return nil, tool{}, err
	}
	list, err := session.ListTools(ctx, nil)
	if err != nil {
		_ = session.Close()
		return nil, tool{}, err
	}
	t, ok := searchTool(list.Tools)
	if !ok {
		_ = session.Close()
		return nil, tool{}, errors.New("the server has no tool that searches documentation")
	}
	c.session, c.tool = session, t
	return session, t, nil
}

func (c *Client) drop(session *mcp.ClientSession) {
	c.mu.Lock()
	if c.session == session {
		c.session = nil
	}
	c.mu.Unlock()
	_ = session.Close()
}

// searchTool finds the tool that searches documentation, and its argument.
func searchTool(tools []*mcp.Tool) (tool, bool) {
	for _, want := range [][]string{{"docs", "search"}, {"search"}} {
		for _, t := range tools {
			name := strings.ToLower(t.Name)
			fits := !strings.Contains(name, "code")
			for _, w := range want {
				fits = fits && strings.Contains(name, w)
			}
			if arg := argument(t.InputSchema); fits && arg != "" {
				return tool{t.Name, arg}, true
			}
		}
	}
	return tool{}, false
}

// argument is the name of the tool's argument for the words.
func argument(schema any) string {
	b, err := json.Marshal(schema)
	if err != nil {
		return ""
	}
	var s struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	_ = json.Unmarshal(b, &s)
	for _, name := range []string{"query", "question", "search", "q", "text"} {
		if _, ok := s.Properties[name]; ok {
			return name
		}
	}
	return ""
}

// found is an article in the answer of the tool or of the search.
type found struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	ContentURL  string `json:"contentUrl"`
	Content     string `json:"content"`
	Description string `json:"description"`
}

func (c *Client) read(result *mcp.CallToolResult) ([]Article, error) {
	var bodies [][]byte
	if result.StructuredContent != nil {
		if b, err := json.Marshal(result.StructuredContent); err == nil {
			bodies = append(bodies, b)
		}
	}
	for _, part := range result.Content {
		if t, ok := part.(*mcp.TextContent); ok {
			bodies = append(bodies, []byte(t.Text))
		}
	}
	for _, b := range bodies {
		if list, ok := results(b); ok {
			return c.articles(list), nil
		}
	}
	return nil, errors.New("the tool's answer has no list of articles")
}

// results reads a list of articles, bare or in an object.
func results(b []byte) ([]found, bool) {
	var bare []found
	if json.Unmarshal(b, &bare) == nil {
		return bare, true
	}
	var in struct {
		Results *[]found `json:"results"`
	}
	if json.Unmarshal(b, &in) == nil && in.Results != nil {
		return *in.Results, true
	}
	return nil, false
}

// bySearch asks Learn's search, which is no contract.
func (c *Client) bySearch(ctx context.Context, query string) ([]Article, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/search?"+url.Values{"search": {query}, "locale": {"en-us"}, "$top": {"10"}}.Encode(), nil)
	if err != nil {
		return nil, err
	}
	reply, err := httpx.Send(c.http, req)
	if err != nil {
		return nil, err
	}
	list, ok := results(reply.Body)
	if !reply.OK() || !ok {
		return nil, fmt.Errorf("the search answered with HTTP %d and no list", reply.Status)
	}
	return c.articles(list), nil
}

// articles takes what has a title and a page of Learn's own, each page once.
func (c *Client) articles(list []found) []Article {
	var out []Article
	seen := map[string]bool{}
	for _, f := range list {
		at := f.ContentURL
		if at == "" {
			at = f.URL
		}
		page, err := url.Parse(at)
		title := clip(f.Title, 200)
		if err != nil || title == "" || page.User != nil || !c.own(page) {
			continue
		}
		page.Fragment, page.RawQuery = "", ""
		if seen[page.String()] || len(out) == most {
			continue
		}
		seen[page.String()] = true
		text := f.Content
		if text == "" {
			text = f.Description
		}
		out = append(out, Article{Title: title, URL: page.String(), Text: clip(text, 2000)})
	}
	return out
}

// own reports whether a page is one of Microsoft's documentation.
func (c *Client) own(page *url.URL) bool {
	host := strings.ToLower(page.Hostname())
	microsoft := page.Scheme == "https" && (host == "learn.microsoft.com" || host == "support.microsoft.com")
	return microsoft || httpx.SameOrigin(page.String(), c.base)
}

func clip(s string, n int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
