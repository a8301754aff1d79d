package teams

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"keyturn/bot"
)

// Memory keeps what Teams says only in passing and what sending needs later:
// the Bot Connector's address of a conversation, the channels of a team, and
// how to write to a person. It holds no secret. Values are JSON of at most a few
// hundred bytes under keys of printable characters, such as
//
//	conversation/<tenant>/<conversation ID>
//	person/<tenant>/<object ID>
//	alias/<tenant>/<Teams' own ID of a person>
//	team/<tenant>/<team ID>
//	tenant/<tenant>
//
// Implementations must be safe for concurrent use. One that survives a restart
// lets the bot write to people before they write to it again; a lost entry is
// learned anew from the next activity.
type Memory interface {
	// Recall gives what was last remembered under a key.
	Recall(key string) (string, bool)
	// Remember replaces the value under a key; an empty value forgets it.
	Remember(key, value string) error
}

// NewMemory is a [Memory] that ends with the process.
func NewMemory() Memory { return &passing{kept: map[string]string{}} }

type passing struct {
	mu   sync.RWMutex
	kept map[string]string
}

func (p *passing) Recall(key string) (string, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	v, ok := p.kept[key]
	return v, ok
}

func (p *passing) Remember(key, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if value == "" {
		delete(p.kept, key)
		return nil
	}
	p.kept[key] = value
	return nil
}

// spot is what is known of a conversation.
type spot struct {
	Service string `json:"s,omitempty"`
	Kind    string `json:"k,omitempty"` // personal, groupChat or channel
	Team    string `json:"t,omitempty"`
	Name    string `json:"n,omitempty"` // of a channel
}

// contact is how to write to a person.
type contact struct {
	ID      string `json:"i,omitempty"` // Teams' own ID of the person for this bot: 29:...
	Chat    string `json:"c,omitempty"` // the personal conversation
	Service string `json:"s,omitempty"`
}

// roster is what is known of a team or of a tenant.
type roster struct {
	Service  string   `json:"s,omitempty"`
	Name     string   `json:"n,omitempty"` // of a team
	Channels []string `json:"c,omitempty"` // of a team
	Teams    []string `json:"t,omitempty"` // of a tenant, newest first
}

const (
	maxChannels = 50
	maxTeams    = 8
)

func memoryKey(kind, tenant, id string) string { return kind + "/" + tenant + "/" + id }

// recall reads a remembered value. What cannot be read counts as unknown.
func recall[T any](a *Adapter, kind, tenant, id string) (v T, ok bool) {
	s, ok := a.memory.Recall(memoryKey(kind, tenant, id))
	if !ok || json.Unmarshal([]byte(s), &v) != nil {
		var none T
		return none, false
	}
	return v, true
}

// remember writes a value where it changed. That it could not is told to the
// operator and costs nothing now.
func remember[T any](a *Adapter, kind, tenant, id string, v T) {
	b, err := json.Marshal(v)
	if err != nil || tenant == "" {
		return
	}
	key := memoryKey(kind, tenant, id)
	if old, ok := a.memory.Recall(key); ok && old == string(b) {
		return
	}
	if err := a.memory.Remember(key, string(b)); err != nil {
		a.log.Warn("what Teams said about a conversation could not be kept; after a restart the bot has to hear it again", "key", key, "error", err)
	}
}

// Met reports whether a memory knows how to write to a person: they added the
// app, wrote to it, or were seen in a team that has it.
func Met(m Memory, who bot.Account) bool {
	s, ok := m.Recall(memoryKey("person", who.Team, who.ID))
	var c contact
	return ok && json.Unmarshal([]byte(s), &c) == nil && (c.Chat != "" || c.ID != "")
}

// learn keeps what an authenticated activity says about where things are.
func (a *Adapter) learn(v activity) {
	tenant, conversation := v.tenant(), v.Conversation.channel()
	if tenant == "" || conversation == "" {
		return
	}
	a.learning.Lock() // what is read here is written back
	defer a.learning.Unlock()
	kind := v.Conversation.kind()
	data := v.data()
	team := data.teamID()
	at, _ := recall[spot](a, "conversation", tenant, conversation)
	remember(a, "conversation", tenant, conversation, spot{Service: v.ServiceURL, Kind: kind, Team: team, Name: at.Name})
	if at, ok := recall[spot](a, "conversation", tenant, data.Channel.ID); ok && data.Channel.Name != "" {
		at.Name = data.Channel.Name
		remember(a, "conversation", tenant, data.Channel.ID, at)
	}
	if v.From.AadObjectID != "" && strings.HasPrefix(v.From.ID, "29:") && !v.From.foreign(tenant) {
		who, _ := recall[contact](a, "person", tenant, strings.ToLower(v.From.AadObjectID))
		who.ID, who.Service = v.From.ID, v.ServiceURL
		if kind == kindPersonal {
			who.Chat = conversation
		}
		remember(a, "person", tenant, strings.ToLower(v.From.AadObjectID), who)
		remember(a, "alias", tenant, v.From.ID, v.From.AadObjectID)
	}
	all, _ := recall[roster](a, "tenant", tenant, "")
	all.Service = v.ServiceURL
	if team != "" {
		one, _ := recall[roster](a, "team", tenant, team)
		one.Service, one.Name = v.ServiceURL, first(data.Team.Name, one.Name)
		for _, c := range []string{team, conversation} {
			if !slices.Contains(one.Channels, c) && len(one.Channels) < maxChannels {
				one.Channels = append(one.Channels, c)
			}
		}
		remember(a, "team", tenant, team, one)
		if !slices.Contains(all.Teams, team) {
			all.Teams = append([]string{team}, all.Teams...)
			all.Teams = all.Teams[:min(len(all.Teams), maxTeams)]
		}
	}
	remember(a, "tenant", tenant, "", all)
}

// forgetChat drops a person's chat that no longer exists.
func (a *Adapter) forgetChat(who bot.Account) {
	a.learning.Lock()
	defer a.learning.Unlock()
	c, ok := recall[contact](a, "person", who.Team, strings.ToLower(who.ID))
	if ok && c.Chat != "" {
		c.Chat = ""
		remember(a, "person", who.Team, strings.ToLower(who.ID), c)
	}
}
