package teams

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Submit fills the inputs of an open dialog and presses its button; where it has
// several, the first one that sends. A required input left empty never reaches
// the bot: the Outcome names it in Errors with Status 0.
func (s *Server) Submit(user, dialog string, inputs map[string]any) (Outcome, error) {
	return s.Press(user, dialog, "", inputs)
}

// Press is Submit with the button named: its words or its ID.
func (s *Server) Press(user, dialog, action string, inputs map[string]any) (Outcome, error) {
	p, err := s.prepareSubmit(user, dialog, action, inputs)
	if err != nil {
		return Outcome{}, err
	}
	if p.done != nil {
		return *p.done, nil
	}
	out, err := s.sendActivityTo(p.activity, p.place)
	if err != nil {
		return out, err
	}
	why := failed(&out)
	if why == "" {
		why = s.takeTaskAnswer(user, p.key, dialog, &out)
	}
	s.finish(user, "a submitted dialog", why, &out)
	return out, nil
}

// Dismiss closes a dialog without sending it. Teams does not tell the bot.
func (s *Server) Dismiss(user, dialog string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.dialogOf(user); d == nil || d.ID != dialog {
		return fmt.Errorf("%s has no open dialog %q", user, dialog)
	}
	s.closeDialog(user)
	s.touch()
	return nil
}

func (s *Server) dialogOf(user string) *Dialog {
	for i := range s.st.Dialogs {
		if s.st.Dialogs[i].User == user {
			return &s.st.Dialogs[i]
		}
	}
	return nil
}

func (s *Server) closeDialog(user string) {
	s.st.Dialogs = slices.DeleteFunc(s.st.Dialogs, func(d Dialog) bool { return d.User == user })
}

func (s *Server) prepareSubmit(user, dialog, action string, inputs map[string]any) (pressed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dialogOf(user)
	if d == nil || d.ID != dialog {
		return pressed{}, fmt.Errorf("%s has no open dialog %q", user, dialog)
	}
	if len(d.Card) == 0 {
		return pressed{}, fmt.Errorf("the dialog shows the page %s, which the simulator does not draw", d.URL)
	}
	u, p, err := s.inside(user, d.Conversation)
	if err != nil {
		return pressed{}, err
	}
	card := map[string]any{}
	_ = json.Unmarshal(d.Card, &card) // checked when it came
	b, err := submitter(buttons(card, nil), action)
	if err != nil {
		return pressed{}, err
	}
	typed := maps.Clone(d.Typed)
	if typed == nil {
		typed = map[string]any{}
	}
	maps.Copy(typed, inputs)
	out := pressed{key: Message{ID: d.Activity, Conversation: p.id, Root: p.root}, place: p}
	var values map[string]any
	if !strings.EqualFold(b.text("associatedInputs"), "none") {
		var faults map[string]string
		if values, faults, err = fill(b.inputs, typed); err != nil {
			return pressed{}, err
		}
		d.Typed, d.Errors = typed, faults
		s.touch()
		if len(faults) > 0 {
			out.done = &Outcome{Errors: faults, Dialog: d.ID, Conversation: p.full()}
			return out, nil
		}
	}
	value := map[string]any{"data": payload(b.action, values), "context": map[string]any{"theme": "default"}}
	out.activity = s.invoke("task/submit", u, p, d.Activity)
	if d.Command != "" {
		out.activity = s.invoke("composeExtension/submitAction", u, p, "")
		value["commandId"], value["commandContext"] = d.Command, "message"
	}
	out.activity["value"] = value
	return out, nil
}

// submitter finds the button of a dialog that sends it.
func submitter(all []button, name string) (button, error) {
	if name != "" {
		b, err := choose(all, name, 0)
		if err == nil && b.text("type") != "Action.Submit" {
			err = fmt.Errorf("the button %q is an %s; a dialog is sent with Action.Submit", name, b.text("type"))
		}
		return b, err
	}
	for _, b := range all {
		if b.text("type") == "Action.Submit" && b.action["isEnabled"] != false {
			return b, nil
		}
	}
	return button{}, errors.New("the dialog has no button that sends it (Action.Submit)")
}

// takeTaskAnswer does what the answer to task/fetch or task/submit says ("Use
// dialogs with bots"). It returns why Teams would not understand it.
func (s *Server) takeTaskAnswer(user string, key Message, dialog string, out *Outcome) string {
	var a struct {
		Task *struct {
			Type  string          `json:"type"`
			Value json.RawMessage `json:"value"`
		} `json:"task"`
	}
	empty := strings.TrimSpace(out.Body) == ""
	if !empty && json.Unmarshal([]byte(out.Body), &a) != nil {
		return "the answer is not JSON"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if open := s.dialogOf(user); dialog != "" && (open == nil || open.ID != dialog) {
		return "" // closed by the person meanwhile
	}
	switch {
	case a.Task == nil && dialog != "":
		s.closeDialog(user)
		return ""
	case a.Task == nil:
		return "the answer to task/fetch holds no task"
	case a.Task.Type == "message":
		if json.Unmarshal(a.Task.Value, &out.Toast) != nil {
			return "the value of a message task is no text"
		}
		s.closeDialog(user)
		s.notice(Notice{User: user, Conversation: key.Thread(), Activity: key.ID, Kind: Window, Text: out.Toast})
		return ""
	case a.Task.Type == "continue":
		command := ""
		if open := s.dialogOf(user); open != nil && dialog != "" {
			command = open.Command
		}
		why := s.openDialog(user, key, a.Task.Value)
		if open := s.dialogOf(user); open != nil && why == "" {
			open.Command = command
		}
		return why
	}
	return fmt.Sprintf("the task type %q is neither continue nor message", a.Task.Type)
}

// openDialog puts a dialog before a person, in the place of the one that is
// there.
func (s *Server) openDialog(user string, key Message, value json.RawMessage) string {
	var v struct {
		Title  string      `json:"title"`
		Height any         `json:"height"`
		Width  any         `json:"width"`
		Card   *attachment `json:"card"`
		URL    string      `json:"url"`
	}
	if json.Unmarshal(value, &v) != nil {
		return "the value of a continue task is no object"
	}
	d := Dialog{ID: s.nextGUID(), User: user, Conversation: key.Thread(), Activity: key.ID, Title: v.Title, Height: v.Height, Width: v.Width, URL: v.URL}
	switch {
	case (v.Card == nil) == (v.URL == ""):
		return "a dialog shows either a card or a page"
	case v.Card != nil:
		if v.Card.ContentType != adaptiveCard {
			return fmt.Sprintf("the dialog's card is of the type %q", v.Card.ContentType)
		}
		found, err := checkCard(v.Card.Content)
		if err != nil {
			return "the dialog's card is malformed: " + err.Error()
		}
		for _, what := range found.said {
			s.violate(d.Conversation, d.Activity, "dialog: %s", what)
		}
		d.Card = v.Card.Content
	}
	s.closeDialog(user)
	s.st.Dialogs = append(s.st.Dialogs, d)
	return ""
}
