package statetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

var trails = map[string]func(*testing.T, *bench){
	"each tenant has its own chain, which goes on after reopening": chains,
	"the last entries come oldest first":                           lastEntries,
	"a refused change leaves no gap in the chain":                  noGap,
	"entries of concurrent commits make one chain":                 concurrentChain,
	"an entry comes back as it was signed":                         awkwardEntry,
}

func trail(b *bench, tenant bot.TenantID) (list []bot.AuditEntry) {
	b.t.Helper()
	b.read(func(v engine.View) (err error) {
		list, err = v.Audit(tenant, 1<<30)
		return err
	})
	return list
}

// genuine verifies a tenant's chain with n entries.
func genuine(b *bench, tenant bot.TenantID, n int) {
	b.t.Helper()
	list := trail(b, tenant)
	head := state.Head{Tenant: tenant}
	if len(list) > 0 {
		head = state.HeadOf(list[len(list)-1])
	}
	same(b.t, "entries of "+string(tenant), uint64(n), head.Count)
	if err := b.subject.Auditor.Verify(list, head); err != nil {
		b.t.Errorf("the chain of %s: %v", tenant, err)
	}
}

func chains(t *testing.T, b *bench) {
	entry := func(tenant bot.TenantID, act string) bot.AuditEntry {
		return bot.AuditEntry{Tenant: tenant, At: b.clock, Person: "p1", Act: act}
	}
	b.commit(engine.Changes{Audit: []bot.AuditEntry{entry("contoso", "approve"), entry("fabrikam", "approve"), entry("contoso", "call")}})
	b.reopen()
	b.commit(engine.Changes{Audit: []bot.AuditEntry{entry("contoso", "result")}})
	b.reopen()
	genuine(b, "contoso", 3)
	genuine(b, "fabrikam", 1)
	genuine(b, "nobody", 0)
	same(t, "the order", "result", trail(b, "contoso")[2].Act)
}

func lastEntries(t *testing.T, b *bench) {
	for i := range 12 {
		b.commit(engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: fmt.Sprint(i)}, {Tenant: "contoso2", Act: "x"}}})
	}
	b.read(func(v engine.View) error {
		list, err := v.Audit("contoso", 3)
		var acts []string
		for _, e := range list {
			acts = append(acts, e.Act)
		}
		same(t, "the last three", []string{"9", "10", "11"}, acts)
		none, err2 := v.Audit("contoso", 0)
		same(t, "the last none", 0, len(none))
		return errors.Join(err, err2)
	})
}

func noGap(t *testing.T, b *bench) {
	b.commit(engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "one"}}})
	if err := b.try(engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "two"}}, Jobs: []bot.Job{{}}}); err == nil {
		t.Error("a change that cannot be stored was stored")
	}
	b.commit(engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "three"}}})
	genuine(b, "contoso", 2)
}

func concurrentChain(t *testing.T, b *bench) {
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wg.Go(func() {
			errs[i] = b.store.Commit(context.Background(), func(engine.View) (engine.Changes, error) {
				return engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: fmt.Sprint(i)}}}, nil
			})
		})
	}
	wg.Wait()
	same(t, "errors", nil, errors.Join(errs...))
	genuine(b, "contoso", 64)
}

func awkwardEntry(t *testing.T, b *bench) {
	b.commit(engine.Changes{Audit: []bot.AuditEntry{{
		Tenant: "contoso", At: Start.Local(), Act: "call", Note: "bytes \xff\xfe and <tags> & \u2028",
		Call: &bot.Call{ID: "c1", Body: []byte(` {"b" : "<&>", "a": [ ] } `), Form: map[string]string{"z": "1", "a": "2"}},
	}}})
	b.reopen()
	genuine(b, "contoso", 1)
}
