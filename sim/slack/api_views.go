package slack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// spend uses a trigger up. s.mu is held.
func (s *Server) spend(id string) (Trigger, error) {
	t, ok := s.st.Triggers[id]
	switch {
	case !ok:
		return t, refuse("invalid_trigger_id")
	case t.Used:
		return t, refuse("exchanged_trigger_id")
	case s.cfg.Now().After(t.Until):
		return t, refuse("expired_trigger_id")
	}
	t.Used = true
	s.st.Triggers[id] = t
	return t, nil
}

// readView checks the view argument.
func (s *Server) readView(raw json.RawMessage, where surface) error {
	if raw == nil {
		return &refusal{code: "invalid_arguments", messages: []string{"missing required field: view"}}
	}
	if len(raw) > maxViewBytes {
		return refuse("view_too_large")
	}
	found := checkView(raw, where)
	if len(found.faults) > 0 {
		return &refusal{code: "invalid_arguments", messages: found.faults}
	}
	for _, w := range found.warnings {
		s.violate("", "", "%s", w)
	}
	return nil
}

func (s *Server) newHash() string { return fmt.Sprintf("%d.%s", s.cfg.Now().Unix(), s.nonce()[:8]) }

// externalTaken says whether another open view has the external ID.
func (s *Server) externalTaken(external, except string) bool {
	return external != "" && slices.ContainsFunc(s.st.Views, func(v View) bool { return v.External == external && v.ID != except })
}

// show puts a checked view on the person's screen, above previous. s.mu is held.
func (s *Server) show(user string, body json.RawMessage, previous *View) (*View, error) {
	v := View{ID: s.nextID("V"), User: user, Body: body, Hash: s.newHash(), Typed: map[string]map[string]any{}}
	v.External, _ = v.field("external_id").(string)
	v.Root = v.ID
	if previous != nil {
		v.Previous, v.Root = previous.ID, previous.Root
	}
	if s.externalTaken(v.External, v.ID) {
		return nil, refuse("duplicate_external_id")
	}
	s.st.Views = append(s.st.Views, v)
	return &s.st.Views[len(s.st.Views)-1], nil
}

// replace changes what a view shows and keeps what was typed into inputs that
// are still there. s.mu is held.
func (s *Server) replace(v *View, body json.RawMessage) error {
	next := *v
	next.Body = body
	next.External, _ = next.field("external_id").(string)
	if s.externalTaken(next.External, v.ID) {
		return refuse("duplicate_external_id")
	}
	next.Hash, next.Errors = s.newHash(), nil
	next.Revision++
	next.Typed = map[string]map[string]any{}
	for _, b := range next.DrawnBlocks() {
		id, _ := b["block_id"].(string)
		for _, el := range Elements(b) {
			action, _ := el["action_id"].(string)
			if kept, ok := v.Typed[id][action]; ok && sameInput(kept, el) {
				if next.Typed[id] == nil {
					next.Typed[id] = map[string]any{}
				}
				next.Typed[id][action] = kept
			}
		}
	}
	*v = next
	return nil
}

func sameInput(kept any, el map[string]any) bool {
	m, _ := kept.(map[string]any)
	return m["type"] == el["type"]
}

// top is the modal in front of a person, nil without one. s.mu is held.
func (s *Server) top(user string) *View {
	for i := range slices.Backward(s.st.Views) {
		if s.st.Views[i].User == user {
			return &s.st.Views[i]
		}
	}
	return nil
}

// depth counts the modals of a person. s.mu is held.
func (s *Server) depth(user string) int {
	n := 0
	for _, v := range s.st.Views {
		if v.User == user {
			n++
		}
	}
	return n
}

func (s *Server) drop(keep func(View) bool) {
	s.st.Views = slices.DeleteFunc(s.st.Views, func(v View) bool { return !keep(v) })
}

func (s *Server) viewsOpen(a args) (reply, error) {
	if err := s.readView(a.raw("view"), inModal); err != nil {
		return nil, err
	}
	t, err := s.spend(a.str("trigger_id"))
	if err != nil {
		return nil, err
	}
	s.drop(func(v View) bool { return v.User != t.User })
	v, err := s.show(t.User, a.raw("view"), nil)
	if err != nil {
		return nil, err
	}
	return reply{"view": s.viewJSON(*v, surfaceModal)}, nil
}

func (s *Server) viewsPush(a args) (reply, error) {
	if err := s.readView(a.raw("view"), inModal); err != nil {
		return nil, err
	}
	t, err := s.spend(a.str("trigger_id"))
	if err != nil {
		return nil, err
	}
	below := s.top(t.User)
	switch {
	case below == nil || t.View == "":
		return nil, refuse("not_found") // only what happened inside a modal may push
	case s.depth(t.User) >= maxViewStack:
		return nil, refuse("push_limit_reached")
	}
	v, err := s.show(t.User, a.raw("view"), below)
	if err != nil {
		return nil, err
	}
	return reply{"view": s.viewJSON(*v, surfaceModal)}, nil
}

func (s *Server) viewsUpdate(a args) (reply, error) {
	v := s.view(a.str("view_id"))
	if ext := a.str("external_id"); v == nil && ext != "" {
		if i := slices.IndexFunc(s.st.Views, func(v View) bool { return v.External == ext }); i >= 0 {
			v = &s.st.Views[i]
		}
	}
	if v == nil {
		return nil, refuse("not_found")
	}
	if h := a.str("hash"); h != "" && h != v.Hash {
		return nil, refuse("hash_conflict")
	}
	if err := s.readView(a.raw("view"), inModal); err != nil {
		return nil, err
	}
	if err := s.replace(v, a.raw("view")); err != nil {
		return nil, err
	}
	return reply{"view": s.viewJSON(*v, surfaceModal)}, nil
}

func (s *Server) viewsPublish(a args) (reply, error) {
	u := s.user(a.str("user_id"))
	if u == nil || u.Bot {
		return nil, &refusal{code: "invalid_arguments", messages: []string{"user_id is not a person of this workspace [json-pointer:/user_id]"}}
	}
	home, found := s.st.Homes[u.ID]
	if h := a.str("hash"); h != "" && found && h != home.Hash {
		return nil, refuse("hash_conflict")
	}
	if err := s.readView(a.raw("view"), inHome); err != nil {
		return nil, err
	}
	if !found {
		home = View{ID: s.nextID("V"), User: u.ID, Typed: map[string]map[string]any{}}
		home.Root = home.ID
	}
	if err := s.replace(&home, a.raw("view")); err != nil {
		return nil, err
	}
	s.st.Homes[u.ID] = home
	return reply{"view": s.viewJSON(home, surfaceHome)}, nil
}

// The two looks of a view in payloads.
const (
	surfaceModal = true
	surfaceHome  = false
)

// viewJSON is a view as answers and payloads show it.
func (s *Server) viewJSON(v View, modal bool) map[string]any {
	var body map[string]any
	_ = json.Unmarshal(v.Body, &body) // checked before it was kept
	j := map[string]any{"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": false, "notify_on_close": false,
		"title": nil, "close": nil, "submit": nil}
	maps.Copy(j, body)
	if !modal {
		j["title"] = map[string]any{"type": "plain_text", "text": "View Title", "emoji": true}
	}
	j["id"], j["team_id"], j["app_id"], j["bot_id"] = v.ID, s.cfg.TeamID, s.cfg.AppID, s.cfg.BotID
	j["app_installed_team_id"] = s.cfg.TeamID
	j["hash"], j["root_view_id"], j["previous_view_id"] = v.Hash, v.Root, nil
	if v.Previous != "" {
		j["previous_view_id"] = v.Previous
	}
	j["blocks"] = v.DrawnBlocks()
	j["state"] = map[string]any{"values": StateValues(v.DrawnBlocks(), v.Typed)}
	return j
}
