package slack_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyturn/sim/slack"
	"keyturn/test/beside"
)

// probe sends something of a size to the simulator.
type probe func(w *world, n int) m

func postBlocks(w *world, blocks ...any) m {
	return w.call("chat.postMessage", m{"channel": ops, "text": "x", "blocks": blocks})
}

func inActions(w *world, elements ...any) m { return postBlocks(w, actions(elements...)) }

func inModal(w *world, change m, blocks ...any) m {
	w.answerJSON(m{})
	out, err := w.Slash(alice, ops, "/keyturn form")
	if err != nil {
		w.Fatal(err)
	}
	v := modal("Form", blocks...)
	for k, x := range change {
		v[k] = x
	}
	return w.call("views.open", m{"trigger_id": out.Trigger, "view": v})
}

func of(n int) string { return strings.Repeat("x", n) }

func times(n int, one func(i int) any) []any {
	all := []any{}
	for i := range n {
		all = append(all, one(i))
	}
	return all
}

func opt(i int) any { return m{"text": plain(fmt.Sprint("o", i)), "value": fmt.Sprint(i)} }

func selectOf(more m) m {
	el := m{"type": "static_select", "action_id": "s"}
	for k, v := range more {
		el[k] = v
	}
	return el
}

func confirm(change m) m {
	c := m{"title": plain("t"), "text": plain("t"), "confirm": plain("y"), "deny": plain("n")}
	for k, v := range change {
		c[k] = v
	}
	b := button("a", "b")
	b["confirm"] = c
	return b
}

func oneButton(k string, v any) m {
	b := button("a", "b")
	b[k] = v
	return b
}

func image(change m) m {
	b := m{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}
	for k, v := range change {
		b[k] = v
	}
	return b
}

func video(change m) m {
	b := m{"type": "video", "alt_text": "a", "title": plain("t"), "thumbnail_url": "https://example.com/t.png", "video_url": "https://example.com/v"}
	for k, v := range change {
		b[k] = v
	}
	return b
}

func feedback(i int) any {
	return m{"type": "icon_button", "action_id": fmt.Sprint("i", i), "icon": "trash", "text": plain("x")}
}

// probes say how each number of the contract is tried out.
var probes = map[string]probe{
	"message.blocks": func(w *world, n int) m {
		return postBlocks(w, times(n, func(int) any { return m{"type": "divider"} })...)
	},
	"message.attachments": func(w *world, n int) m {
		return w.call("chat.postMessage", m{"channel": ops, "text": "x", "attachments": times(n, func(int) any { return m{"text": "a"} })})
	},
	"message.update_text_hard": func(w *world, n int) m {
		return w.call("chat.update", m{"channel": ops, "ts": w.post(ops, "x"), "text": of(n)})
	},
	"message.markdown_text": func(w *world, n int) m { return w.call("chat.postMessage", m{"channel": ops, "markdown_text": of(n)}) },
	"message.all_markdown_blocks": func(w *world, n int) m {
		return postBlocks(w, m{"type": "markdown", "text": of(6000)}, m{"type": "markdown", "text": of(n - 6000)})
	},
	"message.all_blocks_observed": func(w *world, n int) m {
		blocks := []any{}
		for range 4 {
			blocks = append(blocks, section(of(2500)))
		}
		rest, _ := json.Marshal(append(slices.Clone(blocks), section("")))
		return postBlocks(w, append(blocks, section(of(n-len(rest))))...)
	},
	"blocks.block_id":     func(w *world, n int) m { return postBlocks(w, m{"type": "divider", "block_id": of(n)}) },
	"blocks.section_text": func(w *world, n int) m { return postBlocks(w, section(of(n))) },
	"blocks.header_text":  func(w *world, n int) m { return postBlocks(w, m{"type": "header", "text": plain(of(n))}) },
	"blocks.actions_elements": func(w *world, n int) m {
		return inActions(w, times(n, func(i int) any { return button(fmt.Sprint("b", i), "b") })...)
	},
	"blocks.context_elements": func(w *world, n int) m {
		return postBlocks(w, m{"type": "context", "elements": times(n, func(int) any { return mrkdwn("c") })})
	},
	"blocks.context_actions_elements": func(w *world, n int) m {
		return postBlocks(w, m{"type": "context_actions", "elements": times(n, feedback)})
	},
	"blocks.input_label": func(w *world, n int) m {
		in := input("b", "a", nil)
		in["label"] = plain(of(n))
		return inModal(w, nil, in)
	},
	"blocks.input_hint": func(w *world, n int) m {
		in := input("b", "a", nil)
		in["hint"] = plain(of(n))
		return inModal(w, nil, in)
	},
	"blocks.image_url":      func(w *world, n int) m { return postBlocks(w, image(m{"image_url": of(n)})) },
	"blocks.image_alt_text": func(w *world, n int) m { return postBlocks(w, image(m{"alt_text": of(n)})) },
	"blocks.image_title":    func(w *world, n int) m { return postBlocks(w, image(m{"title": plain(of(n))})) },
	"blocks.markdown_block": func(w *world, n int) m { return postBlocks(w, m{"type": "markdown", "text": of(n)}) },
	"blocks.video_title":    func(w *world, n int) m { return postBlocks(w, video(m{"title": plain(of(n))})) },
	"blocks.video_author":   func(w *world, n int) m { return postBlocks(w, video(m{"author_name": of(n)})) },
	"blocks.table_rows": func(w *world, n int) m {
		return postBlocks(w, m{"type": "table", "rows": times(n, func(int) any { return []any{m{"type": "raw_text", "text": "x"}} })})
	},
	"blocks.table_columns": func(w *world, n int) m {
		return postBlocks(w, m{"type": "table", "rows": []any{times(n, func(int) any { return m{"type": "raw_text", "text": "x"} })}})
	},
	"blocks.tables_per_message": func(w *world, n int) m {
		return postBlocks(w, times(n, func(int) any { return m{"type": "table", "rows": []any{[]any{m{"type": "raw_text", "text": "x"}}}} })...)
	},
	"elements.action_id":           func(w *world, n int) m { return inActions(w, oneButton("action_id", of(n))) },
	"elements.button_text":         func(w *world, n int) m { return inActions(w, oneButton("text", plain(of(n)))) },
	"elements.button_value":        func(w *world, n int) m { return inActions(w, oneButton("value", of(n))) },
	"elements.button_url":          func(w *world, n int) m { return inActions(w, oneButton("url", of(n))) },
	"elements.accessibility_label": func(w *world, n int) m { return inActions(w, oneButton("accessibility_label", of(n))) },
	"elements.placeholder": func(w *world, n int) m {
		return inActions(w, selectOf(m{"options": times(1, opt), "placeholder": plain(of(n))}))
	},
	"elements.select_options": func(w *world, n int) m { return inActions(w, selectOf(m{"options": times(n, opt)})) },
	"elements.select_option_groups": func(w *world, n int) m {
		return inActions(w, selectOf(m{"option_groups": times(n, func(int) any { return m{"label": plain("g"), "options": times(1, opt)} })}))
	},
	"elements.option_text": func(w *world, n int) m {
		return inActions(w, selectOf(m{"options": []any{m{"text": plain(of(n)), "value": "1"}}}))
	},
	"elements.option_value": func(w *world, n int) m {
		return inActions(w, selectOf(m{"options": []any{m{"text": plain("o"), "value": of(n)}}}))
	},
	"elements.option_description": func(w *world, n int) m {
		return inActions(w, selectOf(m{"options": []any{m{"text": plain("o"), "value": "1", "description": plain(of(n))}}}))
	},
	"elements.option_group_label": func(w *world, n int) m {
		return inActions(w, selectOf(m{"option_groups": []any{m{"label": plain(of(n)), "options": times(1, opt)}}}))
	},
	"elements.overflow_options": func(w *world, n int) m {
		return inActions(w, m{"type": "overflow", "action_id": "o", "options": times(n, opt)})
	},
	"elements.checkbox_or_radio_options": func(w *world, n int) m {
		return inActions(w, m{"type": "radio_buttons", "action_id": "o", "options": times(n, opt)})
	},
	"elements.plain_text_input_length": func(w *world, n int) m { return inModal(w, nil, input("b", "a", m{"max_length": n})) },
	"elements.file_input_files": func(w *world, n int) m {
		return inModal(w, nil, m{"type": "input", "label": plain("f"), "element": m{"type": "file_input", "action_id": "f", "max_files": n}})
	},
	"elements.confirm_title":  func(w *world, n int) m { return inActions(w, confirm(m{"title": plain(of(n))})) },
	"elements.confirm_text":   func(w *world, n int) m { return inActions(w, confirm(m{"text": plain(of(n))})) },
	"elements.confirm_button": func(w *world, n int) m { return inActions(w, confirm(m{"confirm": plain(of(n))})) },
	"views.blocks": func(w *world, n int) m {
		return inModal(w, nil, times(n, func(int) any { return m{"type": "divider"} })...)
	},
	"views.title":            func(w *world, n int) m { return inModal(w, m{"title": plain(of(n))}, section("x")) },
	"views.submit":           func(w *world, n int) m { return inModal(w, m{"submit": plain(of(n))}, section("x")) },
	"views.close":            func(w *world, n int) m { return inModal(w, m{"close": plain(of(n))}, section("x")) },
	"views.private_metadata": func(w *world, n int) m { return inModal(w, m{"private_metadata": of(n)}, section("x")) },
	"views.callback_id":      func(w *world, n int) m { return inModal(w, m{"callback_id": of(n)}, section("x")) },
	"views.stack": func(w *world, n int) m {
		more := actions(button("more", "More"))
		answer := inModal(w, nil, more)
		for range n - 1 {
			id, _ := answer["view"].(m)["id"].(string)
			out, err := w.Click(slack.Click{User: alice, View: id, Action: "more"})
			if err != nil {
				w.Fatal(err)
			}
			if answer = w.call("views.push", m{"trigger_id": out.Trigger, "view": modal("Next", more)}); answer["ok"] != true {
				return answer
			}
		}
		return answer
	},
}

// other says which numbers of the contract are tried elsewhere or do not
// concern this simulator.
var other = map[string]string{
	"message.contact_cards":       "the app sends no contact cards",
	"blocks.section_fields":       "has two numbers: TestSectionFields",
	"blocks.card_title":           "cards are refused in posted messages",
	"blocks.card_subtitle":        "cards are refused in posted messages",
	"blocks.card_body":            "cards are refused in posted messages",
	"blocks.carousel_cards":       "carousels are refused in posted messages",
	"blocks.container_title":      "containers are refused in posted messages",
	"blocks.container_children":   "containers are refused in posted messages",
	"blocks.data_table_page_size": "data tables are refused in posted messages",
	"elements.option_value_safe":  "not refused but recorded: TestAdvisedSizes",
	"message.text_recommended":    "not refused but recorded: TestAdvisedSizes",
	"message.text_truncated_at":   "not refused but cut: TestLongTextIsCut",
}

func TestEveryLimitIsHeldAndNotOneCharacterEarlier(t *testing.T) {
	var sizes map[string]json.RawMessage
	if err := json.Unmarshal(beside.Contract(t, "limits.json"), &sizes); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"message", "blocks", "elements", "views"} {
		var entries map[string]struct {
			Max      *int   `json:"max"`
			MaxItems *int   `json:"max_items"`
			Error    string `json:"error"`
		}
		if err := json.Unmarshal(sizes[part], &entries); err != nil {
			t.Fatal(err)
		}
		for name, limit := range entries {
			key := part + "." + name
			try := probes[key]
			if why := other[key]; try == nil {
				if why == "" {
					t.Errorf("%s: the contract has it and no test tries it", key)
				}
				continue
			}
			most := limit.MaxItems
			if most == nil {
				most = limit.Max
			}
			t.Run(key, func(t *testing.T) {
				w := workspace(t)
				if a := try(w, *most); a["ok"] != true {
					t.Fatalf("refused at the limit of %d: %v %v", *most, a["error"], a["errors"])
				}
				a := try(w, *most+1)
				if a["ok"] != false {
					t.Fatalf("accepted one above the limit of %d", *most)
				}
				if limit.Error != "" && a["error"] != limit.Error {
					t.Errorf("refused with %v, want %s", a["error"], limit.Error)
				}
			})
		}
	}
}
