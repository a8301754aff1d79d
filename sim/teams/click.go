package teams

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// What the client shows when the bot fails.
const (
	wentWrong   = "Something went wrong. Please try again."
	unreachable = "Unable to reach app. Please try again."
)

// Click is one use of a button of a card.
type Click struct {
	User         string `json:"user"`
	Conversation string `json:"conversation"` // with or without the thread
	Activity     string `json:"activity"`
	Action       string `json:"action"`        // the words on the button, its verb or its ID
	Nth          int    `json:"nth,omitempty"` // which one of several alike, from 1
	// Inputs is what stands in the card's inputs at that moment, by ID or label: a
	// text, a bool, a number, or a list for what takes several. The others keep
	// what the bot put there.
	Inputs map[string]any `json:"inputs,omitempty"`
}

// pressed is what a click sends.
type pressed struct {
	key      Message // ID and conversation of the message
	place    place
	activity map[string]any
	done     *Outcome // where the client does it alone
}

// Click presses a button as its person would: Action.Execute is an invoke whose
// answer changes the card, says a line or shows an error; Action.Submit is a
// message to the bot, or opens a dialog (task/fetch).
func (s *Server) Click(c Click) (Outcome, error) {
	p, err := s.prepareClick(c)
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
	name, _ := p.activity["name"].(string)
	switch {
	case name == "":
		out.Shown = "" // a message has no answer that anybody sees
	case why != "":
	case name == "adaptiveCard/action":
		why = s.takeActionAnswer(c.User, p.key, &out)
	default:
		why = s.takeTaskAnswer(c.User, p.key, "", &out)
	}
	s.finish(c.User, "a click on "+c.Action, why, &out)
	return out, nil
}

// failed says why a delivery failed and lets the client show it.
func failed(out *Outcome) string {
	switch out.Reason {
	case "":
		return ""
	case reasonTimeout:
		out.Shown = unreachable
	default:
		out.Shown = wentWrong
	}
	return fmt.Sprintf("%s (status %d) %s", out.Reason, out.Status, cut(out.Body))
}

// finish records what went wrong and which dialog is open now.
func (s *Server) finish(user, after, why string, out *Outcome) {
	if why != "" {
		if out.Shown == "" && out.Reason == "" {
			out.Shown = wentWrong
		}
		s.trouble(user, out.Shown, after+": "+why)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.dialogOf(user); d != nil {
		out.Dialog = d.ID
	}
	s.touch()
}

// shown finds a message that a person sees, and its place in its thread.
func (s *Server) shown(user, conversation, activity string) (*User, place, *Message, error) {
	base, _, _ := strings.Cut(conversation, threadMark)
	u, p, err := s.inside(user, base)
	if err != nil {
		return nil, p, nil, err
	}
	msg := s.message(p.id, activity)
	switch {
	case !s.visible(msg, user):
		return nil, p, nil, fmt.Errorf("%s sees no message %s in %s", u.Name, activity, p.name())
	case !p.installed():
		return nil, p, nil, fmt.Errorf("the bot is not in %s any more; its buttons do nothing", p.name())
	}
	if p.team != nil {
		_, p.root, _ = strings.Cut(msg.Thread(), threadMark)
	}
	return u, p, msg, nil
}

func (s *Server) prepareClick(c Click) (pressed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, p, msg, err := s.shown(c.User, c.Conversation, c.Activity)
	if err != nil {
		return pressed{}, err
	}
	var all []button
	for _, raw := range msg.CardsFor(c.User) {
		card := map[string]any{}
		_ = json.Unmarshal(raw, &card) // checked when it came
		all = append(all, buttons(card, nil)...)
	}
	b, err := choose(all, c.Action, c.Nth)
	if err != nil {
		return pressed{}, err
	}
	out := pressed{key: *msg, place: p}
	if alone := clientAlone(b, msg, p); alone != nil {
		out.done = alone
		return out, nil
	}
	var values map[string]any
	if associated := b.text("associatedInputs"); !strings.EqualFold(associated, "none") {
		var faults map[string]string
		if values, faults, err = fill(b.inputs, c.Inputs); err != nil {
			return pressed{}, err
		}
		if len(faults) > 0 {
			out.done = &Outcome{Errors: faults, Activity: msg.ID, Conversation: p.full()}
			return out, nil
		}
	}
	out.activity, err = s.press(u, p, msg, b, payload(b.action, values))
	return out, err
}

// clientAlone is a button that the bot never hears of.
func clientAlone(b button, msg *Message, p place) *Outcome {
	done := &Outcome{Activity: msg.ID, Conversation: p.full(), Unsent: "the client does this alone"}
	switch b.text("type") {
	case "Action.OpenUrl":
		done.Link = b.text("url")
		return done
	case "Action.ShowCard", "Action.ToggleVisibility":
		return done
	}
	return nil
}

// press makes the activity of a button.
func (s *Server) press(u *User, p place, msg *Message, b button, data any) (map[string]any, error) {
	if b.text("type") == "Action.Execute" {
		a := s.invoke("adaptiveCard/action", u, p, msg.ID)
		action := map[string]any{"type": "Action.Execute", "data": data}
		for _, k := range []string{"id", "verb"} {
			if v := b.text(k); v != "" {
				action[k] = v
			}
		}
		a["value"] = map[string]any{"action": action, "trigger": "manual"}
		return a, nil
	}
	object, _ := data.(map[string]any)
	how, _ := object["msteams"].(map[string]any)
	switch kind, _ := how["type"].(string); kind {
	case "", "messageBack":
		a := s.fromCard("message", u, p, msg.ID)
		a["value"] = data
		s.addClient(a, u)
		if kind == "messageBack" {
			s.messageBack(a, u, p, how)
		}
		return a, nil
	case "imBack":
		text, _ := how["value"].(string)
		said := s.postAs(u, p, text)
		return s.messageActivity(said, u, p, text, text, nil), nil
	case "task/fetch":
		a := s.invoke("task/fetch", u, p, msg.ID)
		a["value"] = map[string]any{"data": data, "context": map[string]any{"theme": "default"}}
		return a, nil
	default:
		return nil, fmt.Errorf("the button is of the Teams type %q, which this client does not know", kind)
	}
}

// messageBack sends a text and a value of the button's choosing, and shows
// another text as the person's own.
func (s *Server) messageBack(a map[string]any, u *User, p place, how map[string]any) {
	a["text"], a["value"] = how["text"], how["value"]
	if shown, _ := how["displayText"].(string); shown != "" {
		a["id"] = s.postAs(u, p, shown).ID
	}
}

// fromCard is an activity that a button of a message sends.
func (s *Server) fromCard(kind string, u *User, p place, activity string) map[string]any {
	a := s.activity(kind, "f:"+s.nextGUID(), u, p)
	if activity != "" {
		a["replyToId"] = activity
	}
	data, _ := a["channelData"].(map[string]any)
	data["source"] = map[string]any{"name": "message"}
	return a
}

func (s *Server) invoke(name string, u *User, p place, activity string) map[string]any {
	a := s.fromCard("invoke", u, p, activity)
	s.addClient(a, u)
	a["name"] = name
	return a
}

// takeActionAnswer does what the answer to adaptiveCard/action says ("Universal
// Actions for Adaptive Cards"). It returns why Teams would not understand it.
func (s *Server) takeActionAnswer(user string, key Message, out *Outcome) string {
	var a struct {
		StatusCode int             `json:"statusCode"`
		Type       string          `json:"type"`
		Value      json.RawMessage `json:"value"`
	}
	if strings.TrimSpace(out.Body) == "" {
		return "the answer is empty"
	}
	if err := json.Unmarshal([]byte(out.Body), &a); err != nil {
		return "the answer is not JSON"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	note := Notice{User: user, Conversation: key.Thread(), Activity: key.ID}
	switch {
	case a.Type == adaptiveCard && a.StatusCode == 200:
		why := s.takeView(user, key, a.Value)
		out.Replaced = why == ""
		return why
	case a.Type == toastType && a.StatusCode == 200:
		if json.Unmarshal(a.Value, &out.Toast) != nil {
			return "the value of a message answer is no text"
		}
		note.Kind, note.Text = Toast, out.Toast
	case a.Type == errorType && slices.Contains([]int{400, 500}, a.StatusCode), a.Type == preconditionType && a.StatusCode == 412:
		var e struct{ Code, Message string }
		if json.Unmarshal(a.Value, &e) != nil || e.Message == "" {
			return "an error answer without code and message"
		}
		out.Shown, out.Code = e.Message, e.Code
		note.Kind, note.Code, note.Text = Red, e.Code, e.Message
	case (a.Type == loginType || a.Type == wrongCodeType) && a.StatusCode == 401:
		out.Shown = "Sign in to continue."
		note.Kind, note.Code, note.Text = Red, "401", out.Shown
	default:
		return fmt.Sprintf("the answer has status code %d and type %q, which do not go together", a.StatusCode, a.Type)
	}
	s.notice(note)
	return ""
}

// takeView puts another card before one person.
func (s *Server) takeView(user string, key Message, card json.RawMessage) string {
	found, err := checkCard(card)
	if err != nil {
		s.violate(key.Thread(), key.ID, "an answer with a malformed card: %v", err)
		return "the card of the answer is malformed: " + err.Error()
	}
	for _, what := range found.said {
		s.violate(key.Thread(), key.ID, "%s", what)
	}
	msg := s.message(key.Conversation, key.ID)
	if msg == nil || msg.Deleted || msg.Revisions != key.Revisions {
		return "" // the bot edited it meanwhile: the edit is what everybody sees
	}
	if msg.Views == nil {
		msg.Views = map[string]json.RawMessage{}
	}
	msg.Views[user] = card
	return ""
}
