package microsoft

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// connector serves the host that the support integration app calls. The
// handshake stands for the app's test of its set-up: POST /connector/handshake
// with the outbound app's bearer token (of any audience: which resource the
// real app asks for is not documented) and {"repository": ..., "endpoint": ...}.
func (s *Server) connector(w http.ResponseWriter, r *http.Request) {
	if s.st.World != Alive {
		entry(r).Note = "refused: the connector is shut down"
		writeJSON(w, http.StatusNotFound, connectorAnswer{Error: "the connector service has been shut down; its host name does not resolve any more"})
		return
	}
	if r.URL.Path != "/connector/handshake" {
		writeJSON(w, http.StatusNotFound, connectorAnswer{Error: "unknown address: POST /connector/handshake"})
		return
	}
	if !allow(w, r, http.MethodPost) {
		return
	}
	status, answer := s.handshake(r)
	if answer.Error != "" {
		entry(r).Note = "refused: " + answer.Error
	}
	writeJSON(w, status, answer)
}

type connectorAnswer struct {
	Status     string `json:"status,omitempty"`
	Repository string `json:"repository,omitempty"`
	Error      string `json:"error,omitempty"`
}

func (s *Server) handshake(r *http.Request) (int, connectorAnswer) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	claims, err := s.verify(token)
	if !strings.EqualFold(kind, "Bearer") || err != nil {
		return http.StatusUnauthorized, connectorAnswer{Error: "no valid bearer token of this tenant"}
	}
	appID, _ := claims["appid"].(string)
	entry(r).Who = "app " + appID
	if s.st.Admin.ApplicationID == "" || !strings.EqualFold(appID, s.st.Admin.ApplicationID) {
		return http.StatusUnauthorized, connectorAnswer{Error: "the token's application " + appID + " is not the Application ID to issue Auth Token in the admin center"}
	}
	var ask struct {
		Repository string `json:"repository"`
		Endpoint   string `json:"endpoint"`
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		return http.StatusBadRequest, connectorAnswer{Error: "the body must be JSON with repository and endpoint"}
	}
	i := slices.IndexFunc(s.st.Admin.Repositories, func(x savedRepository) bool { return x.Name == ask.Repository })
	if i < 0 {
		return http.StatusNotFound, connectorAnswer{Error: "the admin center has no repository " + ask.Repository}
	}
	if !strings.EqualFold(strings.TrimRight(s.st.Admin.Repositories[i].Endpoint, "/"), strings.TrimRight(ask.Endpoint, "/")) {
		return http.StatusNotFound, connectorAnswer{Error: "repository " + ask.Repository + " has another endpoint in the admin center"}
	}
	entry(r).Note = "handshake for " + ask.Repository
	return http.StatusOK, connectorAnswer{Status: "connected", Repository: ask.Repository}
}
