package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"keyturn/sim/play"
	"keyturn/sim/servicenow"
)

// What admins do beside the bot.

// modes changes how the instance behaves.
func (h *house) modes(change func(*servicenow.Modes)) {
	h.Helper()
	m := h.world.ServiceNow.Modes()
	change(&m)
	if err := h.world.ServiceNow.SetModes(m); err != nil {
		h.Fatal(err)
	}
}

// adminNow calls the instance's Table API as an admin would, beside the bot,
// and gives the result.
func (h *house) adminNow(method, path string, body any) map[string]any {
	h.Helper()
	resp, err := http.PostForm(h.world.ServiceNowURL+"/oauth_token.do", url.Values{"grant_type": {"client_credentials"}, "client_id": {play.ServiceNowClient}, "client_secret": {play.ServiceNowSecret}})
	return h.asAdmin(resp, err, method, h.world.ServiceNowURL+path, body)
}

// adminGraph is adminNow for Microsoft Graph.
func (h *house) adminGraph(method, path string, body any) map[string]any {
	h.Helper()
	resp, err := http.PostForm(h.world.MicrosoftURL+"/login/"+play.Directory+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {play.GraphClient}, "client_secret": {play.GraphSecret}, "scope": {"https://graph.microsoft.com/.default"}})
	return h.asAdmin(resp, err, method, h.world.MicrosoftURL+"/graph/v1.0"+path, body)
}

func (h *house) asAdmin(token *http.Response, err error, method, address string, body any) map[string]any {
	h.Helper()
	read := func(r *http.Response, err error) (out map[string]any) {
		h.Helper()
		if err != nil {
			h.Fatal(err)
		}
		defer r.Body.Close()
		raw, _ := io.ReadAll(r.Body)
		if r.StatusCode >= 300 || len(raw) > 0 && json.Unmarshal(raw, &out) != nil {
			h.Fatalf("an admin's %s %s was answered %d: %s", method, address, r.StatusCode, raw)
		}
		return out
	}
	bearer, _ := read(token, err)["access_token"].(string)
	raw, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	req, err := http.NewRequest(method, address, bytes.NewReader(raw))
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	return read(resp, err)
}

// provider is the one entry of the connector in Application Registry.
func (h *house) provider() map[string]string {
	h.Helper()
	list, _ := h.adminNow("GET", "/api/now/table/oauth_entity?sysparm_query=client_id="+h.oneRegistration().AppID+"&sysparm_exclude_reference_link=true", nil)["result"].([]any)
	if len(list) != 1 {
		h.Fatalf("Application Registry has %d entries of the connector, expected one", len(list))
	}
	out := map[string]string{}
	for k, v := range list[0].(map[string]any) {
		out[k], _ = v.(string)
	}
	return out
}

func (h *house) pick(scope string) {
	h.Helper()
	if err := h.world.ServiceNow.Pick("keyturn.simulator", scope); err != nil {
		h.Fatal(err)
	}
}

// row finds one row's sys_id.
func (h *house) row(table, query string) string {
	h.Helper()
	list, _ := h.adminNow("GET", "/api/now/table/"+table+"?sysparm_query="+url.QueryEscape(query), nil)["result"].([]any)
	if len(list) != 1 {
		h.Fatalf("%s has %d rows for %s", table, len(list), query)
	}
	id, _ := list[0].(map[string]any)["sys_id"].(string)
	return id
}
