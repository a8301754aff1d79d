package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/state"
)

// allAudit asks for more entries than any chain has.
const allAudit = 1 << 30

func writeAudit(ctx context.Context, store engine.Store, t bot.TenantID, w io.Writer) error {
	var entries []bot.AuditEntry
	err := store.Read(ctx, func(v engine.View) error {
		var err error
		entries, err = v.Audit(t, allAudit)
		return err
	})
	if err != nil {
		return err
	}
	return state.WriteAudit(w, entries)
}

// writeNames says what pseudonyms in a tenant's trail stand for.
func writeNames(ctx context.Context, store engine.Store, t bot.TenantID, w io.Writer) error {
	var n engine.Names
	err := store.Read(ctx, func(v engine.View) (err error) {
		n, err = engine.NamesOf(v, t)
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(n)
}

// namesOf asks the running bot, or the store, what pseudonyms stand for.
func namesOf(ctx context.Context, conf *config, t bot.TenantID) (n engine.Names, err error) {
	var b bytes.Buffer
	if err := fromState(ctx, conf, "/names/"+string(t), &b, func(s engine.Store) error { return writeNames(ctx, s, t, &b) }); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b.Bytes(), &n); err != nil {
		return nil, fmt.Errorf("the names of %s cannot be read: %w", t, err)
	}
	return n, nil
}

// keptRun is what the store knows of a run besides the trail.
type keptRun struct {
	Run     setup.Run    `json:"run"`
	Objects []bot.Object `json:"objects"`
}

func writeRun(ctx context.Context, store engine.Store, id string, w io.Writer) error {
	var k keptRun
	err := store.Read(ctx, func(v engine.View) (err error) {
		if k.Run, err = v.Run(id); err != nil {
			return err
		}
		objects, err := v.Objects(k.Run.Tenant)
		for _, o := range objects {
			if o.Run == id {
				k.Objects = append(k.Objects, o)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(k)
}

type auditCmd struct {
	Export auditExportCmd `cmd:"" help:"Print a tenant's audit trail, a line of JSON an entry."`
	Verify auditVerifyCmd `cmd:"" help:"Verify the chain of a tenant's audit trail."`
	Report auditReportCmd `cmd:"" help:"Write what an auditor asks about one run: who approved what, the exact calls, results, proofs, request IDs."`
}

type auditExportCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	Named  bool   `help:"With names in the place of pseudonyms, to be read by people: such an export does not verify."`
	Tenant string `arg:"" help:"Tenant."`
}

// Run prints the trail.
func (a auditExportCmd) Run(c *console) error {
	conf, _, err := load(a.Config)
	if err != nil {
		return err
	}
	if !a.Named {
		return exportAudit(c.ctx, conf, bot.TenantID(a.Tenant), c.out)
	}
	var b bytes.Buffer
	if err := exportAudit(c.ctx, conf, bot.TenantID(a.Tenant), &b); err != nil {
		return err
	}
	entries, err := state.ReadAudit(&b)
	if err != nil {
		return err
	}
	names, err := namesOf(c.ctx, conf, bot.TenantID(a.Tenant))
	if err != nil {
		return err
	}
	return state.WriteAudit(c.out, engine.Read(names, entries))
}

func exportAudit(ctx context.Context, conf *config, t bot.TenantID, w io.Writer) error {
	return fromState(ctx, conf, "/audit/"+string(t), w, func(s engine.Store) error { return writeAudit(ctx, s, t, w) })
}

// fromState asks the running bot, or reads the data file itself where none
// runs.
func fromState(ctx context.Context, conf *config, path string, w io.Writer, read func(engine.Store) error) error {
	running, err := ask(ctx, conf.Data, path, w)
	if err != nil || running {
		return err
	}
	store, err := openState(conf)
	if err != nil {
		return err
	}
	defer store.Close()
	return read(store)
}

type auditVerifyCmd struct {
	Config string   `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	Tenant string   `arg:"" help:"Tenant."`
	File   string   `help:"Verify this exported trail instead of the one in the store." type:"existingfile"`
	Head   []string `help:"A head that was noted outside, as Keyturn writes it: contoso 42:0badf00d:5fee..." sep:"none"`
	Heads  []string `help:"A file with such heads in it: a log, what a collector or a webhook received." type:"existingfile"`
}

// Run verifies the trail of a running or stopped bot, or one that was exported.
func (a auditVerifyCmd) Run(c *console) error {
	conf, _, err := load(a.Config)
	if err != nil {
		return err
	}
	outside, err := a.outside()
	if err != nil {
		return err
	}
	var trail []byte
	if a.File != "" {
		if trail, err = os.ReadFile(a.File); err != nil {
			return fmt.Errorf("the exported trail cannot be read: %w", err)
		}
	} else {
		var b bytes.Buffer
		if err := exportAudit(c.ctx, conf, bot.TenantID(a.Tenant), &b); err != nil {
			return err
		}
		trail = b.Bytes()
	}
	entries, compared, err := verified(conf, bot.TenantID(a.Tenant), trail, outside)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		fmt.Fprintln(c.out, "The audit trail of", a.Tenant, "is empty.")
		return nil
	}
	head := state.HeadOf(entries[len(entries)-1])
	fmt.Fprintf(c.out, "The audit trail of %s is whole: %d entries, head %s.\n", a.Tenant, head.Count, head.MAC)
	if first := entries[0]; first.Act == bot.AuditCheckpoint {
		fmt.Fprintf(c.out, "It begins after a signed checkpoint: %s\n", first.Note)
	}
	switch {
	case compared > 0:
		fmt.Fprintf(c.out, "%d head(s) that were noted outside lie in it: up to the last of them nothing was cut off or written anew.\n", compared)
	default:
		fmt.Fprintf(c.out, "Nothing from outside was compared. That its end was not cut off proves only a head that was noted elsewhere: --head, --heads.\n")
	}
	return nil
}

func (a auditVerifyCmd) outside() ([]state.Head, error) {
	var out []state.Head
	for _, h := range a.Head {
		found := state.FindHeads(h)
		if len(found) != 1 {
			return nil, fmt.Errorf("%q is no head: copy it as Keyturn wrote it, such as contoso 42:0badf00d:… with all 64 digits", h)
		}
		out = append(out, found...)
	}
	for _, f := range a.Heads {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("the noted heads cannot be read: %w", err)
		}
		found := state.FindHeads(string(b))
		if len(found) == 0 {
			return nil, fmt.Errorf("%s holds no head of an audit trail", f)
		}
		out = append(out, found...)
	}
	for _, h := range out {
		if h.Tenant == bot.TenantID(a.Tenant) {
			return out, nil
		}
	}
	if len(out) > 0 {
		return nil, fmt.Errorf("none of the %d heads is of %s", len(out), a.Tenant)
	}
	return nil, nil
}

// verified reads an exported trail and checks every byte of it.
func verified(conf *config, t bot.TenantID, trail []byte, outside []state.Head) ([]bot.AuditEntry, int, error) {
	entries, err := state.ReadAudit(bytes.NewReader(trail))
	if err != nil {
		return nil, 0, err
	}
	auditor, err := state.OpenAuditor(conf.Key.value.Reveal())
	if err != nil {
		return nil, 0, err
	}
	compared, err := auditor.VerifySince(t, entries, outside)
	return entries, compared, err
}

type auditReportCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	RunID  string `name:"run" required:"" help:"The run, as it stands at the foot of its checklist and in the trail."`
	Out    string `short:"o" help:"File to write, Markdown or with .html a web page; without it Markdown is printed."`
}

// Run writes the report.
func (a auditReportCmd) Run(c *console) error {
	conf, tenants, err := load(a.Config)
	if err != nil {
		return err
	}
	r, err := reportOf(c.ctx, conf, tenants, a.RunID, time.Now())
	if err != nil {
		return err
	}
	if a.Out == "" {
		return r.markdown(c.out)
	}
	var b bytes.Buffer
	draw := r.markdown
	if ext := strings.ToLower(filepath.Ext(a.Out)); ext == ".html" || ext == ".htm" {
		draw = r.html
	}
	if err := draw(&b); err != nil {
		return err
	}
	if err := os.WriteFile(a.Out, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	fmt.Fprintln(c.out, "Wrote", a.Out+".")
	return nil
}

// reportOf gathers what the trail and the store know about a run. A run that
// was removed after its time is still reported from the trail.
func reportOf(ctx context.Context, conf *config, tenants []*bot.Tenant, run string, now time.Time) (*report, error) {
	var b bytes.Buffer
	var k keptRun
	err := fromState(ctx, conf, "/run/"+run, &b, func(s engine.Store) error { return writeRun(ctx, s, run, &b) })
	if err == nil {
		err = json.Unmarshal(b.Bytes(), &k)
	}
	gone := err
	for _, t := range tenants {
		var trail bytes.Buffer
		if err := exportAudit(ctx, conf, t.ID, &trail); err != nil {
			return nil, err
		}
		entries, _, err := verified(conf, t.ID, trail.Bytes(), nil)
		if err != nil {
			return nil, err
		}
		r := &report{ID: run, Tenant: t, Made: now.UTC(), base: func(s bot.System) string { return conf.base(t.ID, s) }}
		for _, e := range entries {
			if e.Run == run {
				r.entries = append(r.entries, e)
			}
		}
		if len(r.entries) == 0 {
			continue
		}
		r.Head = state.HeadOf(entries[len(entries)-1]).String()
		if r.names, err = namesOf(ctx, conf, t.ID); err != nil {
			return nil, err
		}
		r.entries, k.Objects = engine.Read(r.names, r.entries), engine.Read(r.names, k.Objects)
		r.fill(k)
		return r, nil
	}
	if gone != nil {
		return nil, fmt.Errorf("no audit trail has the run %s: look the ID up at the foot of its checklist (%w)", run, gone)
	}
	return nil, fmt.Errorf("no audit trail has an entry of the run %s", run)
}
