package slack

import (
	"fmt"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// buttons draws a row of buttons, in several blocks where one cannot hold it.
func (r *renderer) buttons(row bot.Buttons) {
	items := row.Items
	for len(items) > 0 {
		n := min(maxRow, len(items))
		elements := make([]slack.BlockElement, 0, n)
		size := 0
		for _, b := range items[:n] {
			e, err := r.button(b)
			if err != nil {
				r.fail(err)
				return
			}
			elements = append(elements, e)
			size += buttonCost(e)
		}
		r.put(&slack.ActionBlock{Type: slack.MBTAction, BlockID: r.id(), Elements: &slack.BlockElements{ElementSet: elements}}, size)
		items = items[n:]
	}
}

func (r *renderer) button(b bot.Button) (*slack.ButtonBlockElement, error) {
	e := &slack.ButtonBlockElement{
		Type:               slack.METButton,
		Text:               plain(first(shorten(b.Label, maxLabel), shorten(b.Action, maxLabel), "Open")),
		AccessibilityLabel: shorten(b.Says, maxLabel),
	}
	verb := b.Action
	if b.URL != "" {
		u, ok := webLink(b.URL, maxURL)
		if !ok {
			return nil, bad(fmt.Sprintf("The button %s opens an address that is no http, https or mailto link of at most %d characters.", quote(b.Label), maxURL), nil)
		}
		e.URL, verb = u, openPage
	} else {
		e.Value = b.Value
	}
	if verb == "" {
		return nil, bad(fmt.Sprintf("The button %s has neither an action nor an address.", quote(b.Label)), nil)
	}
	if units(e.Value) > maxValue || tidy(e.Value) != e.Value {
		return nil, bad(fmt.Sprintf("The value of the button %s is longer than Slack's %d characters, or holds control characters.", quote(b.Label), maxValue), nil)
	}
	e.ActionID = actionID(verb, r.clicks)
	r.clicks++
	if units(e.ActionID) > maxActionID || tidy(e.ActionID) != e.ActionID {
		return nil, bad(fmt.Sprintf("The action of the button %s is longer than Slack's %d characters, or holds control characters.", quote(b.Label), maxActionID), nil)
	}
	switch b.Style {
	case bot.Primary:
		e.Style = slack.StylePrimary
	case bot.Danger:
		e.Style = slack.StyleDanger
	}
	e.Confirm = confirm(b)
	return e, nil
}

func confirm(b bot.Button) *slack.ConfirmationBlockObject {
	if b.Confirm == nil {
		return nil
	}
	c := b.Confirm
	title := first(shorten(c.Title, maxConfirmHead), shorten(b.Label, maxConfirmHead), "Go on?")
	out := &slack.ConfirmationBlockObject{
		Title:   plain(title),
		Text:    plain(first(shorten(c.Text, maxConfirm), title)),
		Confirm: plain(first(shorten(c.Yes, maxConfirmYes), shorten(b.Label, maxConfirmYes), "Go on")),
		Deny:    plain(first(shorten(c.No, maxConfirmYes), "Cancel")),
	}
	if b.Style == bot.Danger {
		out.Style = slack.StyleDanger
	}
	return out
}

// buttonCost is the text of a button: what is read, and what Slack may count
// with it.
func buttonCost(b *slack.ButtonBlockElement) int {
	n := units(b.Text.Text) + units(b.AccessibilityLabel) + units(b.Value) + units(b.URL)
	if c := b.Confirm; c != nil {
		n += units(c.Title.Text) + units(c.Text.Text) + units(c.Confirm.Text) + units(c.Deny.Text)
	}
	return n
}
