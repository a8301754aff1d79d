package engine

import (
	"regexp"
	"strings"
	"time"

	"keyturn/bot"
)

// Name is what a person, or one of their accounts, is called. It stands in a
// table of its own, and everywhere else in the store is its pseudonym: so that it
// can be erased, and nothing that rests on the rest breaks.
type Name struct {
	Person bot.PersonID `json:"person"`
	Name   string       `json:"name,omitempty"` // "" once it was erased
	Erased time.Time    `json:"erased,omitzero"`
}

// names are by pseudonym, and what a person is called also by their ID.
var names = Kind[Name]{Name: "name"}

// shown is what people read in the place of a pseudonym.
func (n Name) shown() string {
	if n.Name == "" {
		return "erased person " + string(n.Person)
	}
	return n.Name
}

// pseudonym is the form of one.
var pseudonym = regexp.MustCompile(`person-[0-9a-f]{16}`)

const pseudonymBegins = "person-"

// reference is the pseudonym of a name: the same each time, and of no use to
// whoever guesses at the name and has not the key.
func reference(alias func(string) string, p bot.PersonID, name string) string {
	return pseudonymBegins + alias(string(p) + "\x00" + name)[:16]
}

// Names are what people read in the place of pseudonyms, and of the IDs of those
// who have left: a name, or "erased person" with the ID.
type Names map[string]string

// NamesOf reads a tenant's names.
func NamesOf(v View, t bot.TenantID) (Names, error) {
	list, err := v.Records(names.Name, t)
	if err != nil {
		return nil, err
	}
	out := Names{}
	for _, r := range list {
		n, err := names.read(r)
		if err != nil {
			return nil, err
		}
		out[r.Key] = n.shown()
	}
	return out, nil
}

func (n Names) look(ref string) (string, error) { return n[ref], nil }

// Read gives a value of the store as people read it. The signature of an entry
// of the trail is not of what it says then.
func Read[T any](n Names, value T) T { return reword(value, &uncloak{look: n.look}) }

// called is what somebody was called whom the configuration no longer has; ""
// where nobody knows.
func called(v View, t bot.TenantID, p bot.PersonID) string {
	x, ok, err := names.Get(v, t, string(p))
	if err != nil || !ok {
		return "" // the ID says it
	}
	return x.shown()
}

// Called is what somebody was called whom the configuration no longer has, or
// that their name was erased; "" where nobody knows.
func (d *Draft) Called(t bot.TenantID, p bot.PersonID) string { return called(d.View, t, p) }

// uncloak is the way back of a [cloak]. A pseudonym that nobody knows stays.
type uncloak struct {
	look   func(ref string) (string, error)
	failed error
}

func (u *uncloak) text(s string) string {
	return u.open(s, func(name string) string { return name })
}

func (u *uncloak) json(s string) string { return u.open(s, escaped) }

func (u *uncloak) open(s string, write func(string) string) string {
	if !strings.Contains(s, pseudonymBegins) {
		return s
	}
	return pseudonym.ReplaceAllStringFunc(s, func(ref string) string {
		name, err := u.look(ref)
		if err != nil {
			u.failed = err
		}
		if name == "" {
			return ref
		}
		return write(name)
	})
}

// uncloaking reads the names that it needs, and no others.
func uncloaking(v View, t bot.TenantID) *uncloak {
	return &uncloak{look: func(ref string) (string, error) {
		x, ok, err := names.Get(v, t, ref)
		if err != nil || !ok {
			return "", err
		}
		return x.shown(), nil
	}}
}

// opened is a value with names in the place of pseudonyms.
func opened[T any](v View, t bot.TenantID, value T) (T, error) {
	u := uncloaking(v, t)
	value = reword(value, u)
	return value, u.failed
}
