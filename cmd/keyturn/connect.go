package main

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"keyturn/adapters/graph"
	"keyturn/adapters/httpx"
	"keyturn/adapters/servicenow"
	"keyturn/bot"
)

// connections are the ways out to the systems that are not chat.
type connections struct {
	http       *http.Client
	network    httpx.Network // for what dials by itself
	graph      *graph.Client
	servicenow *servicenow.Client
}

// tokens are those of the people who signed in.
type tokens interface {
	graph.Tokens
	servicenow.Tokens
}

// connect makes the clients of the outside systems. It calls nobody. Without
// tokens nobody is signed in.
func (c *config) connect(t tokens, log *slog.Logger, now func() time.Time) (connections, error) {
	policy := c.policy(log)
	client, err := httpx.New(policy)
	if err != nil {
		return connections{}, err
	}
	network, err := httpx.NewNetwork(policy)
	if err != nil {
		return connections{}, err
	}
	resolver, err := httpx.NewResolver(c.Outside.Resolver)
	if err != nil {
		return connections{}, err
	}
	return connections{
		http:       client,
		network:    network,
		graph:      graph.New(graph.Config{GraphURL: c.Outside.Graph, LoginURL: c.Outside.Login, HTTP: client, Tenants: c.graphTenants(), Tokens: t, Resolver: resolver, Now: now, Wait: c.pauses.wait}),
		servicenow: servicenow.New(servicenow.Config{HTTP: client, Tenants: c.serviceNowTenants(), Tokens: t, Now: now, Wait: c.pauses.wait}),
	}, nil
}

// base is the base address of a tenant's system, as people see it in plans.
func (c *config) base(id bot.TenantID, s bot.System) string {
	switch s {
	case bot.Graph:
		return first(c.Outside.Graph, graph.DefaultGraphURL)
	case bot.Login:
		return first(c.Outside.Login, graph.DefaultLoginURL)
	case bot.ServiceNow:
		for _, t := range c.Tenants {
			if t.ID == string(id) && t.ServiceNow != nil {
				return "https://" + t.ServiceNow.Host
			}
		}
	}
	return ""
}

func first(a, b string) string {
	if a != "" {
		return strings.TrimSuffix(a, "/")
	}
	return b
}

func (c *config) workspaces() map[string]bot.Secret {
	out := map[string]bot.Secret{}
	if c.Slack == nil {
		return out
	}
	for id, s := range c.Slack.Workspaces {
		out[id] = s.value
	}
	return out
}

func (c *config) graphTenants() map[bot.TenantID]graph.TenantConfig {
	out := map[bot.TenantID]graph.TenantConfig{}
	for i := range c.Tenants {
		out[bot.TenantID(c.Tenants[i].ID)] = c.Tenants[i].entraTenant(c)
	}
	return out
}

func (c *config) serviceNowTenants() map[bot.TenantID]servicenow.TenantConfig {
	out := map[bot.TenantID]servicenow.TenantConfig{}
	for i := range c.Tenants {
		if c.Tenants[i].ServiceNow != nil {
			out[bot.TenantID(c.Tenants[i].ID)] = c.Tenants[i].instance(c)
		}
	}
	return out
}
