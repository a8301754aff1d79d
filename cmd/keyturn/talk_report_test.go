package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/sim/play"
	"keyturn/state"
)

func (h *house) report(trail []bot.AuditEntry) (markdown, html string) {
	h.Helper()
	conf, tenants := h.config()
	run := ""
	for _, e := range trail {
		if e.Run != "" {
			run = e.Run
		}
	}
	r, err := reportOf(context.Background(), conf, tenants, run, h.now())
	if err != nil {
		h.Fatal(err)
	}
	var m, w bytes.Buffer
	if err := r.markdown(&m); err != nil {
		h.Fatal(err)
	}
	if err := r.html(&w); err != nil {
		h.Fatal(err)
	}
	return m.String(), w.String()
}

func TestAnAuditorReadsWhoApprovedWhatAndWhatCameOfIt(t *testing.T) {
	h := open(t, withChangeNumbers)
	h.begins("connector", map[string]any{"change": "CHG0031337"})
	h.everybodyUntil("✅ finished")
	h.idle()
	trail := h.audit()
	markdown, html := h.report(trail)
	for _, e := range trail {
		if e.Request != "" && !strings.Contains(markdown, e.Request) {
			t.Errorf("the report lacks the request ID %s of %s", e.Request, e.Act)
		}
	}
	for _, want := range []string{
		"# Audit report of run ", play.Erin.Name + " (" + play.Erin.Entra + ")", "CHG", "PROVED, read back", "CONFIRMED, a person's word",
		"Approved, as shown:", "POST " + h.world.MicrosoftURL + "/graph/v1.0/applications", "result 20", "## What exists", "addPassword",
	} {
		if !strings.Contains(markdown, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if !strings.Contains(html, "<h2>Who approved what</h2>") || !strings.Contains(html, "client-request-id") || strings.Contains(html, "ZgotmplZ") {
		t.Error("the web page is not what it should be")
	}
	for _, c := range h.secrets() {
		if strings.Contains(markdown+html, c.value) {
			t.Errorf("%s stands in the report", c.name)
		}
	}
	if t.Failed() {
		t.Log(markdown)
	}
	if len(trail) < 20 {
		t.Errorf("the trail has %d entries only", len(trail))
	}
	if dir := os.Getenv("KEYTURN_SHOW"); dir != "" { // to look at it
		_ = os.WriteFile(filepath.Join(dir, "report.md"), []byte(markdown), 0o600)
		_ = os.WriteFile(filepath.Join(dir, "report.html"), []byte(html), 0o600)
	}
	h.halt() // and of a stopped bot
	if again, _ := h.report(trail); !strings.Contains(again, "Who approved what") {
		t.Error("a stopped bot's report is empty")
	}
	h.start()
}

func TestTheHeadOfTheTrailStandsInTheLog(t *testing.T) {
	h := open(t)
	h.asks()
	h.idle()
	h.later(2 * hour) // the first head may have left when there was none
	h.restart()
	h.becomes("a head in the log", func() bool { return len(state.FindHeads(h.log.String())) > 0 })
	auditor, err := state.OpenAuditor(func() string { c, _ := h.config(); return c.Key.value.Reveal() }())
	if err != nil {
		t.Fatal(err)
	}
	trail := h.audit()
	noted := state.FindHeads(h.log.String())
	if n, err := auditor.VerifySince("contoso", trail, noted); err != nil || n == 0 {
		t.Errorf("the trail does not hold the noted heads: %d, %v", n, err)
	}
	if _, err := auditor.VerifySince("contoso", trail[:noted[0].Count-1], noted); err == nil {
		t.Error("a cut tail goes unnoticed")
	}
}

func TestWordsOfOthersCannotDrawInAReport(t *testing.T) {
	r := &report{ID: "r|1 <b>", Tenant: &bot.Tenant{Name: "a | b\n# c"}, Lines: []reportedLine{{Note: "x | y `z` <script>"}}, Steps: []reportedStep{{Title: "*s*", Approved: []string{"a\n```\n# b"}}}}
	var b bytes.Buffer
	if err := r.markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "<b>", "\n# c", "| b\n"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the report holds %q", bad)
		}
	}
	if !strings.Contains(b.String(), "````\na\n```\n# b\n````") {
		t.Errorf("a fence can be closed from inside:\n%s", b.String())
	}
	b.Reset()
	if err := r.html(&b); err != nil || strings.Contains(b.String(), "<script>") {
		t.Errorf("the page takes a script: %v", err)
	}
}
