package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/adapters/graph"
	"keyturn/adapters/httpx"
	"keyturn/adapters/slack"
	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/bot/setup"
	"keyturn/commands"
)

// doctor asks every system that a configuration names, with its own
// credentials. It writes nothing anywhere.
type doctor struct {
	connections
	conf    *config
	tenants []*bot.Tenant
	slack   *slack.Adapter // nil without Slack
	teams   *teams.Adapter // nil without Teams
	now     func() time.Time
}

func newDoctor(c *config, tenants []*bot.Tenant, log *slog.Logger, now func() time.Time) (*doctor, error) {
	out, err := c.connect(nil, log, now)
	if err != nil {
		return nil, err
	}
	d := &doctor{connections: out, conf: c, tenants: tenants, now: now}
	if c.Slack != nil {
		d.slack = slack.New(c.slackApp(&desk{}, out, log, now))
	}
	if c.Teams != nil {
		if d.teams, err = teams.New(c.teamsBot(&desk{}, commands.New("/keyturn"), teams.NewMemory(), out.http, log, now)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// probes are everything to look at, in the order in which it is told.
func (d *doctor) probes() []probe {
	out := []probe{
		{"Configuration", d.configuration},
		{"Clock", d.clock},
		{"Store", d.store},
	}
	out = append(out, d.chatProbes()...)
	for i, t := range d.tenants {
		of := &d.conf.Tenants[i]
		if places := d.named(t); len(places) > 0 {
			out = append(out, probe{"Channels of " + of.ID, func(ctx context.Context) []finding { return d.channels(ctx, t, places) }})
		}
		out = append(out, probe{"Entra of " + of.ID, func(ctx context.Context) []finding { return d.entra(ctx, of, t) }})
		if of.ServiceNow != nil {
			out = append(out, probe{"ServiceNow of " + of.ID, func(ctx context.Context) []finding { return d.instance(ctx, of) }})
		}
	}
	if d.conf.Learn != "off" {
		out = append(out, probe{"Microsoft Learn", d.learn})
	}
	out = append(out, probe{"Keyturn's own pages", d.pages})
	for _, at := range once(d.conf.egress()) {
		out = append(out, probe{"Way to " + at.Host, func(ctx context.Context) []finding { return []finding{d.reach(ctx, at)} }})
	}
	return out
}

// once lists each address once, with everything that it is for. Names that only
// stand for others cannot be called.
func once(all []destination) (out []destination) {
	for _, at := range all {
		i := slices.IndexFunc(out, func(o destination) bool { return o.Host == at.Host && o.Port == at.Port })
		switch {
		case at.Below:
		case i < 0:
			out = append(out, at)
		case !strings.Contains(out[i].Why, at.Why):
			out[i].Why += "; " + at.Why
		}
	}
	return out
}

// configuration is what check says, with what ends soon.
func (d *doctor) configuration(context.Context) []finding {
	const of = "Configuration"
	out := []finding{{Of: of, What: "the file", State: fine, Says: fmt.Sprintf("Complete: %s", countOf(len(d.tenants), "tenant", "tenants"))}}
	for _, w := range d.conf.unreached() {
		out = append(out, finding{Of: of, What: "the file", State: warned, Says: w})
	}
	for _, t := range d.tenants {
		for _, w := range warnings(t) {
			out = append(out, finding{Of: of, What: string(t.ID), State: warned, Says: w})
		}
	}
	for i := range d.conf.Tenants {
		t := &d.conf.Tenants[i]
		all := t.own(d.conf)
		if end, ok := certificateEnd(t.SignIn.EntraCertificate); ok {
			all = append(all, bot.Object{Kind: "key", Name: "with which people of " + t.ID + " sign in", Expires: end})
		}
		for _, o := range all {
			if !setup.Ends(o) {
				continue // the inventory says that it has no end
			}
			f := finding{Of: of, What: "the certificate " + o.Name, State: fine, Says: "Good until " + o.Expires.UTC().Format("2 January 2006")}
			switch left := o.Expires.Sub(d.now()); {
			case left <= 0:
				f.State, f.Says, f.Fix = broken, "It ended on "+o.Expires.UTC().Format("2 January 2006"), "Make a new key pair, upload its certificate to the registration, and put both into the configuration."
			case left < 30*24*time.Hour:
				f.State, f.Says, f.Fix = warned, "It ends on "+o.Expires.UTC().Format("2 January 2006"), "Make a new key pair, upload its certificate to the registration beside the old one, and put both into the configuration."
			}
			out = append(out, f)
		}
	}
	return out
}

// The differences of clocks that matter: Slack's signatures and Microsoft's
// tokens are good for five minutes around now.
const (
	clockFine   = time.Minute
	clockBroken = 5 * time.Minute
)

// clock compares this machine's with the date in the answer of a system whose
// clock is right.
func (d *doctor) clock(ctx context.Context) []finding {
	f := finding{Of: "Clock", What: "this machine's"}
	asked := []string{first(d.conf.Outside.Login, graph.DefaultLoginURL)}
	if d.slack != nil {
		asked = append(asked, first(d.conf.Outside.Slack, slack.DefaultAPIURL))
	}
	for _, address := range asked {
		before := d.now()
		resp, err := d.head(ctx, address)
		if err != nil {
			continue
		}
		theirs, err := http.ParseTime(resp.Header.Get("Date"))
		if err != nil {
			continue
		}
		after := d.now()
		off := before.Add(after.Sub(before) / 2).Sub(theirs).Round(time.Second)
		u, _ := url.Parse(address)
		switch size := off.Abs(); {
		case size <= clockFine:
			f.State, f.Says = fine, "It agrees with that of "+u.Hostname()+" to the minute"
		default:
			f.State, f.Says = warned, fmt.Sprintf("It is %s %s that of %s", size, map[bool]string{true: "ahead of", false: "behind"}[off > 0], u.Hostname())
			f.Fix = "Have this machine's clock set from the network, for example by chrony or systemd-timesyncd."
			if size >= clockBroken {
				f.State = broken
				f.Says += ": signatures and tokens are refused"
			}
		}
		return []finding{f}
	}
	f.State, f.Says, f.Fix = unproved, "Nobody answered to compare it with", "See the ways out below."
	return []finding{f}
}

// head asks for nothing at an address: that anything answers is enough.
func (d *doctor) head(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, err
	}
	return resp, resp.Body.Close()
}

// entra looks at what a tenant's registrations may do.
func (d *doctor) entra(ctx context.Context, of *tenantConfig, t *bot.Tenant) []finding {
	name := "Entra and Graph of " + of.ID
	if err := d.graph.ProveTenant(ctx, t.ID); err != nil {
		return []finding{failed(name, "the tenant "+of.Directory, err, "")}
	}
	out := []finding{{Of: name, What: "the tenant " + of.Directory, State: fine, Says: "Microsoft knows it"}}
	switch of.modes()[bot.Graph] {
	case bot.Delegated:
		err := d.graph.ProveSignIn(ctx, t.ID)
		out = append(out, judged(name, "the sign-in registration "+of.SignIn.EntraClientID, "It is in the tenant, and its credential is accepted", err))
		if err == nil {
			out = append(out, d.signInAsRegistered(ctx, name, t)...)
		}
	case bot.AsApp:
		out = append(out, judged(name, "the application that makes the calls", "Its credential is accepted", d.graph.ProveWriter(ctx, t.ID)))
	}
	if t.Reader.Configured() {
		out = append(out, d.reading(ctx, name, t, t.Reader)...)
	}
	return out
}

// reading looks at a credential for service health.
func (d *doctor) reading(ctx context.Context, name string, t *bot.Tenant, as bot.Reader) []finding {
	what := "the health reader " + as.ClientID
	services, err := d.graph.Overviews(ctx, t.ID, as)
	if err != nil {
		return []finding{failed(name, what, err, "")}
	}
	out := []finding{{Of: name, What: what, State: fine, Says: fmt.Sprintf("It reads service health: %s", countOf(len(services.Items), "service", "services"))}}
	if _, err := d.graph.Messages(ctx, t.ID, as, d.now().Add(-time.Hour)); err != nil {
		f := failed(name, "the message center", err, "")
		f.State = warned
		f.Says += " Announcements are not posted and recommendations lack them"
		return append(out, f)
	}
	return append(out, finding{Of: name, What: "the message center", State: fine, Says: "It can be read"})
}

// instance looks at a tenant's ServiceNow.
func (d *doctor) instance(ctx context.Context, of *tenantConfig) []finding {
	name, id := "ServiceNow of "+of.ID, bot.TenantID(of.ID)
	switch of.modes()[bot.ServiceNow] {
	case bot.Delegated:
		what := "the sign-in client " + of.SignIn.ServiceNowClientID
		proved, err := d.servicenow.ProveSignIn(ctx, id)
		switch {
		case err != nil:
			return []finding{failed(name, what, err, "")}
		case proved:
			return []finding{{Of: name, What: what, State: fine, Says: "The instance knows it and accepts its secret"}}
		}
		return []finding{{Of: name, What: what, State: unproved, Says: "The instance answers, and does not say whether it knows the client. The first sign-in proves it"}}
	case bot.AsApp:
		return []finding{judged(name, "the client that makes the calls", "Its credential is accepted, and it may read incidents", d.servicenow.ProveReading(ctx, id, bot.CallIdentity{}))}
	}
	return nil // said of the configuration
}

// learn asks Microsoft Learn.
func (d *doctor) learn(ctx context.Context) []finding {
	_, err := d.conf.library(d.http).Articles(ctx, "Exchange Online mail flow")
	f := judged("Microsoft Learn", "articles", "It answers", err)
	if err != nil {
		f.State = warned
		f.Fix = "Recommendations go without articles. Let this server reach " + first(d.conf.Learn, "https://learn.microsoft.com") + ", or write learn: \"off\"."
	}
	return []finding{f}
}

// reach looks whether anything answers at an address.
func (d *doctor) reach(ctx context.Context, to destination) finding {
	f := finding{Of: "Ways out", What: net.JoinHostPort(to.Host, to.Port), State: fine, Says: "Reached, for " + to.Why}
	var err error
	switch to.scheme {
	case "http", "https":
		_, err = d.head(ctx, to.scheme+"://"+net.JoinHostPort(to.Host, to.Port)+"/")
	default:
		var conn net.Conn
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(to.Host, to.Port)); err == nil {
			err = conn.Close()
		}
	}
	if err != nil {
		whose, _, _ := strings.Cut(strings.Replace(to.Why, ",", ":", 1), ":")
		f = failed(f.Of, f.What, httpx.Lost(bot.System(whose), false, "", httpx.Clean(err)), "")
		f.Says += " It is needed for: " + to.Why
		if to.spare {
			f.State = warned
		}
	}
	return f
}
