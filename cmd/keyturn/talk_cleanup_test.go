package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/servicenow"
)

// inventories is what exists at Microsoft and on the instance.
type inventories struct {
	Microsoft  microsoft.Inventory
	ServiceNow servicenow.Inventory
}

// exists is what exists now, but for two things that cannot be made undone:
// Entra keeps deleted registrations restorable for 30 days, and a ServiceNow
// user whom incidents name is switched off, not deleted.
func (h *house) exists() inventories {
	out := inventories{h.world.Microsoft.Inventory(), h.world.ServiceNow.Inventory()}
	out.Microsoft.Deleted = nil
	out.ServiceNow["users"] = slices.DeleteFunc(slices.Clone(out.ServiceNow["users"]), func(u string) bool { return strings.Contains(u, "active=false") })
	return out
}

func (h *house) expectExists(want inventories) {
	h.Helper()
	h.idle()
	if diff := cmp.Diff(want, h.exists()); diff != "" {
		h.fail("what exists is not as it was (-before +now):\n%s", diff)
	}
}

// skipsUninstalling lets everybody clean up, but the connector's app stays: it
// was there before Keyturn.
func (h *house) skipsUninstalling() {
	h.Helper()
	h.everybodyUntilStep(play.Sam, "Skip with reason", "sn-app-remove")
	h.clicks(play.Sam, "Skip with reason", "sn-app-remove")
	h.submits(play.Sam, map[string]any{"why": "It was here before, and belongs to another team."})
	h.everybodyUntil("✅ finished")
}

func TestCleanupAfterDirectLeavesNothing(t *testing.T) {
	h := open(t)
	before := h.exists()
	h.finishes("direct")
	if cmp.Equal(before, h.exists()) {
		t.Fatal("the guide made nothing, so there is nothing to clean up")
	}
	h.clicks(play.Rita, "Clean up", "")
	h.submits(play.Rita, nil)
	h.skipsUninstalling()
	h.expectChecklist("⏭ skipped by Sam Duarte", "removed")
	h.expectExists(before)
	h.expectThread(play.Ops, "skipped by Sam Duarte. Reason: It was here before, and belongs to another team.")
	h.types(play.Rita, "/keyturn inventory")
	h.expectPrivate(play.Rita, "Keyturn has made nothing for Contoso")
}

func TestCleanupAfterConnectorLeavesNothing(t *testing.T) {
	h := open(t)
	before := h.exists()
	h.finishes("connector")
	h.begins("cleanup", nil)
	h.skipsUninstalling()
	h.expectExists(before)
}

func TestCleanupFindsWhatWasSetUpByHandYearsAgo(t *testing.T) {
	h := open(t, withLeftovers)
	h.crew.Leave("choose-entra", "choose-servicenow")
	before := h.exists()
	h.begins("cleanup", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "What goes and what stays at Entra", "Evidence is no proof")
	h.expectNoWrites()

	var old microsoft.InventoryApp
	for _, a := range before.Microsoft.Apps {
		if a.UniqueName == "" && len(a.RedirectURIs) == 2 && strings.Contains(a.RedirectURIs[0], play.Instance) {
			old = a
		}
	}
	if old.AppID == "" {
		t.Fatalf("the world has no old registration: %+v", before.Microsoft.Apps)
	}
	h.expectCard(play.Erin, old.AppID)

	h.crew.Touch("choose-entra", "choose-servicenow")
	h.everybodyUntil("✅ finished")
	h.idle()
	now := h.exists()

	want := before
	want.Microsoft.Apps = slices.DeleteFunc(slices.Clone(want.Microsoft.Apps), func(a microsoft.InventoryApp) bool { return a.AppID == old.AppID })
	want.Microsoft.Principals = slices.DeleteFunc(slices.Clone(want.Microsoft.Principals), func(p microsoft.InventoryPrincipal) bool { return p.AppID == old.AppID })
	want.Microsoft.AdminCenter = microsoft.InventoryAdminCenter{}
	if diff := cmp.Diff(want.Microsoft, now.Microsoft); diff != "" {
		t.Errorf("at Microsoft more or less went than was left behind (-expected +now):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"app: scope=x_mioms_m365_assis version=1.0.11",
		"privileges: source_scope.scope=x_mioms_m365_assis target_name=oauth_entity operation=read status=allowed",
		"privileges: source_scope.scope=x_mioms_m365_assis target_name=oauth_entity_profile operation=read status=allowed",
		"profiles: name=M365 Support Prod OAuth default_profile oauth_entity=M365 Support Prod OAuth grant_type=client_credentials default=true",
		"registry: name=M365 Support Prod OAuth type=oauth_provider client_id=" + old.AppID + " token_url=https://login.microsoftonline.com/contoso.example/oauth2/token default_grant_type=client_credentials active=true sys_scope=Global",
		"roles: user.user_name=old.manager role=x_mioms_m365_assis.administrator inherited=false",
		"roles: user.user_name=old.viewer role=x_mioms_m365_assis.insights_user inherited=false",
	}, lacks(before.ServiceNow, now.ServiceNow)); diff != "" {
		t.Errorf("on the instance more or less went than was left behind (-expected +now):\n%s", diff)
	}
	if added := lacks(now.ServiceNow, before.ServiceNow); len(added) > 0 {
		t.Errorf("cleanup made something new on the instance: %v", added)
	}
}

// lacks lists what an inventory has no more.
func lacks(before, now servicenow.Inventory) []string {
	out := []string{}
	for kind, lines := range before {
		for _, l := range lines {
			if !slices.Contains(now[kind], l) {
				out = append(out, kind+": "+l)
			}
		}
	}
	slices.Sort(out)
	return out
}
