package servicenow

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"
)

// record is one row. Values hold stored values, never display values; a
// column that is absent is empty.
type record struct {
	Seq    int               `json:"seq"`
	Table  string            `json:"table"` // the class, not a table it extends
	Values map[string]string `json:"values"`
}

func (r *record) get(col string) string { return r.Values[col] }
func (r *record) id() string            { return r.Values["sys_id"] }
func (r *record) yes(col string) bool   { return r.Values[col] == "true" }
func (r *record) class() *table         { return schema[r.Table] }

// store holds the rows of every table. It knows nothing about rights or
// rules and is guarded by the server's lock.
type store struct {
	Rows    map[string][]*record `json:"rows"`
	Numbers map[string]int       `json:"numbers"` // last number given out, by prefix
	Seq     int                  `json:"seq"`
}

func newStore() *store {
	return &store{Rows: map[string][]*record{}, Numbers: map[string]int{}}
}

// all returns the rows of t and of what extends it, oldest first.
func (d *store) all(t *table) []*record {
	family := t.family()
	if len(family) == 1 {
		return slices.Clone(d.Rows[t.Name])
	}
	var rows []*record
	for _, f := range family {
		rows = append(rows, d.Rows[f.Name]...)
	}
	slices.SortFunc(rows, func(a, b *record) int { return a.Seq - b.Seq })
	return rows
}

// find returns the row with that sys_id in t or what extends it, or nil.
func (d *store) find(t *table, id string) *record {
	if t == nil || id == "" {
		return nil
	}
	for _, f := range t.family() {
		for _, r := range d.Rows[f.Name] {
			if r.id() == id {
				return r
			}
		}
	}
	return nil
}

// where returns the rows of a table whose columns have exactly these values,
// given as name, value pairs.
func (d *store) where(table string, pairs ...string) []*record {
	var out []*record
next:
	for _, r := range d.all(schema[table]) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if r.get(pairs[i]) != pairs[i+1] {
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}

// first is the first row of where, or nil.
func (d *store) first(table string, pairs ...string) *record {
	if rows := d.where(table, pairs...); len(rows) > 0 {
		return rows[0]
	}
	return nil
}

func (d *store) add(r *record) {
	d.Seq++
	r.Seq = d.Seq
	d.Rows[r.Table] = append(d.Rows[r.Table], r)
}

func (d *store) drop(r *record) {
	d.Rows[r.Table] = slices.DeleteFunc(d.Rows[r.Table], func(o *record) bool { return o == r })
}

// display is what a reference to this row shows.
func (d *store) display(r *record) string {
	if r == nil {
		return ""
	}
	t := r.class()
	c := t.column(t.Display)
	if c != nil && c.Kind == kindRef {
		if target := d.find(schema[c.Ref], r.get(c.Name)); target != nil {
			return d.display(target)
		}
	}
	return r.get(t.Display)
}

// newID makes a sys_id.
func newID() string { return randomHex(16) }

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails on the platforms Go supports
	return hex.EncodeToString(b)
}

const timeLayout = "2006-01-02 15:04:05"

func stamp(t time.Time) string { return t.UTC().Format(timeLayout) }
