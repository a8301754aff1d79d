package engine

import (
	"context"

	"keyturn/bot"
)

// Do runs one claimed job, as a worker would.
func (e *Engine) Do(ctx context.Context, j bot.Job) { e.do(ctx, j) }

// Begin does what Run does before its first job.
func (e *Engine) Begin(ctx context.Context) error { return e.begin(ctx) }

// Tries is how often a job is tried before it is given up.
const Tries = tries

// Under is the context of whoever works on a job.
func (e *Engine) Under(ctx context.Context, j bot.Job) context.Context { return e.under(ctx, j) }

// Forget drops what was counted of a tenant's texts.
func (e *Env) Forget(t bot.TenantID) { e.shelves.put(t, shelf{}) }

// Personal and Impersonal are the kinds of records in which names may stand, and
// in which none does.
var Personal, Impersonal = personal, impersonal

// Cloak hides names in a text, or in JSON, and gives what was hidden.
func Cloak(alias func(string) string, people []bot.Person, text string, json bool) (string, int) {
	k := newCloak(alias)
	for _, p := range people {
		k.person(p)
	}
	if json {
		text = k.json(text)
	} else {
		text = k.text(text)
	}
	return text, len(k.used)
}
