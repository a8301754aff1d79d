package bottest

import "keyturn/bot"

var hello = bot.Say(bot.T("Hello."))

var failures = map[string]func(*bench){
	"throttled says how long to wait": func(b *bench) {
		ref := b.post(b.Channel, hello)
		for call, try := range b.calls(ref) {
			b.Break(call, Throttled)
			if f := b.fails(string(call), try(), bot.KindThrottled); f.RetryAfter != RetryAfter {
				b.Errorf("%s: wait %s, want %s", call, f.RetryAfter, RetryAfter)
			}
			b.do(try())
		}
	},
	"an unavailable platform": func(b *bench) {
		ref := b.post(b.Channel, hello)
		want := map[Call]bot.Kind{Posting: b.Unavailable, Editing: bot.KindUnreachable}
		for call, try := range b.calls(ref) {
			b.Break(call, Unavailable)
			b.fails(string(call), try(), want[call])
			b.do(try())
		}
	},
	"a connection that ends early": func(b *bench) {
		ref := b.post(b.Channel, hello)
		calls := b.calls(ref)
		b.Break(Posting, Lost)
		b.fails("posting, not done", calls[Posting](), bot.KindAmbiguous)
		if n := b.sees(b.Alice, "Hello."); n != 1 {
			b.Errorf("%d messages, want 1", n)
		}
		b.Break(Posting, Unanswered)
		b.fails("posting, done", calls[Posting](), bot.KindAmbiguous)
		if n := b.sees(b.Alice, "Hello."); n != 2 {
			b.Errorf("%d messages, want 2: an adapter repeats nothing by itself", n)
		}
		for _, f := range []Fault{Lost, Unanswered} {
			b.Break(Editing, f)
			b.fails("editing, "+string(f), calls[Editing](), bot.KindUnreachable)
		}
	},
	"a platform that cannot be reached": func(b *bench) {
		ref := b.post(b.Channel, hello)
		b.Unplug()
		for call, try := range b.calls(ref) {
			b.fails(string(call), try(), bot.KindUnreachable)
		}
	},
	"a message that was deleted": func(b *bench) {
		ref := b.post(b.Channel, hello)
		b.do(b.Delete(ref))
		b.fails("editing it", b.Adapter.Edit(b.Context(), ref, hello), bot.KindNotFound)
	},
	"a place that the bot is no longer in": func(b *bench) {
		b.post(b.Channel, hello)
		left, err := b.RemoveBot()
		b.do(err)
		if !b.desk.heard(bot.Left, left) {
			b.Errorf("nobody heard that the bot has left %s", left)
		}
		_, err = b.Adapter.Post(b.Context(), b.Channel, hello)
		if f := b.fails("posting there", err, bot.KindGone); f.Fix == "" {
			b.Error("nobody is told what to do about it")
		}
	},
	"an app that was removed": func(b *bench) {
		b.needs(Uninstalls)
		b.Uninstall()
		_, err := b.Adapter.Post(b.Context(), b.Channel, hello)
		b.fails("posting", err, bot.KindUninstalled)
	},
	"a workspace that nobody configured": func(b *bench) {
		elsewhere := b.Channel
		elsewhere.Team += "X"
		_, err := b.Adapter.Post(b.Context(), elsewhere, hello)
		b.fails("posting", err, bot.KindUninstalled)
	},
	"the way back to a person is no part of a failure": func(b *bench) {
		ref := b.post(b.Channel, card("The checklist.", "Status"))
		b.do(b.Click(b.Bob, ref, "Status"))
		r := b.desk.last(1)
		b.Break(Answering, Unanswered)
		err := b.Adapter.Answer(b.Context(), r.From, r.Place, r.Return, hello, false, false)
		b.fails("answering", err, bot.KindAmbiguous, r.Return.URL.Reveal(), r.Return.Trigger.Reveal())
		b.discreet("the log", b.Logged(), r.Return.URL.Reveal(), r.Return.Trigger.Reveal())
	},
}

// calls are those that every failure is tried with.
func (b *bench) calls(ref bot.MessageRef) map[Call]func() error {
	return map[Call]func() error{
		Posting: func() error { _, err := b.Adapter.Post(b.Context(), b.Channel, hello); return err },
		Editing: func() error { return b.Adapter.Edit(b.Context(), ref, hello) },
	}
}
