package incident

import (
	"slices"
	"time"

	"keyturn/bot"
)

// Due is when [Desk.Wake] has something to do next. It is never the zero time:
// a digest is always due some day.
func (d Desk) Due(sub Subscription) time.Time {
	due := NextDigest(sub, d.digested(sub))
	for _, it := range d.Held {
		if it.Until.Before(due) {
			due = it.Until
		}
	}
	return due
}

func (d Desk) digested(sub Subscription) time.Time {
	if d.Digest.IsZero() {
		return sub.Made
	}
	return d.Digest
}

// Wake tells what waited until now: what quiet hours held, as if it happened
// now; what a maintenance window held, in one message; and the digest. A late
// call tells the same, once. It does nothing before [Desk.Due].
func (d Desk) Wake(sub Subscription, f Facts, at time.Time) (Desk, []Act) {
	d = d.clone()
	if sub.Stopped != "" {
		return d, nil
	}
	acts := append(d.release(sub, f, at), d.releasePosts(sub, f, at)...)
	if due, ok := d.digestDue(sub, at); ok {
		acts = append(acts, d.tellDigest(sub, f, due, at)...)
	}
	return d, acts
}

// release delivers the held changes of issues whose time has come. Where
// something else holds one now, it goes on waiting. An issue goes whole, so
// that its thread stays in order.
func (d *Desk) release(sub Subscription, f Facts, at time.Time) []Act {
	free := map[string]bool{}
	for i, it := range d.Held {
		k, ok := f.issue(it.Issue)
		if it.Issue == "" || it.Until.After(at) {
			continue
		}
		if r := sub.waits(k.Issue.Class(), k.Issue.Service, at); ok && r.Way != Now {
			d.Held[i].Until = r.Until
			continue
		}
		free[it.Issue] = true
	}
	var out []Told
	var window *Gap
	why, since := "", at
	taken := map[string]bool{}
	for _, it := range d.Held {
		if !free[it.Issue] || it.Issue == "" {
			continue
		}
		since = earlier(since, it.At)
		if it.Way == InMaintenance {
			if window == nil {
				window = &Gap{From: it.Since, To: at}
			}
			window.From, window.To, why = earlier(window.From, it.Since), it.Until, it.Why
		}
		if k, ok := f.issue(it.Issue); ok && !taken[it.Issue] {
			taken[it.Issue] = true
			out = append(out, Told{Known: k})
		}
	}
	if len(out) == 0 {
		d.Held = slices.DeleteFunc(d.Held, func(it Item) bool { return free[it.Issue] }) // issues that are kept no more
		return nil
	}
	for i := range out {
		out[i] = d.withEarlier(out[i])
	}
	d.Held = slices.DeleteFunc(d.Held, func(it Item) bool { return free[it.Issue] })
	var sum *Summed
	if window != nil {
		s := AfterMaintenance(Window{From: window.From, To: window.To, Why: why}, out)
		sum = &s
	}
	return d.deliver(sub, out, sum, since, at)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) && !b.IsZero() {
		return b
	}
	return a
}

// digestDue is the last digest that is due at a time: after a time of downtime
// one digest stands for all that were missed.
func (d Desk) digestDue(sub Subscription, at time.Time) (due time.Time, ok bool) {
	next := NextDigest(sub, d.digested(sub))
	if next.After(at) {
		return time.Time{}, false
	}
	if early := NextDigest(sub, at.AddDate(0, 0, -2)); early.After(next) {
		next = early // years of downtime are no years of steps
	}
	for due = next; ; due = next {
		if next = NextDigest(sub, due); next.After(at) {
			return due, true
		}
	}
}

func (d *Desk) tellDigest(sub Subscription, f Facts, due, at time.Time) []Act {
	from := d.digested(sub)
	in := Digested{Items: d.Waiting, Facts: f}
	d.Waiting, d.Digest = nil, at
	d.tidy(f)
	var m bot.Message
	if Weekly(sub, due) {
		m = WeeklyDigest(sub, in, from, at)
	} else {
		m = Digest(sub, in, from, at)
	}
	if m.Empty() {
		return nil
	}
	key := "digest/" + due.In(sub.location()).Format(time.DateOnly)
	m.Key = key
	return []Act{{Kind: ActSay, Key: key, Message: m, Covers: in.IDs(), Class: bot.ClassDigest}}
}

// tidy forgets what the store has forgotten.
func (d *Desk) tidy(f Facts) {
	for id := range d.Roots {
		_, issue := f.issue(id)
		_, post := f.post(id)
		if !issue && !post {
			delete(d.Roots, id)
		}
	}
	d.Storm.forget(func(id string) bool { _, ok := f.issue(id); return ok })
}
