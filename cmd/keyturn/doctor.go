package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

type doctorCmd struct {
	Config string        `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	JSON   bool          `help:"Print what was found as JSON." name:"json"`
	Limit  time.Duration `help:"How long one system may take to answer." default:"20s"`
}

// Run looks at everything that a configuration leads to. It ends with an error
// where something is broken.
func (d doctorCmd) Run(c *console) error {
	report, err := d.examine(c)
	if err != nil {
		return err
	}
	write := report.text
	if d.JSON {
		write = report.json
	}
	if err := write(c.out); err != nil {
		return fmt.Errorf("printing what was found: %w", err)
	}
	if n := report.Broken; n > 0 {
		return fmt.Errorf("%s broken; each with its fix above", countOf(n, "thing is", "things are"))
	}
	return nil
}

func (d doctorCmd) examine(c *console) (*diagnosis, error) {
	conf, tenants, err := load(d.Config)
	var wrong *configError
	if errors.As(err, &wrong) {
		// Nothing can be asked with half a configuration.
		out := &diagnosis{}
		for _, f := range wrong.faults {
			out.add(finding{Of: "Configuration", What: d.Config, State: broken, Says: f})
		}
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	doc, err := newDoctor(conf, tenants, logger(&console{err: io.Discard}, conf.Log), time.Now)
	if err != nil {
		return nil, err
	}
	return doc.examine(c.ctx, d.Limit, progressOn(c.err)), nil
}

// condition is how one thing is.
type condition string

const (
	fine     condition = "fine"
	warned   condition = "warning"  // it works, and something is lost or will end
	broken   condition = "broken"   // it does not work
	unproved condition = "unproved" // nothing tells before somebody does something
)

// finding is what is known of one thing.
type finding struct {
	Of        string    `json:"of"`   // the system, with the tenant where there are several
	What      string    `json:"what"` // the credential, right or address
	State     condition `json:"state"`
	Says      string    `json:"says"`          // what is so, or what is broken and why
	Fix       string    `json:"fix,omitempty"` // what to do about it
	Code      string    `json:"code,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
}

// failed is a finding about an error. The adapters' failures say what it means
// and how it is mended.
func failed(of, what string, err error, fix string) finding {
	out := finding{Of: of, What: what, State: broken, Says: err.Error(), Fix: fix}
	var f *bot.Failure
	if errors.As(err, &f) {
		if f.Kind == bot.KindUnreachable && f.Fix == "" && f.Err != nil {
			f = httpx.Lost(f.System, false, f.RequestID, f.Err) // it says what is in the way
		}
		out.Says, out.Code, out.RequestID = f.Says, f.Code, f.RequestID
		if out.Fix == "" {
			out.Fix = now(f.Fix)
		}
	}
	return out
}

// now is a fix without the promise of another try, which the doctor does not
// make.
func now(fix string) string {
	switch rest, again := strings.CutPrefix(fix, "It is tried again; if it stays, "); {
	case again && rest != "":
		return strings.ToUpper(rest[:1]) + rest[1:]
	case fix == "It is tried again later.", fix == "It is tried again.", fix == "It is tried again by itself.":
		return "Run keyturn doctor again in a while; if it stays, check the network and firewall of this server."
	}
	return fix
}

// judged is fine, or what an error says.
func judged(of, what, says string, err error) finding {
	if err != nil {
		return failed(of, what, err, "")
	}
	return finding{Of: of, What: what, State: fine, Says: says}
}

// diagnosis is everything that was found, in the order of the systems.
type diagnosis struct {
	Findings []finding `json:"findings"`
	Broken   int       `json:"broken"`
	Warnings int       `json:"warnings"`
	Unproved int       `json:"unproved"`
	Fine     int       `json:"fine"`
}

func (d *diagnosis) add(all ...finding) {
	for _, f := range all {
		d.Findings = append(d.Findings, f)
		switch f.State {
		case broken:
			d.Broken++
		case warned:
			d.Warnings++
		case unproved:
			d.Unproved++
		default:
			d.Fine++
		}
	}
}

func (d *diagnosis) json(w io.Writer) error {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func (d *diagnosis) text(w io.Writer) error {
	var b strings.Builder
	of := ""
	for _, f := range d.Findings {
		if f.Of != of {
			of = f.Of
			fmt.Fprintf(&b, "%s\n", of)
		}
		fmt.Fprintf(&b, "  %-8s  %s: %s", f.State, f.What, sentence(f.Says))
		if small := strings.Join(nonEmpty(f.Code, withName("request ", f.RequestID)), ", "); small != "" {
			fmt.Fprintf(&b, " (%s)", small)
		}
		b.WriteString("\n")
		if f.Fix != "" {
			fmt.Fprintf(&b, "            Fix: %s\n", sentence(f.Fix))
		}
	}
	fmt.Fprintf(&b, "\n%d fine, %d broken, %s, %d unproved.\n", d.Fine, d.Broken, countOf(d.Warnings, "warning", "warnings"), d.Unproved)
	_, err := io.WriteString(w, b.String())
	return err
}

func sentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

func withName(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

func nonEmpty(all ...string) (out []string) {
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// probe looks at one thing, or at several that depend on each other.
type probe struct {
	name string
	look func(context.Context) []finding
}

// examine makes all probes at the same time. progress hears of each that ends,
// with those that are still waited for.
func (d *doctor) examine(ctx context.Context, limit time.Duration, progress func(done, all int, name string, waiting []string)) *diagnosis {
	probes := d.probes()
	found := make([][]finding, len(probes))
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		open = make([]string, 0, len(probes))
		done int
	)
	for _, p := range probes {
		open = append(open, p.name)
	}
	for i, p := range probes {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			found[i] = p.look(ctx)
			mu.Lock()
			defer mu.Unlock()
			done++
			open = slices.DeleteFunc(open, func(name string) bool { return name == p.name })
			progress(done, len(probes), p.name, open)
		})
	}
	all.Wait()
	out := &diagnosis{}
	out.add(together(slices.Concat(found...))...)
	return out
}

// together puts what is of one thing side by side, in the order in which each
// thing is first told of.
func together(all []finding) []finding {
	at := map[string]int{}
	for i, f := range all {
		if _, ok := at[f.Of]; !ok {
			at[f.Of] = i
		}
	}
	slices.SortStableFunc(all, func(a, b finding) int { return at[a.Of] - at[b.Of] })
	return all
}

// progressOn writes how far the examination is: one line that is written over
// on a terminal, and elsewhere a line for each probe that ended.
func progressOn(w io.Writer) func(done, all int, name string, waiting []string) {
	f, ok := w.(*os.File)
	terminal := false
	if ok {
		info, err := f.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return func(done, all int, name string, waiting []string) {
		if !terminal {
			fmt.Fprintf(w, "[%d/%d] %s\n", done, all, name)
			return
		}
		line := ""
		if len(waiting) > 0 {
			line = fmt.Sprintf("[%d/%d] waiting for %s", done, all, strings.Join(waiting, ", "))
		}
		if r := []rune(line); len(r) > 100 {
			line = string(r[:99]) + "…"
		}
		fmt.Fprintf(w, "\r\x1b[K%s", line)
	}
}
