package incident

import (
	"encoding/json"
	"errors"
	"sort"
	"strings"
	"time"
)

// Announcement is one message center post (serviceUpdateMessage): what
// Microsoft is going to change. Its identity is the ID alone, for a revision
// can rewrite everything else, and its revision is Modified: the order inside
// details changes from reading to reading without meaning anything.
type Announcement struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Services []string  `json:"services,omitempty"`
	Category string    `json:"category,omitempty"` // preventOrFixIssue, planForChange, stayInformed; as written
	Severity string    `json:"severity,omitempty"` // normal, high, critical; as written
	Tags     []string  `json:"tags,omitempty"`
	Major    bool      `json:"isMajorChange,omitempty"`
	ActBy    time.Time `json:"actionRequiredByDateTime,omitzero"`
	Start    time.Time `json:"startDateTime,omitzero"`
	End      time.Time `json:"endDateTime,omitzero"`
	Modified time.Time `json:"lastModifiedDateTime"`
	Summary  string    `json:"summary,omitempty"` // Microsoft's own summary, where there is one
	Body     string    `json:"body"`              // HTML or plain
}

type rawAnnouncement struct {
	ID       *string      `json:"id"`
	Title    *string      `json:"title"`
	Services []*string    `json:"services"`
	Category *string      `json:"category"`
	Severity *string      `json:"severity"`
	Tags     []*string    `json:"tags"`
	Major    *bool        `json:"isMajorChange"`
	ActBy    *string      `json:"actionRequiredByDateTime"`
	Start    *string      `json:"startDateTime"`
	End      *string      `json:"endDateTime"`
	Modified *string      `json:"lastModifiedDateTime"`
	Details  []*rawDetail `json:"details"`
	Body     *rawText     `json:"body"`
}

type rawDetail struct {
	Name  *string `json:"name"`
	Value *string `json:"value"`
}

// ParseMessage reads one message center post as Microsoft Graph gives it, as
// tolerantly as [Parse] reads an issue.
func ParseMessage(raw json.RawMessage) (Announcement, error) {
	var r rawAnnouncement
	if err := decodeObject(raw, "message center post", &r); err != nil {
		return Announcement{}, err
	}
	a := Announcement{
		ID: oneLine(str(r.ID)), Title: str(r.Title), Category: str(r.Category), Severity: str(r.Severity),
		Services: lines(r.Services), Tags: lines(r.Tags), Major: r.Major != nil && *r.Major,
	}
	if a.ID == "" {
		return Announcement{}, errors.New("the message center post has no id, so it cannot be told from others")
	}
	if r.Body != nil {
		a.Body = str(r.Body.Content)
	}
	for _, d := range r.Details {
		if d != nil && strings.EqualFold(str(d.Name), "Summary") {
			a.Summary = str(d.Value)
		}
	}
	d := dates{of: "message center post " + a.ID}
	a.ActBy = d.read("actionRequiredByDateTime", r.ActBy)
	a.Start = d.read("startDateTime", r.Start)
	a.End = d.read("endDateTime", r.End)
	a.Modified = d.read("lastModifiedDateTime", r.Modified)
	return a, d.err
}

func lines(in []*string) []string {
	var out []string
	for _, s := range in {
		if l := oneLine(str(s)); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// Service is the health of one service (serviceHealth).
type Service struct {
	ID     string `json:"id"`      // historical, such as OrgLiveID; does not follow from the name
	Name   string `json:"service"` // as shown today
	Status string `json:"status"`  // as Microsoft wrote it
}

type rawService struct {
	ID     *string `json:"id"`
	Name   *string `json:"service"`
	Status *string `json:"status"`
}

// ParseServices reads an answer of healthOverviews: {"value": [...]}, or the
// list alone. Services come out by name; one that has neither name nor ID, or
// is listed twice because pages overlap, is left out.
func ParseServices(raw json.RawMessage) ([]Service, error) {
	items, err := itemsOf(raw)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []Service
	for _, it := range items {
		var r rawService
		if err := decodeObject(it, "service", &r); err != nil {
			return nil, err
		}
		s := Service{ID: oneLine(str(r.ID)), Name: oneLine(str(r.Name)), Status: str(r.Status)}
		if s.Name == "" {
			s.Name = s.ID
		}
		key := s.ID + "\n" + s.Name
		if s.Name == "" || seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, s)
	}
	sort.SliceStable(out, func(a, b int) bool { return fold(out[a].Name) < fold(out[b].Name) })
	return out, nil
}
