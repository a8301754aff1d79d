package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"keyturn/bot"
)

func rulesOf(t *testing.T, text string, instance bool) (bot.ChangeRules, string) {
	t.Helper()
	var c changeConfig
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	var f faults
	rules := c.rules(instance, "tenants[0].change", &f)
	return rules, strings.Join(f, "\n")
}

func TestOneRuleForAllChangesOrOneForEach(t *testing.T) {
	for text, want := range map[string]bot.ChangeRules{
		"":                nil,
		"required: false": nil,
		"{required: true, pattern: 'CHG[0-9]+', example: CHG1, systems: [entra], read_servicenow: true}": {{Pattern: "CHG[0-9]+", Example: "CHG1", Systems: []bot.System{bot.Graph}, Read: true}},
		"{entra: {source: servicenow}, servicenow: {source: servicenow}, admin_center: {explanation: who agreed}}": {
			{Systems: []bot.System{bot.Graph, bot.ServiceNow}, Apart: true, Read: true},
			{Systems: []bot.System{bot.AdminCenter}, Apart: true, Says: "who agreed"}},
	} {
		got, wrong := rulesOf(t, text, true)
		if d := cmp.Diff(want, got); d != "" || wrong != "" {
			t.Errorf("%s: %s\n%s", text, wrong, d)
		}
	}
	for text, want := range map[string]string{
		"{required: true, entra: {explanation: x}}":       "keep one form",
		"{entra: {source: jira}}":                         `entra.source: "jira" is none: write servicenow`,
		"{entra: {}}":                                     "entra: say what a number looks like",
		"{entra: {pattern: 'CHG['}}":                      "entra.pattern: error parsing regexp",
		"{entra: {pattern: 'CHG[0-9]+', example: PLT-1}}": "entra.example: give a number that fits the pattern",
		"{admin_center: {source: servicenow}}":            "nobody's sign-in reads a change for it",
		"{required: true, systems: [github]}":             `there is no system "github": write entra, servicenow or admin_center`,
	} {
		if _, wrong := rulesOf(t, text, true); !strings.Contains(wrong, want) {
			t.Errorf("%s: %q", text, wrong)
		}
	}
	if _, wrong := rulesOf(t, "{entra: {source: servicenow}, servicenow: {explanation: x}}", false); !strings.Contains(wrong, "entra.source: there is no servicenow instance") || !strings.Contains(wrong, "servicenow: there is no servicenow instance, so nothing is done there") {
		t.Errorf("without an instance: %q", wrong)
	}
}
