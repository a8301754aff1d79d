package bottest

import (
	"strings"

	"keyturn/bot"
)

var requests = map[string]func(*bench){
	"a line to the bot is a request": func(b *bench) {
		b.do(b.Mention(b.Alice, "status please"))
		r := b.desk.last(1)
		if r.Kind != bot.Typed || r.Text != "status please" || r.From != b.Alice || r.Place.Root() != b.Channel || r.Key == "" || r.Guest {
			b.Errorf("got %+v", r)
		}
	},
	"a click is a request": func(b *bench) {
		root := b.post(b.Channel, card("The checklist.", "Approve", "Reject"))
		reply := b.post(b.Channel.In(root.ID), card("Step 2.", "Approve", "Reject"))
		for i, ref := range []bot.MessageRef{root, reply} {
			b.do(b.Click(b.Bob, ref, "Reject"))
			r := b.desk.last(i + 1)
			if r.Kind != bot.Clicked || r.Action != "test.reject" || r.Value != "run-1/Reject" || r.From != b.Bob ||
				r.Place.Root() != b.Channel || r.Message.ID != ref.ID || r.Message.Place.Root() != b.Channel {
				b.Errorf("got %+v", r)
			}
			if ref == reply && r.Place.Thread != root.ID {
				b.Errorf("a click in a thread is at %s", r.Place)
			}
			b.do(b.Adapter.Edit(b.Context(), r.Message, bot.Say(bot.T("Rejected by Bob."))))
			if s := b.find(b.Alice, ref); !strings.Contains(s.Text, "Rejected by Bob.") {
				b.Errorf("the message that a click names is another one: %+v", s)
			}
		}
	},
	"a delivery that comes again has the same key": func(b *bench) {
		ref := b.post(b.Channel, card("The checklist.", "Approve"))
		keys := map[string]int{}
		n := 0
		for name, act := range map[string]func() error{
			"a click":          func() error { return b.Click(b.Bob, ref, "Approve") },
			"a second click":   func() error { return b.Click(b.Bob, ref, "Approve") },
			"somebody else's":  func() error { return b.Click(b.Alice, ref, "Approve") },
			"a line":           func() error { return b.Mention(b.Alice, "status") },
			"the line anew":    func() error { return b.Mention(b.Alice, "status") },
			"the line of Bob":  func() error { return b.Mention(b.Bob, "status") },
			"another sentence": func() error { return b.Mention(b.Bob, "mine") },
		} {
			b.do(act())
			n++
			first := b.desk.last(n)
			b.do(b.Resend())
			n++
			if again := b.desk.last(n); again.Key != first.Key || again.Action != first.Action || again.Text != first.Text || again.From != first.From {
				b.Errorf("%s came again as %+v, was %+v", name, again, first)
			}
			if keys[first.Key]++; keys[first.Key] > 1 {
				b.Errorf("%s has the key of another request", name)
			}
		}
	},
}
