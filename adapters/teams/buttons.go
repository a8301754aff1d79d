package teams

import (
	"fmt"

	"keyturn/bot"
)

const (
	maxLabel  = 75
	maxValue  = 2000
	maxAction = 255
)

// verb is the verb of every button of ours that Teams calls back for.
const verb = "keyturn"

// quota says which buttons of a message are in sight: six in all, and of every
// row the first before the second of any, so that no row is an empty menu
// while another has room.
func quota(parts []bot.Part) []bool {
	var rows [][]int
	n := 0
	for _, p := range parts {
		if b, ok := p.(bot.Buttons); ok {
			var row []int
			for range b.Items {
				row = append(row, n)
				n++
			}
			rows = append(rows, row)
		}
	}
	shown := make([]bool, n)
	left := maxShown
	for at := 0; left > 0; at++ {
		any := false
		for _, row := range rows {
			if at < len(row) {
				any = true
				if left > 0 {
					shown[row[at]] = true
					left--
				}
			}
		}
		if !any {
			break
		}
	}
	return shown
}

// buttons draws a row of buttons.
func (r *renderer) buttons(row bot.Buttons) (element, error) {
	if len(row.Items) == 0 {
		return nil, nil
	}
	actions := make([]element, 0, len(row.Items))
	for _, b := range row.Items {
		e, err := r.button(b)
		if err != nil {
			return nil, err
		}
		if r.clicks < len(r.shown) && !r.shown[r.clicks] {
			e["mode"] = "secondary"
		}
		r.clicks++
		actions = append(actions, e)
	}
	return element{"type": "ActionSet", "actions": actions}, nil
}

func (r *renderer) button(b bot.Button) (element, error) {
	title := first(bot.Shorten(b.Label, maxLabel), bot.Shorten(b.Action, maxLabel), "Open")
	var e element
	switch {
	case b.URL != "":
		u, ok := webLink(b.URL)
		if !ok {
			return nil, bad(fmt.Sprintf("The button %s opens an address that is no http, https or mailto link of at most %d characters.", bot.Quote(b.Label), maxLink), nil)
		}
		e = element{"type": "Action.OpenUrl", "title": guard(title), "url": u}
	case b.Action == "":
		return nil, bad(fmt.Sprintf("The button %s has neither an action nor an address.", bot.Quote(b.Label)), nil)
	case bot.Units(b.Value) > maxValue || bot.Units(b.Action) > maxAction || bot.Tidy(b.Value) != b.Value || bot.Tidy(b.Action) != b.Action:
		return nil, bad(fmt.Sprintf("What the button %s carries is longer than %d characters, or holds control characters.", bot.Quote(b.Label), maxValue), nil)
	default:
		e = r.asking(title, b)
	}
	if says := bot.Shorten(b.Says, 200); says != "" {
		e["tooltip"] = guard(says)
	}
	switch b.Style {
	case bot.Primary:
		e["style"] = "positive"
	case bot.Danger:
		e["style"] = "destructive"
	}
	return e, nil
}

// asking is a button that asks the bot for something, after a question where it
// has one: Teams has no question of its own, so it unfolds below the button.
func (r *renderer) asking(title string, b bot.Button) element {
	p := pressed{Action: b.Action, Value: b.Value, Nonce: r.nonce}
	if b.Confirm == nil {
		return act(title, p, r.dialog(b.Action))
	}
	c := b.Confirm
	yes := act(first(bot.Shorten(c.Yes, maxLabel), title), p, r.dialog(b.Action))
	if b.Style == bot.Danger {
		yes["style"] = "destructive"
	}
	body := []element{r.drawLine([]span{{text: first(bot.Shorten(c.Title, 200), title)}}, look{bold: true})}
	for _, line := range checked(bot.T(c.Text)) {
		if line = trim(line); len(line) > 0 {
			body = append(body, r.drawLine(line, look{}))
		}
	}
	if no := bot.Shorten(c.No, maxLabel); no != "" {
		body = append(body, r.drawLine([]span{{text: no + ": press " + bot.Quote(title) + " again."}}, look{size: "Small", subtle: true}))
	}
	return element{"type": "Action.ShowCard", "title": guard(title),
		"card": element{"type": "AdaptiveCard", "body": body, "actions": []element{yes}}}
}

// act is a button that is answered in place, and by a message where a client
// is too old for that. Where it leads to a dialog, Teams has one action for it.
func act(title string, p pressed, dialog bool) element {
	if dialog {
		return element{"type": "Action.Submit", "title": guard(title), "associatedInputs": "none",
			"data": element{"msteams": element{"type": "task/fetch"}, dataKey: p}}
	}
	return element{"type": "Action.Execute", "title": guard(title), "verb": verb, "data": element{dataKey: p}, "associatedInputs": "none",
		"fallback": element{"type": "Action.Submit", "title": guard(title), "data": element{dataKey: p}, "associatedInputs": "none"}}
}
