package servicenow

import (
	"slices"
	"strings"
)

// condition is one comparison of an encoded query.
type condition struct {
	Path  string // column, or a dot-walked path
	Op    string
	Value string
}

// sortKey is one ORDERBY of an encoded query.
type sortKey struct {
	Path string
	Desc bool
}

// encodedQuery is a parsed sysparm_query. A row matches if it satisfies any
// of the alternatives; an alternative is a list of clauses that must all
// hold; a clause holds if any of its conditions does.
type encodedQuery struct {
	Alternatives [][][]condition
	Order        []sortKey
	Invalid      []string // parts that could not be read; the platform ignores them
}

// Longest first, so that "NOT LIKE" is not read as something else and ">="
// not as ">".
var operators = []string{
	"NOT LIKE", "NOT IN", "ISNOTEMPTY", "ISEMPTY", "STARTSWITH", "ENDSWITH",
	"NOTLIKE", "LIKE", "IN", "!=", ">=", "<=", "=", ">", "<",
}

// parseQuery reads an encoded query. It never fails: what it cannot read is
// listed in Invalid.
func parseQuery(text string) encodedQuery {
	var q encodedQuery
	current := [][]condition{}
	flush := func() {
		if len(current) > 0 {
			q.Alternatives = append(q.Alternatives, current)
		}
		current = [][]condition{}
	}
	for _, part := range splitQuery(text) {
		or := false
		switch {
		case part == "" || part == "EQ":
			continue
		case strings.HasPrefix(part, "ORDERBYDESC"):
			q.addOrder(part, strings.TrimPrefix(part, "ORDERBYDESC"), true)
			continue
		case strings.HasPrefix(part, "ORDERBY"):
			q.addOrder(part, strings.TrimPrefix(part, "ORDERBY"), false)
			continue
		case strings.HasPrefix(part, "NQ"):
			flush()
			part = part[len("NQ"):]
		case strings.HasPrefix(part, "OR"):
			or = true
			part = part[len("OR"):]
		}
		c, ok := parseCondition(part)
		switch {
		case !ok:
			q.Invalid = append(q.Invalid, part)
		case or && len(current) > 0:
			last := len(current) - 1
			current[last] = append(current[last], c)
		default:
			current = append(current, []condition{c})
		}
	}
	flush()
	return q
}

func (q *encodedQuery) addOrder(part, path string, desc bool) {
	if !isPath(path) {
		q.Invalid = append(q.Invalid, part)
		return
	}
	q.Order = append(q.Order, sortKey{path, desc})
}

// splitQuery splits at single carets; two in a row are one inside a value.
func splitQuery(text string) []string {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '^':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '^':
			b.WriteByte('^')
			i++
		default:
			parts = append(parts, b.String())
			b.Reset()
		}
	}
	return append(parts, b.String())
}

func parseCondition(part string) (condition, bool) {
	n := 0
	for n < len(part) && isPathByte(part[n]) {
		n++
	}
	path, rest := part[:n], part[n:]
	if !isPath(path) {
		return condition{}, false
	}
	i := slices.IndexFunc(operators, func(op string) bool { return strings.HasPrefix(rest, op) })
	if i < 0 {
		return condition{}, false
	}
	c := condition{Path: path, Op: operators[i], Value: rest[len(operators[i]):]}
	if c.Op == "NOTLIKE" {
		c.Op = "NOT LIKE"
	}
	if (c.Op == "ISEMPTY" || c.Op == "ISNOTEMPTY") && c.Value != "" {
		return condition{}, false
	}
	return c, true
}

func isPathByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_' || b == '.'
}

func isPath(s string) bool {
	for _, step := range strings.Split(s, ".") {
		if step == "" || strings.IndexFunc(step, func(r rune) bool { return r > 127 || r == '.' || !isPathByte(byte(r)) }) >= 0 {
			return false
		}
	}
	return true
}

// paths lists every column path the query names.
func (q encodedQuery) paths() []string {
	var out []string
	for _, alternative := range q.Alternatives {
		for _, clause := range alternative {
			for _, c := range clause {
				out = append(out, c.Path)
			}
		}
	}
	for _, o := range q.Order {
		out = append(out, o.Path)
	}
	return out
}

// without returns the query with every condition on these paths left out,
// as the platform does with columns it does not know.
func (q encodedQuery) without(bad func(path string) bool) encodedQuery {
	out := encodedQuery{Invalid: q.Invalid}
	for _, alternative := range q.Alternatives {
		var clauses [][]condition
		for _, clause := range alternative {
			if kept := slices.DeleteFunc(slices.Clone(clause), func(c condition) bool { return bad(c.Path) }); len(kept) > 0 {
				clauses = append(clauses, kept)
			}
		}
		// An alternative of nothing but unreadable parts matches every row.
		out.Alternatives = append(out.Alternatives, clauses)
	}
	out.Order = slices.DeleteFunc(slices.Clone(q.Order), func(o sortKey) bool { return bad(o.Path) })
	return out
}
