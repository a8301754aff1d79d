package teams

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// activity is what is read of a request. Microsoft adds fields and kinds at any
// time, and some fields come in more than one type: those stay raw, and an odd
// one costs nothing else. Source: Microsoft, "Bot Framework Activity schema".
type activity struct {
	Type         string          `json:"type"`
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Action       string          `json:"action"`
	Text         string          `json:"text"`
	TextFormat   string          `json:"textFormat"`
	ServiceURL   string          `json:"serviceUrl"`
	ChannelID    string          `json:"channelId"`
	ReplyToID    string          `json:"replyToId"`
	From         account         `json:"from"`
	Recipient    account         `json:"recipient"`
	Conversation conversation    `json:"conversation"`
	Added        []account       `json:"membersAdded"`
	Removed      []account       `json:"membersRemoved"`
	Entities     json.RawMessage `json:"entities"`
	ChannelData  json.RawMessage `json:"channelData"`
	Value        json.RawMessage `json:"value"`
	Timestamp    json.RawMessage `json:"timestamp"`
}

// account is somebody in a conversation.
type account struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	AadObjectID string          `json:"aadObjectId"`
	ObjectID    string          `json:"objectId"`
	TenantID    string          `json:"tenantId"`
	UserRole    string          `json:"userRole"`
	Role        string          `json:"role"`
	UPN         string          `json:"userPrincipalName"`
	Targeted    json.RawMessage `json:"isTargeted"`
}

// foreign reports whether the account says that it is of another organisation
// than tenant.
func (a account) foreign(tenant string) bool {
	return a.TenantID != "" && !strings.EqualFold(a.TenantID, tenant)
}

type conversation struct {
	ID       string `json:"id"`
	Type     string `json:"conversationType"`
	TenantID string `json:"tenantId"`
}

// The kinds of conversation.
const (
	kindPersonal = "personal"
	kindGroup    = "groupChat"
	kindChannel  = "channel"
)

const threadMark = ";messageid="

// channel is the conversation without its thread.
func (c conversation) channel() string {
	id, _, _ := strings.Cut(c.ID, threadMark)
	return id
}

// thread is the ID of the thread's root message, or "".
func (c conversation) thread() string {
	_, id, _ := strings.Cut(c.ID, threadMark)
	return id
}

// kind says what the conversation is, from its ID where it does not say.
func (c conversation) kind() string {
	switch c.Type {
	case kindPersonal, kindGroup, kindChannel:
		return c.Type
	}
	return kindOf(c.channel())
}

func kindOf(id string) string {
	switch {
	case strings.HasPrefix(id, "a:"):
		return kindPersonal
	case strings.HasSuffix(id, "@thread.v2"), strings.HasSuffix(id, "@unq.gbl.spaces"):
		return kindGroup
	}
	return kindChannel
}

// channelData is the part of an activity that only Teams has.
type channelData struct {
	EventType string   `json:"eventType"`
	Tenant    idOnly   `json:"tenant"`
	Team      idName   `json:"team"`
	Channel   idName   `json:"channel"`
	TeamID    string   `json:"teamsTeamId"`
	Settings  settings `json:"settings"`
}

type settings struct {
	Selected idOnly `json:"selectedChannel"`
}

type idOnly struct {
	ID string `json:"id"`
}

// idName is a team or a channel. Its name comes only with some events, such as
// that it was renamed.
type idName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (d channelData) teamID() string { return first(d.Team.ID, d.TeamID) }

func (v activity) data() (d channelData) {
	_ = read(v.ChannelData, &d)
	return d
}

// tenant is the organisation that the conversation belongs to.
func (v activity) tenant() string {
	return strings.ToLower(first(v.Conversation.TenantID, v.data().Tenant.ID))
}

// at is when the activity was sent, or now where it does not say so.
func (v activity) at(now time.Time) time.Time {
	s, _ := text(v.Timestamp)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return now
}

// mention is an entity that names somebody in the text.
type mention struct {
	Type      string  `json:"type"`
	Text      string  `json:"text"`
	Mentioned account `json:"mentioned"`
}

// mentions are the people whom the text names, in order.
func (v activity) mentions() []mention {
	var raw []json.RawMessage
	if json.Unmarshal(v.Entities, &raw) != nil {
		return nil
	}
	var out []mention
	for _, r := range raw {
		var m mention
		if read(r, &m) == nil && m.Type == "mention" {
			out = append(out, m)
		}
	}
	return out
}

// read decodes JSON leniently: a field of an unexpected type stays empty and
// costs nothing else. Only what is no JSON object at all is an error.
func read(b []byte, into any) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] != '{' {
		return errors.New("it is no JSON object")
	}
	err := json.Unmarshal(b, into)
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) {
		return nil
	}
	return err
}

// deliveryKey names one delivery: the same for each repeat of it. Long parts
// are replaced by their digest, so that a key stays a key.
func deliveryKey(parts ...string) string {
	out := "teams"
	for _, p := range parts {
		if p == "" {
			continue
		}
		if len(p) > 200 {
			p = digest([]byte(p))
		}
		out += "/" + p
	}
	return out
}

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
