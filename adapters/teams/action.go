package teams

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"sort"
	"strings"

	"keyturn/bot"
)

// dataKey is where our part of a card's data is. Teams puts the inputs of a
// card beside it.
const dataKey = "keyturn"

// What a button of ours is, beyond asking for its action.
const (
	pressSubmit = "form" // sends a form
	pressShow   = "show" // shows a form that was offered
	pressBack   = "back" // goes back to the card that a form or an answer replaced
)

// pressed is what a button carries through Teams. Whoever sees the card can
// read it, and a changed client could change it: it names what is asked for and
// never who may.
type pressed struct {
	Action string `json:"a,omitempty"`
	Value  string `json:"v,omitempty"`
	Nonce  string `json:"n,omitempty"` // of the card, part of the delivery key
	Kind   string `json:"k,omitempty"`
	Form   string `json:"f,omitempty"` // the form itself, packed, to show it again
}

// readPressed finds our part in a card's data, and the inputs beside it.
func readPressed(data json.RawMessage) (pressed, map[string][]string, bool) {
	var all map[string]json.RawMessage
	if json.Unmarshal(data, &all) != nil {
		return pressed{}, nil, false
	}
	var p pressed
	if read(all[dataKey], &p) != nil || p.Action == "" && p.Kind != pressBack {
		return pressed{}, nil, false
	}
	return p, entered(all), true
}

// The beginnings of input IDs say how a value is read. They do not change
// between two drawings of a form.
const (
	idOne    = "in:" // as it stands
	idMany   = "ms:" // several, separated by commas
	idTick   = "tk:" // yes or not
	idPlace  = "ch:" // a channel's ID
	idLinked = "cl:" // a link to a channel, which comes before idPlace
)

// entered are the values of inputs by name.
func entered(all map[string]json.RawMessage) map[string][]string {
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	sort.Strings(ids) // so that a link is read after the channel that it replaces
	out := map[string][]string{}
	for _, id := range ids {
		if len(id) <= 3 {
			continue
		}
		v, ok := text(all[id])
		if !ok { // a toggle of old clients is a boolean, a number a number
			v = strings.Trim(string(all[id]), `"`)
			if v == "null" || strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
				continue
			}
		}
		name := id[3:]
		switch id[:3] {
		case idOne:
			out[name] = kept(v)
		case idMany:
			var list []string
			for _, one := range strings.Split(v, ",") {
				if one, err := url.QueryUnescape(one); err == nil && one != "" {
					list = append(list, one)
				}
			}
			out[name] = list
		case idTick:
			out[name] = nil
			if v == "yes" || v == "true" {
				out[name] = []string{"yes"}
			}
		case idPlace:
			out[name] = kept(v)
		case idLinked:
			if v = strings.TrimSpace(v); v != "" {
				out[name] = []string{channelOf(v)}
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func kept(v string) []string {
	if v = strings.TrimSpace(v); v == "" {
		return nil
	}
	return []string{v}
}

// channelOf is the channel that a link names, or what was typed where it is no
// link. Source: Microsoft, "Deep links to channels and messages".
func channelOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" {
		return s
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	for i, part := range parts {
		if (part == "channel" || part == "message") && i+1 < len(parts) {
			return parts[i+1]
		}
	}
	return s
}

// maxForm is the largest form that is unpacked.
const maxForm = 256 << 10

// packedForm is a form as it travels: [bot.Form] leaves its intro out.
type packedForm struct {
	bot.Form
	Lead bot.Message `json:"lead"`
}

// pack writes a form so that the card can carry it.
func pack(f bot.Form) (string, error) {
	b, err := json.Marshal(packedForm{Form: f, Lead: bot.Message{Parts: f.Intro}})
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(b); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(out.Bytes()), nil
}

var errNoForm = errors.New("the card does not carry its form")

// unpack reads what pack wrote.
func unpack(s string) (bot.Form, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) == 0 {
		return bot.Form{}, errNoForm
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), maxForm+1))
	var p packedForm
	if err != nil || len(raw) > maxForm || json.Unmarshal(raw, &p) != nil {
		return bot.Form{}, errNoForm
	}
	p.Form.Intro = p.Lead.Parts
	return p.Form, nil
}
