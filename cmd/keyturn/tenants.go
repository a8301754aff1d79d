package main

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/bot"
	"keyturn/state"
)

// faults gathers everything that is wrong with a configuration, each with its
// fix.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// check finds every error of a configuration and makes the tenants.
func (c *config) check() ([]*bot.Tenant, faults) {
	var f faults
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8364"
	}
	c.checkState(&f)
	c.Key.need(&f, "key", "keyturn key makes one")
	if c.Key.value.Reveal() != "" {
		if _, err := state.OpenSealer(c.Key.value.Reveal()); err != nil {
			f.add("key: %v", err)
		}
	}
	c.checkOutside(&f)
	c.checkChats(&f)
	c.Audit.check(&f)
	c.checkDoor(&f)
	if len(c.Tenants) == 0 {
		f.add("tenants: name at least one Microsoft 365 tenant")
	}
	var out []*bot.Tenant
	seen := map[string]bool{}
	for i := range c.Tenants {
		t := &c.Tenants[i]
		where := "tenants." + t.ID
		if t.ID == "" || !nameLike.MatchString(t.ID) {
			where = fmt.Sprintf("tenants[%d]", i)
			f.add("%s.id: give the tenant a short name of lower-case letters, digits and dashes", where)
		}
		if seen[t.ID] {
			f.add("%s: the name is used twice", where)
		}
		seen[t.ID] = true
		out = append(out, t.tenant(c, where, &f))
	}
	return out, f
}

// checkOutside finds what is wrong with addresses and levels.
func (c *config) checkOutside(f *faults) {
	for _, a := range [][2]string{{"public_url", c.PublicURL}, {"outside.graph", c.Outside.Graph}, {"outside.login", c.Outside.Login}, {"outside.slack", c.Outside.Slack}, {"outside.status", c.Outside.Status}, {"outside.teams", c.Outside.Teams}, {"outside.teams_login", c.Outside.TeamsLogin}, {"outside.teams_openid", c.Outside.TeamsOpenID}} {
		if u := a[1]; u != "" && (u != "none" || a[0] != "outside.status") && !webURL(u) {
			f.add("%s: %q is no address: write https://host or http://host:port", a[0], u)
		}
	}
	if c.Learn != "" && c.Learn != "off" && !webURL(c.Learn) {
		f.add("learn: %q is no address: write off to ask nobody, https://host for a Microsoft Learn of your own, or leave it out", c.Learn)
	}
	if c.Outside.Proxy.err != nil {
		f.add("outside.proxy: %v", c.Outside.Proxy.err)
	} else if _, err := httpx.NewNetwork(httpx.Config{Proxy: c.Outside.Proxy.value.Reveal()}); err != nil {
		f.add("outside.proxy: %v", err)
	}
	if _, err := httpx.NewNetwork(httpx.Config{Proxy: "none", CAFile: c.Outside.CABundle}); err != nil {
		f.add("outside.ca_bundle: %v", err)
	}
	if _, err := httpx.NewResolver(c.Outside.Resolver); err != nil {
		f.add("outside.resolver: %v", err)
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		f.add("listen: %q is no address to listen on: write 127.0.0.1:8364", c.Listen)
	}
	if _, _, err := net.SplitHostPort(c.Metrics); c.Metrics != "" && err != nil {
		f.add("metrics: %q is no address to listen on: write 127.0.0.1:9364", c.Metrics)
	}
	if l := slog.LevelInfo; c.Log != "" && l.UnmarshalText([]byte(c.Log)) != nil {
		f.add("log: there is no level %q: write debug, info, warn or error", c.Log)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

var (
	nameLike = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)
	guidLike = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	hostLike = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$`)
)

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (s secret) need(f *faults, where, hint string) {
	switch {
	case !s.set():
		f.add("%s: missing (%s); write env:NAME or file:/path", where, hint)
	case s.err != nil:
		f.add("%s: %v", where, s.err)
	}
}

func (t *tenantConfig) tenant(c *config, where string, f *faults) *bot.Tenant {
	out := &bot.Tenant{ID: bot.TenantID(t.ID), Name: t.Name, Directory: t.Directory, Domain: t.Domain, Zone: time.UTC, FourEyes: true,
		ApprovalLives: t.Approval.or(time.Hour), Holders: map[bot.Role][]bot.PersonID{}, Groups: map[bot.Role]map[bot.Platform]string{}, Portals: c.Outside.Portals}
	if out.Name == "" {
		out.Name = t.ID
	}
	if !guidLike.MatchString(t.Directory) {
		f.add("%s.directory: write the Entra tenant ID, a GUID from the Overview page of Microsoft Entra", where)
	}
	if t.FourEyes != nil {
		out.FourEyes = *t.FourEyes
	}
	if t.Zone != "" {
		z, err := time.LoadLocation(t.Zone)
		if err != nil {
			f.add("%s.zone: %q is no time zone: write for example Europe/Berlin", where, t.Zone)
		} else {
			out.Zone = z
		}
	}
	t.hours(out, where, f)
	if s := t.ServiceNow; s != nil {
		if !hostLike.MatchString(s.Host) {
			f.add("%s.servicenow.host: write the instance's host name alone, for example contoso.service-now.com", where)
		}
		if s.URL != "" && !webURL(s.URL) {
			f.add("%s.servicenow.url: %q is no address", where, s.URL)
		}
		out.Instance = s.Host
		s.Simulator.check(f, where+".servicenow.simulator")
		out.Knowledge = s.Knowledge.check(t.modes()[bot.ServiceNow], c.PublicURL, where+".servicenow.knowledge", f)
	}
	t.Simulator.check(f, where+".simulator")
	t.Reader.check(f, where+".reader")
	t.workspaces(c, out, where, f)
	people := t.people(c, out, where, f)
	t.roles(out, people, where, f)
	out.Changes = t.Change.rules(t.ServiceNow != nil, where+".change", f)
	t.outwards(c, out, where, f)
	t.checkSignIn(c, where, f)
	out.Modes = t.modes()
	out.SignIn = bot.SignIn{EntraClientID: t.SignIn.EntraClientID, EntraRedirect: t.SignIn.EntraRedirect, ServiceNowClientID: t.SignIn.ServiceNowClientID}
	if out.SignIn.EntraClientID != "" && out.SignIn.EntraRedirect == "" && c.PublicURL != "" {
		out.SignIn.EntraRedirect = c.redirect("entra")
	}
	if r := t.Reader; r != nil {
		out.Reader = bot.Reader{ClientID: r.ClientID, Secret: r.Secret.value, Key: r.PrivateKey.value, Cert: r.Certificate}
	}
	out.Own, out.OwnSecrets = t.own(c), t.ownSecrets(c)
	out.Admins = t.admins(c, where, f)
	return out
}

// slackChannel is the ID of a channel of Slack, as its details show it.
var slackChannel = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)

// admins is where the tenant's admins are told what is wrong; nil is in their
// direct messages.
func (t *tenantConfig) admins(c *config, where string, f *faults) *bot.Place {
	if t.AdminPlace == "" {
		return nil
	}
	return t.channel(c, t.AdminPlace, where+".admin_channel", f)
}

// channel is the tenant's channel of an ID. What the ID looks like says which
// platform it is of.
func (t *tenantConfig) channel(c *config, id, where string, f *faults) *bot.Place {
	switch {
	case strings.HasPrefix(id, "19:") && c.Teams != nil && len(t.Teams) > 0:
		return &bot.Place{Platform: bot.Teams, Team: strings.ToLower(t.Teams[0]), Channel: id}
	case strings.HasPrefix(id, "19:"):
		f.add("%s: %s is a channel of Teams, which may not speak for this tenant: add its tenant ID under teams", where, id)
	case slackChannel.MatchString(id) && c.Slack != nil && len(t.Slack) > 0:
		return &bot.Place{Platform: bot.Slack, Team: t.Slack[0], Channel: id}
	case slackChannel.MatchString(id):
		f.add("%s: %s is a channel of Slack, which may not speak for this tenant: add its workspace ID under slack", where, id)
	default:
		f.add("%s: %q is no channel: write the ID from its link, of Slack such as C0123ABCD, of Teams such as 19:0123abcd@thread.tacv2", where, id)
	}
	return nil
}

// hours reads when people work; without a word about it, on weekdays from nine
// to five.
func (t *tenantConfig) hours(out *bot.Tenant, where string, f *faults) {
	hours := t.Hours
	if hours == "" {
		hours = "09:00-17:00"
	}
	var err error
	if out.Hours, err = bot.ParseHours(hours, t.Days); err != nil {
		f.add("%s.working_hours: %v", where, err)
	}
	out.RemindAfter = t.Remind.or(8 * time.Hour)
}

func (cr *credential) check(f *faults, where string) {
	if cr == nil {
		return
	}
	if cr.ClientID == "" {
		f.add("%s.client_id: missing", where)
	}
	switch {
	case cr.Secret.set():
		cr.Secret.need(f, where+".secret", "")
	case cr.PrivateKey.set():
		checkPair(f, where, "", cr.PrivateKey, cr.Certificate)
	default:
		f.add("%s: give private_key with certificate, or secret", where)
	}
}

func (t *tenantConfig) workspaces(c *config, out *bot.Tenant, where string, f *faults) {
	for _, id := range t.Slack {
		if c.Slack == nil {
			f.add("%s.slack: Slack itself is not configured: add slack with signing_secret and workspaces", where)
			break
		}
		if _, ok := c.Slack.Workspaces[id]; !ok {
			f.add("%s.slack: the workspace %s has no token under slack.workspaces", where, id)
		}
		out.Teams = append(out.Teams, bot.Workspace{Platform: bot.Slack, ID: id})
	}
	for _, id := range t.Teams {
		if c.Teams == nil {
			f.add("%s.teams: Teams itself is not configured: add teams with app_id, directory and a credential", where)
			break
		}
		if !guidLike.MatchString(id) {
			f.add("%s.teams: %q is no Entra tenant ID: it is a GUID from the Overview page of Microsoft Entra", where, id)
		}
		out.Teams = append(out.Teams, bot.Workspace{Platform: bot.Teams, ID: id})
	}
	if len(out.Teams) == 0 {
		f.add("%s: no chat may speak for this tenant: list its workspace IDs under slack, or its tenant IDs under teams", where)
	}
}

func (t *tenantConfig) roles(out *bot.Tenant, people map[string]bot.PersonID, where string, f *faults) {
	find := func(at string, list []string) []bot.PersonID {
		var ids []bot.PersonID
		for _, n := range list {
			id, ok := people[n]
			if !ok {
				f.add("%s: %q is nobody under people", at, n)
				continue
			}
			ids = append(ids, id)
		}
		return ids
	}
	out.Owners = find(where+".owners", t.Owners)
	if len(out.Owners) == 0 {
		f.add("%s.owners: name at least one owner, better two: owners grant roles and are told what is wrong", where)
	}
	give := func(key string, lists map[string][]string, to map[bot.Role][]bot.PersonID) {
		for _, name := range sortedKeys(lists) {
			role := bot.Role(name)
			if !role.Known() || role == bot.Owner {
				f.add("%s.%s: there is no role %q to give: write %s", where, key, name, strings.Join(roleNames(), ", "))
				continue
			}
			to[role] = find(where+"."+key+"."+name, lists[name])
		}
	}
	out.Backups = map[bot.Role][]bot.PersonID{}
	give("roles", t.Roles, out.Holders)
	give("backups", t.Backups, out.Backups)
	for role, list := range out.Backups {
		for _, id := range list {
			if slices.Contains(out.Holders[role], id) {
				f.add("%s.backups.%s: %s holds the role already; a backup is somebody else", where, role, id)
			}
		}
	}
	for _, name := range sortedKeys(t.Groups) {
		groups := t.Groups[name]
		role := bot.Role(name)
		if !role.Known() {
			f.add("%s.groups: there is no role %q", where, name)
			continue
		}
		out.Groups[role] = map[bot.Platform]string{}
		for p, id := range groups {
			out.Groups[role][bot.Platform(p)] = id
		}
	}
}

func roleNames() []string {
	var out []string
	for _, r := range bot.Roles {
		if r != bot.Owner {
			out = append(out, string(r))
		}
	}
	return out
}
