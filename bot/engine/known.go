package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"keyturn/bot"
)

// known are a tenant's names: almost every commit looks for them in what it
// writes. Whoever holds them changes nothing.
type known struct {
	edition string
	begin   map[string][]cloaked // by the first bytes of the name
	rows    map[string]Name      // of the table
}

// editions say which contents a table has that is read as a whole and seldom
// changes, by the table's name: no two contents have the same one. What was made
// of the table holds for as long as it has its edition, whichever replica changes
// it, and also where a decision reads what the rest of its group is yet to write.
var editions = Kind[string]{Name: "edition"}

// byTenant keeps of each tenant what was made last. The zero value is ready; it
// is safe for concurrent use.
type byTenant[T any] struct {
	mu sync.Mutex
	of map[bot.TenantID]T
}

func (b *byTenant[T]) get(t bot.TenantID) T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of[t]
}

func (b *byTenant[T]) put(t bot.TenantID, x T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[bot.TenantID]T{}
	}
	b.of[t] = x
}

// knows is what everybody of a tenant is called, those who have left too; of no
// tenant, what everybody is.
func (e *Env) knows(v View, of bot.TenantID, edition string) (known, error) {
	if k := e.known.get(of); edition != "" && k.edition == edition {
		return k, nil
	}
	c, tables := newCloak(e.Alias), []bot.TenantID{of}
	for _, t := range e.Tenants {
		if of != t.ID && of != NoTenant {
			continue
		}
		for _, p := range t.People {
			c.person(p)
		}
		if of == NoTenant {
			tables = append(tables, t.ID)
		}
	}
	k := known{edition, c.begin, map[string]Name{}}
	for _, t := range tables {
		list, err := v.Records(names.Name, t)
		if err != nil {
			return k, err
		}
		for _, r := range list {
			n, err := names.read(r)
			if err != nil {
				return k, err
			}
			if t == of {
				k.rows[r.Key] = n
			}
			c.add(n.Person, n.Name)
		}
	}
	e.known.put(of, k)
	return k, nil
}

// renew gives the table of names another edition where a write set changes it.
func renew(c *Changes, edition string) error {
	var rows []any
	for _, r := range c.Records {
		if r.Kind == names.Name {
			rows = append(rows, r)
		}
	}
	if edition != "" && len(rows) == 0 {
		return nil
	}
	next, err := nextEdition(edition, rows)
	if err == nil {
		editions.Put(c, NoTenant, names.Name, next)
	}
	return err
}

// nextEdition follows from the one before and from everything that changes.
func nextEdition(was string, changed []any) (string, error) {
	b, err := json.Marshal(changed)
	sum := sha256.Sum256(append([]byte(was), b...))
	return hex.EncodeToString(sum[:16]), err
}
