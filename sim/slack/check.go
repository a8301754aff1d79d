package slack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// surface is where blocks are shown; not every block may go everywhere.
type surface string

const (
	inMessage surface = "message"
	inModal   surface = "modal"
	inHome    surface = "home"
)

// checker walks Block Kit JSON and gathers what Slack would refuse. Each fault
// ends with a JSON pointer and, within a block, the block's type and ID, so
// that the reader finds it.
type checker struct {
	where    surface
	block    string // what the current block is called
	faults   []string
	warnings []string
	ids      map[string]bool
	actions  map[string]bool // of the current block
	markdown int
	tables   int
	inputs   int
}

// rule refuses a value at a JSON pointer, or lets it pass.
type rule func(c *checker, at string, v any)

func (c *checker) fail(at, format string, args ...any) {
	msg := fmt.Sprintf(format, args...) + " [json-pointer:" + at + "]"
	if c.block != "" {
		msg += " (" + c.block + ")"
	}
	c.faults = append(c.faults, msg)
}

func (c *checker) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// checkBlocks checks the blocks of a message or a view.
func checkBlocks(raw json.RawMessage, where surface, at string) *checker {
	c := &checker{where: where, ids: map[string]bool{}}
	var list []any
	if err := json.Unmarshal(raw, &list); err != nil {
		c.fail(at, "must be an array of blocks")
		return c
	}
	most := maxMessageBlocks
	if where != inMessage {
		most = maxViewBlocks
	}
	if len(list) > most {
		c.fail(at, "no more than %d items allowed", most)
	}
	for i, b := range list {
		c.checkBlock(fmt.Sprintf("%s/%d", at, i), b)
	}
	if c.markdown > maxMarkdownText {
		c.fail(at, "all markdown blocks together must be less than %d characters", maxMarkdownText+1)
	}
	if c.tables > maxTables {
		c.fail(at, "no more than %d table allowed", maxTables)
	}
	return c
}

func (c *checker) checkBlock(at string, v any) {
	b, ok := v.(map[string]any)
	if !ok {
		c.fail(at, "must be an object")
		return
	}
	kind, _ := b["type"].(string)
	id, _ := b["block_id"].(string)
	c.block = strings.TrimSpace(kind + " block " + id)
	defer func() { c.block = "" }()
	spec, ok := blockSpecs[kind]
	if !ok || !slices.Contains(spec.where, c.where) {
		c.fail(at+"/type", "unsupported type: %q", kind)
		return
	}
	if id != "" {
		if c.ids[id] {
			c.fail(at+"/block_id", "block_id %q is used twice", id)
		}
		c.ids[id] = true
	}
	c.actions = map[string]bool{}
	spec.object(c, at, b)
	if spec.also != nil {
		spec.also(c, at, b)
	}
}

// object describes a JSON object by its properties.
type object struct {
	need []string
	may  map[string]rule // the needed ones too
}

func (o object) check(c *checker, at string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fail(at, "must be an object")
		return
	}
	for _, name := range o.need {
		if m[name] == nil {
			c.fail(at, "missing required field: %s", name)
		}
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		check, known := o.may[name]
		switch {
		case !known:
			c.fail(at, "invalid additional property: %s", name)
		case m[name] != nil && check != nil:
			check(c, at+"/"+name, m[name])
		}
	}
}

func str(least, most int) rule {
	return func(c *checker, at string, v any) {
		s, ok := v.(string)
		if !ok {
			c.fail(at, "must be a string")
			return
		}
		c.length(at, s, least, most)
	}
}

func (c *checker) length(at, s string, least, most int) {
	switch n := utf8.RuneCountInString(s); {
	case n < least:
		c.fail(at, "must be more than %d characters", least-1)
	case n > most:
		c.fail(at, "must be less than %d characters", most+1)
	}
}

// text is a text object of one of the kinds named.
func text(least, most int, kinds ...string) rule {
	return func(c *checker, at string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			c.fail(at, "must be a text object")
			return
		}
		kind, _ := m["type"].(string)
		if !slices.Contains(kinds, kind) {
			c.fail(at+"/type", "must be %s, is %q", strings.Join(kinds, " or "), kind)
		}
		spec := object{need: []string{"type", "text"}, may: map[string]rule{"type": nil, "text": str(least, most)}}
		if kind == "plain_text" {
			spec.may["emoji"] = boolean
		} else {
			spec.may["verbatim"] = boolean
		}
		spec.check(c, at, v)
	}
}

func plain(most int) rule { return text(1, most, "plain_text") }

func anyText(most int) rule { return text(1, most, "plain_text", "mrkdwn") }

func boolean(c *checker, at string, v any) {
	if _, ok := v.(bool); !ok {
		c.fail(at, "must be a boolean")
	}
}

func number(least, most float64) rule {
	return func(c *checker, at string, v any) {
		if n, ok := v.(float64); !ok || n != float64(int64(n)) || n < least || n > most {
			c.fail(at, "must be a whole number from %g to %g", least, most)
		}
	}
}

func oneOf(words ...string) rule {
	return func(c *checker, at string, v any) {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			c.fail(at, "must be one of %s", strings.Join(words, ", "))
		}
	}
}

func list(least, most int, each rule) rule {
	return func(c *checker, at string, v any) {
		items, ok := v.([]any)
		if !ok {
			c.fail(at, "must be an array")
			return
		}
		if len(items) < least {
			c.fail(at, "no fewer than %d items allowed", least)
		}
		if len(items) > most {
			c.fail(at, "no more than %d items allowed", most)
		}
		for i, item := range items {
			each(c, fmt.Sprintf("%s/%d", at, i), item)
		}
	}
}

// checkMetadata refuses message metadata that is not a typed object.
func checkMetadata(raw json.RawMessage) string {
	var m struct {
		Type    string         `json:"event_type"`
		Payload map[string]any `json:"event_payload"`
	}
	switch err := json.Unmarshal(raw, &m); {
	case err != nil || m.Type == "" || m.Payload == nil:
		return "invalid_metadata_format"
	case len(raw) > maxMetadataBytes:
		return "metadata_too_large"
	}
	return ""
}
