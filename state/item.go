package state

// Item is one record on its way from one store to another: its names, and its
// bytes as they are. Stores share the form of the bytes.
type Item struct {
	Kind  string   // one of the Item constants
	Names []string // of that kind
	N     uint64   // of a job or an audit entry
	Value []byte   // nil of a run that is forgotten and whose objects are still listed
}

// The kinds of [Item], with their names.
const (
	ItemDelivery     = "deliveries"     // key
	ItemRun          = "runs"           // ID, tenant
	ItemObject       = "objects"        // tenant, key
	ItemIncident     = "incidents"      // tenant, ID
	ItemSubscription = "subscriptions"  // tenant, ID
	ItemWatch        = "watches"        // tenant
	ItemBinding      = "bound places"   // platform, team, channel, user; the value is the tenant
	ItemSent         = "ledger entries" // key
	ItemSecret       = "secrets"        // name
	ItemRecord       = "records"        // kind, tenant, key
	ItemJob          = "jobs"           // numbered
	ItemAudit        = "audit entries"  // tenant, numbered
	ItemHead         = "audit trails"   // tenant; the value is the head
)
