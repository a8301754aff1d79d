package microsoft

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// document turns any value into decoded JSON, so that filters see what clients see.
func document(v any) map[string]any {
	var out map[string]any
	if err := json.Unmarshal(marshal(v), &out); err != nil {
		return map[string]any{}
	}
	return out
}

func documents[T any](list []T, render func(T) map[string]any) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, v := range list {
		out[i] = document(render(v))
	}
	return out
}

// list answers a collection of directory objects: $filter, $search, $orderby,
// $count, $top, $skiptoken and $select, with the header that advanced queries
// need (Microsoft Graph, "Advanced query capabilities on directory objects").
func (c *call) list(kind string, objects []map[string]any) (*reply, error) {
	eventual := strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual")
	counted := c.query.Get("$count") == "true"
	if c.query.Has("$skip") {
		return nil, badRequest("'$skip' is not supported by the service.")
	}
	if counted && !eventual {
		return nil, badRequest("$count is not currently supported without the header ConsistencyLevel: eventual.")
	}
	if text := c.query.Get("$filter"); c.query.Has("$filter") {
		f, err := parseFilter(text)
		if err != nil {
			return nil, badCode("BadRequest", "Invalid filter clause: "+err.Error())
		}
		if f.advanced && (!eventual || !counted) {
			return nil, unsupportedQuery("Unsupported or invalid query filter clause specified for property '" + strings.Join(f.names, ",") + "'. Advanced filters need ConsistencyLevel: eventual and $count=true.")
		}
		objects = keep(objects, f.keep)
	}
	if text := c.query.Get("$search"); text != "" {
		if !eventual {
			return nil, unsupportedQuery("Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'")
		}
		found, err := search(objects, text)
		if err != nil {
			return nil, err
		}
		objects = found
	}
	if err := order(objects, c.query.Get("$orderby")); err != nil {
		return nil, err
	}
	size, err := c.top(100, 999)
	if err != nil {
		return nil, err
	}
	from, err := number(c.query, "$skiptoken", 0)
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	if counted {
		body["@odata.count"] = len(objects)
	}
	from = min(from, len(objects))
	to := min(from+size, len(objects))
	if to < len(objects) {
		body["@odata.nextLink"] = c.next("$skiptoken", to)
	}
	page := make([]map[string]any, 0, to-from)
	for _, o := range objects[from:to] {
		page = append(page, c.selected(o))
	}
	body["value"] = page
	return &reply{status: http.StatusOK, body: body, context: kind}, nil
}

func keep(objects []map[string]any, ok condition) []map[string]any {
	out := make([]map[string]any, 0, len(objects))
	for _, o := range objects {
		if ok(o) {
			out = append(out, o)
		}
	}
	return out
}

// search reads $search="property:text", the form that directory objects take.
func search(objects []map[string]any, text string) ([]map[string]any, error) {
	inner, ok := strings.CutPrefix(text, `"`)
	inner, ok2 := strings.CutSuffix(inner, `"`)
	property, want, ok3 := strings.Cut(inner, ":")
	if !ok || !ok2 || !ok3 {
		return nil, badRequest(`Syntax error in $search: write it as "property:text" with the quotes.`)
	}
	return keep(objects, func(o map[string]any) bool {
		have, _ := o[property].(string)
		return strings.Contains(strings.ToLower(have), strings.ToLower(want))
	}), nil
}

// order sorts by $orderby=property [asc|desc], one property.
func order(objects []map[string]any, text string) error {
	if text == "" {
		return nil
	}
	fields := strings.Fields(text)
	if len(fields) > 2 || (len(fields) == 2 && fields[1] != "asc" && fields[1] != "desc") {
		return badRequest("The $orderby '" + text + "' cannot be read: write one property and asc or desc.")
	}
	down := len(fields) == 2 && fields[1] == "desc"
	slices.SortStableFunc(objects, func(a, b map[string]any) int {
		x, _ := lookup(a, strings.Split(fields[0], "/")).(string)
		y, _ := lookup(b, strings.Split(fields[0], "/")).(string)
		n, _ := compare(x, word{y, true})
		if down {
			return -n
		}
		return n
	})
	return nil
}

func (c *call) top(page, most int) (int, error) {
	n, err := number(c.query, "$top", page)
	if err != nil {
		return 0, err
	}
	if c.query.Has("$top") && (n < 1 || n > most) {
		return 0, badRequest("Invalid page size specified: '" + strconv.Itoa(n) + "'. Must be between 1 and " + strconv.Itoa(most) + " inclusive.")
	}
	return n, nil
}

func number(q url.Values, name string, otherwise int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badCode("BadRequest", "Invalid value '"+text+"' for "+name+" query option found. The "+name+" query option requires a non-negative integer value.")
	}
	return n, nil
}

// next is the link to the following page.
func (c *call) next(parameter string, at int) string {
	q := url.Values{}
	for k, v := range c.query {
		q[k] = v
	}
	q.Set(parameter, strconv.Itoa(at))
	path := strings.TrimPrefix(c.r.URL.EscapedPath(), "/graph/v1.0")
	return c.base + path + "?" + strings.ReplaceAll(q.Encode(), "%24", "$")
}

// selected reduces an object to $select. id stays only when asked for, like
// every other property; @odata members always stay.
func (c *call) selected(o map[string]any) map[string]any {
	names := c.selection()
	if names == nil {
		return o
	}
	out := map[string]any{}
	for k, v := range o {
		if strings.HasPrefix(k, "@odata.") || slices.Contains(names, k) {
			out[k] = v
		}
	}
	return out
}

func (c *call) selection() []string {
	if c.query.Get("$select") == "" {
		return nil
	}
	names := strings.Split(c.query.Get("$select"), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// one answers a single object.
func (c *call) one(kind string, o map[string]any) *reply {
	return &reply{status: http.StatusOK, body: c.selected(document(o)), context: kind + "/$entity"}
}
