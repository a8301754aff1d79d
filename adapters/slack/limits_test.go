package slack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"keyturn/bot"
	"keyturn/test/beside"
)

// limits are the contract's numbers. Without the contract file the tests
// that need them are skipped.
type limits map[string]map[string]struct {
	Max        int `json:"max"`
	MaxItems   int `json:"max_items"`
	SafeBudget int `json:"safe_budget"`
}

func readLimits(t testing.TB) limits {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(beside.Contract(t, "limits.json"), &raw); err != nil {
		t.Fatal(err)
	}
	l := limits{}
	for _, group := range []string{"message", "blocks", "elements", "views"} {
		into := l[group]
		if err := json.Unmarshal(raw[group], &into); err != nil {
			t.Fatal(err)
		}
		l[group] = into
	}
	return l
}

func (l limits) max(t testing.TB, group, name string) int {
	n := max(l[group][name].Max, l[group][name].MaxItems)
	if n == 0 {
		t.Fatalf("the contract has no limit %s.%s", group, name)
	}
	return n
}

// checker finds what Slack would refuse in drawn JSON, knowing nothing of how
// it was drawn.
type checker struct {
	t     testing.TB
	l     limits
	wrong []string
	text  int
	ids   map[string]bool
	// mentions that the message is meant to have
	users, groups map[string]bool
}

func (c *checker) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *checker) atMost(what, s, group, name string) {
	if n, most := length(s), c.l.max(c.t, group, name); n > most {
		c.say("%s has %d characters, %d are allowed", what, n, most)
	}
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }

// blocks checks a list of blocks as decoded from JSON.
func (c *checker) blocks(list []any, most int) {
	if len(list) == 0 || len(list) > most {
		c.say("%d blocks, 1 to %d are allowed", len(list), most)
	}
	c.ids = map[string]bool{}
	for i, b := range list {
		c.block(fmt.Sprintf("block %d", i), b.(map[string]any))
	}
}

func (c *checker) block(at string, b map[string]any) {
	kind := b["type"].(string)
	at += " (" + kind + ")"
	if id, _ := b["block_id"].(string); id != "" {
		if c.ids[id] {
			c.say("%s: block_id %q comes twice", at, id)
		}
		c.ids[id] = true
		c.atMost(at+" block_id", id, "blocks", "block_id")
	}
	switch kind {
	case "section":
		fields, _ := b["fields"].([]any)
		if b["text"] == nil && len(fields) == 0 {
			c.say("%s has neither text nor fields", at)
		}
		if b["text"] != nil {
			c.object(at, b["text"], "blocks", "section_text")
		}
		if most := c.l["blocks"]["section_fields"].MaxItems; len(fields) > most {
			c.say("%s has %d fields, %d are allowed", at, len(fields), most)
		}
		for _, f := range fields {
			c.fieldText(at, f)
		}
	case "header":
		c.object(at, b["text"], "blocks", "header_text")
		if b["text"].(map[string]any)["type"] != "plain_text" {
			c.say("%s is not plain text", at)
		}
	case "context":
		list := b["elements"].([]any)
		if len(list) == 0 || len(list) > c.l.max(c.t, "blocks", "context_elements") {
			c.say("%s has %d elements", at, len(list))
		}
		for _, e := range list {
			c.object(at, e, "blocks", "section_text")
		}
	case "image":
		c.atMost(at+" url", b["image_url"].(string), "blocks", "image_url")
		c.atMost(at+" alt", b["alt_text"].(string), "blocks", "image_alt_text")
		c.shown(at, b["alt_text"].(string))
	case "actions":
		list := b["elements"].([]any)
		if len(list) == 0 || len(list) > c.l.max(c.t, "blocks", "actions_elements") {
			c.say("%s has %d elements", at, len(list))
		}
		for _, e := range list {
			c.button(at, e.(map[string]any))
		}
	case "rich_text":
		c.rich(at, b)
	case "input":
		c.input(at, b)
	case "divider":
	default:
		c.say("%s is of a kind that is not used", at)
	}
}

func (c *checker) fieldText(at string, f any) {
	text := f.(map[string]any)["text"].(string)
	if n, most := length(text), c.l["blocks"]["section_fields"].Max; n == 0 || n > most {
		c.say("%s: a field has %d characters, %d are allowed", at, n, most)
	}
	c.textObject(at, f)
}

func (c *checker) object(at string, o any, group, name string) {
	text := o.(map[string]any)["text"].(string)
	c.atMost(at+" text", text, group, name)
	c.textObject(at, o)
}

var markup = regexp.MustCompile(`<[^>]*>?`)

func (c *checker) textObject(at string, o any) {
	m := o.(map[string]any)
	text := m["text"].(string)
	if strings.TrimSpace(text) == "" {
		c.say("%s: a text is empty", at)
	}
	c.shown(at, text)
	switch m["type"] {
	case "mrkdwn":
		if m["verbatim"] != true {
			c.say("%s: Slack would look for names and links in %q", at, text)
		}
		for _, tag := range markup.FindAllString(text, -1) {
			c.tag(at, tag)
		}
		rest := markup.ReplaceAllString(text, "")
		if strings.ContainsAny(rest, "<>") {
			c.say("%s: %q is not escaped", at, text)
		}
	case "plain_text":
		if m["emoji"] != false {
			c.say("%s: Slack would turn :codes: of %q into pictures", at, text)
		}
	default:
		c.say("%s: a text of type %v", at, m["type"])
	}
}

func (c *checker) tag(at, tag string) {
	body := strings.TrimSuffix(strings.TrimPrefix(tag, "<"), ">")
	switch {
	case strings.HasPrefix(body, "@"):
		if !c.users[body[1:]] {
			c.say("%s: %s mentions somebody who is not meant", at, tag)
		}
	case strings.HasPrefix(body, "!subteam^"):
		if !c.groups[strings.TrimPrefix(body, "!subteam^")] {
			c.say("%s: %s mentions a group that is not meant", at, tag)
		}
	case regexp.MustCompile(`^!date\^\d+\^(\{date_short_pretty\}|\{time\}|\{date_short_pretty\} \{time\})\|[^<>|^]+$`).MatchString(body):
	case regexp.MustCompile(`^(https?://|mailto:)[^|<> ]+\|[^|<>]+$`).MatchString(body):
	default:
		c.say("%s: %s is markup that is not meant", at, tag)
	}
}

// shown counts text and refuses what must not be in any.
func (c *checker) shown(at, s string) {
	c.text += length(s)
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			c.say("%s: %q holds the control character %U", at, s, r)
		}
	}
}

func (c *checker) button(at string, b map[string]any) {
	c.object(at, b["text"], "elements", "button_text")
	id, _ := b["action_id"].(string)
	if id == "" || c.ids["action "+id] {
		c.say("%s: action_id %q is empty or comes twice", at, id)
	}
	c.ids["action "+id] = true
	c.atMost(at+" action_id", id, "elements", "action_id")
	for field, name := range map[string]string{"value": "button_value", "url": "button_url", "accessibility_label": "accessibility_label"} {
		if s, ok := b[field].(string); ok {
			c.atMost(at+" "+field, s, "elements", name)
		}
	}
	if confirm, ok := b["confirm"].(map[string]any); ok {
		c.object(at, confirm["title"], "elements", "confirm_title")
		c.object(at, confirm["text"], "elements", "confirm_text")
		c.object(at, confirm["confirm"], "elements", "confirm_button")
		c.object(at, confirm["deny"], "elements", "confirm_button")
	}
}

// rich checks rich text, whose text is raw: what looks like markup in it is
// shown as it is. Mentions are elements.
func (c *checker) rich(at string, node map[string]any) {
	if list, ok := node["elements"].([]any); ok {
		if len(list) == 0 {
			c.say("%s: %v has no elements", at, node["type"])
		}
		for _, e := range list {
			c.rich(at, e.(map[string]any))
		}
		return
	}
	switch node["type"] {
	case "text":
		if node["text"] == "" {
			c.say("%s: an empty text element", at)
		}
		c.shown(at, node["text"].(string))
	case "link":
		if !regexp.MustCompile(`^(https?://|mailto:)[^<>|\s]+$`).MatchString(node["url"].(string)) {
			c.say("%s: a link to %q", at, node["url"])
		}
		c.shown(at, node["text"].(string))
	case "user":
		if !c.users[node["user_id"].(string)] {
			c.say("%s: %v is mentioned and not meant", at, node["user_id"])
		}
	case "usergroup":
		if !c.groups[node["usergroup_id"].(string)] {
			c.say("%s: the group %v is mentioned and not meant", at, node["usergroup_id"])
		}
	case "date":
		c.shown(at, node["fallback"].(string))
	default:
		c.say("%s: a rich text element %v", at, node["type"])
	}
}

func (c *checker) input(at string, b map[string]any) {
	c.object(at, b["label"], "blocks", "input_label")
	if h, ok := b["hint"]; ok {
		c.object(at, h, "blocks", "input_hint")
	}
	e := b["element"].(map[string]any)
	if p, ok := e["placeholder"]; ok {
		c.object(at, p, "elements", "placeholder")
	}
	most := c.l.max(c.t, "elements", "select_options")
	if k := e["type"]; k == "checkboxes" || k == "radio_buttons" {
		most = c.l.max(c.t, "elements", "checkbox_or_radio_options")
	}
	c.options(at, e["options"], most)
	if groups, ok := e["option_groups"].([]any); ok {
		if len(groups) > c.l.max(c.t, "elements", "select_option_groups") {
			c.say("%s: %d groups", at, len(groups))
		}
		for _, g := range groups {
			c.object(at, g.(map[string]any)["label"], "elements", "option_group_label")
			c.options(at, g.(map[string]any)["options"], most)
		}
	}
	if v, ok := e["initial_value"].(string); ok {
		if n, most := length(v), int(e["max_length"].(float64)); n > most {
			c.say("%s: %d characters are filled in, %d may be typed", at, n, most)
		}
	}
	if n, ok := e["max_length"].(float64); ok && int(n) > c.l.max(c.t, "elements", "plain_text_input_length") {
		c.say("%s: %v characters may be typed", at, n)
	}
}

func (c *checker) options(at string, list any, most int) {
	options, ok := list.([]any)
	if !ok {
		return
	}
	if len(options) == 0 || len(options) > most {
		c.say("%s: %d options, 1 to %d are allowed", at, len(options), most)
	}
	for _, o := range options {
		m := o.(map[string]any)
		c.object(at, m["text"], "elements", "option_text")
		c.atMost(at+" option value", m["value"].(string), "elements", "option_value_safe")
		if d, ok := m["description"]; ok {
			c.object(at, d, "elements", "option_description")
		}
	}
}

// What is too long for one section goes on in the next at a line's end: a bullet
// stays with the link that follows it.
func TestALongListIsCutBetweenItsItems(t *testing.T) {
	var list bot.Text
	for i := range 60 {
		list = bot.Join(list, bot.T("   ◦ "), bot.Link(fmt.Sprintf("New-RetentionComplianceRule number %d", i), fmt.Sprintf("https://learn.microsoft.com/powershell/module/exchange/rule-%d", i)), bot.T("\n"))
	}
	b, err := PreviewPayload(bot.Say(list))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Blocks []struct{ Text struct{ Text string } }
	}
	if err := json.Unmarshal(b, &m); err != nil || len(m.Blocks) < 2 {
		t.Fatalf("%d blocks, %v", len(m.Blocks), err)
	}
	for i, block := range m.Blocks {
		if s := strings.TrimSpace(block.Text.Text); !strings.HasPrefix(s, "◦ ") || !strings.HasSuffix(s, ">") {
			t.Errorf("section %d begins with %q and ends with %q", i, s[:min(20, len(s))], s[max(0, len(s)-20):])
		}
	}
}
