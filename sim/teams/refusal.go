package teams

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// refusal is an error of the Connector.
type refusal struct {
	status     int
	code       string
	message    string
	retryAfter int // seconds
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

// codes are the errors that "Status codes from bot conversational APIs" lists,
// and those of requests that make no sense.
var codes = map[string]refusal{
	"BadSyntax":                      {status: 400, message: "The request is malformed."},
	"BadArgument":                    {status: 400, message: "An argument of the request is not valid."},
	"Unauthorized":                   {status: 401, message: "Authorization has been denied for this request."},
	"BotNotRegistered":               {status: 401, message: "No registered bot was found for this application ID."},
	"BotDisabledByAdmin":             {status: 403, message: "The tenant admin disabled this bot."},
	"BotNotInConversationRoster":     {status: 403, message: "The bot is not part of the conversation roster."},
	"ConversationBlockedByUser":      {status: 403, message: "User blocked the conversation with the bot."},
	"ForbiddenOperationException":    {status: 403, message: "Bot is not installed in user's personal scope."},
	"InvalidBotApiHost":              {status: 403, message: "The conversation belongs to another cloud; use its Bot API host."},
	"MessageWritesBlocked":           {status: 403, message: "Message writes are blocked for this conversation."},
	"NotEnoughPermissions":           {status: 403, message: "The bot may not do this."},
	"NotFound":                       {status: 404, message: "There is no such operation."},
	"ConversationNotFound":           {status: 404, message: "Conversation not found."},
	"ActivityNotFoundInConversation": {status: 404, message: "The activity was not found in the conversation."},
	"MemberNotFoundInConversation":   {status: 404, message: "The member was not found in the conversation."},
	"PreconditionFailed":             {status: 412, message: "Precondition failed, please try again."},
	"MessageSizeTooBig":              {status: 413, message: "Message size too large."},
	"Throttled":                      {status: 429, message: "Too many requests."},
	"ServiceError":                   {status: 500, message: "Internal server error."},
	"BadGateway":                     {status: 502, message: "Bad gateway."},
	"ServiceUnavailable":             {status: 503, message: "Service unavailable."},
	"GatewayTimeout":                 {status: 504, message: "Gateway timeout."},
}

func refuse(code string) *refusal {
	r := codes[code]
	r.code = code
	return &r
}

// bad is a request that makes no sense.
func bad(format string, args ...any) *refusal {
	r := refuse("BadSyntax")
	r.message = fmt.Sprintf(format, args...)
	return r
}

func envelope(code, message string) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": message}}
}

// Refusal is an error that the Connector answers whatever is asked of a
// conversation.
type Refusal struct {
	Conversation string `json:"conversation,omitempty"` // "" is every one
	Code         string `json:"code"`                   // BotDisabledByAdmin, PreconditionFailed, ...
	Times        int    `json:"times,omitempty"`        // how often; 0 is until Allow
	RetryAfter   int    `json:"retry_after,omitempty"`  // seconds, for Throttled
}

// Refuse makes the Connector refuse from now on.
func (s *Server) Refuse(r Refusal) error {
	if _, known := codes[r.Code]; !known {
		return fmt.Errorf("the Connector has no error %q; it has: %s", r.Code, strings.Join(slices.Sorted(maps.Keys(codes)), ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Refusals = append(s.st.Refusals, r)
	s.touch()
	return nil
}

// Allow ends every Refuse of a conversation; "" ends all of them.
func (s *Server) Allow(conversation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Refusals = slices.DeleteFunc(s.st.Refusals, func(r Refusal) bool { return conversation == "" || r.Conversation == conversation })
	s.touch()
}

// scripted returns the refusal that is set for a conversation. s.mu is held.
func (s *Server) scripted(conversation string) *refusal {
	for i := range s.st.Refusals {
		r := &s.st.Refusals[i]
		if r.Conversation != "" && r.Conversation != conversation {
			continue
		}
		answer := refuse(r.Code)
		answer.retryAfter = r.RetryAfter
		if r.Times > 0 {
			if r.Times--; r.Times == 0 {
				s.st.Refusals = slices.Delete(s.st.Refusals, i, i+1)
			}
			s.touch()
		}
		return answer
	}
	return nil
}
