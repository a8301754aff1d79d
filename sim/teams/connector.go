package teams

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"keyturn/sim"
)

// call is one call of the bot to the Connector.
type call struct {
	r    *http.Request
	body []byte
}

func (c call) path(name string) string { return c.r.PathValue(name) }

// targeted says whether the call is about a message for one person.
func (c call) targeted() bool { return c.r.URL.Query().Get("isTargetedActivity") == "true" }

// result is what the Connector answers.
type result struct {
	status int
	body   any
	note   string
}

type operation func(s *Server, c call) (result, *refusal)

func (s *Server) routeConnector() http.Handler {
	mux := http.NewServeMux()
	const conversation = "/v3/conversations/{conversation}"
	for pattern, op := range map[string]operation{
		"POST /v3/conversations":                                             (*Server).createConversation,
		"POST " + conversation + "/activities":                               (*Server).sendActivity,
		"POST " + conversation + "/activities/{activity}":                    (*Server).sendActivity,
		"PUT " + conversation + "/activities/{activity}":                     (*Server).updateActivity,
		"DELETE " + conversation + "/activities/{activity}":                  (*Server).deleteActivity,
		"PUT " + conversation + "/activities/{activity}/reactions/{type}":    (*Server).addReaction,
		"DELETE " + conversation + "/activities/{activity}/reactions/{type}": (*Server).removeReaction,
		"GET " + conversation + "/members":                                   (*Server).listMembers,
		"GET " + conversation + "/pagedmembers":                              (*Server).pageMembers,
		"GET " + conversation + "/members/{member}":                          (*Server).getMember,
		"GET /v3/teams/{team}":                                               (*Server).getTeam,
		"GET /v3/teams/{team}/conversations":                                 (*Server).listChannels,
		"/v3/":                                                               func(*Server, call) (result, *refusal) { return result{}, refuse("NotFound") },
	} {
		mux.HandleFunc(pattern, s.connector(op))
	}
	return mux
}

// connector wraps an operation with what all have in common: size, token,
// journal and the shape of errors.
func (s *Server) connector(op operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
		s.mu.Lock()
		var res result
		var no *refusal
		switch {
		case err != nil:
			no = bad("The body could not be read.")
		default:
			no = s.authorise(r.Header.Get("Authorization"))
		}
		if no == nil && len(body) > maxRequest {
			no = refuse("MessageSizeTooBig")
		}
		if no == nil {
			res, no = op(s, call{r: r, body: body})
		}
		correlation := s.nextGUID()
		if no == nil && r.Method != http.MethodGet {
			s.touch()
		}
		s.mu.Unlock()
		if no != nil {
			res = result{status: no.status, body: envelope(no.code, no.message), note: no.Error()}
			if no.retryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(no.retryAfter))
			}
			w.Header().Set("X-Correlating-OperationId", correlation)
		}
		w.Header().Set("MS-CV", strings.ReplaceAll(correlation, "-", "")[:22]+".0")
		s.Journal.Add(sim.Call{At: s.cfg.Now(), Method: r.Method, Path: r.URL.RequestURI(), Status: res.status, Who: s.cfg.BotName, Note: res.note, Write: r.Method != http.MethodGet})
		if res.body == nil {
			w.WriteHeader(res.status)
			return
		}
		sim.WriteJSON(w, res.status, res.body)
	}
}

// reach finds the conversation of a call, counts it against the rates and
// refuses what the bot may not even look at.
func (s *Server) reach(c call, class string, windows []window) (place, *refusal) {
	id, _, _ := strings.Cut(c.path("conversation"), threadMark)
	if no := s.throttle(class, id, windows); no != nil {
		return place{}, no
	}
	if no := s.scripted(id); no != nil {
		return place{}, no
	}
	p, ok := s.find(c.path("conversation"))
	switch {
	case !ok:
		return p, refuse("ConversationNotFound")
	case p.chat != nil && p.chat.Blocked:
		return p, refuse("ConversationBlockedByUser")
	case !p.installed():
		return p, refuse("BotNotInConversationRoster")
	}
	return p, nil
}

// reachToWrite is reach for what changes the conversation.
func (s *Server) reachToWrite(c call) (place, *refusal) {
	p, no := s.reach(c, "write", writeWindows)
	if no == nil && p.team != nil && p.team.Archived {
		no = refuse("MessageWritesBlocked")
	}
	return p, no
}
