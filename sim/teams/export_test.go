package teams

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// ShapeOf is a row of the table of card types.
type ShapeOf struct{ Props, Need []string }

// Shapes shows the table of card types to the tests.
func Shapes() map[string]ShapeOf {
	all := map[string]ShapeOf{}
	for _, table := range []map[string]shape{elements, actions, partsOf} {
		for name, sh := range maps.All(table) {
			all[name] = ShapeOf{sh.props, sh.need}
		}
	}
	return all
}

// ClaimsOf reads the claims of an Authorization header.
func ClaimsOf(header string) map[string]any {
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(strings.TrimPrefix(header, "Bearer "), claims); err != nil {
		return nil
	}
	return claims
}

// CheckCard lets the fuzz test look at any card, and press its buttons.
func CheckCard(raw []byte) (said []string, err error) {
	f, err := checkCard(raw)
	if err != nil {
		return nil, err
	}
	card := map[string]any{}
	if err := json.Unmarshal(raw, &card); err != nil {
		return nil, err
	}
	for _, b := range buttons(card, nil) {
		if values, _, err := fill(b.inputs, nil); err == nil {
			payload(b.action, values)
		}
	}
	return f.said, nil
}

// ReadActivity lets the fuzz test send any activity.
func (s *Server) ReadActivity(conversation string, raw []byte) (parts int, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, _ := s.find(conversation)
	all, no := s.readActivity(p, raw, sending)
	return len(all), no != nil
}

// Encode lets the fuzz test type any line.
func (s *Server) Encode(text string) (wire string, entities []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wire, _, entities, _ = s.encode(text)
	return wire, entities
}
