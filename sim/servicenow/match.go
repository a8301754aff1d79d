package servicenow

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// walk follows a dot-walked path from a table to its last column. It returns
// nil where a step does not exist.
func walk(t *table, path string) *column {
	steps := strings.Split(path, ".")
	for i, step := range steps {
		if t == nil {
			return nil
		}
		c := t.column(step)
		if c == nil || i == len(steps)-1 {
			return c
		}
		if c.Kind != kindRef {
			return nil
		}
		t = schema[c.Ref]
	}
	return nil
}

// valueAt reads a dot-walked path from a row; a broken reference reads as empty.
func (d *store) valueAt(r *record, path string) string {
	for {
		step, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return r.get(step)
		}
		c := r.class().column(step)
		if c == nil || c.Kind != kindRef {
			return ""
		}
		if r = d.find(schema[c.Ref], r.get(step)); r == nil {
			return ""
		}
		path = rest
	}
}

// match reports whether a row satisfies the query.
func (d *store) match(q encodedQuery, r *record, me string) bool {
	if len(q.Alternatives) == 0 {
		return true
	}
	return slices.ContainsFunc(q.Alternatives, func(alternative [][]condition) bool {
		for _, clause := range alternative {
			if !slices.ContainsFunc(clause, func(c condition) bool { return d.holds(c, r, me) }) {
				return false
			}
		}
		return true
	})
}

// granted reports whether a user has a role, their own, by a group or within
// another: a query for "roles" finds all of them, whatever the column holds.
func (d *store) granted(user *record, name string) bool {
	return slices.ContainsFunc(d.where("sys_user_has_role", "user", user.id()), func(h *record) bool {
		role := d.find(schema["sys_user_role"], h.get("role"))
		return role != nil && role.get("name") == name
	})
}

var dateGenerate = regexp.MustCompile(`^javascript:gs\.dateGenerate\('([0-9-]+)','([0-9:]+)'\)$`)

func (d *store) holds(c condition, r *record, me string) bool {
	if r.Table == "sys_user" && c.Path == "roles" && c.Op == "=" {
		return d.granted(r, c.Value)
	}
	got, want := d.valueAt(r, c.Path), c.Value
	if want == "javascript:gs.getUserID()" {
		want = me
	} else if m := dateGenerate.FindStringSubmatch(want); m != nil {
		want = m[1] + " " + m[2]
	}
	switch c.Op {
	case "=":
		return sameText(got, want)
	case "!=":
		return !sameText(got, want)
	case "ISEMPTY":
		return got == ""
	case "ISNOTEMPTY":
		return got != ""
	case "IN", "NOT IN":
		in := slices.ContainsFunc(strings.Split(want, ","), func(s string) bool { return sameText(got, strings.TrimSpace(s)) })
		return in == (c.Op == "IN")
	case ">", "<", ">=", "<=":
		return got != "" && compareAs(c.Op, got, want)
	}
	// The text operators look at what a reference shows, not at its sys_id.
	if col := walk(r.class(), c.Path); col != nil && col.Kind == kindRef {
		if target := d.find(schema[col.Ref], got); target != nil {
			got = d.display(target)
		}
	}
	got, want = strings.ToLower(got), strings.ToLower(want)
	switch c.Op {
	case "LIKE":
		return strings.Contains(got, want)
	case "NOT LIKE":
		return !strings.Contains(got, want)
	case "STARTSWITH":
		return strings.HasPrefix(got, want)
	case "ENDSWITH":
		return strings.HasSuffix(got, want)
	}
	return false
}

// sameText compares without case, as the platform's database does.
func sameText(a, b string) bool { return strings.EqualFold(a, b) }

func compareAs(op, got, want string) bool {
	n := compareValues(got, want)
	switch op {
	case ">":
		return n > 0
	case "<":
		return n < 0
	case ">=":
		return n >= 0
	}
	return n <= 0
}

// compareValues compares numbers as numbers and everything else as text.
func compareValues(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// sortRows orders rows as the query asks; equal rows stay in the order in
// which they were made.
func (d *store) sortRows(rows []*record, order []sortKey) {
	if len(order) == 0 {
		return
	}
	slices.SortStableFunc(rows, func(a, b *record) int {
		for _, key := range order {
			n := compareValues(d.valueAt(a, key.Path), d.valueAt(b, key.Path))
			if key.Desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
}
