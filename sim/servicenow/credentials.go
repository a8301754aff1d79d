package servicenow

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// issued is a token the instance gave out. The token itself is kept nowhere:
// only its digest, as the key under which this is found.
type issued struct {
	Credential string    `json:"credential"` // oauth_credential row
	Kind       string    `json:"kind"`       // access_token or refresh_token
	User       string    `json:"user"`       // sys_user row
	Entity     string    `json:"entity"`     // oauth_entity row
	Expires    time.Time `json:"expires"`
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// issue makes a token of one kind and its row in oauth_credential.
func (s *Server) issue(kind string, entity, user *record, grant string, life time.Duration) string {
	token := base64.RawURLEncoding.EncodeToString([]byte(randomHex(32)))
	expires := s.now().Add(life)
	row := s.put("oauth_credential", map[string]string{
		"type": kind, "peer": entity.id(), "user": user.id(), "grant_type": grant,
		"scope": "useraccount", "expires": stamp(expires), "token": "issued",
	})
	s.tokens[digest(token)] = issued{row.id(), kind, user.id(), entity.id(), expires}
	return token
}

// forgetToken revokes the token that belongs to a row of oauth_credential.
func (s *Server) forgetToken(credential string) {
	for k, t := range s.tokens {
		if t.Credential == credential {
			delete(s.tokens, k)
		}
	}
}

// holder returns the token's entry if it is good: not expired, its client
// active and still there, its user active.
func (s *Server) holder(token, kind string) (issued, *record, bool) {
	t, ok := s.tokens[digest(token)]
	if !ok || t.Kind != kind || !s.now().Before(t.Expires) {
		return issued{}, nil, false
	}
	entity := s.db.find(schema["oauth_entity"], t.Entity)
	user := s.db.find(schema["sys_user"], t.User)
	if entity == nil || !entity.yes("active") || !usable(user) {
		return issued{}, nil, false
	}
	return t, user, true
}

func usable(user *record) bool { return user != nil && user.yes("active") && !user.yes("locked_out") }

// identify finds who makes an API call: a bearer token, or a name and
// password where Basic authentication is allowed.
func (s *Server) identify(r *http.Request) (*caller, *refusal) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		t, user, ok := s.holder(token, "access_token")
		if !ok {
			return nil, notAuthenticated
		}
		if row := s.db.find(schema["oauth_credential"], t.Credential); row != nil {
			row.Values["last_access"] = stamp(s.now())
		}
		return s.callerFor(user), nil
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return nil, notAuthenticated
	}
	user := s.db.first("sys_user", "user_name", name)
	if !usable(user) || user.get("user_password") == "" || user.get("user_password") != hashPassword(password) {
		return nil, notAuthenticated
	}
	if !user.yes("web_service_access_only") {
		s.syslog("1", "SNCRestrictBasicAuthUserAuthenticationGate",
			"denied basic-auth API call for interactive-login user ["+name+"] under enforce=true")
		return nil, notAuthenticated
	}
	return s.callerFor(user), nil
}

// syslog writes a row of the system log; level is "0" information, "1"
// warning, "2" error.
func (s *Server) syslog(level, source, message string) {
	s.put("syslog", map[string]string{"level": level, "source": source, "message": message})
}

// lifespan reads a number of seconds from a registry entry.
func lifespan(entity *record, column string, otherwise int) time.Duration {
	n, err := strconv.Atoi(entity.get(column))
	if err != nil || n <= 0 {
		n = otherwise
	}
	return time.Duration(n) * time.Second
}

// rateLimit counts a call against the rule that applies, if any does: a rule
// of the caller's own before one for everybody. Counting starts anew with
// every hour.
func (s *Server) rateLimit(c *caller, w http.ResponseWriter) *refusal {
	var rule *record
	for _, r := range s.db.where("sys_rate_limit_rules", "active", "true") {
		if r.get("user") == c.id() || r.get("user") == "" && rule == nil {
			rule = r
		}
	}
	if rule == nil {
		return nil
	}
	limit := number(rule.get("request_limit"), 0)
	hour := s.now().UTC().Truncate(time.Hour)
	if s.counted != hour {
		s.counted, s.counts = hour, map[string]int{}
	}
	key := rule.id() + " " + c.id()
	s.counts[key]++
	reset := hour.Add(time.Hour)
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	h.Set("X-RateLimit-Rule", rule.id())
	if s.counts[key] <= limit {
		return nil
	}
	wait := int(reset.Sub(s.now())/time.Second) + 1
	h.Set("Retry-After", strconv.Itoa(wait))
	return &refusal{http.StatusTooManyRequests, "Rate limit exceeded",
		"Rate limit of " + strconv.Itoa(limit) + " requests per hour for Table API exceeded"}
}
