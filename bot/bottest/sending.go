package bottest

import (
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var sending = map[string]func(*bench){
	"a message is edited in place": func(b *bench) {
		for _, at := range []bot.Place{b.Channel, bot.DM(b.Alice)} {
			ref := b.post(at, bot.Say(bot.T("Waiting for approval.")))
			if s := b.find(b.Alice, ref); s.Edits != 0 || s.Thread != "" || !strings.Contains(s.Text, "Waiting for approval.") {
				b.Errorf("in %s: got %+v", at, s)
			}
			b.do(b.Adapter.Edit(b.Context(), ref, bot.Say(bot.T("Approved by Bob."))))
			s := b.find(b.Alice, ref)
			if s.Edits != 1 || !strings.Contains(s.Text, "Approved by Bob.") || strings.Contains(s.Text, "Waiting") {
				b.Errorf("edited in %s: got %+v", at, s)
			}
		}
		if n := len(b.Sees(b.Alice)); n != 2 {
			b.Errorf("two messages became %d", n)
		}
	},
	"a reply lands in its thread": func(b *bench) {
		root := b.post(b.Channel, bot.Say(bot.T("The checklist.")))
		other := b.post(b.Channel, bot.Say(bot.T("Another one.")))
		reply := b.post(b.Channel.In(root.ID), bot.Say(bot.T("Step 2 is done.")))
		if reply.ID == root.ID || reply.ID == other.ID || b.Raised(reply) {
			b.Errorf("the reply %+v is not a quiet one of its own", reply)
		}
		if s := b.find(b.Bob, reply); s.Thread != root.ID {
			b.Errorf("got %+v, want it in the thread of %s", s, root.ID)
		}
		b.do(b.Adapter.Edit(b.Context(), reply, bot.Say(bot.T("Step 2 is undone."))))
		if s := b.find(b.Bob, reply); s.Thread != root.ID || !strings.Contains(s.Text, "undone") {
			b.Errorf("edited: got %+v", s)
		}
	},
	"what is said aloud leaves its thread": func(b *bench) {
		root := b.post(b.Channel, bot.Say(bot.T("The checklist.")))
		loud := bot.Say(bot.T("Somebody has to look."))
		loud.Aloud = true
		if reply := b.post(b.Channel.In(root.ID), loud); !b.Raised(reply) || b.find(b.Bob, reply).Thread != root.ID {
			b.Errorf("the reply %+v stays in its thread", reply)
		}
	},
	"a direct message is seen by one person": func(b *bench) {
		b.post(bot.DM(b.Bob), bot.Say(bot.T("A step waits for you.")))
		if bob, alice := b.sees(b.Bob, "waits for you"), b.sees(b.Alice, "waits for you"); bob != 1 || alice != 0 {
			b.Errorf("Bob sees it %d times, Alice %d times", bob, alice)
		}
	},
	"a private answer is seen by one person": func(b *bench) {
		root := b.post(b.Channel, card("The checklist.", "Status"))
		b.do(b.Click(b.Bob, root, "Status"))
		click := b.desk.last(1)
		secret := bot.Say(bot.T("Two steps are yours."))
		for name, back := range map[string]bot.Return{"with the click's return way": click.Return, "without it": {}} {
			before := b.sees(b.Bob, "are yours")
			if err := b.Adapter.Answer(b.Context(), click.From, click.Place, back, secret, false, false); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
			if bob, alice := b.sees(b.Bob, "are yours")-before, b.sees(b.Alice, "are yours"); bob != 1 || alice != 0 {
				b.Errorf("%s: Bob sees it %d times, Alice %d times", name, bob, alice)
			}
		}
		b.do(b.Adapter.Answer(b.Context(), click.From, click.Place, bot.Return{}, bot.Say(bot.T("Bob asked for the status.")), false, true))
		if b.sees(b.Alice, "Bob asked") != 1 {
			b.Error("an answer for everybody is not seen by everybody")
		}
	},
	"the bot's own page": func(b *bench) {
		b.needs(Homes)
		b.do(b.Adapter.Home(b.Context(), b.Bob, bot.Say(bot.T("One step waits for you."))))
		if bob, alice := b.HomePage(b.Bob), b.HomePage(b.Alice); !strings.Contains(bob, "One step waits") || strings.Contains(alice, "One step waits") {
			b.Errorf("Bob's page is %q, Alice's %q", bob, alice)
		}
	},
}

// foreign names everybody in every way that a platform might understand.
func (b *bench) foreign() string {
	return "<!channel> <!here> @here @channel <@" + b.Bob.ID + "> @Bob <at>Bob</at> <at>" + b.Bob.ID + "</at> [Bob](mailto:x) *b* {{DATE(x)}}"
}

var telling = map[string]func(*bench){
	"a mention tells exactly that person": func(b *bench) {
		said := bot.Say(bot.T("Waiting for "), bot.Mention(b.Bob, "Bob"), bot.T("."))
		root := b.post(b.Channel, said)
		for _, ref := range []bot.MessageRef{root, b.post(b.Channel.In(root.ID), said)} {
			if d := cmp.Diff([]bot.Account{b.Bob}, b.Told(ref)); d != "" {
				b.Errorf("told (-want +got):\n%s", d)
			}
		}
	},
	"an edit tells nobody": func(b *bench) {
		ref := b.post(b.Channel, bot.Say(bot.T("Nobody yet.")))
		b.do(b.Adapter.Edit(b.Context(), ref, bot.Say(bot.Mention(b.Bob, "Bob"), bot.T(" has it."))))
		if got := b.Told(ref); len(got) != 0 {
			b.Errorf("told %v", got)
		}
	},
	"foreign text tells nobody": func(b *bench) {
		s := b.foreign()
		for name, p := range map[string]bot.Part{
			"heading": bot.Heading{Text: s}, "paragraph": bot.Paragraph{Text: bot.T(s)}, "bold": bot.Paragraph{Text: bot.B(s)},
			"code span": bot.Paragraph{Text: bot.C(s)}, "linked": bot.Paragraph{Text: bot.Link(s, "https://example.com/")},
			"beside a time": bot.Paragraph{Text: bot.Join(bot.T(s), bot.When(time.Unix(1_790_000_000, 0), bot.Clock))},
			"pairs":         bot.Pairs{Items: []bot.Pair{{Label: s, Value: bot.T(s)}}}, "numbered": bot.Numbered{Items: []bot.Text{bot.T(s)}},
			"copy": bot.Copy{Label: s, Value: s}, "code": bot.Code{Title: s, Text: s}, "note": bot.Note{Text: bot.T(s)},
			"button": bot.Buttons{Items: []bot.Button{{Label: s, Action: "a", Says: s}}},
		} {
			ref := b.post(b.Channel, bot.Message{Parts: []bot.Part{p}})
			if got := b.Told(ref); len(got) != 0 {
				b.Errorf("%s: told %v", name, got)
			}
		}
		ref := b.post(b.Channel, bot.Say(bot.Mention(b.Alice, "Alice"), bot.T(" reads: "+s)))
		if d := cmp.Diff([]bot.Account{b.Alice}, b.Told(ref)); d != "" {
			b.Errorf("beside a mention (-want +got):\n%s", d)
		}
	},
}
