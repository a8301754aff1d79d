package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// couldNotConnect is what a modal shows when the app's answer is no good.
const couldNotConnect = "We had some trouble connecting. Try again?"

// Submit fills the inputs of a modal and presses its submit button. values goes
// by action ID, by block ID or by "block/action"; a value is a text, a list of
// texts for what takes several, or nil to empty it. Inputs that values does not
// name keep what stands in them. A required input left empty never reaches the
// bot: the Outcome names it in Errors with Status 0.
func (s *Server) Submit(user, viewID string, values map[string]any) (Outcome, error) {
	payload, trigger, faults, err := s.prepareSubmit(user, viewID, values)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Errors: faults}
	if len(faults) == 0 {
		out = s.interact(payload)
		out.Trigger = trigger
		why := out.Reason
		if why == "" {
			out.Errors, why = s.takeSubmitAnswer(user, viewID, out.Body)
		}
		if why != "" {
			out.Shown = couldNotConnect
			s.trouble(user, out.Shown, "after a form was submitted: "+why)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.View = s.topID(user)
	s.touch()
	return out, nil
}

// open finds a modal that the person can act in. s.mu is held.
func (s *Server) open(user, viewID string) (*User, *View, error) {
	u, err := s.person(user)
	if err != nil {
		return nil, nil, err
	}
	v := s.view(viewID)
	if v == nil || v.User != user {
		return nil, nil, fmt.Errorf("%s has no open modal %q", user, viewID)
	}
	if s.topID(user) != viewID {
		return nil, nil, fmt.Errorf("another modal lies on top of %s", viewID)
	}
	return u, v, nil
}

func (s *Server) prepareSubmit(user, viewID string, values map[string]any) (map[string]any, string, map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, v, err := s.open(user, viewID)
	if err != nil {
		return nil, "", nil, err
	}
	if v.field("submit") == nil && !hasInput(v.DrawnBlocks()) {
		return nil, "", nil, errors.New("this modal has no submit button")
	}
	faults, err := s.fill(v, values)
	if err != nil {
		return nil, "", nil, err
	}
	for block, what := range v.missing() {
		if _, told := faults[block]; !told {
			faults[block] = what
		}
	}
	v.Errors = faults
	s.touch()
	if len(faults) > 0 {
		return nil, "", faults, nil
	}
	trigger := s.newTrigger(user, viewID)
	return map[string]any{"type": "view_submission", "team": s.teamOf(u), "user": userRef(u), "api_app_id": s.cfg.AppID, "token": "legacy",
		"trigger_id": trigger, "view": s.viewJSON(*v, surfaceModal), "response_urls": s.responseURLs(v), "is_enterprise_install": false,
		"enterprise": nil}, trigger, nil, nil
}

func hasInput(blocks []map[string]any) bool {
	return slices.ContainsFunc(blocks, func(b map[string]any) bool { return b["type"] == "input" })
}

// fill types values into a view. Values that an input does not take come back
// by block; a name that no input has is an error.
func (s *Server) fill(v *View, values map[string]any) (map[string]string, error) {
	faults := map[string]string{}
	blocks := v.DrawnBlocks()
	for name, given := range values {
		block, action, el := named(blocks, name)
		if el == nil {
			return nil, fmt.Errorf("the view has no single input called %q; it has: %s", name, strings.Join(inputNames(blocks), ", "))
		}
		state, err := s.entered(el, given)
		if err != nil {
			faults[block] = err.Error()
			continue
		}
		if v.Typed[block] == nil {
			v.Typed[block] = map[string]any{}
		}
		v.Typed[block][action] = state
	}
	return faults, nil
}

// named finds an input by block ID, action ID or both.
func named(blocks []map[string]any, name string) (block, action string, found map[string]any) {
	hits := 0
	for _, b := range blocks {
		id, _ := b["block_id"].(string)
		elements := Elements(b)
		for _, el := range elements {
			a, _ := el["action_id"].(string)
			if initial(el) == nil {
				continue
			}
			if name == id+"/"+a {
				return id, a, el
			}
			if name == a || name == id && len(elements) == 1 {
				hits++
				block, action, found = id, a, el
			}
		}
	}
	if hits != 1 {
		return "", "", nil
	}
	return block, action, found
}

func inputNames(blocks []map[string]any) []string {
	var all []string
	for _, b := range blocks {
		for _, el := range Elements(b) {
			if initial(el) != nil {
				all = append(all, fmt.Sprintf("%v/%v", b["block_id"], el["action_id"]))
			}
		}
	}
	return all
}

// missing names the required inputs that hold nothing.
func (v *View) missing() map[string]string {
	faults := map[string]string{}
	blocks := v.DrawnBlocks()
	values := StateValues(blocks, v.Typed)
	for _, b := range blocks {
		if optional, _ := b["optional"].(bool); b["type"] != "input" || optional {
			continue
		}
		id, _ := b["block_id"].(string)
		for _, el := range Elements(b) {
			action, _ := el["action_id"].(string)
			if emptyState(values[id][action]) {
				faults[id] = "Please complete this required field."
			}
		}
	}
	return faults
}

// responseURLs gives an address for each channel chosen in an input that asks
// for one. s.mu is held.
func (s *Server) responseURLs(v *View) []any {
	urls := []any{}
	blocks := v.DrawnBlocks()
	values := StateValues(blocks, v.Typed)
	for _, b := range blocks {
		for _, el := range Elements(b) {
			id, _ := b["block_id"].(string)
			action, _ := el["action_id"].(string)
			state, _ := values[id][action].(map[string]any)
			channel, _ := state["selected_channel"].(string)
			if channel == "" {
				channel, _ = state["selected_conversation"].(string)
			}
			if enabled, _ := el["response_url_enabled"].(bool); enabled && channel != "" {
				urls = append(urls, map[string]any{"block_id": id, "action_id": action, "channel_id": channel,
					"response_url": s.newHook("app", Hook{Channel: channel, User: v.User})})
			}
		}
	}
	return urls
}

// takeSubmitAnswer does what the answer to a submission says. The second
// result is why Slack would not understand it.
func (s *Server) takeSubmitAnswer(user, viewID, body string) (map[string]string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.view(viewID)
	if v == nil {
		return nil, "" // closed by the person meanwhile
	}
	if strings.TrimSpace(body) == "" {
		s.drop(func(o View) bool { return o.ID != viewID })
		return nil, ""
	}
	var a struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return nil, "the answer is not JSON"
	}
	switch a.Action {
	case "":
		s.drop(func(o View) bool { return o.ID != viewID })
	case "clear":
		s.drop(func(o View) bool { return o.User != user })
	case "errors":
		return s.takeErrors(v, a.Errors)
	case "update", "push":
		if why := s.takeView(v, a.Action, a.View); why != "" {
			return nil, why
		}
	default:
		return nil, "unknown response_action " + a.Action
	}
	return nil, ""
}

func (s *Server) takeErrors(v *View, faults map[string]string) (map[string]string, string) {
	if len(faults) == 0 {
		return nil, "response_action errors without errors"
	}
	blocks := v.DrawnBlocks()
	for id := range faults {
		if !slices.ContainsFunc(blocks, func(b map[string]any) bool { return b["block_id"] == id && b["type"] == "input" }) {
			return nil, fmt.Sprintf("errors name %q, which is no input block of the view", id)
		}
	}
	v.Errors = faults
	return faults, ""
}

func (s *Server) takeView(v *View, action string, body json.RawMessage) string {
	if err := s.readView(body, inModal); err != nil {
		var r *refusal
		if errors.As(err, &r) && len(r.messages) > 0 {
			return r.code + ": " + strings.Join(r.messages, "; ")
		}
		return err.Error()
	}
	if action == "update" {
		if err := s.replace(v, body); err != nil {
			return err.Error()
		}
		return ""
	}
	if s.depth(v.User) >= maxViewStack {
		return "push_limit_reached"
	}
	below := *v
	if _, err := s.show(v.User, body, &below); err != nil {
		return err.Error()
	}
	return ""
}

// Close closes the modal in front of a person: the one view, or with all the
// whole stack. The bot hears of it where the view asked to be told.
func (s *Server) Close(user, viewID string, all bool) (Outcome, error) {
	s.mu.Lock()
	u, v, err := s.open(user, viewID)
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	notify, _ := v.field("notify_on_close").(bool)
	payload := map[string]any{"type": "view_closed", "team": s.teamOf(u), "user": userRef(u), "api_app_id": s.cfg.AppID, "token": "legacy",
		"view": s.viewJSON(*v, surfaceModal), "is_cleared": all, "is_enterprise_install": false, "enterprise": nil}
	clearsAll, _ := v.field("clear_on_close").(bool)
	s.drop(func(o View) bool { return o.ID != viewID && !((all || clearsAll) && o.User == user) })
	s.touch()
	s.mu.Unlock()
	out := Outcome{}
	if notify {
		out = s.interact(payload)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.View = s.topID(user)
	return out, nil
}
