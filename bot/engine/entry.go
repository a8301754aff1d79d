package engine

import (
	"keyturn/bot"
	"keyturn/bot/setup"
)

// entry is what every audit entry about a step says: whose word it rests on, as
// which account it runs, under which change number and for which plan. Whoever
// reads a single line of the trail has to know whose it is.
func entry(r *setup.Run, st *setup.Step, act string) bot.AuditEntry {
	e := bot.AuditEntry{Tenant: r.Tenant, Act: act, Run: r.ID, Step: string(st.ID), Person: st.By, Change: r.NumbersOf(st)}
	if a := st.Approval; a != nil && (st.By == "" || st.By == a.Person) { // not where somebody did by hand what another approved
		e.Person, e.Account, e.Via, e.Plan = a.Person, a.Account, a.Via, a.Digest
		if a.Change != "" {
			e.Change = a.Change
		}
	}
	return e
}
