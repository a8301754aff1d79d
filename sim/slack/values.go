package slack

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// StateValues is state.values of a payload: the typed value of every input, or
// its initial one. Buttons and menus have no state.
func StateValues(blocks []map[string]any, typed map[string]map[string]any) map[string]map[string]any {
	values := map[string]map[string]any{}
	for _, b := range blocks {
		id, _ := b["block_id"].(string)
		for _, el := range Elements(b) {
			action, _ := el["action_id"].(string)
			v, ok := typed[id][action]
			if !ok {
				first := initial(el)
				if first == nil {
					continue
				}
				v = first
			}
			if values[id] == nil {
				values[id] = map[string]any{}
			}
			values[id][action] = v
		}
	}
	return values
}

// initial is the state of an input that nobody touched; nil for an element
// without state.
func initial(el map[string]any) map[string]any {
	kind := kindOf(el)
	state := map[string]any{"type": kind}
	set := func(name, from string) map[string]any { state[name] = el[from]; return state }
	switch kind {
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		return set("value", "initial_value")
	case "static_select", "external_select", "radio_buttons":
		return set("selected_option", "initial_option")
	case "multi_static_select", "multi_external_select", "checkboxes":
		if set("selected_options", "initial_options"); state["selected_options"] == nil {
			state["selected_options"] = []any{}
		}
		return state
	case "users_select":
		return set("selected_user", "initial_user")
	case "channels_select":
		return set("selected_channel", "initial_channel")
	case "conversations_select":
		return set("selected_conversation", "initial_conversation")
	case "multi_users_select":
		return set("selected_users", "initial_users")
	case "multi_channels_select":
		return set("selected_channels", "initial_channels")
	case "multi_conversations_select":
		return set("selected_conversations", "initial_conversations")
	case "datepicker":
		return set("selected_date", "initial_date")
	case "timepicker":
		set("selected_time", "initial_time")
		if el["timezone"] != nil {
			state["timezone"] = el["timezone"]
		}
		return state
	case "datetimepicker":
		return set("selected_date_time", "initial_date_time")
	case "rich_text_input":
		return set("rich_text_value", "initial_value")
	}
	return nil
}

// entered turns what a person gave for an input into the state Slack sends. A
// text, a list of texts, a number or nil (emptied) are understood; options go
// by their value or by the words on them.
func (s *Server) entered(el map[string]any, given any) (map[string]any, error) {
	state := initial(el)
	if state == nil {
		return nil, fmt.Errorf("a %s takes no value", kindOf(el))
	}
	words, err := asWords(given)
	if err != nil {
		return nil, err
	}
	one := ""
	if len(words) > 0 {
		one = words[0]
	}
	single := func(name string, v any) (map[string]any, error) {
		if state[name] = v; one == "" {
			state[name] = nil
		}
		return state, nil
	}
	switch kind := kindOf(el); kind {
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		if one != "" {
			if err := fitsInput(el, one); err != nil {
				return nil, err
			}
		}
		return single("value", one)
	case "static_select", "radio_buttons":
		chosen, err := choose(el, words)
		if err != nil || len(chosen) == 0 {
			state["selected_option"] = nil
			return state, err
		}
		return single("selected_option", chosen[0])
	case "multi_static_select", "checkboxes":
		chosen, err := choose(el, words)
		state["selected_options"] = chosen
		return state, err
	case "users_select":
		return single("selected_user", s.known(one))
	case "channels_select":
		return single("selected_channel", s.known(one))
	case "conversations_select":
		return single("selected_conversation", s.known(one))
	case "multi_users_select", "multi_channels_select", "multi_conversations_select":
		for i := range words {
			words[i] = s.known(words[i])
		}
		state["selected_"+strings.TrimSuffix(strings.TrimPrefix(kind, "multi_"), "_select")] = words
		return state, nil
	case "datepicker":
		return timed(one, "2006-01-02", func() (map[string]any, error) { return single("selected_date", one) })
	case "timepicker":
		return timed(one, "15:04", func() (map[string]any, error) { return single("selected_time", one) })
	case "datetimepicker":
		n, err := strconv.ParseInt(one, 10, 64)
		if one != "" && err != nil {
			return nil, errors.New("a date and time is given as Unix seconds")
		}
		return single("selected_date_time", n)
	default:
		return nil, fmt.Errorf("the simulated client cannot fill in a %s", kind)
	}
}

func timed(one, layout string, then func() (map[string]any, error)) (map[string]any, error) {
	if _, err := time.Parse(layout, one); one != "" && err != nil {
		return nil, fmt.Errorf("%q does not look like %s", one, layout)
	}
	return then()
}

func asWords(given any) ([]string, error) {
	switch v := given.(type) {
	case nil:
		return []string{}, nil
	case string:
		if v == "" {
			return []string{}, nil
		}
		return []string{v}, nil
	case bool:
		return []string{strconv.FormatBool(v)}, nil
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}, nil
	case int:
		return []string{strconv.Itoa(v)}, nil
	case []string:
		return slices.Clone(v), nil
	case []any:
		words := []string{}
		for _, item := range v {
			w, err := asWords(item)
			if err != nil {
				return nil, err
			}
			words = append(words, w...)
		}
		return words, nil
	}
	return nil, fmt.Errorf("a value is a text or a list of texts, not %T", given)
}

// choose finds options by value, else by the words on them.
func choose(el map[string]any, words []string) ([]any, error) {
	chosen := []any{}
	all := optionsOf(el)
	for _, w := range words {
		i := slices.IndexFunc(all, func(o map[string]any) bool { return o["value"] == w })
		if i < 0 {
			i = slices.IndexFunc(all, func(o map[string]any) bool {
				label, _ := o["text"].(map[string]any)
				return label["text"] == w
			})
		}
		if i < 0 {
			return nil, fmt.Errorf("there is no option %q", w)
		}
		chosen = append(chosen, all[i])
	}
	if most, ok := el["max_selected_items"].(float64); ok && len(chosen) > int(most) {
		return nil, fmt.Errorf("no more than %d may be chosen", int(most))
	}
	return chosen, nil
}

// known turns a name of a person or channel into its ID.
func (s *Server) known(word string) string {
	for _, u := range s.st.Users {
		if word == "@"+u.Name {
			return u.ID
		}
	}
	for _, ch := range s.st.Channels {
		if ch.Name != "" && word == "#"+ch.Name {
			return ch.ID
		}
	}
	return word
}

// fitsInput is what the client itself checks while a person types.
func fitsInput(el map[string]any, text string) error {
	n := utf8.RuneCountInString(text)
	least, _ := el["min_length"].(float64)
	most, ok := el["max_length"].(float64)
	if !ok {
		most = maxInputLength
	}
	switch {
	case n < int(least):
		return fmt.Errorf("enter at least %d characters", int(least))
	case n > int(most):
		return fmt.Errorf("enter at most %d characters", int(most))
	}
	switch kindOf(el) {
	case "email_text_input":
		if at := strings.IndexByte(text, '@'); at < 1 || !strings.Contains(text[at:], ".") {
			return errors.New("enter an email address")
		}
	case "url_text_input":
		if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
			return errors.New("enter a link that begins with https://")
		}
	case "number_input":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return errors.New("enter a number")
		}
	}
	return nil
}

// emptyState says whether an input holds nothing.
func emptyState(state any) bool {
	m, _ := state.(map[string]any)
	for name, v := range m {
		if name == "type" || name == "timezone" {
			continue
		}
		switch v := v.(type) {
		case nil:
		case string:
			if v != "" {
				return false
			}
		case []any:
			if len(v) > 0 {
				return false
			}
		case []string:
			if len(v) > 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}
