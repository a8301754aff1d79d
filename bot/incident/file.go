package incident

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf16"
)

// File is what a saved answer of Microsoft Graph holds.
type File struct {
	Issues        []Issue
	Announcements []Announcement
}

// ParseFile reads a saved answer: one issue or message center post, a list of
// them, or {"value": [...]}; health overviews read with $expand=issues give
// their issues. A byte order mark and the UTF-16 that PowerShell writes are
// understood. The error says which item is wrong and why; nothing is returned
// then.
func ParseFile(b []byte) (File, error) {
	items, err := Items(b)
	if err != nil {
		return File{}, err
	}
	var f File
	for i, it := range items {
		if err := f.add(it); err != nil {
			if len(items) == 1 {
				return File{}, err
			}
			return File{}, fmt.Errorf("item %d of %d: %w", i+1, len(items), err)
		}
	}
	return f, nil
}

// Items gives the items of such a file as they stand in it.
func Items(b []byte) ([]json.RawMessage, error) { return itemsOf(plainUTF8(b)) }

// add reads one item by what only its kind has.
func (f *File) add(raw json.RawMessage) error {
	var shape struct {
		Body           json.RawMessage   `json:"body"`
		Severity       json.RawMessage   `json:"severity"`
		Category       json.RawMessage   `json:"category"`
		Posts          json.RawMessage   `json:"posts"`
		Classification json.RawMessage   `json:"classification"`
		Impact         json.RawMessage   `json:"impactDescription"`
		Issues         []json.RawMessage `json:"issues"`
	}
	if err := decodeObject(raw, "item", &shape); err != nil {
		return err
	}
	switch {
	case shape.Issues != nil:
		for _, is := range shape.Issues {
			if err := f.add(is); err != nil {
				return err
			}
		}
		return nil
	case shape.Posts != nil || shape.Classification != nil || shape.Impact != nil:
		is, err := Parse(raw)
		f.Issues = append(f.Issues, is)
		return err
	case shape.Body != nil || shape.Severity != nil || shape.Category != nil:
		a, err := ParseMessage(raw)
		f.Announcements = append(f.Announcements, a)
		return err
	}
	return errors.New("this is neither a service health issue (posts, classification) nor a message center post (body, category): save the answer of /admin/serviceAnnouncement/issues or /messages")
}

// itemsOf gives the items of one object, a list, or {"value": [...]}.
func itemsOf(raw []byte) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("there is no JSON in it")
	}
	if raw[0] == '[' {
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, fmt.Errorf("it is no valid JSON: %w", err)
		}
		return items, nil
	}
	var page struct {
		Value json.RawMessage `json:"value"`
	}
	if err := decodeObject(raw, "answer", &page); err != nil {
		return nil, err
	}
	if page.Value == nil {
		return []json.RawMessage{raw}, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(page.Value, &items); err != nil {
		return nil, errors.New(`the field "value" is not a list`)
	}
	return items, nil
}

// plainUTF8 takes a byte order mark away and turns UTF-16 into UTF-8.
func plainUTF8(b []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		return b[3:]
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return b
	}
	var units []uint16
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, order.Uint16(b[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}
