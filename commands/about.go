package commands

import (
	"errors"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/recommend"
	"keyturn/bot/setup"
)

// about finds the tenant that a click or a form names by itself: a run belongs
// to one, and a form carries the one that it was opened for. Direct messages
// and people's own pages are bound to no tenant, so nothing else says it there.
func about(d *engine.Draft, r bot.Request, speaking []*bot.Tenant) (*bot.Tenant, error) {
	if r.Kind != bot.Clicked && r.Kind != bot.Submitted {
		return nil, nil
	}
	var id bot.TenantID
	switch r.Action {
	case actStart:
		_, _, id = startValue(r.Value)
	case actSubs, actRecommend:
		id = bot.TenantID(r.Value)
	case recommend.ActHelped, recommend.ActNone, recommend.ActShare:
		question, _, _ := strings.Cut(r.Value, "/")
		for _, t := range speaking {
			if _, ok, err := d.Question(t.ID, r.From, question); err != nil || ok {
				return t, err
			}
		}
		return nil, nil
	case setup.ActReplace, actReplace:
		id, _ = setup.ReadReplaceValue(r.Value)
	default:
		name, _, _, ok := setup.Target(r.Value)
		if !ok {
			return nil, nil
		}
		run, err := d.Run(name)
		if errors.Is(err, bot.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		id = run.Tenant
	}
	for _, t := range speaking {
		if t.ID == id {
			return t, nil
		}
	}
	return nil, nil
}

// startValue reads what a start form carries: the guide, the channel where the
// checklist goes, the tenant.
func startValue(value string) (guide setup.GuideID, channel string, tenant bot.TenantID) {
	p := strings.SplitN(value+"//", "/", 4)
	return setup.GuideID(p[0]), p[1], bot.TenantID(p[2])
}

// words is what a request would be as a command, to go on with once its tenant
// is chosen.
func words(r bot.Request) string {
	switch r.Action {
	case actVerb:
		return r.Value
	case setup.ActGuide:
		return "setup " + r.Value
	case actSubs:
		return "subscriptions"
	case actRecommend:
		return "recommend"
	}
	return r.Text
}

// mayTell says in words why a channel that a form names cannot be told about
// the asker's tenant: a channel is never told about two.
func (a *Ask) mayTell(at bot.Place) (wrong string, err error) {
	if at.Channel == "" {
		return "Choose the channel that is told about incidents.", nil
	}
	owner, bound, err := a.Bound(at)
	if err == nil && bound && owner != a.Tenant.ID {
		wrong = "This channel belongs to another tenant. Choose one that does not."
	}
	return wrong, err
}

// claim binds a channel that a form names to the asker's tenant.
func (a *Ask) claim(at bot.Place) {
	a.Out.Bindings = append(a.Out.Bindings, engine.Binding{Place: at, Tenant: a.Tenant.ID})
}
