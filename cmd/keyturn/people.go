package main

import (
	"strings"

	"keyturn/bot"
)

// people makes the tenant's people and gives the names that roles use.
func (t *tenantConfig) people(c *config, out *bot.Tenant, where string, f *faults) map[string]bot.PersonID {
	names := map[string]bot.PersonID{}
	accounts, owned := map[bot.Account]string{}, map[string]string{}
	for _, p := range t.People {
		at := where + ".people." + p.Name
		if !guidLike.MatchString(p.ID) {
			f.add("%s.id: write the person's Entra object ID, a GUID from their page in Microsoft Entra", at)
		}
		id := strings.ToLower(p.ID) // Entra writes it so; four eyes compare it
		if other, taken := owned[id]; taken && id != "" {
			f.add("%s.id: this is %s already; one person stands here once, with every chat account", at, other)
		}
		owned[id] = p.Name
		person := bot.Person{ID: bot.PersonID(id), Name: p.Name, Zone: p.Zone, Admin: map[bot.System]string{}, AdminID: map[bot.System]string{}}
		for _, s := range p.Accounts {
			a, err := bot.ParseAccount(s)
			if err != nil {
				f.add("%s.accounts: %v", at, err)
				continue
			}
			if other, taken := accounts[a]; taken {
				f.add("%s.accounts: %s belongs to %s already; an account is one person's", at, a, other)
			}
			accounts[a] = p.Name
			person.Accounts = append(person.Accounts, a)
		}
		for _, system := range sortedKeys(p.Admin) {
			account := p.Admin[system]
			switch system {
			case "entra":
				person.Admin[bot.Graph] = account
			case "servicenow":
				person.Admin[bot.ServiceNow] = account
			case "entra_id":
				if !guidLike.MatchString(account) {
					f.add("%s.admin.entra_id: write the account's Entra object ID, a GUID from its page in Microsoft Entra", at)
				}
				person.AdminID[bot.Graph] = account
			case "servicenow_id":
				person.AdminID[bot.ServiceNow] = account
			default:
				f.add("%s.admin: there is no system %q: write entra or servicenow, and entra_id or servicenow_id for the account's own ID", at, system)
			}
		}
		for _, name := range []string{"entra", "servicenow"} {
			if p.Admin[name+"_id"] != "" && p.Admin[name] == "" {
				f.add("%s.admin.%s: the name of the account is missing beside its ID", at, name)
			}
		}
		names[p.Name], names[p.ID] = person.ID, person.ID
		out.People = append(out.People, person)
	}
	onePersonEach(out, where, f)
	return names
}

// onePersonEach finds one human who stands under people twice, as two who give
// each other the second word: with an admin account or a Teams account that is
// another entry's own, or with an admin account that two entries have.
func onePersonEach(t *bot.Tenant, where string, f *faults) {
	accounts := map[string]string{}
	for _, p := range t.People {
		at := where + ".people." + p.Name
		theirs := map[string]bot.PersonID{"admin.entra_id": bot.PersonID(strings.ToLower(p.AdminID[bot.Graph]))}
		for _, a := range p.Accounts {
			if a.Platform == bot.Teams && strings.EqualFold(a.Team, t.Directory) { // where an account's ID is the person's object ID
				theirs["accounts"] = bot.PersonID(strings.ToLower(a.ID))
			}
		}
		for _, field := range sortedKeys(theirs) {
			if other, taken := t.Person(theirs[field]); taken && other.ID != p.ID {
				f.add("%s.%s: this is %s, who stands here too; one person stands here once, with every account", at, field, other.Name)
			}
		}
		for _, s := range []bot.System{bot.Graph, bot.ServiceNow} {
			for _, v := range []string{p.Admin[s], p.AdminID[s]} {
				key := string(s) + " " + strings.ToLower(v)
				if other, taken := accounts[key]; taken && v != "" && other != p.Name {
					f.add("%s.admin: %s is %s's already; an account is one person's", at, v, other)
				}
				accounts[key] = p.Name
			}
		}
	}
}
