package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"keyturn/sim"
)

// maxRequest is more than any legal call needs.
const maxRequest = 1 << 20

// reply is the JSON answer of a method without "ok".
type reply map[string]any

// refusal is an error of the Web API.
type refusal struct {
	code     string
	needed   string
	messages []string
}

func (r *refusal) Error() string { return r.code }

func refuse(code string) error { return &refusal{code: code} }

// method is one method of the Web API.
type method struct {
	scopes []string // any of them is enough; none are needed where empty
	tier   int      // calls a minute
	run    func(s *Server, a args) (reply, error)
}

// Calls a minute of Slack's published tiers; "special" ones are generous.
const (
	tier1, tier2, tier3, tier4, tierSpecial = 1, 20, 50, 100, 300
)

var methods map[string]method

func init() {
	read := []string{"channels:read", "groups:read", "im:read", "mpim:read"}
	history := []string{"channels:history", "groups:history", "im:history", "mpim:history"}
	write := []string{"chat:write"}
	methods = map[string]method{
		"auth.test":                    {nil, tierSpecial, (*Server).authTest},
		"auth.revoke":                  {nil, tier3, (*Server).authRevoke},
		"apps.uninstall":               {nil, tier1, (*Server).appsUninstall},
		"chat.postMessage":             {write, tierSpecial, (*Server).chatPost},
		"chat.postEphemeral":           {write, tier4, (*Server).chatEphemeral},
		"chat.update":                  {write, tier3, (*Server).chatUpdate},
		"chat.delete":                  {write, tier3, (*Server).chatDelete},
		"chat.getPermalink":            {nil, tierSpecial, (*Server).chatPermalink},
		"conversations.open":           {[]string{"im:write", "channels:manage", "groups:write", "mpim:write"}, tier3, (*Server).convOpen},
		"conversations.info":           {read, tier3, (*Server).convInfo},
		"conversations.list":           {read, tier2, (*Server).convList},
		"conversations.members":        {read, tier4, (*Server).convMembers},
		"conversations.join":           {[]string{"channels:join"}, tier3, (*Server).convJoin},
		"conversations.history":        {history, tier3, (*Server).convHistory},
		"conversations.replies":        {history, tier3, (*Server).convReplies},
		"files.getUploadURLExternal":   {[]string{"files:write"}, tier4, (*Server).filesUploadURL},
		"files.completeUploadExternal": {[]string{"files:write"}, tier4, (*Server).filesComplete},
		"users.info":                   {[]string{"users:read"}, tier4, (*Server).usersInfo},
		"users.list":                   {[]string{"users:read"}, tier2, (*Server).usersList},
		"users.lookupByEmail":          {[]string{"users:read.email"}, tier3, (*Server).usersLookup},
		"users.conversations":          {read, tier2, (*Server).usersConversations},
		"usergroups.list":              {[]string{"usergroups:read"}, tier2, (*Server).groupsList},
		"usergroups.users.list":        {[]string{"usergroups:read"}, tier2, (*Server).groupsUsers},
		"views.open":                   {nil, tier4, (*Server).viewsOpen},
		"views.push":                   {nil, tier4, (*Server).viewsPush},
		"views.update":                 {nil, tier4, (*Server).viewsUpdate},
		"views.publish":                {nil, tier4, (*Server).viewsPublish},
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	a, token, err := readArgs(r)
	var answer reply
	wait := 0
	if err == nil {
		if name == "apps.connections.open" {
			answer, err = s.connectionsOpen(token)
		} else {
			answer, wait, err = s.call(name, token, a)
		}
	}
	note := name
	if ch := a.str("channel"); ch != "" {
		note += " " + ch
	}
	status := http.StatusOK
	if wait > 0 {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.cfg.Scopes, ","))
	w.Header().Set("X-Accepted-OAuth-Scopes", strings.Join(methods[name].scopes, ","))
	if err != nil {
		answer = s.refusalReply(err)
		note += ": " + fmt.Sprint(answer["error"])
	} else {
		if answer == nil {
			answer = reply{}
		}
		answer["ok"] = true
	}
	s.Journal.Add(sim.Call{At: s.cfg.Now(), Method: r.Method, Path: r.URL.Path, Status: status, Who: s.who(token), Note: note, Write: isWrite(name)})
	sim.WriteJSON(w, status, answer)
	if err == nil {
		go s.announce(name) // the caller does not wait for the events
	}
}

func isWrite(name string) bool {
	return strings.HasPrefix(name, "chat.") && name != "chat.getPermalink" || strings.HasPrefix(name, "views.") ||
		slices.Contains([]string{"conversations.open", "conversations.join", "auth.revoke", "apps.uninstall"}, name)
}

func (s *Server) who(token string) string {
	switch token {
	case s.cfg.BotToken:
		return s.cfg.BotName
	case "":
		return "no token"
	}
	return "unknown token"
}

func (s *Server) refusalReply(err error) reply {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{code: "fatal_error", messages: []string{err.Error()}}
	}
	answer := reply{"ok": false, "error": r.code}
	if r.needed != "" {
		answer["needed"], answer["provided"] = r.needed, strings.Join(s.cfg.Scopes, ",")
	}
	if len(r.messages) > 0 {
		withMark := make([]string, len(r.messages))
		for i, m := range r.messages {
			withMark[i] = "[ERROR] " + m
		}
		answer["errors"] = r.messages
		answer["response_metadata"] = map[string]any{"messages": withMark}
	}
	return answer
}

// call runs one method. The second result is a number of seconds to wait where
// a rate was exceeded.
func (s *Server) call(name, token string, a args) (reply, int, error) {
	m, known := methods[name]
	if !known {
		return nil, 0, refuse("unknown_method")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.authorise(token, m); err != nil {
		return nil, 0, err
	}
	if s.cfg.Limits {
		if wait := s.rate.take(s.cfg.Now(), name, a.str("channel"), m.tier); wait > 0 {
			return nil, wait, refuse("ratelimited")
		}
	}
	answer, err := m.run(s, a)
	if err == nil && isWrite(name) {
		s.touch()
	}
	return answer, 0, err
}

func (s *Server) authorise(token string, m method) error {
	switch {
	case token == "":
		return refuse("not_authed")
	case token != s.cfg.BotToken:
		return refuse("invalid_auth")
	case s.st.Uninstalled:
		return refuse("account_inactive")
	case s.st.Revoked:
		return refuse("token_revoked")
	case len(m.scopes) > 0 && !slices.ContainsFunc(m.scopes, s.granted):
		return &refusal{code: "missing_scope", needed: m.scopes[0]}
	}
	return nil
}

func (s *Server) granted(scope string) bool { return slices.Contains(s.cfg.Scopes, scope) }

// scoped asks for the scope that belongs to the kind of a conversation.
func (s *Server) scoped(ch *Channel, verb string) error {
	scope := map[Kind]string{Public: "channels:", Private: "groups:", Direct: "im:"}[ch.Kind] + verb
	if !s.granted(scope) {
		return &refusal{code: "missing_scope", needed: scope}
	}
	return nil
}

// args are the arguments of a call: strings from a form, any JSON from a body.
type args map[string]json.RawMessage

func readArgs(r *http.Request) (args, string, error) {
	a := args{}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		return a, "", refuse("request_too_large")
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" && len(body) > 0 {
		if err := json.Unmarshal(body, &a); err != nil {
			return args{}, token, refuse(map[bool]string{true: "json_not_object", false: "invalid_json"}[json.Valid(body)])
		}
		return a, token, nil
	}
	switch {
	case len(body) == 0 || kind == "application/x-www-form-urlencoded":
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		err = r.ParseForm()
	case kind == "multipart/form-data":
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		err = r.ParseMultipartForm(maxRequest)
	default:
		return a, token, refuse("invalid_post_type")
	}
	if err != nil {
		return a, token, refuse("invalid_form_data")
	}
	for name, values := range r.Form {
		a[name], _ = json.Marshal(values[0])
	}
	if token == "" {
		token = a.str("token")
	}
	return a, token, nil
}

// str returns a string argument; numbers and booleans as they are written.
func (a args) str(name string) string {
	var text string
	if json.Unmarshal(a[name], &text) == nil {
		return text
	}
	raw := string(a[name])
	if strings.HasPrefix(raw, "{") || strings.HasPrefix(raw, "[") || raw == "null" {
		return ""
	}
	return raw
}

func (a args) flag(name string) bool {
	v := a.str(name)
	return v == "true" || v == "1"
}

// has says whether the argument was sent at all.
func (a args) has(name string) bool {
	v, ok := a[name]
	return ok && string(v) != "null"
}

// raw returns a structured argument, which a form carries as a JSON string.
// Absent, null and empty ones are nil.
func (a args) raw(name string) json.RawMessage {
	v := a[name]
	var text string
	if json.Unmarshal(v, &text) == nil {
		v = json.RawMessage(text)
	}
	if len(v) == 0 || string(v) == "null" {
		return nil
	}
	return v
}

func (a args) number(name string, fallback, most int) int {
	n, err := strconv.Atoi(a.str(name))
	if err != nil || n <= 0 {
		return fallback
	}
	return min(n, most)
}
