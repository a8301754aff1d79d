package engine_test

import (
	"fmt"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// BenchmarkNamedCommit is the commit of an answer without the disk, in which
// 200 names of each of three tenants are looked for, beside the same commit in
// which nobody looks.
func BenchmarkNamedCommit(b *testing.B) {
	account := func(i int, t bot.TenantID) string {
		return fmt.Sprintf("%c%c%c.admin@%s.example", 'a'+i%26, 'a'+i*7%26, 'a'+i/26, t)
	}
	for _, look := range []bool{false, true} {
		b.Run(fmt.Sprintf("names=%v", look), func(b *testing.B) {
			w := newWorld(b)
			w.env.Alias = aliased
			for _, id := range []bot.TenantID{"fabrikam", "adatum"} {
				w.env.Tenants = append(w.env.Tenants, &bot.Tenant{ID: id, Name: string(id)})
			}
			named := engine.Named(w.store, w.env)
			for _, t := range w.env.Tenants {
				var audit []bot.AuditEntry
				for i := range 200 {
					audit = append(audit, bot.AuditEntry{Tenant: t.ID, At: start, Act: "approve", Person: bot.PersonID(fmt.Sprint("p", i)), Account: account(i, t.ID)})
				}
				if err := named.Commit(b.Context(), func(engine.View) (engine.Changes, error) { return engine.Changes{Audit: audit}, nil }); err != nil {
					b.Fatal(err)
				}
			}
			if !look {
				named = w.store
			}
			reply := bot.Reply{Message: &bot.Message{}}
			for i := range 20 {
				reply.Message.Add(bot.Paragraph{Text: bot.T(fmt.Sprintf("Step %d of the setup waits for %s since this morning; nothing else can go on before.", i, account(i, "contoso")))})
			}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				err := named.Commit(b.Context(), func(engine.View) (engine.Changes, error) {
					return engine.Changes{Delivery: &engine.Delivery{Key: fmt.Sprint(n), Reply: reply, At: start},
						Audit: []bot.AuditEntry{{Tenant: "contoso", At: start, Act: "approve", Person: "p1", Account: account(1, "contoso")}}}, nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
