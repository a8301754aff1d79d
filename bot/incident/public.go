package incident

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
)

// PublicAddress is Microsoft's public status of the admin center itself, which
// needs no sign-in. It lists no incidents: it says whether the place where they
// are published works.
const PublicAddress = "https://status.cloud.microsoft/api/posts/mac"

// PublicState is what the public status page says, in one word.
type PublicState string

// The public states. None of them says that Microsoft 365 has no incidents.
const (
	PublicAvailable PublicState = "available"
	PublicDegraded  PublicState = "degraded"
	PublicRestored  PublicState = "restored"
	PublicUnknown   PublicState = "unknown"
)

// PublicStatus is one answer of the public status page.
type PublicStatus struct {
	State     PublicState `json:"state"`
	Raw       string      `json:"raw,omitempty"` // the status as written
	Says      string      `json:"says,omitempty"`
	Refreshed time.Time   `json:"refreshed,omitzero"` // when Microsoft refreshed it; the page does so about every 10 minutes
	Read      time.Time   `json:"read"`
}

type rawPublic struct {
	Status   *string `json:"Status"`
	Title    *string `json:"Title"`
	Message  *string `json:"Message"`
	Internal *string `json:"InternalDateTime"`
	Authored *string `json:"AuthoredDateTime"`
}

// ParsePublicStatus reads an answer of the public status page, as JSON or as
// the RSS feed that says the same. The page is no contract: an unknown path
// answers 400, or 200 with a web page, so whatever is not certainly a status
// is an error and never "available".
func ParsePublicStatus(code int, body []byte, at time.Time) (PublicStatus, error) {
	if code != 200 {
		return PublicStatus{}, fmt.Errorf("the public status page answered with HTTP status %d, so it says nothing: look at https://status.cloud.microsoft", code)
	}
	body = bytes.TrimSpace(plainUTF8(body))
	var r rawPublic
	switch {
	case len(body) > 0 && body[0] == '{':
		if err := json.Unmarshal(body, &r); err != nil {
			return PublicStatus{}, fmt.Errorf("the public status page answered something that cannot be read: %w", err)
		}
	case looksLike(body, "<rss", "<?xml"):
		feed, err := publicFeed(body)
		if err != nil {
			return PublicStatus{}, err
		}
		r = feed
	case len(body) > 0 && body[0] == '<':
		return PublicStatus{}, errors.New("the public status page answered with a web page instead of a status: its address has changed, look at https://status.cloud.microsoft")
	default:
		return PublicStatus{}, errors.New("the public status page answered something that is no status: look at https://status.cloud.microsoft")
	}
	if strings.TrimSpace(str(r.Status)) == "" {
		return PublicStatus{}, errors.New("the public status page answered without a status: look at https://status.cloud.microsoft")
	}
	d := dates{of: "the public status page"}
	p := PublicStatus{State: publicState(str(r.Status)), Raw: CutAtSentence(oneLine(str(r.Status)), 60), Read: at}
	p.Refreshed = d.read("InternalDateTime", r.Internal)
	if p.Refreshed.IsZero() {
		p.Refreshed = d.read("AuthoredDateTime", r.Authored)
	}
	if p.State != PublicAvailable {
		p.Says = CutAtSentence(inOne(Convert(str(r.Title)), Convert(str(r.Message))), noticeSize)
	}
	return p, nil
}

// inOne is a title and a text on one line.
func inOne(title, text bot.Text) string {
	head, says := oneLine(title.Plain()), oneLine(text.Plain())
	if head != "" && says != "" {
		return head + ": " + says
	}
	return head + says
}

func looksLike(body []byte, begins ...string) bool {
	for _, b := range begins {
		if len(body) >= len(b) && strings.EqualFold(string(body[:len(b)]), b) {
			return true
		}
	}
	return false
}

// publicFeed reads the feed's only item. A feed without one says nothing: it
// is as likely broken as fine.
func publicFeed(body []byte) (rawPublic, error) {
	var feed struct {
		XMLName xml.Name `xml:"rss"`
		Items   []struct {
			Title   string `xml:"title"`
			Status  string `xml:"status"`
			Message string `xml:"description"`
			Date    string `xml:"pubDate"`
		} `xml:"channel>item"`
	}
	if err := xml.Unmarshal(body, &feed); err != nil {
		return rawPublic{}, fmt.Errorf("the public status feed cannot be read: %w", err)
	}
	if len(feed.Items) == 0 {
		return rawPublic{}, errors.New("the public status feed is empty, which says nothing: look at https://status.cloud.microsoft")
	}
	it := feed.Items[0]
	r := rawPublic{Status: &it.Status, Title: &it.Title, Message: &it.Message}
	if t, err := time.Parse(time.RFC1123, strings.TrimSpace(it.Date)); err == nil {
		s := t.Format(time.RFC3339)
		r.Internal = &s
	}
	return r, nil
}

// publicState knows the values of the page's own table, which come with and
// without blanks.
func publicState(raw string) PublicState {
	switch strings.TrimPrefix(enum(raw), "service") {
	case "available", "operational":
		return PublicAvailable
	case "degradation", "degraded", "interruption":
		return PublicDegraded
	case "restored":
		return PublicRestored
	}
	return PublicUnknown
}

// publicFor is how old an answer of the public status page may be to be told.
const publicFor = 30 * time.Minute

// PublicWords says what the public status page says, and what it does not.
// at is the time that the reader has in mind.
func PublicWords(p PublicStatus, at time.Time) bot.Text {
	if at.Sub(p.Read) > publicFor {
		return nil
	}
	says, means := "says “"+p.Raw+"” of the admin center", "."
	switch p.State {
	case PublicAvailable:
		says, means = "calls the admin center available", ", so the fault may be on our side. It lists no incidents."
	case PublicDegraded:
		says = "says that the admin center itself is degraded"
	case PublicRestored:
		says = "says that the admin center was restored"
	}
	t := bot.Join(bot.Link("Microsoft's public status page", "https://status.cloud.microsoft"), bot.T(" "+says))
	if !p.Refreshed.IsZero() {
		t = bot.Join(t, bot.T(" (refreshed "), bot.When(p.Refreshed, styleAfter(at, p.Refreshed)), bot.T(")"))
	}
	t = append(t, bot.Span{Text: means})
	if p.Says != "" {
		t = append(t, bot.Span{Text: " In its words: " + p.Says})
	}
	return t
}
