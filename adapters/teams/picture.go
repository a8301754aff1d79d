package teams

import (
	"context"
	"slices"

	"keyturn/bot"
)

// Pictures gives a picture that Keyturn has drawn an address where Teams can
// fetch it: a card carries none, and Teams loads them without signing in.
type Pictures interface {
	Keep(ctx context.Context, png []byte) (address string, err error)
}

// pictured gives the pictures of a message their addresses. Without one its
// words are shown: a picture never holds up what it belongs to.
func (a *Adapter) pictured(ctx context.Context, m bot.Message) bot.Message {
	cloned := false
	for i, p := range m.Parts {
		pic, ok := p.(bot.Image)
		if !ok || len(pic.PNG) == 0 || a.pictures == nil {
			continue
		}
		address, err := a.pictures.Keep(ctx, pic.PNG)
		if err != nil {
			a.log.Warn("a picture cannot be given an address, so its words are shown", "error", err)
			a.count("picture", "refused")
			continue
		}
		if !cloned {
			m.Parts, cloned = slices.Clone(m.Parts), true
		}
		pic.URL = address
		m.Parts[i] = pic
	}
	return m
}
