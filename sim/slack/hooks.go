package slack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"keyturn/sim"
)

// answer is what the bot says to a command, in the response or later through
// the response address.
type answer struct {
	Type      string          `json:"response_type"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks"`
	Attached  json.RawMessage `json:"attachments"`
	Metadata  json.RawMessage `json:"metadata"`
	ThreadTS  string          `json:"thread_ts"`
	Replace   *bool           `json:"replace_original"`
	Delete    bool            `json:"delete_original"`
	Broadcast bool            `json:"reply_broadcast"`
	fields    map[string]json.RawMessage
}

func readAnswer(body []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return a, refuse("invalid_payload")
	}
	_ = json.Unmarshal(body, &a.fields) // parsed a line above
	if string(a.Blocks) == "null" {
		a.Blocks = nil
	}
	return a, nil
}

func (a answer) content() (content, error) {
	c := content{text: cut(a.Text, textTruncatedAt), blocks: a.Blocks, attachments: a.Attached}
	if string(a.Attached) == "null" {
		c.attachments = nil
	}
	return c, c.check(false)
}

func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/hooks/")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err == nil && r.Method != http.MethodPost {
		err = refuse("invalid_payload")
	}
	if err == nil {
		err = s.useHook(id, body)
	}
	status, note := http.StatusOK, "ok"
	if err != nil {
		var ref *refusal
		if !errors.As(err, &ref) {
			ref = &refusal{code: "invalid_payload"}
		}
		note, status = ref.code, http.StatusBadRequest
		if slices.Contains([]string{"used_url", "expired_url", "no_such_hook"}, ref.code) {
			status = http.StatusNotFound
		}
		sim.WriteJSON(w, status, s.refusalReply(ref))
	} else {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "ok")
	}
	s.Journal.Add(sim.Call{At: s.cfg.Now(), Method: r.Method, Path: "/hooks", Status: status, Who: s.cfg.BotName, Note: "response address: " + note, Write: true})
}

func (s *Server) useHook(id string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.st.Hooks[id]
	switch {
	case !ok:
		return refuse("no_such_hook")
	case s.cfg.Now().After(h.Until):
		return refuse("expired_url")
	case h.Uses >= hookUses:
		return refuse("used_url")
	}
	a, err := readAnswer(body)
	if err != nil {
		return err
	}
	if err := s.answer(&h, a); err != nil {
		return err
	}
	h.Uses++
	s.st.Hooks[id] = h
	s.touch()
	return nil
}

// answer shows what the bot said. Response addresses do not ask whether the
// bot is in the channel. s.mu is held.
func (s *Server) answer(h *Hook, a answer) error {
	if a.Delete {
		return s.deleteOriginal(h)
	}
	c, err := a.content()
	if err != nil {
		return err
	}
	// Without a word about it only an ephemeral original is replaced.
	replace := h.Ephemeral && h.Message != ""
	if a.Replace != nil {
		replace = *a.Replace
	}
	if replace && h.Message != "" {
		return s.replaceOriginal(h, c, a)
	}
	if c.empty() {
		return refuse("no_text")
	}
	if a.Type != "in_channel" {
		s.whisper(Ephemeral{Channel: h.Channel, To: h.User, From: s.cfg.BotUserID, Text: c.text, Blocks: c.blocks, ThreadTS: h.ThreadTS})
		return nil
	}
	if h.Command != "" {
		s.post(Message{Channel: h.Channel, User: h.User, Text: h.Command, Hook: true})
		h.Command = ""
	}
	s.post(Message{Channel: h.Channel, User: s.cfg.BotUserID, Bot: true, Text: c.text, Blocks: c.blocks, Attachments: c.attachments,
		ThreadTS: a.ThreadTS, Broadcast: a.Broadcast, Hook: true})
	return nil
}

func (s *Server) deleteOriginal(h *Hook) error {
	if m := s.message(h.Channel, h.Message); m != nil && m.Bot {
		m.Deleted = true
		return nil
	}
	before := len(s.st.Ephemerals)
	s.st.Ephemerals = slices.DeleteFunc(s.st.Ephemerals, func(e Ephemeral) bool { return e.Channel == h.Channel && e.TS == h.Message })
	if len(s.st.Ephemerals) == before {
		return refuse("message_not_found")
	}
	return nil
}

// replaceOriginal never turns an ephemeral into a public message.
func (s *Server) replaceOriginal(h *Hook, c content, a answer) error {
	if c.empty() {
		return refuse("no_text")
	}
	if e := s.ephemeral(h.Channel, h.Message); e != nil {
		e.Text, e.Blocks = c.text, c.blocks
		e.Revisions++
		return nil
	}
	m := s.message(h.Channel, h.Message)
	if m == nil || !m.Bot {
		return refuse("message_not_found")
	}
	s.revise(m, c, args(a.fields))
	return nil
}
