package slack

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Said is a line that a person types.
type Said struct {
	User    string `json:"user"`
	Channel string `json:"channel"`
	Thread  string `json:"thread,omitempty"` // ts of the parent, "" for the channel itself
	Text    string `json:"text"`
}

// Type is the composer: a line that begins with a slash is a command, one that
// names the bot a mention, one in the bot's direct message a message to it, and
// anything else is only posted.
func (s *Server) Type(line Said) (Outcome, error) {
	text := strings.TrimSpace(line.Text)
	if text == "" {
		return Outcome{}, errors.New("there is nothing to send")
	}
	if strings.HasPrefix(text, "/") {
		if line.Thread != "" {
			return s.slashInThread(line)
		}
		return s.Slash(line.User, line.Channel, text)
	}
	s.mu.Lock()
	ch := s.channel(line.Channel)
	direct := ch != nil && ch.Kind == Direct
	text = s.encode(text, false)
	s.mu.Unlock()
	switch {
	case direct:
		return s.say(line.User, line.Channel, line.Thread, text, "message.im")
	case strings.Contains(text, "<@"+s.cfg.BotUserID+">"):
		return s.say(line.User, line.Channel, line.Thread, text, "app_mention")
	}
	return s.say(line.User, line.Channel, line.Thread, text, "")
}

// Slash types a slash command: text is the whole line, "/keyturn status".
func (s *Server) Slash(user, channel, text string) (Outcome, error) {
	command, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	form, hook, trigger, err := s.prepareSlash(user, channel, command, strings.TrimSpace(rest), strings.TrimSpace(text))
	if err != nil {
		return Outcome{}, err
	}
	out := s.deliver(Delivery{Path: commandsPath, Type: formType, Body: form.Encode()})
	out.Trigger = trigger
	if code := s.takeSlashAnswer(out, hook); code != "" {
		out.Shown = fmt.Sprintf("%s failed with the error %q", command, code)
		s.mu.Lock()
		s.whisper(Ephemeral{Channel: channel, To: user, From: Slackbot, Text: out.Shown})
		s.mu.Unlock()
		s.trouble(user, out.Shown, strings.TrimSpace(fmt.Sprintf("%s (status %d) %s", out.Reason, out.Status, cut(out.Body, 300))))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out.View = s.topID(user)
	s.touch()
	return out, nil
}

func (s *Server) prepareSlash(user, channel, command, rest, line string) (url.Values, string, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.person(user)
	if err != nil {
		return nil, "", "", err
	}
	ch, err := s.place(user, channel)
	switch {
	case err != nil:
		return nil, "", "", err
	case s.st.Uninstalled || !slices.Contains(s.cfg.Commands, command):
		return nil, "", "", fmt.Errorf("%s is not a valid command", command)
	case u.Stranger:
		return nil, "", "", fmt.Errorf("%s belongs to another workspace, where %s does not exist", u.Name, command)
	}
	name := ch.Name
	switch ch.Kind {
	case Private:
		name = "privategroup"
	case Direct:
		name = "directmessage"
	}
	address := s.newHook("commands", Hook{Channel: channel, User: user, Command: line})
	trigger := s.newTrigger(user, "")
	s.touch()
	return url.Values{"token": {"legacy"}, "team_id": {s.cfg.TeamID}, "team_domain": {s.domain()}, "channel_id": {channel}, "channel_name": {name},
		"user_id": {user}, "user_name": {u.Name}, "command": {command}, "text": {s.encode(rest, true)}, "api_app_id": {s.cfg.AppID},
		"is_enterprise_install": {"false"}, "response_url": {address}, "trigger_id": {trigger}}, strings.TrimPrefix(address, s.url+"/hooks/"), trigger, nil
}

// takeSlashAnswer shows the body of the answer to a command. It returns the
// error that Slack's client would name.
func (s *Server) takeSlashAnswer(out Outcome, hook string) string {
	switch {
	case out.Reason == "http_timeout":
		return "operation_timeout"
	case out.Reason != "":
		return "dispatch_failed"
	}
	body := strings.TrimSpace(out.Body)
	if body == "" {
		return ""
	}
	a := answer{Text: out.Body}
	if strings.HasPrefix(body, "{") {
		var err error
		if a, err = readAnswer([]byte(body)); err != nil {
			return "invalid_command_response"
		}
		if a.Text == "" && a.Blocks == nil && a.Attached == nil {
			return ""
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.st.Hooks[hook]
	if err := s.answer(&h, a); err != nil {
		return err.Error()
	}
	s.st.Hooks[hook] = h
	return ""
}

// slashInThread is refused by the client itself; the bot hears nothing.
func (s *Server) slashInThread(line Said) (Outcome, error) {
	command, _, _ := strings.Cut(strings.TrimSpace(line.Text), " ")
	said := command + " is not supported in threads. Sorry!"
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.place(line.User, line.Channel); err != nil {
		return Outcome{}, err
	}
	s.whisper(Ephemeral{Channel: line.Channel, To: line.User, From: Slackbot, Text: said, ThreadTS: line.Thread})
	s.touch()
	return Outcome{Shown: said}, nil
}

// SlashInThread types a slash command in a thread, which Slack's client
// refuses.
func (s *Server) SlashInThread(user, channel, thread, text string) (Outcome, error) {
	return s.slashInThread(Said{User: user, Channel: channel, Thread: thread, Text: text})
}

// Mention posts a message that names the bot; where text does not, the mention
// is put in front.
func (s *Server) Mention(user, channel, thread, text string) (Outcome, error) {
	name := "<@" + s.cfg.BotUserID + ">"
	s.mu.Lock()
	text = s.encode(text, false)
	s.mu.Unlock()
	if !strings.Contains(text, name) {
		text = name + " " + text
	}
	return s.say(user, channel, thread, text, "app_mention")
}

// DM writes to the bot's direct message.
func (s *Server) DM(user, text string) (Outcome, error) {
	s.mu.Lock()
	_, err := s.person(user)
	channel := ""
	if err == nil {
		channel = s.direct(user).ID
	}
	text = s.encode(text, false)
	s.mu.Unlock()
	if err != nil {
		return Outcome{}, err
	}
	return s.say(user, channel, "", text, "message.im")
}

// PostAs posts a message that is not meant for the bot.
func (s *Server) PostAs(user, channel, thread, text string) (Outcome, error) {
	s.mu.Lock()
	text = s.encode(text, false)
	s.mu.Unlock()
	return s.say(user, channel, thread, text, "")
}

// say posts a person's message and tells the bot where it subscribes.
func (s *Server) say(user, channel, thread, text, event string) (Outcome, error) {
	s.mu.Lock()
	u, err := s.person(user)
	if err == nil {
		_, err = s.place(user, channel)
	}
	if err != nil {
		s.mu.Unlock()
		return Outcome{}, err
	}
	ch := s.channel(channel)
	if ch.ReadOnly && !u.Admin {
		s.mu.Unlock()
		return Outcome{}, fmt.Errorf("only admins may post in %s", ch.Name)
	}
	m := s.post(Message{Channel: channel, User: user, Text: text, ThreadTS: thread})
	inside := slices.Contains(ch.Members, s.cfg.BotUserID)
	kind := map[Kind]string{Public: "channel", Private: "group", Direct: "im"}[ch.Kind]
	s.touch()
	s.mu.Unlock()
	out := Outcome{TS: m.TS}
	if event == "" {
		return out, nil
	}
	if !inside {
		out.Unsent = "the bot is not in the channel"
		return out, nil
	}
	ev := map[string]any{"type": "app_mention", "user": user, "text": text, "ts": m.TS, "event_ts": m.TS, "channel": channel, "team": u.TeamID,
		"client_msg_id": shortID(m.TS, user)}
	if event == "message.im" {
		ev["type"], ev["channel_type"] = "message", kind
	}
	if m.ThreadTS != "" {
		ev["thread_ts"] = m.ThreadTS
	}
	out = s.emit(event, ev)
	out.TS = m.TS
	return out, nil
}

var (
	knownToken = regexp.MustCompile(`<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+|!subteam\^S[A-Z0-9]+)(?:\|[^<>]*)?>`)
	typedWord  = regexp.MustCompile(`(^|[\s(])([@#][\p{L}\p{N}._-]+|https?://[^\s<>]+)`)
	escaper    = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// encode turns typed text into Slack's wire form: &, < and > escaped, @names,
// #channels and links marked. In a command names travel with the ID, and a
// private channel only as an ID. s.mu is held.
func (s *Server) encode(text string, command bool) string {
	var b strings.Builder
	rest := 0
	for _, hit := range knownToken.FindAllStringIndex(text, -1) {
		b.WriteString(s.encodePlain(text[rest:hit[0]], command))
		b.WriteString(text[hit[0]:hit[1]])
		rest = hit[1]
	}
	b.WriteString(s.encodePlain(text[rest:], command))
	return b.String()
}

func (s *Server) encodePlain(text string, command bool) string {
	var b strings.Builder
	rest := 0
	for _, hit := range typedWord.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(escaper.Replace(text[rest:hit[4]]))
		b.WriteString(s.encodeWord(text[hit[4]:hit[5]], command))
		rest = hit[5]
	}
	b.WriteString(escaper.Replace(text[rest:]))
	return b.String()
}

func (s *Server) encodeWord(word string, command bool) string {
	if strings.HasPrefix(word, "http") {
		return "<" + escaper.Replace(word) + ">"
	}
	name := strings.TrimRight(strings.ToLower(word[1:]), ".")
	tail := word[1+len(name):]
	if word[0] == '#' {
		for _, ch := range s.st.Channels {
			if ch.Name == name && ch.Kind == Private {
				return "<#" + ch.ID + "|>" + tail
			}
			if ch.Name == name && name != "" {
				return "<#" + ch.ID + "|" + name + ">" + tail
			}
		}
		return word
	}
	for _, u := range s.st.Users {
		if u.Name == name && command {
			return "<@" + u.ID + "|" + u.Name + ">" + tail
		}
		if u.Name == name {
			return "<@" + u.ID + ">" + tail
		}
	}
	for _, g := range s.st.Groups {
		if g.Handle == name {
			return "<!subteam^" + g.ID + "|@" + g.Handle + ">" + tail
		}
	}
	return word
}

func (s *Server) topID(user string) string {
	if v := s.top(user); v != nil {
		return v.ID
	}
	return ""
}

func (s *Server) teamOf(u *User) map[string]any {
	if u.Stranger && u.TeamID != s.cfg.TeamID {
		return map[string]any{"id": u.TeamID, "domain": strings.ToLower(u.TeamID)}
	}
	return map[string]any{"id": s.cfg.TeamID, "domain": s.domain()}
}

func userRef(u *User) map[string]any {
	return map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.TeamID}
}
