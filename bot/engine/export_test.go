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
