package slack

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// inputPrefix sets the block IDs of inputs apart from all other blocks. They
// do not change between revisions of a form: Slack keeps what was typed where
// block and action are the same.
const inputPrefix = "in:"

// inputAction is the action ID of every input; the block ID tells them apart.
const inputAction = "value"

// maxGroups times maxOptions is the longest list of choices that is shown.
const maxGroups = 10

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// modal draws a form. An error is a mistake of whoever made it.
func modal(f bot.Form, meta formMeta) (*slack.ModalViewRequest, error) {
	kept, err := json.Marshal(meta)
	if err != nil || bot.Units(string(kept)) > maxMeta {
		return nil, bad(fmt.Sprintf("What the form %s carries is longer than Slack's %d characters.", bot.Quote(f.Title), maxMeta), err)
	}
	if len(f.Inputs) >= maxViewBlocks {
		return nil, bad(fmt.Sprintf("The form %s has %d inputs, and Slack takes %d blocks in all.", bot.Quote(f.Title), len(f.Inputs), maxViewBlocks), nil)
	}
	v := &slack.ModalViewRequest{
		Type:            slack.VTModal,
		CallbackID:      formID,
		PrivateMetadata: string(kept),
		Title:           plain(first(bot.Shorten(f.Title, maxViewTitle), "Keyturn")),
		Close:           plain("Cancel"),
	}
	if f.Submit != "" || len(f.Inputs) > 0 {
		v.Submit = plain(first(bot.Shorten(f.Submit, maxViewTitle), "Send"))
	}
	if len(f.Intro) > 0 {
		intro, err := render(bot.Message{Parts: f.Intro}, room{blocks: maxViewBlocks - len(f.Inputs), text: maxMessageText})
		if err != nil {
			return nil, err
		}
		v.Blocks.BlockSet = intro.Blocks
	}
	seen := map[string]bool{}
	for _, in := range f.Inputs {
		b, err := input(in)
		if err != nil {
			return nil, err
		}
		if seen[b.BlockID] {
			return nil, bad(fmt.Sprintf("The form %s has two inputs named %s.", bot.Quote(f.Title), bot.Quote(in.Name)), nil)
		}
		seen[b.BlockID] = true
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, b)
	}
	if len(v.Blocks.BlockSet) == 0 {
		v.Blocks.BlockSet = []slack.Block{&slack.SectionBlock{Type: slack.MBTSection, Text: plain(v.Title.Text)}}
	}
	return v, nil
}

func input(in bot.Input) (*slack.InputBlock, error) {
	b := &slack.InputBlock{
		Type:     slack.MBTInput,
		BlockID:  inputPrefix + in.Name,
		Label:    plain(first(bot.Shorten(in.Label, maxInputLabel), bot.Shorten(in.Name, maxInputLabel), "Value")),
		Optional: in.Optional || in.Kind == bot.Tick,
	}
	if in.Name == "" || bot.Units(b.BlockID) > maxActionID || bot.Tidy(in.Name) != in.Name {
		return nil, bad(fmt.Sprintf("The input %s needs a name of at most %d characters.", bot.Quote(in.Label), maxActionID-len(inputPrefix)), nil)
	}
	hint := bot.Shorten(in.Hint, maxInputLabel)
	var err error
	switch in.Kind {
	case bot.Line, bot.Area, "":
		b.Element = typed(in)
	case bot.Choice:
		b.Element, err = choice(in, &hint)
	case bot.Choices:
		b.Element, err = choices(in, &hint)
	case bot.Tick:
		b.Element = tick(in)
	case bot.Channel:
		b.Element = channel(in)
	case bot.TimeOfDay:
		e := &slack.TimePickerBlockElement{Type: slack.METTimepicker, ActionID: inputAction, Placeholder: holder(in.Example)}
		if len(in.Values) > 0 && clock.MatchString(in.Values[0]) {
			e.InitialTime = in.Values[0]
		}
		b.Element = e
	default:
		err = bad(fmt.Sprintf("The input %s is of the unknown kind %s.", bot.Quote(in.Name), bot.Quote(string(in.Kind))), nil)
	}
	if hint != "" {
		b.Hint = plain(hint)
	}
	return b, err
}

func typed(in bot.Input) *slack.PlainTextInputBlockElement {
	e := &slack.PlainTextInputBlockElement{
		Type: slack.METPlainTextInput, ActionID: inputAction, Placeholder: holder(in.Example),
		Multiline: in.Kind == bot.Area, MaxLength: maxTyped,
	}
	if in.Max > 0 && in.Max < maxTyped {
		e.MaxLength = in.Max
	}
	if len(in.Values) > 0 {
		v := bot.Tidy(in.Values[0])
		e.InitialValue = v[:bot.CutAt(v, e.MaxLength, bot.Units)]
	}
	return e
}

// few is up to how many choices are shown at once instead of in a menu.
const few = 5

// choice is one of several: all in sight where they are few and one has to be
// taken, for Slack's radio buttons cannot be cleared.
func choice(in bot.Input, hint *string) (slack.BlockElement, error) {
	all, chosen, err := options(in, hint)
	if err != nil {
		return nil, err
	}
	var initial *slack.OptionBlockObject
	if len(chosen) > 0 {
		initial = chosen[0]
	}
	if len(all) > 1 && len(all) <= few && !in.Optional {
		return &slack.RadioButtonsBlockElement{Type: slack.METRadioButtons, ActionID: inputAction, Options: all, InitialOption: initial}, nil
	}
	e := &slack.SelectBlockElement{Type: slack.OptTypeStatic, ActionID: inputAction, Placeholder: holder(in.Example), InitialOption: initial}
	e.Options, e.OptionGroups = grouped(all)
	return e, nil
}

func choices(in bot.Input, hint *string) (slack.BlockElement, error) {
	all, chosen, err := options(in, hint)
	if err != nil {
		return nil, err
	}
	if len(all) <= maxChecks {
		return &slack.CheckboxGroupsBlockElement{Type: slack.METCheckboxGroups, ActionID: inputAction, Options: all, InitialOptions: chosen}, nil
	}
	e := &slack.MultiSelectBlockElement{Type: slack.MultiOptTypeStatic, ActionID: inputAction, Placeholder: holder(in.Example), InitialOptions: chosen}
	e.Options, e.OptionGroups = grouped(all)
	return e, nil
}

// options draws the choices and finds those that are chosen already.
func options(in bot.Input, hint *string) (all, chosen []*slack.OptionBlockObject, err error) {
	if len(in.Options) == 0 {
		return nil, nil, bad(fmt.Sprintf("The input %s has nothing to choose from.", bot.Quote(in.Name)), nil)
	}
	list := in.Options
	if most := maxGroups * maxOptions; len(list) > most {
		note := fmt.Sprintf("The first %d of %d are listed.", most, len(list))
		*hint = bot.Shorten(*hint+" "+note, maxInputLabel)
		list = list[:most]
	}
	picked := map[string]bool{}
	for _, v := range in.Values {
		picked[v] = true
	}
	for _, o := range list {
		if o.Value == "" || bot.Units(o.Value) > maxOption {
			return nil, nil, bad(fmt.Sprintf("The choice %s of the input %s needs a value of at most %d characters.", bot.Quote(o.Label), bot.Quote(in.Name), maxOption), nil)
		}
		d := &slack.OptionBlockObject{Text: plain(first(bot.Shorten(o.Label, maxOption), o.Value)), Value: o.Value}
		if h := bot.Shorten(o.Hint, maxOption); h != "" {
			d.Description = plain(h)
		}
		all = append(all, d)
		if picked[o.Value] {
			chosen = append(chosen, d)
		}
	}
	return all, chosen, nil
}

// grouped puts more choices than a menu takes into groups that are named after
// their first and last.
func grouped(all []*slack.OptionBlockObject) ([]*slack.OptionBlockObject, []*slack.OptionGroupBlockObject) {
	if len(all) <= maxOptions {
		return all, nil
	}
	var groups []*slack.OptionGroupBlockObject
	for len(all) > 0 {
		n := min(maxOptions, len(all))
		label := bot.Shorten(all[0].Text.Text, 30) + " – " + bot.Shorten(all[n-1].Text.Text, 30)
		groups = append(groups, &slack.OptionGroupBlockObject{Label: plain(label), Options: all[:n]})
		all = all[n:]
	}
	return nil, groups
}

func tick(in bot.Input) *slack.CheckboxGroupsBlockElement {
	yes := &slack.OptionBlockObject{Text: plain(first(bot.Shorten(in.Example, maxOption), "Yes")), Value: "yes"}
	e := &slack.CheckboxGroupsBlockElement{Type: slack.METCheckboxGroups, ActionID: inputAction, Options: []*slack.OptionBlockObject{yes}}
	if len(in.Values) > 0 && in.Values[0] == "yes" {
		e.InitialOptions = []*slack.OptionBlockObject{yes}
	}
	return e
}

// channel asks for a channel that the person is in, the one at hand first.
func channel(in bot.Input) *slack.SelectBlockElement {
	e := &slack.SelectBlockElement{
		Type: slack.OptTypeConversations, ActionID: inputAction, Placeholder: holder(in.Example),
		Filter: &slack.SelectBlockElementFilter{Include: []string{"public", "private"}, ExcludeBotUsers: true},
	}
	if len(in.Values) > 0 && in.Values[0] != "" {
		e.InitialConversation = in.Values[0]
	} else {
		e.DefaultToCurrentConversation = true
	}
	return e
}

func holder(s string) *slack.TextBlockObject {
	if s = bot.Shorten(s, maxHolder); s == "" {
		return nil
	}
	return plain(s)
}
