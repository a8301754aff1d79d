package slack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
)

// ref is an ID that Slack writes as a string in some payloads and as an object
// with more about the thing in others; null and anything else are empty.
type ref struct {
	ID     string
	Name   string
	TeamID string
}

// UnmarshalJSON never fails: an odd reference must not cost the request.
func (r *ref) UnmarshalJSON(b []byte) error {
	*r = ref{}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case '"':
		_ = json.Unmarshal(b, &r.ID)
	case '{':
		var o struct {
			ID       string `json:"id"`
			Name     string `json:"name"`
			Username string `json:"username"`
			TeamID   string `json:"team_id"`
		}
		_ = json.Unmarshal(b, &o)
		r.ID, r.Name, r.TeamID = o.ID, first(o.Name, o.Username), o.TeamID
	}
	return nil
}

// interaction is what is read of a payload to /slack/interactions. Slack adds
// fields at any time, and its kinds differ in which of these they carry.
// Source: Slack, "Interaction payloads".
type interaction struct {
	Type        string          `json:"type"`
	Team        ref             `json:"team"`
	TeamID      string          `json:"team_id"`
	Enterprise  ref             `json:"enterprise"`
	User        ref             `json:"user"`
	Channel     ref             `json:"channel"`
	TriggerID   string          `json:"trigger_id"`
	ResponseURL string          `json:"response_url"`
	CallbackID  string          `json:"callback_id"`
	ActionTS    string          `json:"action_ts"`
	MessageTS   string          `json:"message_ts"`
	Hash        string          `json:"hash"`
	State       json.RawMessage `json:"state"` // a string in legacy dialogs
	Container   struct {
		Type        string `json:"type"`
		MessageTS   string `json:"message_ts"`
		ThreadTS    string `json:"thread_ts"`
		ChannelID   string `json:"channel_id"`
		IsEphemeral bool   `json:"is_ephemeral"`
		ViewID      string `json:"view_id"`
	} `json:"container"`
	Message struct {
		TS         string `json:"ts"`
		ThreadTS   string `json:"thread_ts"`
		Team       string `json:"team"`
		Text       string `json:"text"`
		BotProfile struct {
			TeamID string `json:"team_id"`
		} `json:"bot_profile"`
	} `json:"message"`
	Actions       []action `json:"actions"`
	View          view     `json:"view"`
	Interactivity struct {
		Pointer string `json:"interactivity_pointer"`
	} `json:"interactivity"`
}

type view struct {
	ID              string          `json:"id"`
	Type            string          `json:"type"`
	TeamID          string          `json:"team_id"`
	CallbackID      string          `json:"callback_id"`
	PrivateMetadata string          `json:"private_metadata"`
	Hash            string          `json:"hash"`
	InstalledTeam   string          `json:"app_installed_team_id"`
	State           json.RawMessage `json:"state"`
	Blocks          []struct {
		Type    string `json:"type"`
		BlockID string `json:"block_id"`
	} `json:"blocks"`
}

// action is one thing clicked or chosen; entered is what it holds.
type action struct {
	BlockID  string `json:"block_id"`
	ActionID string `json:"action_id"`
	ActionTS string `json:"action_ts"`
	entered
}

// envelope is what is read of a body to /slack/events.
// Source: Slack, "The Events API".
type envelope struct {
	Type           string `json:"type"`
	Challenge      string `json:"challenge"`
	EventID        string `json:"event_id"`
	TeamID         string `json:"team_id"`
	EnterpriseID   string `json:"enterprise_id"`
	Shared         bool   `json:"is_ext_shared_channel"`
	Authorizations []struct {
		TeamID string `json:"team_id"`
		UserID string `json:"user_id"`
		IsBot  bool   `json:"is_bot"`
	} `json:"authorizations"`
	AuthedUsers []string `json:"authed_users"` // before authorizations there was this
	Event       event    `json:"event"`
}

type event struct {
	Type        string `json:"type"`
	Subtype     string `json:"subtype"`
	User        ref    `json:"user"`
	BotID       string `json:"bot_id"`
	Text        string `json:"text"`
	ThreadTS    string `json:"thread_ts"`
	Channel     ref    `json:"channel"`
	ChannelType string `json:"channel_type"`
	Team        ref    `json:"team"`
	UserTeam    string `json:"user_team"`
	SourceTeam  string `json:"source_team"`
	Tab         string `json:"tab"`
	Inviter     ref    `json:"inviter"`
	Tokens      struct {
		Bot []string `json:"bot"`
	} `json:"tokens"`
}

// read decodes JSON leniently: a field of an unexpected type stays empty and
// costs nothing else. Only what is no JSON object at all is an error.
func read(b []byte, into any) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] != '{' {
		return errors.New("the body is no JSON object")
	}
	err := json.Unmarshal(b, into)
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) {
		return nil
	}
	return err
}

// deliveryKey joins what identifies a delivery. Long parts are replaced by
// their digest, so that a key stays a key.
func deliveryKey(parts ...string) string {
	for i, p := range parts {
		if len(p) > 100 {
			parts[i] = digest([]byte(p))
		}
	}
	return "slack/" + strings.Join(parts, "/")
}

// digest identifies bytes where Slack sent no ID of its own.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256-" + hex.EncodeToString(sum[:12])
}

// first is the first of its arguments that is not empty.
func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
