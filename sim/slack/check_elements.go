package slack

import (
	"fmt"
	"reflect"
	"slices"
	"unicode/utf8"
)

// Which elements go where.
var (
	pickers = []string{"static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select",
		"datepicker", "timepicker", "datetimepicker", "checkboxes", "radio_buttons"}
	clickable = append([]string{"button", "overflow"}, pickers...)
	typed     = []string{"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input"}
)

func accessory(c *checker, at string, v any) {
	if kindOf(v) == "image" {
		imageElement(c, at, v)
		return
	}
	element(c, at, v, clickable)
}

func actionElement(c *checker, at string, v any) {
	kind := kindOf(v)
	if len(kind) > 6 && kind[:6] == "multi_" {
		c.fail(at+"/type", "unsupported type: %q in an actions block", kind)
		return
	}
	element(c, at, v, clickable)
}

func inputElement(c *checker, at string, v any) { element(c, at, v, slices.Concat(pickers, typed)) }

func contextAction(c *checker, at string, v any) {
	element(c, at, v, []string{"feedback_buttons", "icon_button"})
}

var confirmDialog rule = object{need: []string{"title", "text", "confirm", "deny"}, may: map[string]rule{
	"title": plain(maxConfirmTitle), "text": anyText(maxConfirmText), "confirm": plain(maxConfirmButton),
	"deny": plain(maxConfirmButton), "style": oneOf("primary", "danger"),
}}.check

func option(textRule rule, withURL bool) rule {
	may := map[string]rule{"text": textRule, "value": optionValue, "description": text(1, maxOptionDetail, "plain_text", "mrkdwn")}
	if withURL {
		may["url"] = str(1, maxURL)
	}
	return object{need: []string{"text", "value"}, may: may}.check
}

func optionValue(c *checker, at string, v any) {
	str(1, maxOptionValue)(c, at, v)
	if s, _ := v.(string); utf8.RuneCountInString(s) > optionValueAdvised {
		c.warn("an option value of more than %d characters: Slack's own sources disagree whether it passes [%s]", optionValueAdvised, at)
	}
}

var (
	plainOption = option(plain(maxOptionText), false)
	checkOption = option(anyText(maxOptionText), false)
	menuOption  = option(plain(maxOptionText), true)
	optionGroup = object{need: []string{"label", "options"}, may: map[string]rule{
		"label": plain(maxGroupLabel), "options": list(1, maxOptions, plainOption),
	}}.check
	dispatchConfig = object{may: map[string]rule{
		"trigger_actions_on": list(1, 2, oneOf("on_enter_pressed", "on_character_entered")),
	}}.check
	conversationFilter = object{may: map[string]rule{"include": list(1, 4, oneOf("im", "mpim", "private", "public")),
		"exclude_external_shared_channels": boolean, "exclude_bot_users": boolean}}.check
	ids = list(0, maxOptions, str(1, 30))
)

// elementSpecs holds what an element accepts besides type, action_id, confirm
// and focus_on_load.
var elementSpecs = map[string]object{
	"button": {need: []string{"text"}, may: map[string]rule{"text": plain(maxButtonText), "url": str(1, maxURL), "value": str(0, maxButtonValue),
		"style": oneOf("primary", "danger"), "accessibility_label": str(0, maxAccessibility)}},
	"overflow":                   {need: []string{"options"}, may: map[string]rule{"options": list(1, maxOverflow, menuOption)}},
	"static_select":              {may: map[string]rule{"options": list(1, maxOptions, plainOption), "option_groups": list(1, maxOptionGroups, optionGroup), "initial_option": plainOption}},
	"multi_static_select":        {may: map[string]rule{"options": list(1, maxOptions, plainOption), "option_groups": list(1, maxOptionGroups, optionGroup), "initial_options": list(1, maxOptions, plainOption)}},
	"external_select":            {may: map[string]rule{"min_query_length": number(0, 100), "initial_option": plainOption}},
	"multi_external_select":      {may: map[string]rule{"min_query_length": number(0, 100), "initial_options": list(1, maxOptions, plainOption)}},
	"users_select":               {may: map[string]rule{"initial_user": str(1, 30)}},
	"multi_users_select":         {may: map[string]rule{"initial_users": ids}},
	"channels_select":            {may: map[string]rule{"initial_channel": str(1, 30), "response_url_enabled": boolean}},
	"multi_channels_select":      {may: map[string]rule{"initial_channels": ids}},
	"conversations_select":       {may: map[string]rule{"initial_conversation": str(1, 30), "default_to_current_conversation": boolean, "response_url_enabled": boolean, "filter": conversationFilter}},
	"multi_conversations_select": {may: map[string]rule{"initial_conversations": ids, "default_to_current_conversation": boolean, "filter": conversationFilter}},
	"checkboxes":                 {need: []string{"options"}, may: map[string]rule{"options": list(1, maxChecks, checkOption), "initial_options": list(1, maxChecks, checkOption)}},
	"radio_buttons":              {need: []string{"options"}, may: map[string]rule{"options": list(1, maxChecks, checkOption), "initial_option": checkOption}},
	"datepicker":                 {may: map[string]rule{"initial_date": shaped("2006-01-02")}},
	"timepicker":                 {may: map[string]rule{"initial_time": shaped("15:04"), "timezone": str(1, 100)}},
	"datetimepicker":             {may: map[string]rule{"initial_date_time": number(0, 9_999_999_999)}},
	"plain_text_input": {may: map[string]rule{"initial_value": str(0, maxInputLength), "multiline": boolean, "min_length": number(0, maxInputLength),
		"max_length": number(1, maxInputLength), "dispatch_action_config": dispatchConfig}},
	"email_text_input": {may: map[string]rule{"initial_value": str(0, maxInputLength), "dispatch_action_config": dispatchConfig}},
	"url_text_input":   {may: map[string]rule{"initial_value": str(0, maxInputLength), "dispatch_action_config": dispatchConfig}},
	"number_input": {need: []string{"is_decimal_allowed"}, may: map[string]rule{"is_decimal_allowed": boolean, "initial_value": str(0, 50), "min_value": str(0, 50),
		"max_value": str(0, 50), "dispatch_action_config": dispatchConfig}},
	"rich_text_input":  {may: map[string]rule{"initial_value": anything, "dispatch_action_config": dispatchConfig}},
	"file_input":       {may: map[string]rule{"filetypes": list(1, 100, str(1, 30)), "max_files": number(1, maxFiles)}},
	"feedback_buttons": {need: []string{"positive_button", "negative_button"}, may: map[string]rule{"positive_button": feedback, "negative_button": feedback}},
	"icon_button": {need: []string{"icon", "text"}, may: map[string]rule{"icon": oneOf("trash"), "text": plain(maxButtonText), "value": str(0, maxButtonValue),
		"accessibility_label": str(0, maxAccessibility), "visible_to_user_ids": ids}},
}

var feedback rule = object{need: []string{"text", "value"}, may: map[string]rule{"text": plain(maxButtonText), "value": str(1, maxButtonValue),
	"accessibility_label": str(0, maxAccessibility)}}.check

func element(c *checker, at string, v any, allowed []string) {
	kind := kindOf(v)
	spec, ok := elementSpecs[kind]
	if !ok || !slices.Contains(allowed, kind) {
		c.fail(at+"/type", "unsupported type: %q", kind)
		return
	}
	may := map[string]rule{"type": nil, "action_id": str(0, maxActionID), "confirm": confirmDialog}
	if kind != "button" && kind != "overflow" {
		may["focus_on_load"] = boolean
	}
	if kind != "button" && kind != "overflow" && kind != "checkboxes" && kind != "radio_buttons" && kind != "file_input" {
		may["placeholder"] = plain(maxPlaceholder)
	}
	if len(kind) > 6 && kind[:6] == "multi_" {
		may["max_selected_items"] = number(1, maxOptions)
	}
	for k, r := range spec.may {
		may[k] = r
	}
	object{need: spec.need, may: may}.check(c, at, v)
	m := v.(map[string]any)
	if id, _ := m["action_id"].(string); id != "" {
		if c.actions[id] {
			c.fail(at+"/action_id", "action_id %q is used twice in this block", id)
		}
		c.actions[id] = true
	}
	checkInitial(c, at, kind, m)
}

// checkInitial refuses a preselected option that is not among the options.
func checkInitial(c *checker, at, kind string, m map[string]any) {
	all := optionsOf(m)
	if kind == "static_select" || kind == "multi_static_select" {
		if (m["options"] == nil) == (m["option_groups"] == nil) {
			c.fail(at, "a select needs either options or option_groups")
		}
	}
	if all == nil {
		return
	}
	known := func(v any) bool {
		return slices.ContainsFunc(all, func(o map[string]any) bool { return reflect.DeepEqual(any(o), v) })
	}
	if v := m["initial_option"]; v != nil && !known(v) {
		c.fail(at+"/initial_option", "must be one of the provided options")
	}
	chosen, _ := m["initial_options"].([]any)
	for i, v := range chosen {
		if !known(v) {
			c.fail(fmt.Sprintf("%s/initial_options/%d", at, i), "must be one of the provided options")
		}
	}
}

// optionsOf lists the options of an element, those in groups included.
func optionsOf(el map[string]any) []map[string]any {
	var all []map[string]any
	add := func(v any) {
		items, _ := v.([]any)
		for _, item := range items {
			if o, ok := item.(map[string]any); ok {
				all = append(all, o)
			}
		}
	}
	add(el["options"])
	groups, _ := el["option_groups"].([]any)
	for _, g := range groups {
		if m, ok := g.(map[string]any); ok {
			add(m["options"])
		}
	}
	return all
}
