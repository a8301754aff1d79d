package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Message is what the bot says, neutral of platform.
type Message struct {
	// Key is Keyturn's own ID of the message. It travels with the message
	// where the platform has a place for it, so that an ambiguous send can be
	// looked up, and names the message in the ledger. It is no secret.
	Key   string `json:"key,omitempty"`
	Parts []Part `json:"parts"`
	// Aloud asks for attention beyond the thread: Slack broadcasts the reply
	// to the channel, Teams raises a notification.
	Aloud bool `json:"aloud,omitempty"`
}

// Part is one element of a message: [Heading], [Paragraph], [Pairs],
// [Numbered], [Copy], [Code], [Note], [Divider], [Image] or [Buttons].
type Part interface{ kind() string }

// Heading is a short title. Slack shows at most 150 characters; renderers cut.
type Heading struct {
	Text string `json:"text"`
}

// Paragraph is text; line breaks are kept.
type Paragraph struct {
	Text Text `json:"text"`
}

// Pairs is a small table of labels and values.
type Pairs struct {
	Items []Pair `json:"items"`
}

// Pair is one row of [Pairs].
type Pair struct {
	Label string `json:"label"`
	Value Text   `json:"value"`
}

// Numbered is a numbered list of things to do.
type Numbered struct {
	Items []Text `json:"items"`
}

// Copy is one value to copy, alone in its field under its label.
type Copy struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Code is preformatted text: calls, scripts, error texts.
type Code struct {
	Title string `json:"title,omitempty"`
	Text  string `json:"text"`
}

// Note is small print: IDs, request IDs, sources.
type Note struct {
	Text Text `json:"text"`
}

// Divider is a line between parts.
type Divider struct{}

// Image is a picture. Alt says in words what it shows; where the picture cannot
// be shown the words stand in its place. It is at URL, or Keyturn draws it from
// Chart at the moment of sending.
type Image struct {
	URL   string `json:"url,omitempty"`
	Alt   string `json:"alt"`
	Chart *Chart `json:"chart,omitempty"`
	// PNG is the picture drawn from Chart. It is made for one send and not
	// kept: the same data give the same picture.
	PNG []byte `json:"-"`
}

// Chart is what a picture is drawn from: data of a kind that the painter knows.
type Chart struct {
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Buttons is one row of buttons.
type Buttons struct {
	Items []Button `json:"items"`
}

// ButtonStyle is how much a button stands out.
type ButtonStyle string

// The button styles: at most one Primary a card, Danger only for what
// destroys.
const (
	Normal  ButtonStyle = ""
	Primary ButtonStyle = "primary"
	Danger  ButtonStyle = "danger"
)

// Button asks for something when clicked. Action is the verb, Value an opaque
// ID for it (never a secret: every member of a workspace can read it). With
// URL set the button opens a page and asks nothing.
type Button struct {
	Label   string      `json:"label"`
	Action  string      `json:"action,omitempty"`
	Value   string      `json:"value,omitempty"`
	URL     string      `json:"url,omitempty"`
	Style   ButtonStyle `json:"style,omitempty"`
	Confirm *Confirm    `json:"confirm,omitempty"`
	Says    string      `json:"says,omitempty"` // what a screen reader says where the label alone is ambiguous
}

// Confirm is asked before a button takes effect. Yes is a verb.
type Confirm struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Yes   string `json:"yes"`
	No    string `json:"no"`
}

func (Heading) kind() string   { return "heading" }
func (Paragraph) kind() string { return "paragraph" }
func (Pairs) kind() string     { return "pairs" }
func (Numbered) kind() string  { return "numbered" }
func (Copy) kind() string      { return "copy" }
func (Code) kind() string      { return "code" }
func (Note) kind() string      { return "note" }
func (Divider) kind() string   { return "divider" }
func (Image) kind() string     { return "image" }
func (Buttons) kind() string   { return "buttons" }

// Places is the message with each span that names a place changed.
func (m Message) Places(change func(Span) Span) Message {
	named := func(s Span) bool { return s.In != nil }
	text := func(t Text) Text {
		if !slices.ContainsFunc(t, named) {
			return t
		}
		out := slices.Clone(t)
		for i := range out {
			if named(out[i]) {
				out[i] = change(out[i])
			}
		}
		return out
	}
	m.Parts = slices.Clone(m.Parts)
	for i, p := range m.Parts {
		switch p := p.(type) {
		case Paragraph:
			m.Parts[i] = Paragraph{Text: text(p.Text)}
		case Note:
			m.Parts[i] = Note{Text: text(p.Text)}
		case Numbered:
			items := slices.Clone(p.Items)
			for j := range items {
				items[j] = text(items[j])
			}
			m.Parts[i] = Numbered{Items: items}
		case Pairs:
			items := slices.Clone(p.Items)
			for j := range items {
				items[j].Value = text(items[j].Value)
			}
			m.Parts[i] = Pairs{Items: items}
		}
	}
	return m
}

// Say is a message of one paragraph.
func Say(t ...Text) Message { return Message{Parts: []Part{Paragraph{Join(t...)}}} }

// Add appends parts.
func (m *Message) Add(parts ...Part) { m.Parts = append(m.Parts, parts...) }

// Empty reports whether the message says nothing.
func (m Message) Empty() bool { return len(m.Parts) == 0 }

// Words is the whole meaning of the message in plain words, first things
// first: what a screen reader reads and a notification shows. Button labels
// are named, since they say what can be done.
func (m Message) Words() string {
	var lines []string
	for _, p := range m.Parts {
		switch p := p.(type) {
		case Heading:
			lines = append(lines, p.Text)
		case Paragraph:
			lines = append(lines, p.Text.Plain())
		case Pairs:
			for _, it := range p.Items {
				lines = append(lines, it.Label+": "+it.Value.Plain())
			}
		case Numbered:
			for i, it := range p.Items {
				lines = append(lines, fmt.Sprintf("%d. %s", i+1, it.Plain()))
			}
		case Copy:
			lines = append(lines, p.Label+": "+p.Value)
		case Code:
			if p.Title != "" {
				lines = append(lines, p.Title+":")
			}
			lines = append(lines, p.Text)
		case Note:
			lines = append(lines, p.Text.Plain())
		case Image:
			lines = append(lines, p.Alt)
		case Buttons:
			var labels []string
			for _, b := range p.Items {
				labels = append(labels, "["+b.Label+"]")
			}
			lines = append(lines, strings.Join(labels, " "))
		}
	}
	return strings.Join(lines, "\n")
}

type wirePart struct {
	Kind string          `json:"kind"`
	Part json.RawMessage `json:"part,omitempty"`
}

// MarshalJSON writes the message with each part's kind.
func (m Message) MarshalJSON() ([]byte, error) {
	type kinded struct { // as wirePart, encoded in one go
		Kind string `json:"kind"`
		Part Part   `json:"part"`
	}
	w := struct {
		Key   string   `json:"key,omitempty"`
		Parts []kinded `json:"parts"`
		Aloud bool     `json:"aloud,omitempty"`
	}{Key: m.Key, Aloud: m.Aloud, Parts: make([]kinded, 0, len(m.Parts))}
	for _, p := range m.Parts {
		w.Parts = append(w.Parts, kinded{p.kind(), p})
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Message) UnmarshalJSON(b []byte) error {
	var w struct {
		Key   string     `json:"key"`
		Parts []wirePart `json:"parts"`
		Aloud bool       `json:"aloud"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*m = Message{Key: w.Key, Aloud: w.Aloud}
	for _, p := range w.Parts {
		part, err := readPart(p)
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, part)
	}
	return nil
}

func readPart(w wirePart) (Part, error) {
	switch w.Kind {
	case "heading":
		return part[Heading](w.Part)
	case "paragraph":
		return part[Paragraph](w.Part)
	case "pairs":
		return part[Pairs](w.Part)
	case "numbered":
		return part[Numbered](w.Part)
	case "copy":
		return part[Copy](w.Part)
	case "code":
		return part[Code](w.Part)
	case "note":
		return part[Note](w.Part)
	case "divider":
		return Divider{}, nil
	case "image":
		return part[Image](w.Part)
	case "buttons":
		return part[Buttons](w.Part)
	}
	return nil, fmt.Errorf("a stored message has a part of unknown kind %q: was it written by a newer Keyturn?", w.Kind)
}

func part[P Part](b json.RawMessage) (Part, error) {
	var p P
	err := json.Unmarshal(b, &p)
	return p, err
}
