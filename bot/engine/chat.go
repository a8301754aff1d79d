package engine

import (
	"context"

	"keyturn/bot"
)

// Chat is one chat platform, for sending. Errors are [*bot.Failure] with the
// kind that says what to do.
type Chat interface {
	Platform() bot.Platform
	// Post sends a new message and returns where it landed.
	Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error)
	// Edit replaces a message that the bot sent.
	Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error
	// Answer says something to one person in a place, by the request's return
	// way while it lasts. redraw puts it in place of the message that was
	// clicked; inPlace shows it to everybody.
	Answer(ctx context.Context, to bot.Account, at bot.Place, back bot.Return, m bot.Message, redraw, inPlace bool) error
	// Home draws the bot's own page for one person.
	Home(ctx context.Context, who bot.Account, m bot.Message) error
}

// Remover is a platform that can take back a message that the bot posted.
type Remover interface {
	// Remove takes a message away. One that is not there is no error.
	Remove(ctx context.Context, ref bot.MessageRef) error
}

// Finder is a platform that can look up a message by its key after an
// ambiguous send.
type Finder interface {
	Find(ctx context.Context, at bot.Place, key string) (bot.MessageRef, bool, error)
}

// Namer is a platform that may know what a channel of it is called, for messages
// on other platforms; "" where it does not.
type Namer interface {
	Called(at bot.Place) string
}

// called names the channels of other platforms in a message as their own platform
// calls them, where it knows.
func (e *Engine) called(on bot.Platform, m bot.Message) bot.Message {
	return m.Places(func(s bot.Span) bot.Span {
		if of, ok := e.Chats[s.In.Platform].(Namer); ok && s.In.Platform != on {
			if name := of.Called(*s.In); name != "" {
				s.Text = name + ", " + s.Text
			}
		}
		return s
	})
}
