package microsoft

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// spend takes one request from the application's budget on serviceAnnouncement:
// 240 in 60 s and 800 in an hour per app and tenant (Microsoft Graph
// service-specific throttling limits).
func (c *call) spend() error {
	if !c.s.st.Quirks.Budget {
		return nil
	}
	app, now := c.caller.sp.AppID, c.s.now()
	spent := slices.DeleteFunc(c.s.budget[app], func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	minute := slices.IndexFunc(spent, func(t time.Time) bool { return now.Sub(t) < time.Minute })
	var wait time.Duration
	if len(spent) >= 800 {
		wait = spent[0].Add(time.Hour).Sub(now)
	} else if minute >= 0 && len(spent)-minute >= 240 {
		wait = spent[minute].Add(time.Minute).Sub(now)
	}
	if wait > 0 {
		c.s.budget[app] = spent
		e := &graphError{status: http.StatusTooManyRequests, code: "TooManyRequests", text: "Too many requests. Please wait and try again.", retryAfter: max(wait, time.Second)}
		if c.s.st.Quirks.NoRetryAfter {
			e.retryAfter = 0
		}
		return e
	}
	c.s.budget[app] = append(spent, now)
	return nil
}

// unknownAnnouncement is the body that Graph gives for an ID that the tenant
// does not have: an error inside a text inside a text.
func (c *call) unknownAnnouncement() error {
	status := c.s.st.Quirks.UnknownIDStatus
	if status == 0 {
		status = http.StatusForbidden
	}
	inner := `{\u0022error\u0022:\u0022Resource doesn\\u0027t exist for the tenant. ActivityId: ` + c.request +
		`. Learn more: https://docs.microsoft.com/en-us/graph/api/resources/service-communications-api-overview?view=graph-rest-beta\\u0026preserve-view=true.\u0022}`
	return &graphError{status: status, code: "UnknownError", text: `{"code":"forbidden","message":"` + inner + `"}`}
}

func (c *call) getAnnouncements() (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	return &reply{status: http.StatusOK, body: map[string]any{"id": "serviceAnnouncement"}, context: "admin/serviceAnnouncement/$entity"}, nil
}

func (c *call) listIssues() (*reply, error)   { return c.listOf("issues", c.s.st.Issues) }
func (c *call) listMessages() (*reply, error) { return c.listOf("messages", c.s.st.Messages) }
func (c *call) getIssue() (*reply, error)     { return c.oneOf("issues", c.s.st.Issues) }
func (c *call) getMessage() (*reply, error)   { return c.oneOf("messages", c.s.st.Messages) }

func (c *call) oneOf(kind string, list []announcement) (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.ID == c.keys[0].value {
			return &reply{status: http.StatusOK, body: c.trimmed(a.Raw), context: "admin/serviceAnnouncement/" + kind + "/$entity"}, nil
		}
	}
	return nil, c.unknownAnnouncement()
}

// trimmed reduces raw JSON to $select, and leaves it alone without.
func (c *call) trimmed(raw json.RawMessage) json.RawMessage {
	names := c.selection()
	if names == nil {
		return raw
	}
	var all, out = map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &all); err != nil {
		return raw
	}
	for k, v := range all {
		if slices.Contains(names, k) {
			out[k] = v
		}
	}
	return marshal(out)
}

var pageSize = regexp.MustCompile(`(?i)odata\.maxpagesize\s*=\s*(\d+)`)

// listOf pages through issues or messages: 100 a page, at most 1,000 by
// Prefer, the next page by $skip.
func (c *call) listOf(kind string, all []announcement) (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	list, err := c.narrowed(all)
	if err != nil {
		return nil, err
	}
	size, limit, err := c.sizes(len(list))
	if err != nil {
		return nil, err
	}
	from, err := number(c.query, "$skip", 0)
	if err != nil {
		return nil, err
	}
	list = list[:min(len(list), limit)]
	from = min(from, len(list))
	to := min(from+size, len(list))
	body := map[string]any{}
	if c.query.Get("$count") == "true" {
		body["@odata.count"] = len(list)
	}
	if to < len(list) {
		next := to
		if overlap := c.s.st.Quirks.PageOverlap; overlap > 0 && to-overlap > from {
			next = to - overlap
		}
		body["@odata.nextLink"] = c.next("$skip", next)
	}
	values := make([]json.RawMessage, 0, to-from)
	for _, a := range list[from:to] {
		values = append(values, c.trimmed(a.Raw))
	}
	body["value"] = values
	return &reply{status: http.StatusOK, body: body, context: "admin/serviceAnnouncement/" + kind}, nil
}

func (c *call) narrowed(all []announcement) ([]announcement, error) {
	q := c.s.st.Quirks
	for name, off := range map[string]bool{"$filter": q.NoIssueFilter, "$orderby": q.NoIssueOrder, "$top": q.NoIssueTop} {
		if off && c.query.Has(name) {
			return nil, badCode("BadRequest", "Query option '"+name+"' is not allowed. To allow it, set the 'AllowedQueryOptions' property on EnableQueryAttribute or QueryValidationSettings.")
		}
	}
	list := slices.Clone(all)
	if c.query.Has("$filter") {
		f, err := parseFilter(c.query.Get("$filter"))
		if err != nil {
			return nil, badCode("BadRequest", "Invalid filter clause: "+err.Error())
		}
		for _, n := range f.names {
			if n == "details" || strings.HasPrefix(n, "details/") {
				return nil, badCode("BadRequest", "The property 'details' cannot be used in the $filter query option.")
			}
		}
		list = slices.DeleteFunc(list, func(a announcement) bool { return !f.keep(decoded(a.Raw)) })
	}
	if by := c.query.Get("$orderby"); by != "" {
		objects := make([]map[string]any, len(list))
		for i, a := range list {
			objects[i] = decoded(a.Raw)
			objects[i]["@raw"] = a
		}
		if err := order(objects, by); err != nil {
			return nil, err
		}
		for i, o := range objects {
			list[i], _ = o["@raw"].(announcement)
		}
	}
	return list, nil
}

func decoded(raw json.RawMessage) map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out) // PutIssue and PutMessage let only objects in
	return out
}

// sizes reads the page size and the limit of the whole list.
func (c *call) sizes(all int) (size, limit int, err error) {
	size, limit = 100, all
	if m := pageSize.FindStringSubmatch(strings.Join(c.r.Header.Values("Prefer"), ",")); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 {
			return 0, 0, badCode("BadRequest", "The value of the preference odata.maxpagesize is not a positive number.")
		}
		size = min(n, 1000)
	}
	if c.query.Has("$top") {
		if limit, err = number(c.query, "$top", all); err != nil {
			return 0, 0, err
		}
		size = min(size, max(limit, 1))
	}
	return size, limit, nil
}

func (c *call) listOverviews() (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	out := make([]map[string]any, 0, len(c.s.st.Services))
	for _, v := range c.s.st.Services {
		out = append(out, c.overview(v))
	}
	if c.query.Has("$filter") {
		f, err := parseFilter(c.query.Get("$filter"))
		if err != nil {
			return nil, badCode("BadRequest", "Invalid filter clause: "+err.Error())
		}
		out = keep(out, f.keep)
	}
	if c.query.Has("$top") {
		n, err := number(c.query, "$top", len(out))
		if err != nil {
			return nil, err
		}
		out = out[:min(n, len(out))]
	}
	for i := range out {
		out[i] = c.selected(out[i])
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": out}, context: "admin/serviceAnnouncement/healthOverviews"}, nil
}

func (c *call) getOverview() (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	for _, v := range c.s.st.Services {
		if v.ID == c.keys[0].value {
			return &reply{status: http.StatusOK, body: c.selected(c.overview(v)), context: "admin/serviceAnnouncement/healthOverviews/$entity"}, nil
		}
	}
	return nil, c.unknownAnnouncement()
}

// overviewIssues is described in Graph's metadata and answers 404 with an
// empty message.
func (c *call) overviewIssues() (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	return nil, &graphError{status: http.StatusNotFound, code: "UnknownError"}
}

func (c *call) incidentReport() (*reply, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	for _, a := range c.s.st.Issues {
		if a.ID != c.keys[0].value {
			continue
		}
		if status, _ := decoded(a.Raw)["status"].(string); !strings.EqualFold(status, "postIncidentReviewPublished") {
			return nil, &graphError{status: http.StatusNotFound, code: "UnknownError", text: "No post-incident review is published for " + a.ID + "."}
		}
		doc := c.s.st.Reports[a.ID]
		if doc == nil {
			doc = []byte("Post-incident review of " + a.ID + "\n")
		}
		return &reply{status: http.StatusOK, raw: doc}, nil
	}
	return nil, c.unknownAnnouncement()
}

func (c *call) listAttachments() (*reply, error) {
	if _, err := c.getMessage(); err != nil {
		return nil, err
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": c.attachments()}, context: "admin/serviceAnnouncement/messages('" + c.keys[0].value + "')/attachments"}, nil
}

func (c *call) getAttachment() (*reply, error) {
	if _, err := c.getMessage(); err != nil {
		return nil, err
	}
	for _, a := range c.attachments() {
		if o, _ := a.(map[string]any); o["id"] == c.keys[1].value {
			return &reply{status: http.StatusOK, body: o, context: "admin/serviceAnnouncement/messages('" + c.keys[0].value + "')/attachments/$entity"}, nil
		}
	}
	return nil, c.unknownAnnouncement()
}

// attachments are those in the message as it was put in.
func (c *call) attachments() []any {
	for _, m := range c.s.st.Messages {
		if m.ID == c.keys[0].value {
			if list, ok := decoded(m.Raw)["attachments"].([]any); ok {
				return list
			}
		}
	}
	return []any{}
}
