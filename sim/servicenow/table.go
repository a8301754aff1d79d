package servicenow

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const defaultLimit = 10_000

// tableAPI serves /api/now/table/{table}[/{sys_id}] with an optional version
// segment before "table".
func (s *Server) tableAPI(w http.ResponseWriter, r *http.Request) {
	version, name, id, ok := tablePath(r.URL.Path)
	if !ok {
		(&refusal{http.StatusBadRequest, "Requested URI does not represent any resource", r.URL.Path}).write(w)
		return
	}
	c, no := s.identify(r)
	if no != nil {
		note(r, "", "refused: "+no.Message)
		no.write(w)
		return
	}
	note(r, c.name(), "")
	if no := s.rateLimit(c, w); no != nil {
		note(r, "", "rate limit")
		no.write(w)
		return
	}
	t := schema[name]
	if t == nil {
		(&refusal{http.StatusBadRequest, "Invalid table " + name, ""}).write(w)
		return
	}
	if obj := s.db.first("sys_db_object", "name", name); s.protected(t) || obj == nil || !obj.yes("ws_access") {
		note(r, "", "refused: "+name+" is not open to web services")
		queryTable.write(w)
		return
	}
	no = s.tableCall(w, r, c, t, id, version)
	if no != nil {
		note(r, "", "refused: "+no.Error())
		no.write(w)
	}
}

func (s *Server) tableCall(w http.ResponseWriter, r *http.Request, c *caller, t *table, id, version string) *refusal {
	switch {
	case r.Method == http.MethodGet && id == "":
		return s.list(w, r, c, t, version)
	case r.Method == http.MethodPost && id == "":
		return s.create(w, r, c, t)
	case id == "" || r.Method != http.MethodGet && r.Method != http.MethodPatch && r.Method != http.MethodPut && r.Method != http.MethodDelete:
		return &refusal{http.StatusMethodNotAllowed, "Method not supported", ""}
	}
	row := s.db.find(t, id)
	if row == nil {
		return noRecord
	}
	if !s.canRead(c, row) {
		if s.modes.SingleForbidden {
			return queryTable
		}
		return noRecord
	}
	switch r.Method {
	case http.MethodGet:
		writeJSON(w, http.StatusOK, map[string]any{"result": s.show(t, row, s.viewOf(r, c))})
		return nil
	case http.MethodDelete:
		if no := s.remove(c, row); no != nil {
			return no
		}
		note(r, "", "deleted "+label(row, s))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	body, no := readBody(r)
	if no != nil {
		return no
	}
	if no := s.update(c, row, body, writeMode{display: r.URL.Query().Get("sysparm_input_display_value") == "true"}); no != nil {
		return no
	}
	note(r, "", "updated "+label(row, s))
	writeJSON(w, http.StatusOK, map[string]any{"result": s.show(t, row, s.viewOf(r, c))})
	return nil
}

func label(r *record, s *Server) string { return fmt.Sprintf("%s %q", r.Table, s.db.display(r)) }

func (s *Server) create(w http.ResponseWriter, r *http.Request, c *caller, t *table) *refusal {
	body, no := readBody(r)
	if no != nil {
		return no
	}
	row, no := s.insert(c, t, body, writeMode{display: r.URL.Query().Get("sysparm_input_display_value") == "true"})
	if no != nil {
		return no
	}
	note(r, "", "created "+label(row, s))
	w.Header().Set("Location", "https://"+s.cfg.Host+strings.TrimSuffix(r.URL.Path, "/")+"/"+row.id())
	writeJSON(w, http.StatusCreated, map[string]any{"result": s.show(t, row, s.viewOf(r, c))})
	return nil
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, c *caller, t *table, version string) *refusal {
	params := r.URL.Query()
	q, no := s.readQuery(t, params.Get("sysparm_query"))
	if no != nil {
		return no
	}
	for col, value := range columnFilters(t, params) {
		q = narrow(q, condition{Path: col, Op: "=", Value: value})
	}
	var rows []*record
	if len(q.Invalid) == 0 || s.property("glide.invalid_query.returns_no_rows") != "true" {
		for _, row := range s.db.all(t) {
			if s.db.match(q, row, c.id()) {
				rows = append(rows, row)
			}
		}
	}
	s.db.sortRows(rows, q.Order)
	total := len(rows)
	limit := number(params.Get("sysparm_limit"), defaultLimit)
	offset := number(params.Get("sysparm_offset"), 0)
	page := rows[min(offset, total):min(offset+limit, total)]
	v := s.viewOf(r, c)
	shown := []any{}
	for _, row := range page {
		if s.canRead(c, row) {
			shown = append(shown, s.show(t, row, v))
		}
	}
	if params.Get("sysparm_no_count") != "true" {
		w.Header().Set("X-Total-Count", strconv.Itoa(total))
	}
	if params.Get("sysparm_suppress_pagination_header") != "true" {
		w.Header().Set("Link", s.pageLinks(r, limit, offset, total))
	}
	if len(shown) == 0 && version == "v1" {
		return noRecord
	}
	note(r, "", fmt.Sprintf("%d of %d rows", len(shown), total))
	writeJSON(w, http.StatusOK, map[string]any{"result": shown})
	return nil
}

// readQuery parses an encoded query and decides what its unknown columns do:
// by default the whole query is refused, as on instances with query access
// controls; otherwise they are ignored like anything else that is invalid.
func (s *Server) readQuery(t *table, text string) (encodedQuery, *refusal) {
	q := parseQuery(text)
	unknown := func(path string) bool { return walk(t, path) == nil }
	for _, path := range q.paths() {
		if c := walk(t, path); c != nil && (c.Kind == kindSecret || c.Kind == kindPassword) {
			return q, queryField
		}
		if unknown(path) {
			if !s.modes.UnknownColumnsIgnored {
				return q, queryField
			}
			q.Invalid = append(q.Invalid, path)
		}
	}
	return q.without(unknown), nil
}

// columnFilters reads plain column=value parameters, which filter too.
func columnFilters(t *table, params url.Values) map[string]string {
	out := map[string]string{}
	for k := range params {
		if !strings.HasPrefix(k, "sysparm_") && t.column(k) != nil {
			out[k] = params.Get(k)
		}
	}
	return out
}

// narrow adds a condition to every alternative.
func narrow(q encodedQuery, c condition) encodedQuery {
	if len(q.Alternatives) == 0 {
		q.Alternatives = [][][]condition{nil}
	}
	for i, alternative := range q.Alternatives {
		q.Alternatives[i] = append(alternative[:len(alternative):len(alternative)], []condition{c})
	}
	return q
}

func number(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1_000_000_000 {
		return otherwise
	}
	return n
}

// pageLinks is the Link header: first, prev and next where there is one, last.
func (s *Server) pageLinks(r *http.Request, limit, offset, total int) string {
	link := func(offset int, rel string) string {
		params := r.URL.Query()
		params.Set("sysparm_limit", strconv.Itoa(limit))
		params.Set("sysparm_offset", strconv.Itoa(offset))
		return fmt.Sprintf(`<https://%s%s?%s>;rel="%s"`, s.cfg.Host, r.URL.Path, params.Encode(), rel)
	}
	links := []string{link(0, "first")}
	if offset > 0 {
		links = append(links, link(max(offset-limit, 0), "prev"))
	}
	if offset+limit < total {
		links = append(links, link(offset+limit, "next"))
	}
	last := 0
	if limit > 0 && total > 0 {
		last = (total - 1) / limit * limit
	}
	return strings.Join(append(links, link(last, "last")), ",")
}

func (s *Server) viewOf(r *http.Request, c *caller) view {
	params := r.URL.Query()
	v := view{display: "false", noLinks: params.Get("sysparm_exclude_reference_link") == "true", zone: s.zone(c)}
	if d := params.Get("sysparm_display_value"); d == "true" || d == "all" {
		v.display = d
	}
	for _, f := range strings.Split(params.Get("sysparm_fields"), ",") {
		if f = strings.TrimSpace(f); f != "" {
			v.fields = append(v.fields, f)
		}
	}
	return v
}

// tablePath splits /api/now[/vN]/table/{table}[/{sys_id}].
func tablePath(p string) (version, table, id string, ok bool) {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(p, "/api/now/"), "/"), "/")
	if parts[0] == "v1" || parts[0] == "v2" {
		version, parts = parts[0], parts[1:]
	}
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "table" {
		return "", "", "", false
	}
	if len(parts) == 3 {
		id = parts[2]
	}
	return version, parts[1], id, true
}
