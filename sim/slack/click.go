package slack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Click is one use of a button, a menu or a picker in a message, an ephemeral,
// a modal or the Home.
type Click struct {
	User    string `json:"user"`
	Channel string `json:"channel,omitempty"` // with TS: a message or an ephemeral
	TS      string `json:"ts,omitempty"`
	View    string `json:"view,omitempty"` // a view ID, or "home"
	Action  string `json:"action"`         // action_id, or the words on the button
	Block   string `json:"block,omitempty"`
	// Choose is what a menu or a picker is set to: values of options or the
	// words on them, IDs of people or channels, a date.
	Choose []string `json:"choose,omitempty"`
	// Typed is what stands in the inputs of the view at that moment, as for Submit.
	Typed map[string]any `json:"typed,omitempty"`
}

// Click presses the button as its person would and returns what the bot
// answered. Like Slack it ignores the body of a 200; what the bot has to say it
// says through the API.
func (s *Server) Click(c Click) (Outcome, error) {
	payload, trigger, err := s.prepareClick(c)
	if err != nil {
		return Outcome{}, err
	}
	out := s.interact(payload)
	out.Trigger = trigger
	if out.Reason != "" {
		out.Shown = "This app responded with an error."
		if out.Reason == "http_timeout" {
			out.Shown = "This app did not respond in time."
		}
		s.trouble(c.User, out.Shown, fmt.Sprintf("%s (status %d) after a click on %s", out.Reason, out.Status, c.Action))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.View = s.topID(c.User)
	return out, nil
}

func (s *Server) prepareClick(c Click) (map[string]any, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.person(c.User)
	if err != nil {
		return nil, "", err
	}
	if s.st.Uninstalled {
		return nil, "", fmt.Errorf("the app is not installed any more; its buttons do nothing")
	}
	payload := map[string]any{"type": "block_actions", "user": userRef(u), "team": s.teamOf(u), "api_app_id": s.cfg.AppID, "token": "legacy",
		"enterprise": nil, "is_enterprise_install": false}
	var blocks []map[string]any
	var values map[string]map[string]any
	switch {
	case c.View != "":
		blocks, values, err = s.clickInView(c, payload)
	default:
		blocks, values, err = s.clickInMessage(c, payload)
	}
	if err != nil {
		return nil, "", err
	}
	action, err := s.press(c, blocks, values)
	if err != nil {
		return nil, "", err
	}
	payload["actions"] = []any{action}
	state := map[string]any{"values": StateValues(blocks, values)}
	if view, ok := payload["view"].(map[string]any); ok {
		view["state"] = state
		if view["type"] == string(inHome) {
			delete(payload, "state")
		}
	} else {
		payload["state"] = state
	}
	viewID := ""
	if c.View != "" && c.View != "home" {
		viewID = c.View
	}
	trigger := s.newTrigger(c.User, viewID)
	payload["trigger_id"] = trigger
	s.touch()
	return payload, trigger, nil
}

func (s *Server) clickInView(c Click, payload map[string]any) ([]map[string]any, map[string]map[string]any, error) {
	if c.View == "home" || c.View == s.st.Homes[c.User].ID {
		home, ok := s.st.Homes[c.User]
		if !ok {
			return nil, nil, fmt.Errorf("the bot published no Home for %s", c.User)
		}
		payload["container"] = map[string]any{"type": "view", "view_id": home.ID}
		payload["view"] = s.viewJSON(home, surfaceHome)
		return home.DrawnBlocks(), home.Typed, nil
	}
	v := s.view(c.View)
	switch {
	case v == nil || v.User != c.User:
		return nil, nil, fmt.Errorf("%s has no open view %q", c.User, c.View)
	case s.topID(c.User) != v.ID:
		return nil, nil, fmt.Errorf("another view lies on top of %s", c.View)
	}
	if faults, err := s.fill(v, c.Typed); err != nil {
		return nil, nil, err
	} else if len(faults) > 0 {
		return nil, nil, fmt.Errorf("the form does not take this: %v", faults)
	}
	payload["container"] = map[string]any{"type": "view", "view_id": v.ID}
	payload["view"] = s.viewJSON(*v, surfaceModal)
	return v.DrawnBlocks(), v.Typed, nil
}

func (s *Server) clickInMessage(c Click, payload map[string]any) ([]map[string]any, map[string]map[string]any, error) {
	ch, err := s.place(c.User, c.Channel)
	if err != nil {
		return nil, nil, err
	}
	container := map[string]any{"type": "message", "message_ts": c.TS, "channel_id": ch.ID, "is_ephemeral": false}
	name := ch.Name
	switch ch.Kind {
	case Private:
		name = "privategroup"
	case Direct:
		name = "directmessage"
	}
	payload["channel"] = map[string]any{"id": ch.ID, "name": name}
	payload["container"] = container
	hook := Hook{Channel: ch.ID, User: c.User, Message: c.TS}
	var blocks []map[string]any
	if m := s.message(ch.ID, c.TS); m != nil {
		blocks = append(m.DrawnBlocks(), attachedBlocks(*m)...)
		shown := s.messageJSON(*m)
		delete(shown, "bot_profile") // only the Web API's answers carry it
		payload["message"] = shown
		hook.ThreadTS = m.ThreadTS
	} else if e := s.ephemeral(ch.ID, c.TS); e != nil && e.To == c.User {
		blocks = e.DrawnBlocks()
		container["is_ephemeral"] = true
		hook.Ephemeral, hook.ThreadTS = true, e.ThreadTS
	} else {
		return nil, nil, fmt.Errorf("%s sees no message %s in %s", c.User, c.TS, ch.ID)
	}
	if hook.ThreadTS != "" {
		container["thread_ts"] = hook.ThreadTS
	}
	payload["response_url"] = s.newHook("actions", hook)
	key := c.User + "/" + c.TS
	if s.st.Choices[key] == nil {
		s.st.Choices[key] = map[string]map[string]any{}
	}
	return blocks, s.st.Choices[key], nil
}

// attachedBlocks are the blocks inside a message's attachments.
func attachedBlocks(m Message) []map[string]any {
	var all []map[string]any
	for i, at := range m.attachmentBlocks() {
		all = append(all, WithIDs(at, fmt.Sprint(m.TS, m.Revisions, "attachment", i))...)
	}
	return all
}

// press finds the element and makes the entry of "actions". What a menu is set
// to is remembered in values.
func (s *Server) press(c Click, blocks []map[string]any, values map[string]map[string]any) (map[string]any, error) {
	block, el, err := find(c.Action, c.Block, blocks)
	if err != nil {
		return nil, err
	}
	id, _ := block["block_id"].(string)
	action := map[string]any{"block_id": id, "action_ts": s.nextTS()}
	for name, v := range el {
		if name != "options" && name != "option_groups" && name != "accessibility_label" {
			action[name] = v
		}
	}
	switch kind := kindOf(el); kind {
	case "button", "icon_button":
	case "feedback_buttons":
		return nil, fmt.Errorf("the simulated client cannot press feedback buttons")
	case "overflow":
		chosen, err := choose(el, c.Choose)
		if err != nil {
			return nil, err
		}
		if len(chosen) != 1 {
			return nil, fmt.Errorf("choose one entry of the menu %s", c.Action)
		}
		action["selected_option"] = chosen[0]
	default:
		state, err := s.entered(el, c.Choose)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Action, err)
		}
		actionID, _ := el["action_id"].(string)
		if values[id] == nil {
			values[id] = map[string]any{}
		}
		values[id][actionID] = state
		maps.Copy(action, state)
	}
	return action, nil
}

// find looks an element up by its action ID or, where none has it, by the words
// on it. Several that fit are an error: the block tells them apart.
func find(action, inBlock string, blocks []map[string]any) (map[string]any, map[string]any, error) {
	type hit struct{ block, el map[string]any }
	search := func(same func(el map[string]any) bool) []hit {
		var hits []hit
		for _, b := range blocks {
			if inBlock != "" && b["block_id"] != inBlock {
				continue
			}
			for _, el := range Elements(b) {
				if same(el) {
					hits = append(hits, hit{b, el})
				}
			}
		}
		return hits
	}
	hits := search(func(el map[string]any) bool { return el["action_id"] == action })
	if len(hits) == 0 {
		hits = search(func(el map[string]any) bool {
			label, _ := el["text"].(map[string]any)
			return label["text"] == action
		})
	}
	switch len(hits) {
	case 1:
		return hits[0].block, hits[0].el, nil
	case 0:
		return nil, nil, fmt.Errorf("there is no %q to click here; there is: %s", action, strings.Join(labels(blocks), ", "))
	}
	return nil, nil, fmt.Errorf("%d things here are called %q; name the block", len(hits), action)
}

func labels(blocks []map[string]any) []string {
	var all []string
	for _, b := range blocks {
		for _, el := range Elements(b) {
			label, _ := el["text"].(map[string]any)
			all = append(all, fmt.Sprintf("%v (%v)", el["action_id"], label["text"]))
		}
	}
	if all == nil {
		return []string{"nothing"}
	}
	return slices.Compact(all)
}
