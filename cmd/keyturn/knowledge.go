package main

import (
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/recommend"
)

// check finds what is wrong with what answers may be completed with.
func (k knowledgeConfig) check(mode bot.Mode, public, where string, f *faults) bot.Knowledge {
	if k.AsAsker && (mode != bot.Delegated || public == "") {
		f.add("%s.as_asker: nobody signs in at ServiceNow here: give public_url, and servicenow_client_id with servicenow_secret under sign_in", where)
	}
	for _, b := range k.Bases {
		if !recommend.SysID(b) {
			f.add("%s.bases: %q is no sys_id of a knowledge base: write the 32 letters and digits that [Copy sys_id] gives on its record", where, b)
		}
	}
	for _, c := range k.Categories {
		if strings.TrimSpace(c) == "" || strings.ContainsAny(c, "^,") {
			f.add("%s.incident_categories: %q is no category: write its value as the incident holds it, such as software", where, c)
		}
	}
	return bot.Knowledge{AsAsker: k.AsAsker, Bases: slices.Clone(k.Bases), Categories: slices.Clone(k.Categories)}
}
