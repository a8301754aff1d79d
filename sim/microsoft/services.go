package microsoft

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Service is one row of the health overview. IDs are historical and do not
// follow from the names. An empty status is derived from the open issues.
type Service struct {
	ID     string `json:"id"`
	Name   string `json:"service"`
	Status string `json:"status,omitempty"`
}

// DefaultServices is the health overview of a new tenant.
var DefaultServices = []Service{
	{ID: "Exchange", Name: "Exchange Online"}, {ID: "microsoftteams", Name: "Microsoft Teams"}, {ID: "SharePoint", Name: "SharePoint Online"},
	{ID: "OneDriveForBusiness", Name: "Microsoft OneDrive"}, {ID: "OSDPPlatform", Name: "Microsoft 365 suite"}, {ID: "OrgLiveID", Name: "Microsoft Entra"},
	{ID: "O365Client", Name: "Microsoft 365 apps"}, {ID: "officeonline", Name: "Microsoft 365 for the web"}, {ID: "Intune", Name: "Microsoft Intune"},
	{ID: "Planner", Name: "Planner"}, {ID: "PowerBIcom", Name: "Power BI"}, {ID: "PowerApps", Name: "Power Apps"},
	{ID: "MicrosoftFlow", Name: "Microsoft Power Automate"}, {ID: "Forms", Name: "Microsoft Forms"}, {ID: "Bookings", Name: "Microsoft Bookings"},
	{ID: "Viva", Name: "Microsoft Viva"}, {ID: "Microsoft365Defender", Name: "Microsoft Defender XDR"}, {ID: "DynamicsCRM", Name: "Dynamics 365 Apps"},
	{ID: "yammer", Name: "Microsoft Viva Engage"}, {ID: "cloudappsecurity", Name: "Microsoft Defender for Cloud Apps"},
}

// worst orders the statuses of open issues, worst first.
var worst = []string{"serviceInterruption", "serviceDegradation", "restoringService", "extendedRecovery", "investigating", "verifyingService", "investigationSuspended"}

// overview is one service with the status its open issues give it.
func (c *call) overview(v Service) map[string]any {
	o := map[string]any{"id": v.ID, "service": v.Name, "status": v.Status}
	if v.Status == "" {
		o["status"] = c.s.derivedStatus(v.Name)
	}
	for _, e := range strings.Split(c.query.Get("$expand"), ",") {
		if strings.TrimSpace(e) == "issues" {
			issues := []any{}
			for _, a := range c.s.st.Issues {
				if d := decoded(a.Raw); d["service"] == v.Name {
					issues = append(issues, d)
				}
			}
			o["issues"] = issues
		}
	}
	return o
}

func (s *Server) derivedStatus(service string) string {
	rank, status := len(worst), "serviceOperational"
	for _, a := range s.st.Issues {
		d := decoded(a.Raw)
		if resolved, _ := d["isResolved"].(bool); d["service"] != service || resolved {
			continue
		}
		text, _ := d["status"].(string)
		at := slices.IndexFunc(worst, func(w string) bool { return strings.EqualFold(w, text) })
		if at >= 0 && at < rank {
			rank, status = at, worst[at]
		}
	}
	return status
}

// readAnnouncement takes a JSON object with an ID, as it stands.
func readAnnouncement(raw json.RawMessage) (announcement, error) {
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return announcement{}, fmt.Errorf("not a JSON object with an id: %w", err)
	}
	if head.ID == "" {
		return announcement{}, errors.New("the JSON object has no id")
	}
	return announcement{ID: head.ID, Raw: slices.Clone(raw)}, nil
}

func readAnnouncements(raws []json.RawMessage) ([]announcement, error) {
	out := make([]announcement, 0, len(raws))
	for i, raw := range raws {
		a, err := readAnnouncement(raw)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		out = put(out, a)
	}
	return out, nil
}

// put replaces the announcement of that ID in place, or appends.
func put(list []announcement, a announcement) []announcement {
	if i := slices.IndexFunc(list, func(x announcement) bool { return x.ID == a.ID }); i >= 0 {
		list[i] = a
		return list
	}
	return append(list, a)
}

func drop(list []announcement, id string) ([]announcement, bool) {
	i := slices.IndexFunc(list, func(x announcement) bool { return x.ID == id })
	if i < 0 {
		return list, false
	}
	return slices.Delete(list, i, i+1), true
}

// PutIssue adds a service health issue or replaces the one with its ID. The
// JSON is served as given, so lastModifiedDateTime is the caller's to set.
func (s *Server) PutIssue(raw json.RawMessage) error {
	a, err := readAnnouncement(raw)
	if err != nil {
		return fmt.Errorf("putting an issue: %w", err)
	}
	return s.change(func() error { s.st.Issues = put(s.st.Issues, a); return nil })
}

// SetIssues replaces every issue, all or none.
func (s *Server) SetIssues(raws []json.RawMessage) error {
	list, err := readAnnouncements(raws)
	if err != nil {
		return fmt.Errorf("setting the issues: %w", err)
	}
	return s.change(func() error { s.st.Issues = list; return nil })
}

// DropIssue takes an issue out of the answers, as Graph does for a while now
// and then; PutIssue brings it back.
func (s *Server) DropIssue(id string) error {
	return s.change(func() error {
		list, ok := drop(s.st.Issues, id)
		if !ok {
			return fmt.Errorf("there is no issue %q", id)
		}
		s.st.Issues = list
		return nil
	})
}

// PutMessage is PutIssue for a message center post.
func (s *Server) PutMessage(raw json.RawMessage) error {
	a, err := readAnnouncement(raw)
	if err != nil {
		return fmt.Errorf("putting a message: %w", err)
	}
	return s.change(func() error { s.st.Messages = put(s.st.Messages, a); return nil })
}

// SetMessages replaces every message center post, all or none.
func (s *Server) SetMessages(raws []json.RawMessage) error {
	list, err := readAnnouncements(raws)
	if err != nil {
		return fmt.Errorf("setting the messages: %w", err)
	}
	return s.change(func() error { s.st.Messages = list; return nil })
}

// DropMessage is DropIssue for a message center post.
func (s *Server) DropMessage(id string) error {
	return s.change(func() error {
		list, ok := drop(s.st.Messages, id)
		if !ok {
			return fmt.Errorf("there is no message %q", id)
		}
		s.st.Messages = list
		return nil
	})
}

// SetServices replaces the health overview.
func (s *Server) SetServices(list []Service) error {
	for _, v := range list {
		if v.ID == "" || v.Name == "" {
			return errors.New("a service needs an id and a service name")
		}
	}
	return s.change(func() error { s.st.Services = slices.Clone(list); return nil })
}

// SetReport gives an issue its post-incident review document.
func (s *Server) SetReport(issueID string, document []byte) error {
	return s.change(func() error { s.st.Reports[issueID] = slices.Clone(document); return nil })
}
