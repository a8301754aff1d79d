package engine

import (
	"encoding/json"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"keyturn/bot"
)

// cloak puts pseudonyms in the place of people's names and accounts, and
// remembers which it needed. A name counts where it stands as a word of its own.
type cloak struct {
	alias  func(string) string
	begin  map[string][]cloaked // by the first bytes of the name
	shared bool                 // begin is others' too, and is copied before it changes
	used   map[string]Name      // by pseudonym
}

type cloaked struct {
	name, json, ref string // json is how the name stands in a string of JSON
	person          bot.PersonID
}

// shortest is the length of the shortest name that is looked for.
const shortest = 3

func newCloak(alias func(string) string) *cloak {
	return &cloak{alias: alias, begin: map[string][]cloaked{}, used: map[string]Name{}}
}

// add makes a name known. Of two that begin alike the longer is found.
func (c *cloak) add(p bot.PersonID, name string) {
	if len(name) < shortest {
		return
	}
	list := c.begin[name[:shortest]]
	at := len(list)
	for i, x := range list {
		if x.name == name {
			return
		}
		if len(x.name) < len(name) {
			at = i
			break
		}
	}
	x := cloaked{name, escaped(name), reference(c.alias, p, name), p}
	list = append(list[:at:at], append([]cloaked{x}, list[at:]...)...)
	if c.shared {
		c.begin, c.shared = maps.Clone(c.begin), false
	}
	c.begin[name[:shortest]] = list
}

// person makes all that a person is called known.
func (c *cloak) person(p bot.Person) {
	c.add(p.ID, p.Name)
	for _, account := range p.Admin {
		c.add(p.ID, account)
	}
}

// whole gives the pseudonym of an account that fills a field.
func (c *cloak) whole(p bot.PersonID, account string) string {
	for _, x := range c.begin[account[:min(shortest, len(account))]] {
		if x.name == account {
			c.uses(x)
			return x.ref
		}
	}
	c.add(p, account)
	x := cloaked{account, escaped(account), reference(c.alias, p, account), p}
	c.uses(x)
	return x.ref
}

func (c *cloak) uses(x cloaked) { c.used[x.ref] = Name{Person: x.person, Name: x.name} }

func (c *cloak) text(s string) string { return c.change(s, false) }

// json changes text in JSON: names as they are written there, and never those
// of its fields.
func (c *cloak) json(s string) string { return c.change(s, true) }

func (c *cloak) change(s string, json bool) string {
	var out strings.Builder
	done := 0
	for i := 0; i+shortest <= len(s); i++ {
		for _, x := range c.begin[s[i:i+shortest]] {
			name := x.name
			if json {
				name = x.json
			}
			if !strings.HasPrefix(s[i:], name) || !stands(s, i, i+len(name)) || generic(x.name) && len(s) != len(name) {
				continue
			}
			c.uses(x)
			out.WriteString(s[done:i])
			out.WriteString(x.ref)
			done = i + len(name)
			i = done - 1
			break
		}
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// stands reports whether what is between two places of a text is a word of its
// own, or several.
func stands(s string, from, to int) bool {
	if r, n := utf8.DecodeLastRuneInString(s[:from]); n > 0 && inWord(r) {
		escape := from >= 2 && s[from-2] == '\\' && strings.ContainsRune("nrtbf", r) || from >= 6 && s[from-6:from-4] == `\u`
		if !escape {
			return false
		}
	}
	r, n := utf8.DecodeRuneInString(s[to:])
	if n == 0 || strings.HasPrefix(s[to:], `":`) {
		return n == 0
	}
	if strings.ContainsRune("-.@", r) { // erin is not a part of erin.admin@contoso.com
		r, n = utf8.DecodeRuneInString(s[to+n:])
		return n == 0 || !inWord(r)
	}
	return !inWord(r)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '@' }

// generic is the name of an account that says nothing about who has it, and is
// an ordinary word besides.
func generic(name string) bool {
	switch strings.ToLower(name) {
	case "admin", "administrator", "system", "guest", "root", "user", "owner", "test", "null", "true", "false":
		return true
	}
	return false
}

// escaped is a text as it stands in a string of JSON.
func escaped(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(b[1 : len(b)-1])
}
