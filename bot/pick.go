package bot

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Pick is the value at a dotted path of a JSON document: "id",
// "result.sys_id", "value.0.id". Strings come without quotes, numbers and
// booleans as JSON writes them, null as "". It reports false where there is
// nothing at the path or it is no scalar. A ServiceNow reference, an object
// with a "value", counts as its value.
func Pick(body json.RawMessage, path string) (string, bool) {
	raw, ok := at(body, path)
	if !ok {
		return "", false
	}
	return scalar(raw)
}

// PickList is the elements of the array at a dotted path; "" is the document
// itself. Anything that is no array has none.
func PickList(body json.RawMessage, path string) []json.RawMessage {
	raw, ok := at(body, path)
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

func at(raw json.RawMessage, path string) (json.RawMessage, bool) {
	if len(raw) == 0 {
		return nil, false
	}
	if path == "" {
		return raw, true
	}
	for _, name := range strings.Split(path, ".") {
		raw = bytes.TrimSpace(raw)
		if len(raw) == 0 {
			return nil, false
		}
		if raw[0] == '[' {
			i, err := strconv.Atoi(name)
			var list []json.RawMessage
			if err != nil || json.Unmarshal(raw, &list) != nil || i < 0 || i >= len(list) {
				return nil, false
			}
			raw = list[i]
			continue
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil, false
		}
		next, ok := object[name]
		if !ok {
			return nil, false
		}
		raw = next
	}
	return raw, true
}

func scalar(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return "", false
		}
		return s, true
	case '{':
		var ref struct {
			Value *string `json:"value"`
		}
		if json.Unmarshal(raw, &ref) != nil || ref.Value == nil {
			return "", false
		}
		return *ref.Value, true
	case '[':
		return "", false
	case 'n':
		return "", true
	}
	return string(raw), true
}
