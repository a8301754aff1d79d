package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// content is what a message shows.
type content struct {
	text        string
	blocks      json.RawMessage
	attachments json.RawMessage
	metadata    json.RawMessage
	warnings    []string
}

// readContent checks what chat.* methods carry. Slack's own errors are kept.
func readContent(a args) (content, error) {
	c := content{text: a.str("text"), blocks: a.raw("blocks"), attachments: a.raw("attachments"), metadata: a.raw("metadata")}
	if md := a.str("markdown_text"); md != "" {
		if c.text != "" || c.blocks != nil {
			return c, refuse("markdown_text_conflict")
		}
		if utf8.RuneCountInString(md) > maxMarkdownText {
			return c, refuse("msg_too_long")
		}
		c.text = md
		c.blocks, _ = json.Marshal([]map[string]any{{"type": "markdown", "text": md}})
	}
	if err := c.check(true); err != nil {
		return c, err
	}
	if c.metadata != nil {
		if code := checkMetadata(c.metadata); code != "" {
			return c, refuse(code)
		}
	}
	return c, nil
}

// content is [readContent] for a workspace, which knows its files.
func (s *Server) content(a args) (content, error) {
	c, err := readContent(a)
	if err != nil {
		return c, err
	}
	return c, s.pictured(c.blocks)
}

// check refuses bad blocks and attachments. The budget for all blocks together
// holds for chat.* only, not for response addresses.
func (c *content) check(budget bool) error {
	if c.blocks != nil {
		found := checkBlocks(c.blocks, inMessage, "/blocks")
		if len(found.faults) > 0 {
			return &refusal{code: "invalid_blocks", messages: found.faults}
		}
		c.warnings = append(c.warnings, found.warnings...)
		var compact bytes.Buffer
		_ = json.Compact(&compact, c.blocks) // it was parsed above
		n := utf8.RuneCount(compact.Bytes())
		if budget && n > maxBlocksTogether {
			return refuse("msg_blocks_too_long")
		}
		if budget && n > blocksAdvised {
			c.warnings = append(c.warnings, fmt.Sprintf("%d characters of blocks; refusals were seen above %d", n, blocksAdvised))
		}
		if compact.String() == "[]" {
			c.blocks = nil
		}
	}
	return c.checkAttachments()
}

func (c *content) checkAttachments() error {
	if c.attachments == nil {
		return nil
	}
	var list []struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if json.Unmarshal(c.attachments, &list) != nil {
		return refuse("invalid_attachments")
	}
	if len(list) > maxAttachments {
		return refuse("too_many_attachments")
	}
	for i, at := range list {
		if at.Blocks == nil {
			continue
		}
		if found := checkBlocks(at.Blocks, inMessage, fmt.Sprintf("/attachments/%d/blocks", i)); len(found.faults) > 0 {
			return &refusal{code: "invalid_attachments", messages: found.faults}
		}
	}
	return nil
}

func (c content) empty() bool { return c.text == "" && c.blocks == nil && c.attachments == nil }

// postingPlace finds the channel of a chat.* call; a user ID is the direct
// message with that user.
func (s *Server) postingPlace(id string) (*Channel, error) {
	if u := s.user(id); u != nil {
		if u.Deleted || u.Bot {
			return nil, refuse("channel_not_found")
		}
		return s.direct(id), nil
	}
	ch := s.channel(id)
	if ch == nil && strings.HasPrefix(id, "#") {
		i := slices.IndexFunc(s.st.Channels, func(c Channel) bool { return c.Name == id[1:] && !c.Deleted })
		if i >= 0 {
			ch = &s.st.Channels[i]
		}
	}
	switch {
	case ch == nil:
		return nil, refuse("channel_not_found")
	case ch.Kind == Direct && (s.user(ch.Peer) == nil || s.user(ch.Peer).Deleted):
		return nil, refuse("channel_not_found")
	case ch.Kind == Private && !slices.Contains(ch.Members, s.cfg.BotUserID):
		return nil, refuse("channel_not_found") // a private channel is not shown to who is not in it
	case ch.Archived:
		return nil, refuse("is_archived")
	}
	return ch, nil
}

func (s *Server) mayPost(ch *Channel) error {
	switch {
	case !slices.Contains(ch.Members, s.cfg.BotUserID) && !(ch.Kind == Public && s.granted("chat:write.public")):
		return refuse("not_in_channel")
	case ch.ReadOnly:
		return refuse("restricted_action_read_only_channel")
	}
	return nil
}

func (s *Server) chatPost(a args) (reply, error) {
	ch, err := s.postingPlace(a.str("channel"))
	if err != nil {
		return nil, err
	}
	if err := s.mayPost(ch); err != nil {
		return nil, err
	}
	c, err := s.content(a)
	if err != nil {
		return nil, err
	}
	if c.empty() {
		return nil, refuse("no_text")
	}
	m := s.post(Message{Channel: ch.ID, User: s.cfg.BotUserID, Bot: true, Text: cut(c.text, textTruncatedAt), Blocks: c.blocks,
		Attachments: c.attachments, Metadata: c.metadata, ThreadTS: a.str("thread_ts"), Broadcast: a.flag("reply_broadcast"),
		Unfurl: a.str("unfurl_links") != "false" || a.str("unfurl_media") != "false"})
	if utf8.RuneCountInString(c.text) > textAdvised {
		c.warnings = append(c.warnings, fmt.Sprintf("a text of more than %d characters", textAdvised))
	}
	for _, w := range c.warnings {
		s.violate(ch.ID, m.TS, "%s", w)
	}
	return reply{"channel": ch.ID, "ts": m.TS, "message": s.messageJSON(m)}, nil
}

// post adds a message and notifies whom it mentions. A thread whose parent is
// gone is no thread: the message lands in the channel. s.mu is held.
func (s *Server) post(m Message) Message {
	if m.ThreadTS != "" {
		parent := s.message(m.Channel, m.ThreadTS)
		if parent != nil && parent.ThreadTS != "" {
			parent = s.message(m.Channel, parent.ThreadTS) // a reply's own ts means its thread
		}
		if parent == nil {
			m.ThreadTS, m.Broadcast = "", false
		} else {
			m.ThreadTS = parent.TS
		}
	} else {
		m.Broadcast = false
	}
	m.TS = s.nextTS()
	s.st.Messages = append(s.st.Messages, m)
	s.notify(m)
	return m
}

func (s *Server) chatEphemeral(a args) (reply, error) {
	ch, err := s.postingPlace(a.str("channel"))
	if err != nil {
		return nil, err
	}
	if err := s.mayPost(ch); err != nil {
		return nil, err
	}
	to := s.user(a.str("user"))
	if to == nil || to.Deleted || !slices.Contains(ch.Members, to.ID) {
		return nil, refuse("user_not_in_channel")
	}
	c, err := s.content(a)
	if err != nil {
		return nil, err
	}
	if c.empty() {
		return nil, refuse("no_text")
	}
	e := s.whisper(Ephemeral{Channel: ch.ID, To: to.ID, From: s.cfg.BotUserID, Text: cut(c.text, textTruncatedAt), Blocks: c.blocks, ThreadTS: a.str("thread_ts")})
	return reply{"message_ts": e.TS}, nil
}

// whisper shows something to one person. s.mu is held.
func (s *Server) whisper(e Ephemeral) Ephemeral {
	e.TS = s.nextTS()
	s.st.Ephemerals = append(s.st.Ephemerals, e)
	return e
}

func (s *Server) chatUpdate(a args) (reply, error) {
	ch := s.channel(a.str("channel"))
	if ch == nil {
		return nil, refuse("channel_not_found")
	}
	m := s.message(ch.ID, a.str("ts"))
	switch {
	case m == nil:
		return nil, refuse("message_not_found")
	case !m.Bot:
		return nil, refuse("cant_update_message")
	case ch.Archived || !slices.Contains(ch.Members, s.cfg.BotUserID) && ch.Kind == Private:
		return nil, refuse("is_inactive")
	case utf8.RuneCountInString(a.str("text")) > maxUpdateText:
		return nil, refuse("msg_too_long")
	}
	c, err := s.content(a)
	if err != nil {
		return nil, err
	}
	if c.empty() && !a.has("blocks") && !a.has("attachments") {
		return nil, refuse("no_text")
	}
	s.revise(m, c, a)
	return reply{"channel": ch.ID, "ts": m.TS, "text": m.Text, "message": s.messageJSON(*m)}, nil
}

// revise changes a message by the rules of chat.update: text alone removes the
// blocks, attachments and metadata stay unless they are sent.
func (s *Server) revise(m *Message, c content, a args) {
	if c.text != "" || a.has("blocks") {
		m.Blocks = c.blocks
	}
	if c.text != "" || c.blocks != nil {
		m.Text = c.text
	}
	if a.has("attachments") {
		m.Attachments = c.attachments
	}
	if c.metadata != nil {
		m.Metadata = c.metadata
	}
	m.Revisions++
	m.Changed = s.cfg.Now()
	if m.Blocks == nil {
		m.Edited = s.nextTS()
	}
	for _, w := range c.warnings {
		s.violate(m.Channel, m.TS, "%s", w)
	}
}

func (s *Server) chatDelete(a args) (reply, error) {
	ch := s.channel(a.str("channel"))
	if ch == nil {
		return nil, refuse("channel_not_found")
	}
	m := s.message(ch.ID, a.str("ts"))
	switch {
	case m == nil:
		return nil, refuse("message_not_found")
	case !m.Bot:
		return nil, refuse("cant_delete_message")
	}
	m.Deleted = true
	return reply{"channel": ch.ID, "ts": m.TS}, nil
}

func (s *Server) chatPermalink(a args) (reply, error) {
	ch := s.channel(a.str("channel"))
	if ch == nil {
		return nil, refuse("channel_not_found")
	}
	m := s.message(ch.ID, a.str("message_ts"))
	if m == nil {
		return nil, refuse("message_not_found")
	}
	link := fmt.Sprintf("https://%s.slack.com/archives/%s/p%s", s.domain(), ch.ID, strings.ReplaceAll(m.TS, ".", ""))
	if m.ThreadTS != "" {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + ch.ID
	}
	return reply{"channel": ch.ID, "permalink": link}, nil
}

func (s *Server) domain() string {
	return strings.ToLower(strings.ReplaceAll(s.cfg.TeamName, " ", "-"))
}

// messageJSON is a message as the Web API and the payloads show it.
func (s *Server) messageJSON(m Message) map[string]any {
	j := map[string]any{"type": "message", "ts": m.TS, "text": m.Text, "user": m.User, "team": s.cfg.TeamID}
	if m.Bot {
		j["bot_id"], j["app_id"] = s.cfg.BotID, s.cfg.AppID
		j["bot_profile"] = map[string]any{"id": s.cfg.BotID, "app_id": s.cfg.AppID, "name": s.cfg.BotName, "team_id": s.cfg.TeamID,
			"deleted": false, "user_id": s.cfg.BotUserID}
	}
	if m.Blocks != nil {
		j["blocks"] = m.DrawnBlocks()
	}
	if m.Attachments != nil {
		j["attachments"] = m.Attachments
	}
	if m.Edited != "" {
		j["edited"] = map[string]any{"user": s.cfg.BotID, "ts": m.Edited}
	}
	subtype := m.Subtype
	if m.Broadcast {
		subtype = "thread_broadcast"
	}
	if subtype != "" {
		j["subtype"] = subtype
	}
	if m.ThreadTS != "" {
		j["thread_ts"] = m.ThreadTS
		if parent := s.message(m.Channel, m.ThreadTS); parent != nil {
			j["parent_user_id"] = parent.User
		}
	} else if n := s.replies(m); n > 0 {
		j["thread_ts"], j["reply_count"] = m.TS, n
	}
	return j
}

func (s *Server) replies(m Message) int {
	n := 0
	for _, other := range s.st.Messages {
		if other.Channel == m.Channel && other.ThreadTS == m.TS && !other.Deleted {
			n++
		}
	}
	return n
}
