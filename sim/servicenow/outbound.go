package servicenow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/sim"
)

const connectorHost = "connector.rave.microsoft.com"

// Texts that the app shows, as Microsoft's troubleshooting page lists them.
const (
	setupOpen  = "Please contact your ServiceNow admin and ask them to complete the setup steps for the app."
	finalOpen  = "Please contact your ServiceNow admin and ask them to complete the final set up step for the app."
	askSupport = "Please contact app support."
)

// trouble is a failed smoke test: what the page says, and why.
type trouble struct{ message, detail string }

// smokeTest is what the app does when somebody presses Next or Test setup:
// mint a token with the provider's credentials, then shake hands with the
// connector. It returns nil on success. The server's lock is given up while
// the calls are on their way.
func (s *Server) smokeTest(c *caller) *trouble {
	profile := s.db.find(schema["oauth_entity_profile"], s.setup.Profile)
	if profile == nil {
		return s.failed(askSupport, "The chosen OAuth profile does not exist any more.")
	}
	entity := s.db.find(schema["oauth_entity"], profile.get("oauth_entity"))
	if entity == nil || !entity.yes("active") {
		return s.failed(askSupport, "The OAuth provider of the chosen profile is gone or not active.")
	}
	if profile.get("grant_type") != "client_credentials" {
		return s.failed(askSupport, "The grant type of the chosen OAuth profile is not Client Credentials.")
	}
	token, bad := s.mint(c, entity)
	if bad != nil {
		return bad
	}
	body, _ := json.Marshal(map[string]string{"repository": s.setup.Repository, "endpoint": s.endpoint()})
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	status, answer, err := s.callOut(http.MethodPost, "https://"+connectorHost+"/handshake", header, body)
	switch {
	case err != nil:
		return s.failed(askSupport, fmt.Sprintf("%s cannot be reached: %v", connectorHost, err))
	case status >= http.StatusInternalServerError:
		return s.failed(askSupport, fmt.Sprintf("%s answered %d%s", connectorHost, status, errorText(answer)))
	case status != http.StatusOK:
		return s.failed(finalOpen, fmt.Sprintf("%s answered %d%s", connectorHost, status, errorText(answer)))
	}
	s.syslog("0", appScope, "The connection to Microsoft 365 works for repository "+s.setup.Repository)
	return nil
}

// failed logs a failure under the app's name and returns it.
func (s *Server) failed(message, detail string) *trouble {
	s.syslog("2", appScope, detail)
	return &trouble{message, detail}
}

// mint asks the provider's token URL for a token. On a v1 URL the app adds
// the resource; on a v2 URL the provider's scopes are sent.
func (s *Server) mint(c *caller, entity *record) (string, *trouble) {
	form := url.Values{"grant_type": {"client_credentials"}}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	id, secret := entity.get("client_id"), entity.get("client_secret")
	if entity.get("send_client_credentials_as") == "basic_authorization_header" {
		r := http.Request{Header: header}
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	} else {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	tokenURL, entityID := entity.get("token_url"), entity.id()
	if strings.Contains(tokenURL, "/v2.0/") {
		var scopes []string
		for _, row := range s.db.where("oauth_entity_scope", "oauth_entity", entityID) {
			scopes = append(scopes, row.get("oauth_entity_scope"))
		}
		form.Set("scope", strings.Join(scopes, " "))
	} else {
		form.Set("resource", s.cfg.Resource)
	}
	status, answer, err := s.callOut(http.MethodPost, tokenURL, header, []byte(form.Encode()))
	if err != nil {
		return "", s.failed(askSupport, fmt.Sprintf("The token URL cannot be reached: %v", err))
	}
	var got struct {
		Token   string `json:"access_token"`
		Expires any    `json:"expires_in"`
	}
	if status != http.StatusOK || json.Unmarshal(answer, &got) != nil || got.Token == "" {
		return "", s.failed(askSupport, fmt.Sprintf("The token request was answered with %d%s", status, errorText(answer)))
	}
	seconds, err := strconv.ParseFloat(fmt.Sprint(got.Expires), 64)
	if err != nil {
		seconds = 3599
	}
	s.put("oauth_credential", map[string]string{
		"type": "access_token", "peer": entityID, "user": c.id(), "grant_type": "client_credentials",
		"expires": stamp(s.now().Add(time.Duration(seconds) * time.Second)), "last_access": stamp(s.now()), "token": "issued elsewhere",
	})
	return got.Token, nil
}

// errorText picks the error code out of a JSON answer: enough to search for,
// and nothing that could be a secret.
func errorText(answer []byte) string {
	var body struct {
		Error any `json:"error"`
	}
	if json.Unmarshal(answer, &body) != nil {
		return "."
	}
	switch e := body.Error.(type) {
	case string:
		return " (" + cut(e, 200) + ")."
	case map[string]any:
		if code, ok := e["code"].(string); ok {
			return " (" + cut(code, 200) + ")."
		}
	}
	return "."
}

// callOut makes a call of the instance itself, through Config.Outbound, and
// logs it without headers or body. The lock is held on entry and on return,
// but not in between.
func (s *Server) callOut(method, target string, header http.Header, body []byte) (int, []byte, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return 0, nil, fmt.Errorf("%q is not an address", target)
	}
	base, known := s.cfg.Outbound[u.Hostname()]
	started := s.now()
	var status int
	var answer []byte
	if !known || u.Hostname() == connectorHost && s.cfg.World == ShutDown {
		err = fmt.Errorf("UnknownHostException: %s", u.Hostname())
	} else {
		s.mu.Unlock()
		status, answer, err = s.send(method, strings.TrimSuffix(base, "/")+u.RequestURI(), header, body)
		s.mu.Lock()
	}
	row := map[string]string{
		"method": method, "url": u.Scheme + "://" + u.Host + u.Path, "url_hostname": u.Hostname(), "url_path": u.Path,
		"response_status": strconv.Itoa(status), "response_length": strconv.Itoa(len(answer)),
		"response_time": strconv.FormatInt(s.now().Sub(started).Milliseconds(), 10), "source_scope": appScope,
	}
	said := "outbound call to " + u.Hostname()
	if err != nil {
		row["message"] = cut(err.Error(), 400)
		said += " failed"
	}
	s.put("sys_outbound_http_log", row)
	s.Journal.Add(sim.Call{At: s.now(), Out: true, Method: method, Path: u.Scheme + "://" + u.Host + u.Path, Status: status, Who: "instance", Note: said, Write: method != http.MethodGet})
	return status, answer, err
}

func (s *Server) send(method, target string, header http.Header, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	answer, err := s.cfg.Client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, b, err
}
