package teams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

const adaptiveCard = "application/vnd.microsoft.card.adaptive"

// The types of an answer to adaptiveCard/action ("Universal Actions for Adaptive
// Cards").
const (
	errorType        = "application/vnd.microsoft.error"
	toastType        = "application/vnd.microsoft.activity.message"
	loginType        = "application/vnd.microsoft.activity.loginRequest"
	wrongCodeType    = "application/vnd.microsoft.error.incorrectAuthCode"
	preconditionType = "application/vnd.microsoft.error.preconditionFailed"
)

// purpose says what an activity is sent for.
type purpose int

const (
	sending purpose = iota
	sendingToOne
	updating
	updatingToOne
)

// part is one message that an activity becomes.
type part struct {
	raw     json.RawMessage
	text    string
	replyTo string
	to      string // object ID of the only person who sees it
	faults  []string
	mention []mention
	alert   bool
}

// mention is one name in a text.
type mention struct {
	Type      string `json:"type"`
	Text      string `json:"text"`
	Mentioned struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"mentioned"`
}

// outgoing is what the Connector reads of an activity.
type outgoing struct {
	Type             string `json:"type"`
	Text             string `json:"text"`
	TextFormat       string `json:"textFormat"`
	Summary          string `json:"summary"`
	AttachmentLayout string `json:"attachmentLayout"`
	Recipient        *struct{ ID string }
	Entities         json.RawMessage `json:"entities"`
	Attachments      []attachment    `json:"attachments"`
	SuggestedActions *struct {
		Actions []struct {
			Type string `json:"type"`
		} `json:"actions"`
	} `json:"suggestedActions"`
	ChannelData struct {
		Notification struct {
			Alert bool `json:"alert"`
		} `json:"notification"`
	} `json:"channelData"`
}

type attachment struct {
	ContentType string          `json:"contentType"`
	Content     json.RawMessage `json:"content"`
	ContentURL  string          `json:"contentUrl"`
}

// readActivity checks an activity of the bot and takes it apart as Teams does: a
// text and every attachment become a message each, unless the attachments are a
// carousel. Typing has no part.
func (s *Server) readActivity(p place, raw json.RawMessage, how purpose) ([]part, *refusal) {
	var a outgoing
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(raw, &a) != nil {
		return nil, bad("The activity is not the JSON of an activity.")
	}
	if wireSize(raw) > maxMessage {
		return nil, refuse("MessageSizeTooBig")
	}
	switch {
	case a.Type == "typing" && how == sending:
		return nil, nil
	case a.Type != "message":
		return nil, bad("The activity type %q cannot be sent.", a.Type)
	case !slices.Contains([]string{"", "plain", "markdown", "xml"}, a.TextFormat):
		return nil, bad("The textFormat %q is none of plain, markdown, xml.", a.TextFormat)
	}
	common := part{raw: raw, text: a.Text, alert: a.ChannelData.Notification.Alert}
	var no *refusal
	if common.to, no = s.onlyFor(p, a, how); no != nil {
		return nil, no
	}
	if no := s.checkText(p, a, &common); no != nil {
		return nil, no
	}
	for i, at := range a.Attachments {
		if no := s.checkAttachment(p, at, &common); no != nil {
			no.message = fmt.Sprintf("attachments[%d]: %s", i, no.message)
			return nil, no
		}
	}
	if a.Text == "" && len(a.Attachments) > 0 && a.Summary == "" {
		common.faults = append(common.faults, "a card without summary: the notification does not say what it is about")
	}
	return split(a, fields, common)
}

// onlyFor reads whom a message for one person is for ("Targeted messages").
func (s *Server) onlyFor(p place, a outgoing, how purpose) (string, *refusal) {
	named := a.Recipient != nil && a.Recipient.ID != ""
	switch {
	case how == updatingToOne && named:
		return "", bad("An update of a targeted message must not name a recipient.")
	case how != sendingToOne:
		return "", nil
	case !named:
		return "", bad("A targeted message needs its recipient.")
	case p.kind() == "personal":
		return "", bad("A targeted message belongs into a channel or a group chat.")
	}
	u := s.known(a.Recipient.ID)
	if u == nil || !slices.Contains(p.members(), u.ID) {
		return "", bad("The recipient is not a member of the conversation.")
	}
	return u.ID, nil
}

var atTag = regexp.MustCompile(`<at>(.*?)</at>`)

// checkText holds the mentions of an activity against its text.
func (s *Server) checkText(p place, a outgoing, out *part) *refusal {
	marked := map[string]bool{}
	for _, m := range mentions(a.Entities) {
		if m.Text == "" || !strings.Contains(a.Text, m.Text) {
			return bad("The mention text %q does not match the text of the activity.", m.Text)
		}
		if m.Mentioned.ID == "" {
			return bad("The mention %q names nobody.", m.Text)
		}
		marked[m.Text] = true
		out.mention = append(out.mention, m)
	}
	for _, hit := range atTag.FindAllString(a.Text, -1) {
		if !marked[hit] {
			out.faults = append(out.faults, fmt.Sprintf("mention mismatch: %s stands in the text without an entity and mentions nobody", hit))
		}
	}
	if sa := a.SuggestedActions; sa != nil && len(sa.Actions) > 0 {
		if p.kind() != "personal" {
			out.faults = append(out.faults, "suggested actions are shown in personal chats only")
		}
		if len(sa.Actions) > suggestedAdvise {
			out.faults = append(out.faults, fmt.Sprintf("%d suggested actions; three are safe", len(sa.Actions)))
		}
		for _, act := range sa.Actions {
			if act.Type != "imBack" {
				out.faults = append(out.faults, fmt.Sprintf("the suggested action type %q; Teams knows imBack only", act.Type))
			}
		}
	}
	return nil
}

// mentions reads the mention entities, whatever else stands among them.
func mentions(raw json.RawMessage) []mention {
	var entities []json.RawMessage
	if json.Unmarshal(raw, &entities) != nil {
		return nil
	}
	var found []mention
	for _, e := range entities {
		var m mention
		if json.Unmarshal(e, &m) == nil && m.Type == "mention" {
			found = append(found, m)
		}
	}
	return found
}

var otherAttachments = regexp.MustCompile(`^(image|audio|video)/|^text/html$|^application/vnd\.microsoft\.(card\.(hero|thumbnail|receipt|signin|oauth|list|animation|audio|video)|teams\.(card\.(o365connector|list)|file\..*))$`)

func (s *Server) checkAttachment(p place, at attachment, out *part) *refusal {
	if at.ContentType != adaptiveCard {
		if !otherAttachments.MatchString(at.ContentType) {
			return bad("the content type %q is not supported", at.ContentType)
		}
		return nil
	}
	findings, err := checkCard(at.Content)
	if err != nil {
		return bad("the card is malformed: %v", err)
	}
	if n := len(compact(at.Content)); n > cardAdvised {
		findings.add("a card of %d bytes; above %d older clients drop it", n, cardAdvised)
	}
	out.faults = append(out.faults, findings.said...)
	out.mention = append(out.mention, findings.mention...)
	return nil
}

// split makes a message of each part.
func split(a outgoing, fields map[string]json.RawMessage, common part) ([]part, *refusal) {
	count := len(a.Attachments)
	if a.AttachmentLayout == "carousel" && count > 1 {
		count = 1
	}
	if strings.TrimSpace(a.Text) != "" {
		count++
	}
	switch count {
	case 0:
		return nil, bad("The activity has neither text nor attachments.")
	case 1:
		return []part{common}, nil
	}
	var attachments []json.RawMessage
	_ = json.Unmarshal(fields["attachments"], &attachments) // read before
	var parts []part
	add := func(change func(map[string]json.RawMessage)) {
		own := maps.Clone(fields)
		change(own)
		one := common
		if len(parts) > 0 {
			one.faults, one.mention, one.alert = nil, nil, false
		}
		one.raw, _ = json.Marshal(own) // made of JSON
		one.text = ""
		if own["text"] != nil {
			one.text = a.Text
		}
		parts = append(parts, one)
	}
	if strings.TrimSpace(a.Text) != "" {
		add(func(own map[string]json.RawMessage) { delete(own, "attachments") })
	}
	if a.AttachmentLayout == "carousel" {
		add(func(own map[string]json.RawMessage) { delete(own, "text") })
		return parts, nil
	}
	for _, at := range attachments {
		add(func(own map[string]json.RawMessage) {
			delete(own, "text")
			own["attachments"] = json.RawMessage("[" + string(at) + "]")
		})
	}
	return parts, nil
}

var inlinePicture = regexp.MustCompile(`data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]*`)

// wireSize is the size of an activity as Teams counts it: in UTF-16, pictures
// in base64 left out.
func wireSize(raw json.RawMessage) int {
	text := inlinePicture.ReplaceAllString(string(compact(raw)), "")
	return 2 * len(utf16.Encode([]rune(text)))
}

// compact writes JSON in the shortest way, so that a bot that escapes more than
// it must is not counted larger.
func compact(raw json.RawMessage) []byte {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return raw
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return raw
	}
	return bytes.TrimSpace(out.Bytes())
}
