// Package sim holds what Keyturn's simulators share: a journal of the calls
// they served, scripted faults, and a snapshot file so that a simulator
// remembers across a restart.
//
// The simulators themselves are real HTTP servers, one package each:
//
//	sim/slack       Slack: Web API, events, buttons, modals, App Home
//	sim/teams       Microsoft Teams: Bot Connector, its keys and tokens, cards, dialogs
//	sim/microsoft   Entra sign-in, Microsoft Graph, admin center, public status, DNS
//	sim/servicenow  ServiceNow: Table API, OAuth, roles, the support integration's wizard
//	sim/learn       Microsoft Learn: its MCP server, its search, a few articles
//	sim/play        people who use them: types, clicks, fills forms, reads portals
//
// Invariant: no simulator imports an adapter, and none imports the bot. A
// simulator that shares code with the client it tests proves nothing.
package sim
