package slack

import (
	"unicode/utf8"
)

// blockSpec is what Slack accepts of one type of block.
type blockSpec struct {
	where  []surface
	object rule
	also   func(c *checker, at string, b map[string]any)
}

var (
	everywhere   = []surface{inMessage, inModal, inHome}
	messagesOnly = []surface{inMessage}
	blockSpecs   map[string]blockSpec
)

// block describes a block: type and block_id come with every one.
func block(where []surface, need []string, may map[string]rule) blockSpec {
	may["type"] = nil
	may["block_id"] = str(0, maxBlockID)
	return blockSpec{where: where, object: object{need: need, may: may}.check}
}

func init() { // the tables refer to each other through rules
	section := block(everywhere, nil, map[string]rule{
		"text": anyText(maxSectionText), "fields": list(1, maxSectionFields, anyText(maxFieldText)),
		"accessory": accessory, "expand": boolean,
	})
	section.also = func(c *checker, at string, b map[string]any) {
		if b["text"] == nil && b["fields"] == nil {
			c.fail(at, "a section needs text or fields")
		}
	}
	input := block(everywhere, []string{"label", "element"}, map[string]rule{
		"label": plain(maxLabel), "hint": text(0, maxHint, "plain_text"), "optional": boolean,
		"dispatch_action": boolean, "element": inputElement,
	})
	input.also = func(c *checker, _ string, _ map[string]any) { c.inputs++ }
	image := block(everywhere, []string{"alt_text"}, map[string]rule{
		"image_url": str(1, maxURL), "slack_file": anything, "alt_text": str(1, maxAltText), "title": plain(maxImageTitle),
	})
	image.also = needsPicture
	markdown := block(messagesOnly, []string{"text"}, map[string]rule{"text": str(1, maxMarkdownText)})
	markdown.also = func(c *checker, _ string, b map[string]any) {
		s, _ := b["text"].(string)
		c.markdown += utf8.RuneCountInString(s)
	}
	table := block(messagesOnly, []string{"rows"}, map[string]rule{
		"rows": list(1, maxTableRows, list(1, maxTableColumns, cell)), "column_settings": list(0, maxTableColumns, columnSetting),
	})
	table.also = func(c *checker, _ string, _ map[string]any) { c.tables++ }

	blockSpecs = map[string]blockSpec{
		"section":         section,
		"input":           input,
		"image":           image,
		"markdown":        markdown,
		"table":           table,
		"divider":         block(everywhere, nil, map[string]rule{}),
		"header":          block(everywhere, []string{"text"}, map[string]rule{"text": plain(maxHeaderText), "level": number(1, 4)}),
		"actions":         block(everywhere, []string{"elements"}, map[string]rule{"elements": list(1, maxActions, actionElement)}),
		"context":         block(everywhere, []string{"elements"}, map[string]rule{"elements": list(1, maxContext, contextElement)}),
		"context_actions": block(messagesOnly, []string{"elements"}, map[string]rule{"elements": list(1, maxContextActions, contextAction)}),
		"rich_text":       block(everywhere, []string{"elements"}, map[string]rule{"elements": list(1, 1000, richPart)}),
		"video": block(everywhere, []string{"alt_text", "title", "thumbnail_url", "video_url"}, map[string]rule{
			"alt_text": str(1, maxAltText), "title": plain(maxVideoTitle), "title_url": str(1, maxURL), "author_name": str(0, maxVideoAuthor),
			"description": plain(maxVideoTitle), "provider_name": str(0, maxURL), "provider_icon_url": str(1, maxURL),
			"thumbnail_url": str(1, maxURL), "video_url": str(1, maxURL),
		}),
		"file": block(messagesOnly, []string{"external_id", "source"}, map[string]rule{"external_id": str(1, maxExternalID), "source": oneOf("remote")}),
	}
}

func anything(*checker, string, any) {}

func needsPicture(c *checker, at string, b map[string]any) {
	if (b["image_url"] == nil) == (b["slack_file"] == nil) {
		c.fail(at, "an image needs either image_url or slack_file")
	}
}

func kindOf(v any) string {
	m, _ := v.(map[string]any)
	kind, _ := m["type"].(string)
	return kind
}

func contextElement(c *checker, at string, v any) {
	switch kindOf(v) {
	case "image":
		imageElement(c, at, v)
	default:
		anyText(maxSectionText)(c, at, v)
	}
}

func imageElement(c *checker, at string, v any) {
	object{need: []string{"alt_text"}, may: map[string]rule{"type": nil, "image_url": str(1, maxURL), "slack_file": anything,
		"alt_text": str(1, maxAltText)}}.check(c, at, v)
	if m, ok := v.(map[string]any); ok {
		needsPicture(c, at, m)
	}
}

func columnSetting(c *checker, at string, v any) {
	object{may: map[string]rule{"align": oneOf("left", "center", "right"), "is_wrapped": boolean}}.check(c, at, v)
}

func cell(c *checker, at string, v any) {
	switch kindOf(v) {
	case "raw_text":
		object{need: []string{"text"}, may: map[string]rule{"type": nil, "text": str(0, maxSectionText)}}.check(c, at, v)
	case "rich_text":
		object{need: []string{"elements"}, may: map[string]rule{"type": nil, "block_id": str(0, maxBlockID), "elements": list(1, 1000, richPart)}}.check(c, at, v)
	default:
		c.fail(at+"/type", "unsupported type: %q (a table cell is raw_text or rich_text)", kindOf(v))
	}
}

// richPart checks one part of a rich_text block.
func richPart(c *checker, at string, v any) {
	inline := list(0, 1000, richInline)
	may := map[string]rule{"type": nil, "elements": inline, "border": number(0, 1)}
	switch kindOf(v) {
	case "rich_text_section":
		delete(may, "border")
	case "rich_text_quote":
	case "rich_text_preformatted":
		may["language"] = str(0, 50)
	case "rich_text_list":
		may["elements"] = list(0, 1000, richPart)
		may["style"] = oneOf("bullet", "ordered")
		may["indent"] = number(0, 8)
		may["offset"] = number(0, 1e6)
	default:
		c.fail(at+"/type", "unsupported type: %q", kindOf(v))
		return
	}
	object{need: []string{"elements"}, may: may}.check(c, at, v)
}

var richStyle rule = object{may: map[string]rule{"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean, "underline": boolean,
	"highlight": boolean, "client_highlight": boolean, "unlink": boolean}}.check

var richInlines = map[string]object{
	"text":      {need: []string{"text"}, may: map[string]rule{"text": str(1, maxBlocksTogether)}},
	"link":      {need: []string{"url"}, may: map[string]rule{"url": str(1, maxURL), "text": str(0, maxSectionText), "unsafe": boolean}},
	"user":      {need: []string{"user_id"}, may: map[string]rule{"user_id": str(1, 30)}},
	"usergroup": {need: []string{"usergroup_id"}, may: map[string]rule{"usergroup_id": str(1, 30)}},
	"channel":   {need: []string{"channel_id"}, may: map[string]rule{"channel_id": str(1, 30)}},
	"emoji":     {need: []string{"name"}, may: map[string]rule{"name": str(1, 100), "unicode": str(1, 100)}},
	"broadcast": {need: []string{"range"}, may: map[string]rule{"range": oneOf("here", "channel", "everyone")}},
	"color":     {need: []string{"value"}, may: map[string]rule{"value": str(1, 20)}},
	"date": {need: []string{"timestamp", "format"}, may: map[string]rule{"timestamp": number(0, 1e12), "format": str(1, 200),
		"url": str(1, maxURL), "fallback": str(0, maxSectionText)}},
}

func richInline(c *checker, at string, v any) {
	spec, ok := richInlines[kindOf(v)]
	if !ok {
		c.fail(at+"/type", "unsupported type: %q", kindOf(v))
		return
	}
	may := map[string]rule{"type": nil, "style": richStyle}
	for k, r := range spec.may {
		may[k] = r
	}
	object{need: spec.need, may: may}.check(c, at, v)
}
