package learn

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Article is one page.
type Article struct {
	Title   string `json:"title"`
	Path    string `json:"-"`
	URL     string `json:"contentUrl"`
	Content string `json:"content"`
}

// Modes are the faults that can be switched on.
type Modes struct {
	NoMCP    bool // the MCP server answers 503
	NoSearch bool // the search answers 503
	Web      bool // the search answers with a web page
	Renamed  bool // the tool has another name and argument than today
}

// Server plays Microsoft Learn under one address.
type Server struct {
	base     string
	articles []Article
	mux      *http.ServeMux
	mu       sync.Mutex
	modes    Modes
	asked    []string
}

// query is the argument of the search tool.
type query struct {
	Query string `json:"query" jsonschema:"what to search for"`
}

// question is that argument under another name.
type question struct {
	Question string `json:"question" jsonschema:"what to search for"`
}

// New makes a server. base is its own address, which its articles' links begin
// with; articles with a URL keep it.
func New(base string, articles []Article) *Server {
	s := &Server{base: base, mux: http.NewServeMux()}
	for _, a := range articles {
		if a.URL == "" {
			a.URL = base + a.Path
		}
		s.articles = append(s.articles, a)
	}
	s.mux.Handle("/api/mcp", mcp.NewStreamableHTTPHandler(s.speak, &mcp.StreamableHTTPOptions{Stateless: true}))
	s.mux.HandleFunc("GET /api/search", s.search)
	s.mux.HandleFunc("/", s.page)
	return s
}

// Set switches faults.
func (s *Server) Set(m Modes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modes = m
}

// Asked are the queries that came, oldest first.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *Server) now() Modes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modes
}

// ServeHTTP answers as Learn does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := s.now()
	if m.NoMCP && r.URL.Path == "/api/mcp" || m.NoSearch && r.URL.Path == "/api/search" {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// speak is the MCP server as it is now.
func (s *Server) speak(*http.Request) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "learn", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "microsoft_code_sample_search", Description: "Finds code"}, func(context.Context, *mcp.CallToolRequest, query) (*mcp.CallToolResult, any, error) {
		return says(nil), nil, nil
	})
	if s.now().Renamed {
		mcp.AddTool(server, &mcp.Tool{Name: "ms_docs_semantic_search", Description: "Searches documentation"}, func(_ context.Context, _ *mcp.CallToolRequest, q question) (*mcp.CallToolResult, any, error) {
			return says(s.find(q.Question)), nil, nil
		})
		return server
	}
	mcp.AddTool(server, &mcp.Tool{Name: "microsoft_docs_search", Description: "Searches documentation"}, func(_ context.Context, _ *mcp.CallToolRequest, q query) (*mcp.CallToolResult, any, error) {
		return says(s.find(q.Query)), nil, nil
	})
	return server
}

func says(list []Article) *mcp.CallToolResult {
	b, err := json.Marshal(map[string]any{"results": list})
	if err != nil {
		panic(err) // our own types always can
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(b)}}}
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	found := s.find(r.URL.Query().Get("search"))
	if s.now().Web {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>Sorry</body></html>"))
		return
	}
	list := []map[string]string{}
	for _, a := range found {
		list = append(list, map[string]string{"title": a.Title, "url": a.URL, "description": a.Content})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"results": list})
}

// page is an article as a browser shows it.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.articles, func(a Article) bool { return a.Path == r.URL.Path })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	a := s.articles[i]
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>%[1]s</title><h1>%[1]s</h1><p>%[2]s</p><p>An invented article of a simulated Microsoft Learn.</p></html>\n", html.EscapeString(a.Title), html.EscapeString(a.Content))
}

// find keeps the query and gives the articles that have most of its words.
func (s *Server) find(q string) []Article {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, q)
	has := func(a Article) (n int) {
		text := strings.ToLower(a.Title + " " + a.Content)
		for _, w := range strings.Fields(strings.ToLower(q)) {
			if strings.Contains(text, w) {
				n++
			}
		}
		return n
	}
	out := slices.Clone(s.articles)
	slices.SortStableFunc(out, func(a, b Article) int { return cmp.Compare(has(b), has(a)) })
	for i, a := range out {
		if has(a) == 0 || i == 10 {
			return out[:i]
		}
	}
	return out
}
