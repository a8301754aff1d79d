package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
)

// rawIssue is a serviceHealthIssue of Microsoft Graph. encoding/json compares
// names without case, so the admin center's own PascalCase form, whose posts
// hold their text themselves, is read as well.
type rawIssue struct {
	ID             *string    `json:"id"`
	Title          *string    `json:"title"`
	Service        *string    `json:"service"`
	Feature        *string    `json:"feature"`
	FeatureGroup   *string    `json:"featureGroup"`
	Classification *string    `json:"classification"`
	Status         *string    `json:"status"`
	Origin         *string    `json:"origin"`
	Impact         *string    `json:"impactDescription"`
	Resolved       *bool      `json:"isResolved"`
	Start          *string    `json:"startDateTime"`
	End            *string    `json:"endDateTime"`
	Modified       *string    `json:"lastModifiedDateTime"`
	Posts          []*rawPost `json:"posts"`
}

type rawPost struct {
	Created     *string  `json:"createdDateTime"`
	Type        *string  `json:"postType"`
	Description *rawText `json:"description"`
	rawText
}

type rawText struct {
	ContentType *string `json:"contentType"`
	Content     *string `json:"content"`
}

// Parse reads one service health issue as Microsoft Graph gives it
// (serviceHealthIssue). It is tolerant: values of enumerations stay as they
// are written, absent and null fields are empty, dates may lack their zone
// (UTC then) and have any number of fraction digits, unknown fields do not
// count. Posts come out by time, whatever their order was; where isResolved is
// absent the status decides. A field of the wrong type, a date that is none
// and an issue without an ID are errors that name the field.
func Parse(raw json.RawMessage) (Issue, error) {
	var r rawIssue
	if err := decodeObject(raw, "issue", &r); err != nil {
		return Issue{}, err
	}
	is := Issue{
		ID: oneLine(str(r.ID)), Title: str(r.Title), Service: oneLine(str(r.Service)),
		Feature: str(r.Feature), FeatureGroup: str(r.FeatureGroup),
		Classification: str(r.Classification), Status: str(r.Status), Origin: str(r.Origin), Impact: str(r.Impact),
	}
	if is.ID == "" {
		return Issue{}, errors.New("the service health issue has no id, so it cannot be told from others")
	}
	d := dates{of: "issue " + is.ID}
	is.Start = d.read("startDateTime", r.Start)
	is.End = d.read("endDateTime", r.End)
	is.Modified = d.read("lastModifiedDateTime", r.Modified)
	for i, p := range r.Posts {
		if p != nil {
			is.Posts = append(is.Posts, p.post(&d, i))
		}
	}
	if d.err != nil {
		return Issue{}, d.err
	}
	sortPosts(is.Posts)
	if is.Resolved = overStatus(is.Status); r.Resolved != nil {
		is.Resolved = *r.Resolved
	}
	if latest := is.Latest(); is.Modified.IsZero() && latest != nil {
		is.Modified = latest.Created
	}
	return is, nil
}

func (p *rawPost) post(d *dates, i int) Post {
	text := p.rawText
	if p.Description != nil {
		text = *p.Description
	}
	return Post{
		Created: d.read(fmt.Sprintf("posts[%d].createdDateTime", i), p.Created),
		Type:    str(p.Type),
		HTML:    strings.EqualFold(str(text.ContentType), "html"),
		Content: str(text.Content),
	}
}

// Latest is the newest post, or nil where there is none.
func (i *Issue) Latest() *Post {
	var newest *Post
	for n := range i.Posts {
		if p := &i.Posts[n]; newest == nil || !p.Created.Before(newest.Created) {
			newest = p
		}
	}
	return newest
}

func sortPosts(posts []Post) {
	sort.SliceStable(posts, func(a, b int) bool { return posts[a].Created.Before(posts[b].Created) })
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// decodeObject decodes one JSON object; what names it in errors.
func decodeObject(raw []byte, what string, into any) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' {
		return fmt.Errorf("the %s is not a JSON object", what)
	}
	err := json.Unmarshal(raw, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("the %s cannot be read: its field %q holds a %s: %w", what, wrong.Field, wrong.Value, err)
	}
	if err != nil {
		return fmt.Errorf("the %s is no valid JSON: %w", what, err)
	}
	return nil
}

// dates reads date fields and keeps the first error.
type dates struct {
	of  string
	err error
}

func (d *dates) read(field string, value *string) time.Time {
	s := strings.TrimSpace(str(value))
	if s == "" {
		return time.Time{}
	}
	t, ok := parseDate(s)
	if !ok {
		if d.err == nil {
			d.err = fmt.Errorf("the field %q of %s holds %q, which is no date", field, d.of, s)
		}
		return time.Time{}
	}
	return t
}

// Graph writes dates with zero to seven fraction digits, and in some answers
// without a zone. time.Parse accepts a fraction that the layout does not name.
var dateLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02",
}

func parseDate(s string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			// JSON has no years beyond four digits; a zone can push one there.
			return t, t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}
