package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// Way is a fallback way of a tenant: what is left when its chat is silent.
type Way interface {
	// Send makes one try. The error is a [*bot.Failure] whose kind says what a
	// second try would mean; a note that is sent again carries the same key.
	Send(ctx context.Context, n Note) error
}

// Note is what goes a fallback way: plain words.
type Note struct {
	Key     string       `json:"key"`
	Tenant  bot.TenantID `json:"tenant"`
	Over    bool         `json:"over,omitempty"` // what an earlier note told has ended
	Subject string       `json:"subject"`
	Text    string       `json:"text"`
	At      time.Time    `json:"at"`
}

// Monitor watches Keyturn from outside and raises the alarm when beats stay
// away.
type Monitor interface {
	// Beat tells it that all is well, or in a sentence what is not.
	Beat(ctx context.Context, ok bool, says string) (sent bool, err error)
}

// BeatEvery is how often it is looked whether a monitor is due to be told.
const BeatEvery = time.Minute

// The kinds of job that leave for somewhere else than chat.
const (
	kindNote     = "note"     // a note goes a fallback way
	kindFallback = "fallback" // it is looked whether chat has been silent for too long
	kindBeat     = "beat"     // a monitor is told how it stands
)

type noteJob struct {
	Way  int  `json:"way"` // which of the tenant's
	Note Note `json:"note"`
}

type reachJob struct {
	Tenant   bot.TenantID `json:"tenant"`
	Platform bot.Platform `json:"platform"`
}

type beatJob struct {
	Tenant bot.TenantID `json:"tenant"`
}

// reaches is what is known of reaching a tenant's chat, by platform. There is
// none while it is reached.
var reaches = Kind[incident.Reach]{Name: "reach"}

func fallbackLane(t bot.TenantID, p bot.Platform) string {
	return "fallback/" + string(t) + "/" + string(p)
}

func beatLane(t bot.TenantID) string { return "beat/" + string(t) }

// telling is the tenant that a delivery tells of incidents, if it does: one
// whose silence is worth another way.
func telling(j bot.Job, p Deliver) (bot.TenantID, bool) {
	return p.Tenant, p.Tenant != "" && j.Class == bot.ClassIncident
}

// chatSilent notes that a platform could not be reached for a tenant, and has
// it looked at once that has lasted. A single channel that is gone is no
// failure of the platform.
func (e *Engine) chatSilent(ctx context.Context, j bot.Job, p Deliver, cause error) {
	tenant, ok := telling(j, p)
	kind := bot.KindOf(cause)
	if !ok || kind != bot.KindUnreachable && kind != bot.KindAmbiguous {
		return
	}
	if t, known := e.Env.Tenant(tenant); !known || len(e.Ways[tenant]) == 0 && t.Fallback == nil {
		return
	}
	err := e.commit(ctx, "silent/"+e.ID(), func(d *Draft) error {
		r, failing, err := reaches.Get(d.View, tenant, string(p.Place.Platform))
		if err != nil || failing {
			return err // since when is known
		}
		reaches.Put(&d.Out, tenant, string(p.Place.Platform), r.Failed(cause.Error(), d.Now))
		lane := fallbackLane(tenant, p.Place.Platform)
		d.job(lane, kindFallback, bot.ClassIncident, d.Now.Add(incident.FallbackAfter), reachJob{tenant, p.Place.Platform}, lane)
		return nil
	})
	if err != nil {
		e.Log.Warn("that chat cannot be reached could not be written down", "tenant", tenant, "err", err)
	}
}

// chatReached ends what chatSilent noted, and tells the fallback way so where it
// was told of the silence.
func (d *Draft) chatReached(j bot.Job, p Deliver) error {
	tenant, ok := telling(j, p)
	if !ok {
		return nil
	}
	r, failing, err := reaches.Get(d.View, tenant, string(p.Place.Platform))
	if err != nil || !failing {
		return err
	}
	_, again := r.Reached()
	reaches.Drop(&d.Out, tenant, string(p.Place.Platform))
	if t, ok := d.env.Tenant(tenant); again && ok {
		d.note(t, p.Place.Platform, r, true, incident.FallbackOver(r.Failing, d.Now))
	}
	return nil
}

// fallback looks whether a tenant's chat has been silent for too long, and says
// so by its fallback ways, once.
func (e *Engine) fallback(ctx context.Context, j bot.Job) error {
	p, err := payload[reachJob](j)
	if err != nil {
		return err
	}
	return e.commit(ctx, "fallback/"+e.ID(), func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		r, failing, err := reaches.Get(d.View, p.Tenant, string(p.Platform))
		t, ok := d.env.Tenant(p.Tenant)
		if err != nil || !failing || !ok || r.Told {
			return err
		}
		w, err := d.Watch(t.ID)
		if err != nil {
			return err
		}
		waiting, err := d.waiting(p)
		if err != nil {
			return err
		}
		if !incident.Fallback(r, w, waiting, d.Now) {
			j.Due = d.Now.Add(time.Minute)
			d.Out.Done, d.Out.Again = nil, []bot.Job{j}
			return nil
		}
		known, err := d.Incidents(t.ID, false)
		if err != nil {
			return err
		}
		reaches.Put(&d.Out, p.Tenant, string(p.Platform), r.ToldFallback())
		d.note(t, p.Platform, r, false, incident.FallbackMessage(r, w, known, waiting, d.Now))
		return nil
	})
}

// waiting counts a tenant's messages about incidents that are not delivered.
func (d *Draft) waiting(of reachJob) (n int, err error) {
	jobs, err := d.Jobs("")
	if err != nil {
		return 0, err
	}
	for _, j := range jobs {
		if j.Dead || j.Kind != kindDeliver {
			continue
		}
		p, err := payload[Deliver](j)
		if t, ok := telling(j, p); err == nil && ok && t == of.Tenant && p.Place.Platform == of.Platform {
			n++
		}
	}
	return n, nil
}

// note sends a message by every fallback way of a tenant but the platform that
// is silent.
func (d *Draft) note(t *bot.Tenant, silent bot.Platform, r incident.Reach, over bool, m bot.Message) {
	key := fmt.Sprintf("fallback/%s/%d/%t", silent, r.Failing.Unix(), over)
	if t.Fallback != nil && t.Fallback.Platform != silent {
		to := m
		to.Key = key + "/" + string(t.ID)
		d.Say(*t.Fallback, to, bot.ClassIncident)
	}
	words := m.Words()
	subject, _, _ := strings.Cut(words, "\n")
	for i := range t.Ways {
		n := Note{Key: key, Tenant: t.ID, Over: over, Subject: t.Name + ": " + subject, Text: words, At: d.Now}
		d.job(fmt.Sprintf("note/%s/%d", t.ID, i), kindNote, bot.ClassIncident, d.Now, noteJob{Way: i, Note: n}, "")
	}
}

// sendNote makes one try of a note.
func (e *Engine) sendNote(ctx context.Context, j bot.Job) error {
	p, err := payload[noteJob](j)
	if err != nil {
		return err
	}
	ways := e.Ways[p.Note.Tenant]
	if p.Way >= len(ways) {
		return e.finish(ctx, j, nil) // it is no longer configured
	}
	if err := ways[p.Way].Send(ctx, p.Note); err != nil {
		return fmt.Errorf("a note of %s: %w", p.Note.Tenant, err)
	}
	return e.finish(ctx, j, nil)
}

// beat tells a tenant's monitor how reading its service health stands, and
// comes again. A beat that fails is not made up for: that it stays away is what
// the monitor is for.
func (e *Engine) beat(ctx context.Context, j bot.Job) error {
	p, err := payload[beatJob](j)
	if err != nil {
		return err
	}
	m, ok := e.Monitors[p.Tenant]
	if !ok {
		return e.finish(ctx, j, nil)
	}
	var w incident.Watch
	if err := e.Store.Read(ctx, func(v View) error { w, err = v.Watch(p.Tenant); return err }); err != nil {
		return err
	}
	b := incident.Heartbeat([]incident.Watch{w}, e.Now())
	if _, err := m.Beat(ctx, b.OK, b.Says); err != nil && !errors.Is(err, context.Canceled) {
		e.Log.Warn("the monitor could not be told", "tenant", p.Tenant, "err", err)
	}
	return e.commit(ctx, fmt.Sprintf("beat/%d", j.ID), func(d *Draft) error {
		j.Due, j.Tries, j.Last = d.Now.Add(BeatEvery), 0, ""
		d.Out.Again = []bot.Job{j}
		return nil
	})
}

// resumeBeat has a tenant's monitor told from now on.
func (e *Engine) resumeBeat(d *Draft, t *bot.Tenant) error {
	if _, ok := e.Monitors[t.ID]; !ok {
		return nil
	}
	jobs, err := d.Jobs(beatLane(t.ID))
	if err != nil || len(alive(jobs)) > 0 {
		return err
	}
	d.job(beatLane(t.ID), kindBeat, bot.ClassDigest, d.Now, beatJob{t.ID}, beatLane(t.ID))
	return nil
}

// publicEvery is how often Microsoft's public status page is asked while
// service health cannot be read; it is refreshed about every ten minutes.
const publicEvery = 5 * time.Minute

// publicly asks Microsoft's public status page, where readings have failed and
// it was not asked lately. What it does not say is no news.
func (e *Engine) publicly(ctx context.Context, t *bot.Tenant) *incident.PublicStatus {
	if e.Public == nil {
		return nil
	}
	var w incident.Watch
	err := e.Store.Read(ctx, func(v View) (err error) { w, err = v.Watch(t.ID); return err })
	if err != nil || w.Public != nil && e.Now().Sub(w.Public.Read) < publicEvery {
		return nil
	}
	code, body, err := e.Public(ctx)
	if err == nil {
		var says incident.PublicStatus
		if says, err = incident.ParsePublicStatus(code, body, e.Now()); err == nil {
			return &says
		}
	}
	e.Log.Warn("Microsoft's public status page says nothing", "tenant", t.ID, "err", err)
	return nil
}
