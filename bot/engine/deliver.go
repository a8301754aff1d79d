package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"keyturn/bot"
)

// deliver makes a message be as it is drawn now, and writes the ledger.
func (e *Engine) deliver(ctx context.Context, j bot.Job) error {
	p, err := payload[Deliver](j)
	if err != nil {
		return err
	}
	chat, ok := e.Chats[p.Place.Platform]
	if !ok {
		return &bot.Failure{Kind: bot.KindGone, Says: fmt.Sprintf("Keyturn is not connected to %s.", p.Place.Platform), Fix: "Add the platform to the configuration, or remove what should be sent there."}
	}
	s, err := e.outgoing(ctx, j, p)
	if err != nil {
		return err
	}
	if s.stopped != "" {
		j.Dead, j.Last = true, s.stopped
		return e.commit(ctx, "stopped", func(d *Draft) error { d.Out.Again = []bot.Job{j}; return nil })
	}
	if s.rootless {
		return e.held(ctx, j, p)
	}
	said := s.edit && p.Draw.What == drawFixed // before a crash
	if s.m.Empty() {
		return e.finish(ctx, j, nil)
	}
	if said || (s.edit && s.sent.Digest == s.digest) {
		return e.finish(ctx, j, p.stands(s.sent))
	}
	if waits, err := e.paced(ctx, j, s.send); waits {
		return err
	}
	if err := e.stillMine(ctx); err != nil {
		return err
	}
	s.m = e.called(p.Place.Platform, e.illustrated(s.m))
	ref, edited, err := e.send(ctx, chat, p, s)
	e.Sent(p.Place.Platform, err)
	if err != nil {
		e.chatSilent(ctx, j, p, err)
		unheard := !edited && bot.KindOf(err) == bot.KindAmbiguous
		err = e.undelivered(ctx, chat, j, p, edited, e.slower(s.send, err))
		if f, ok := chat.(Finder); ok && unheard && errors.Is(err, bot.ErrTakenOver) && e.Wait(ctx, time.Second) == nil {
			if mine, found, _ := f.Find(free(ctx), s.at, p.Key); found { // the newest, so this one if it landed
				e.onlyOne(ctx, chat, p.Key, s.sent.Ref, mine)
			}
		}
		return err
	}
	err = e.finish(ctx, j, &bot.Sent{Key: p.Key, Ref: ref, At: e.Now(), Digest: s.digest})
	if errors.Is(err, bot.ErrTakenOver) && !edited {
		e.onlyOne(ctx, chat, p.Key, s.sent.Ref, ref)
	}
	return asUnwritten(err)
}

// paced puts a job back where its platform's limits have no room now.
func (e *Engine) paced(ctx context.Context, j bot.Job, s Send) (waits bool, err error) {
	now := e.Now()
	wait := e.Pace.Take(now, s)
	if wait <= 0 {
		return false, nil
	}
	j.Due = now.Add(wait)
	return true, e.commit(ctx, "pace", func(d *Draft) error { d.Out.Again = []bot.Job{j}; return nil })
}

// stands is the ledger's entry of a message that is as it should be, where
// there is more to write than that: the changes that it tells.
func (p Deliver) stands(sent bot.Sent) *bot.Sent {
	if len(p.Covers) == 0 {
		return nil
	}
	return &sent
}

// outgoing is a message as it is drawn now, beside what the ledger knows of it.
type outgoing struct {
	m        bot.Message
	digest   string
	at       bot.Place
	sent     bot.Sent
	edit     bool   // it stands there already
	rootless bool   // what it replies to is not posted
	doubtful bool   // an earlier try may have landed
	stopped  string // why its subscription delivers nothing
	send     Send   // as what it counts against the limits
}

// outgoing draws a message and reads the ledger, in one view.
func (e *Engine) outgoing(ctx context.Context, j bot.Job, p Deliver) (s outgoing, err error) {
	s.at = p.Place
	err = e.Store.Read(ctx, func(v View) error {
		if p.Sub != "" {
			sub, _, err := v.Subscribed(p.Tenant, p.Sub)
			if err != nil {
				return err
			}
			s.stopped = sub.Stopped
		}
		if s.m, err = e.draw(v, p); err != nil {
			return err
		}
		var known bool
		if s.sent, known, err = v.Sent(p.Key); err != nil {
			return err
		}
		s.doubtful = e.doubtful(v, p, j)
		if p.Under != "" && !s.m.Empty() {
			root, rooted, err := v.Sent(p.Under)
			if err != nil {
				return err
			}
			s.rootless = !rooted || root.Gone
			s.at = root.Ref.Place.In(root.Ref.ID)
		}
		s.edit = known && !s.sent.Gone && !elsewhere(s.sent.Ref.Place, s.at)
		s.send = Send{Job: j.ID, At: s.at, Edit: s.edit, Class: j.Class}
		return e.heard(v, s.send)
	})
	s.m.Key = p.Key
	s.digest = messageDigest(s.m)
	return s, err
}

// send posts or edits. It reports whether what failed was an edit, which may
// be repeated as it is.
func (e *Engine) send(ctx context.Context, chat Chat, p Deliver, s outgoing) (ref bot.MessageRef, edited bool, err error) {
	if s.edit {
		err = chat.Edit(ctx, s.sent.Ref, s.m)
		if bot.KindOf(err) != bot.KindNotFound { // else somebody deleted it: it is posted anew
			return s.sent.Ref, true, err
		}
	}
	ref, found, err := e.post(ctx, chat, s.at, s.m, s.doubtful)
	if found && p.Draw.What != drawFixed { // it shows what was true then
		return ref, true, chat.Edit(ctx, ref, s.m)
	}
	return ref, false, err
}

// elsewhere reports whether two places are different conversations.
func elsewhere(a, b bot.Place) bool {
	if a.Direct() && b.Direct() {
		return a.User != b.User
	}
	return a.Direct() != b.Direct() || a.Channel != b.Channel
}

// post sends a message that the ledger does not know. Where an earlier try may
// have landed it is looked up first, and found is as it was sent then.
func (e *Engine) post(ctx context.Context, chat Chat, at bot.Place, m bot.Message, doubtful bool) (ref bot.MessageRef, found bool, err error) {
	if doubtful {
		if f, ok := chat.(Finder); ok {
			ref, found, err = f.Find(ctx, at, m.Key)
			if found {
				return ref, true, nil
			}
			switch bot.KindOf(err) {
			case "", bot.KindForbidden, bot.KindGone, bot.KindNotFound:
				// It is not there, or cannot be looked up: posting says what is wrong.
			default:
				return bot.MessageRef{}, false, err
			}
		}
	}
	ref, err = chat.Post(ctx, at, m)
	return ref, false, err
}

func messageDigest(m bot.Message) string {
	b, err := json.Marshal(m)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// undelivered decides what a refused send means. An edit may be repeated as it
// is. A post that may have landed is looked up before the next try; where the
// platform cannot do that it is repeated once and then given up. The tries of an
// outage before do not count: its end is when connections break.
func (e *Engine) undelivered(ctx context.Context, chat Chat, j bot.Job, p Deliver, edit bool, cause error) error {
	switch bot.KindOf(cause) {
	case bot.KindAmbiguous:
		_, finds := chat.(Finder)
		repeated := !edit && p.Ambiguous && !finds
		p.Ambiguous = p.Ambiguous || !edit
		p.Doubts++
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		j.Payload = b
		j.Tries++
		j.Last = cause.Error()
		j.Due = e.Now().Add(e.Backoff(j.Tries))
		if j.Dead = p.Doubts >= doubts || repeated; repeated {
			j.Last = "Sent twice, and nobody knows whether it arrived: look whether it stands there before you send it again. " + j.Last
		}
		return asUnwritten(e.commit(ctx, "ambiguous", func(d *Draft) error {
			d.Out.Again = []bot.Job{j}
			if j.Dead {
				return d.givenUp(j, p)
			}
			return nil
		}))
	}
	if closed(p, edit, cause) {
		e.Log.Warn("a message is given up: its place takes none", "job", j.ID, "place", p.Place.String(), "err", cause)
		j.Dead, j.Last = true, cause.Error()
		return e.commit(ctx, fmt.Sprintf("gone/%d", j.ID), func(d *Draft) error {
			d.Out.Again = []bot.Job{j}
			return d.placeGone(p, cause)
		})
	}
	return cause
}

// closed reports whether a refusal is one that lasts: the place is archived or
// gone, the bot is not in it, has no right there, or is installed no more. A
// thread whose root somebody deleted is no such place.
func closed(p Deliver, edit bool, cause error) bool {
	switch bot.KindOf(cause) {
	case bot.KindGone, bot.KindUninstalled, bot.KindForbidden:
		return true
	case bot.KindNotFound:
		return !edit && p.Under == ""
	}
	return false
}

// placeGone stops what can no longer be delivered to a place and tells
// somebody how to mend it.
func (d *Draft) placeGone(p Deliver, cause error) error {
	var f *bot.Failure
	if errors.As(cause, &f) && f.Away && p.Place.Direct() {
		if err := d.awayNow(bot.Account{Platform: p.Place.Platform, Team: p.Place.Team, ID: p.Place.User}, f.Says); err != nil {
			return err
		}
	}
	switch {
	case p.Sub != "":
		return d.stopSubscription(p, cause)
	case p.Draw.Run != "" && p.Draw.What == drawChecklist && bot.KindOf(cause) == bot.KindUninstalled:
		return nil // nothing else in the workspace can be reached either: the run waits where it is
	case p.Draw.Run != "" && p.Draw.What == drawChecklist:
		return d.moveRun(p.Draw.Run, cause.Error())
	case p.Draw.Run != "" && p.Draw.What == drawCard:
		return d.unreached(p.Draw, cause)
	}
	return nil
}

// stopSubscription ends a subscription whose channel takes no messages.
func (d *Draft) stopSubscription(p Deliver, cause error) error {
	subs, err := d.Subscriptions(p.Tenant)
	if err != nil {
		return err
	}
	for _, s := range subs {
		if s.ID != p.Sub || s.Stopped != "" {
			continue
		}
		s.Stopped = cause.Error()
		d.Out.Subscriptions = append(d.Out.Subscriptions, s)
		if t, ok := d.env.Tenant(p.Tenant); ok {
			d.RefreshHome(t, s.By)
			d.TellAdmins(t, bot.Say(bot.T("Service health no longer reaches "), bot.In(p.Place), bot.T(". "+cause.Error()+
				" When that is mended, type /keyturn subscribe there.")))
		}
	}
	return nil
}

// draw gives the message as it is now; an empty one is not sent.
func (e *Engine) draw(v View, p Deliver) (bot.Message, error) {
	if p.Draw.What == drawFixed {
		if p.Draw.Message == nil {
			return bot.Message{}, nil
		}
		return *p.Draw.Message, nil
	}
	if p.Draw.Sub != "" {
		return e.drawOf(v, p)
	}
	if p.Draw.What == drawQuestion {
		return e.drawQuestion(v, p)
	}
	if p.Draw.What == drawPage {
		return e.drawKept(v, p)
	}
	r, err := v.Run(p.Draw.Run)
	if errors.Is(err, bot.ErrNotFound) {
		return bot.Message{}, nil
	}
	if err != nil {
		return bot.Message{}, err
	}
	sc, err := scene(v, e.Env, &r, p.Place, e.Now(), nil)
	if err != nil {
		return bot.Message{}, err
	}
	switch p.Draw.What {
	case drawChecklist:
		if elsewhere(r.Place, p.Place) {
			return bot.Message{}, nil // the run has moved meanwhile
		}
		return sc.Checklist(), nil
	case drawCard:
		return sc.Card(p.Draw.Person, p.Draw.Visit), nil
	case drawTold:
		return sc.Told(), nil
	case drawReminder:
		return sc.Reminder(p.Draw.Steps), nil
	}
	return bot.Message{}, fmt.Errorf("there is no message of kind %q", p.Draw.What)
}

// sendAnswer answers a request privately.
func (e *Engine) sendAnswer(ctx context.Context, j bot.Job) error {
	p, err := payload[answerJob](j)
	if err != nil {
		return err
	}
	chat, ok := e.Chats[p.To.Platform]
	if !ok {
		return e.finish(ctx, j, nil)
	}
	if err := e.stillMine(ctx); err != nil {
		return err
	}
	back := bot.Return{URL: bot.NewSecret(p.URL), Expires: p.Expires}
	err = chat.Answer(ctx, p.To, p.At, back, e.called(p.To.Platform, e.illustrated(p.Message)), p.Redraw, p.InPlace)
	if err != nil && bot.KindOf(err) == bot.KindAmbiguous {
		return e.finish(ctx, j, nil) // a private answer twice is worse than once too few
	}
	if err != nil {
		return err
	}
	return e.finish(ctx, j, nil)
}
