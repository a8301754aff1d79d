package engine

import (
	"context"
	"encoding/json"
	"time"

	"keyturn/bot"
)

// Health reads a tenant's service health from Microsoft Graph.
type Health interface {
	// Issues gives every issue that changed since a time (the zero time: all),
	// as Graph wrote them. The reading is complete or an error.
	Issues(ctx context.Context, tenant bot.TenantID, as bot.Reader, since time.Time) ([]json.RawMessage, error)
}
