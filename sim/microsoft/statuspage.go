package microsoft

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// statusPage is what the public status page says about the admin plane.
type statusPage struct {
	ID      string    `json:"id"`
	Status  string    `json:"status"`
	Title   string    `json:"title"`
	Message string    `json:"message"` // HTML
	At      time.Time `json:"at"`      // when it was written
	Drift   Drift     `json:"drift,omitempty"`
}

// Drift is a way in which the undocumented status API has been seen to change.
type Drift string

// The drifts: none; an HTML page with status 200; 400 for every path.
const (
	NoDrift     Drift = ""
	DriftToHTML Drift = "html"
	DriftTo400  Drift = "400"
)

// SetStatus sets what the public status page says: "Available",
// "Service degradation", "ServiceDegradation", "Service restored", ...
func (s *Server) SetStatus(status, title, messageHTML string) error {
	return s.change(func() error {
		s.st.Status = statusPage{ID: s.newID(), Status: status, Title: title, Message: messageHTML, At: s.now(), Drift: s.st.Status.Drift}
		return nil
	})
}

// SetDrift makes the status page misbehave.
func (s *Server) SetDrift(d Drift) error {
	if d != NoDrift && d != DriftToHTML && d != DriftTo400 {
		return fmt.Errorf("drift %q is unknown: use %q, %q or none", d, DriftToHTML, DriftTo400)
	}
	return s.change(func() error { s.st.Status.Drift = d; return nil })
}

// statusSite serves /status/...: the JSON and RSS leaves, 400 for unknown
// ones, and for everything else the page itself.
func (s *Server) statusSite(w http.ResponseWriter, r *http.Request) {
	leaf, isPost := strings.CutPrefix(r.URL.Path, "/status/api/posts/")
	feed, isFeed := strings.CutPrefix(r.URL.Path, "/status/api/feed/")
	switch st := s.st.Status; {
	case !isPost && !isFeed, st.Drift == DriftToHTML:
		s.page(w, r, http.StatusOK, "message", pageData{Title: "Microsoft service health status", Text: "Status: " + st.Status})
	case st.Drift == DriftTo400:
		w.WriteHeader(http.StatusBadRequest)
	case leaf == "mac" || leaf == "ppac" || leaf == "azure":
		writeJSON(w, http.StatusOK, s.statusPost())
	case leaf == "m365Consumer":
		post := s.statusPost()
		post["ServiceDisplayName"], post["ServiceWorkloadName"] = "Outlook.com", "Outlook"
		writeJSON(w, http.StatusOK, []any{post})
	case feed == "mac" || feed == "ppac":
		s.statusFeed(w)
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

const statusTime = "2006-01-02T15:04:05.999999-07:00"

// statusPost has a refresh time every 10 minutes and the clock of the request.
func (s *Server) statusPost() map[string]any {
	st, now := s.st.Status, s.now()
	id := st.ID
	if id == "" {
		id = derivedID("status", s.cfg.TenantID)
	}
	return map[string]any{"Id": id, "AuthoredDateTime": st.At.Format(statusTime), "InternalDateTime": now.Truncate(10 * time.Minute).Format(statusTime),
		"LastUpdatedTime": now.Format(statusTime), "Title": st.Title, "Message": st.Message, "Status": st.Status}
}

func (s *Server) statusFeed(w http.ResponseWriter) {
	type item struct {
		Title       string `xml:"title"`
		Description string `xml:"description"`
		PubDate     string `xml:"pubDate"`
		Status      string `xml:"status"`
	}
	st := s.st.Status
	out, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"rss"`
		Version string   `xml:"version,attr"`
		Title   string   `xml:"channel>title"`
		Item    item     `xml:"channel>item"`
	}{Version: "2.0", Title: "Microsoft 365 admin center", Item: item{st.Title, st.Message, st.At.Format(time.RFC1123Z), st.Status}})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(append([]byte(xml.Header), out...))
}
