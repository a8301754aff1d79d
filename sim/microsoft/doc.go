// Package microsoft simulates, as real HTTP on one listener, the parts of
// Microsoft that a service health setup meets:
//
//	/login/{tenant}/...     Entra: tokens (v1 and v2), sign-in page, admin consent, OpenID metadata
//	/graph/v1.0/...         Microsoft Graph: registrations, roles, policies, service communications
//	/entra/...              the Entra portal: app registrations, Privileged Identity Management
//	/admin/...              the Microsoft 365 admin center: Support integration, service health
//	/status/...             the public status page
//	/connector/handshake    the host that the retired support integration app talked to
//	/_sim/...               control: what the Go methods of Server do, as JSON
//
// and a small DNS server (ServeDNS) that knows one name.
//
// There is one directory behind all of it: a secret added through Graph shows
// in the portal, a consent given on the sign-in page shows in Graph, a role
// activated in the portal counts at the next call.
//
//	registration:  absent --create--> live --delete--> soft-deleted --restore--> live
//	                                                        \--purge--> gone
//	role:          eligible --Activate--> active (8 h) --Deactivate, time--> eligible
//	World:         Alive <--SetWorld--> ShutDown (no connector, no panel, no DNS answer)
//
// Invariants:
//
//   - Every request is served under one lock against one state, and changes it
//     whole or not at all.
//   - No secret value is kept: secrets, refresh tokens and passwords are stored
//     as SHA-256 sums. None reaches the journal, Inventory or /_sim/state.
//   - Service health JSON is served as it was given, unknown fields included.
//   - Nothing here imports an adapter or the bot; what a platform answers was
//     written from its public documents and from captured bodies.
//
// Where Microsoft's documents leave a behaviour open, it is a switch in Quirks.
package microsoft
