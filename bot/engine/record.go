package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"keyturn/bot"
)

// Record is a value that the store keeps for a tenant under a kind and a key,
// and whose form is its owner's. What the store itself has to understand (runs,
// jobs, incidents) has a place of its own in [View] and [Changes]; everything
// else is a record, so that a new thing to remember needs no new store. A record
// holds no secret: those are [Sealed].
type Record struct {
	Kind   string
	Tenant bot.TenantID
	Key    string
	Value  json.RawMessage // nil removes the record
	Until  time.Time       // from then on it is gone; zero keeps it until it is removed
}

// Kind is the records of one type, by the name that the store knows them by.
// A package declares one for each thing that it remembers:
//
//	var desks = engine.Kind[incident.Desk]{Name: "desk"}
type Kind[T any] struct{ Name string }

// NoTenant is where records are that belong to no tenant alone.
const NoTenant bot.TenantID = "*"

// Get reads a record. One that is not there, or whose time is over, is false.
func (k Kind[T]) Get(v View, tenant bot.TenantID, key string) (value T, ok bool, err error) {
	r, ok, err := v.Record(k.Name, tenant, key)
	if err != nil || !ok {
		return value, false, err
	}
	value, err = k.read(r)
	return value, err == nil, err
}

// All reads the tenant's records of the kind, in the order of their keys.
func (k Kind[T]) All(v View, tenant bot.TenantID) ([]T, error) {
	list, err := v.Records(k.Name, tenant)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(list))
	for i, r := range list {
		if out[i], err = k.read(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (k Kind[T]) read(r Record) (value T, err error) {
	if err := json.Unmarshal(r.Value, &value); err != nil {
		return value, fmt.Errorf("the record %s of kind %s cannot be read: %w", r.Key, k.Name, err)
	}
	return value, nil
}

// Put keeps a value until it is removed.
func (k Kind[T]) Put(c *Changes, tenant bot.TenantID, key string, value T) {
	k.PutUntil(c, tenant, key, value, time.Time{})
}

// PutUntil keeps a value until a time.
func (k Kind[T]) PutUntil(c *Changes, tenant bot.TenantID, key string, value T, until time.Time) {
	b, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("a record of kind %s that cannot be written: %v", k.Name, err)) // our own types always can
	}
	c.Records = append(c.Records, Record{Kind: k.Name, Tenant: tenant, Key: key, Value: b, Until: until})
}

// Drop removes a value. One that is not there is no error.
func (k Kind[T]) Drop(c *Changes, tenant bot.TenantID, key string) {
	c.Records = append(c.Records, Record{Kind: k.Name, Tenant: tenant, Key: key})
}
