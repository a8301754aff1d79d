package main

import "strings"

// configWords says what each key of the configuration is for.
var configWords = map[string]string{
	"listen":        "Address on which Keyturn takes requests. Without it `127.0.0.1:8364`: behind whatever ends TLS.",
	"metrics":       "Address of its own for Prometheus, such as `127.0.0.1:9364`; [metrics.md](metrics.md) lists them. Without it there are none.",
	"public_url":    "How browsers, and Slack and Teams where they come to you, reach Keyturn: `https://keyturn.contoso.com`, without a path. Needed for signing in, for a secret that is shown once, and for Teams.",
	"data":          "The file in which the state is kept, such as `/var/lib/keyturn/keyturn.db`. One process uses it at a time.",
	"state":         "In place of `data`: the PostgreSQL database that several replicas share, by `env:NAME` or `file:/path` with its whole address, or the address itself where it has no password.",
	"lease":         "With `state`: how long a replica may say nothing before the others take over what it was doing. The same in all, `1s` to `1m`. Without it `12s`.",
	"key":           "The key that seals secrets at rest; `keyturn key` makes one. Keep it apart from the state and its backups.",
	"log":           "How much is logged: `debug`, `info`, `warn` or `error`. Without it `info`.",
	"learn":         "Where Microsoft Learn is asked for articles; `\"off\"` asks nobody. Without it Microsoft's own.",
	"poll_every":    "The time between two readings of service health. Without it `2m`.",
	"check_every":   "The time between two looks of a step that waits for something outside. Without it `15s`.",
	"summary_after": "How long nothing could be read before what happened meanwhile is told in one message. Without it `30m`.",

	"keep":           "How long what is over stays.",
	"keep.runs":      "Finished runs. Without it `400d`.",
	"keep.incidents": "Resolved incidents. Without it `90d`.",

	"outside":              "How the outside systems are reached. None of it is needed where the network is open. Other addresses than Microsoft's and Slack's own are for national clouds and simulators.",
	"outside.proxy":        "The proxy for everything that Keyturn calls: `http://proxy.contoso.com:3128`, also `https://` and `socks5://`. Without it the environment says (HTTPS_PROXY, NO_PROXY); `none` uses none. Socket Mode takes `http://` and `socks5://`.",
	"outside.no_proxy":     "Hosts that are reached without the proxy; with a leading dot, all below: `.contoso.com`.",
	"outside.ca_bundle":    "PEM file with authorities that are trusted besides the system's: that of a proxy which inspects TLS, or of a private ServiceNow.",
	"outside.resolver":     "Name server for the look-ups that a guide makes, as `host:port`. Without it the system's.",
	"outside.graph":        "Microsoft Graph with its version. Without it `https://graph.microsoft.com/v1.0`.",
	"outside.login":        "Microsoft's sign-in service. Without it `https://login.microsoftonline.com`.",
	"outside.slack":        "Slack's Web API. Without it `https://slack.com/api/`.",
	"outside.status":       "Microsoft's public status page, which is asked when Graph cannot be read; `none` asks nobody.",
	"outside.teams":        "The Bot Connector for the first message to somebody.",
	"outside.teams_login":  "The sign-in service for the bot's own token.",
	"outside.teams_openid": "The metadata of the keys that sign Microsoft's requests.",
	"outside.portals":      "Addresses of portals in cards, by name: `entra`, `admin`, `login`, `servicenow`.",

	"slack":                "The Slack app. Leave it out where nobody uses Slack.",
	"slack.signing_secret": "The app's signing secret, from Basic Information. It is needed where Slack comes to `public_url`.",
	"slack.app_token":      "For Socket Mode, in place of the signing secret: an app-level token (`xapp-…`) with the scope `connections:write`. Keyturn then opens the connections, and Slack needs no address of it.",
	"slack.workspaces":     "The bot token (`xoxb-…`) of each workspace, by workspace ID.",
	"slack.unpaced":        "Only with a simulator on this machine: sends as fast as it can.",

	"teams":                      "The Teams bot. Leave it out where nobody uses Teams. Give one credential: a federated token, a key pair, or a secret.",
	"teams.app_id":               "The bot's application (client) ID.",
	"teams.directory":            "The Entra tenant ID in which the bot is registered.",
	"teams.secret":               "A client secret of the bot.",
	"teams.private_key":          "The private key (PEM) of a certificate that was uploaded to the bot's registration.",
	"teams.certificate":          "That certificate (PEM), in the file itself.",
	"teams.federated_token_file": "File with the token of a workload or managed identity that the registration trusts. It is read for each token.",
	"teams.service_hosts":        "More hosts that may be the Bot Connector, for clouds that name one a tenant.",
	"teams.targeted":             "Private answers in channels come as messages that only the asker sees, and commands may begin with a slash: a feature of Teams that Microsoft's pages still call a preview. Without it private answers come in the chat with the bot, and a word in the channel says so.",
	"teams.unpaced":              "Only with a simulator on this machine: sends as fast as it can.",

	"tenants":                  "Each Microsoft 365 tenant. Chat chooses among these and never adds to them.",
	"tenants[].id":             "A short name of your own: lower-case letters, digits and dashes.",
	"tenants[].name":           "What people call it. Without it the `id`.",
	"tenants[].directory":      "The Entra tenant ID.",
	"tenants[].domain":         "A verified domain of the tenant, for texts that need one.",
	"tenants[].zone":           "Time zone for digests and working hours, such as `Europe/Berlin`. Without it UTC.",
	"tenants[].slack":          "The workspaces that may speak for this tenant.",
	"tenants[].teams":          "The Entra tenant IDs whose Teams may speak for this tenant.",
	"tenants[].admin_channel":  "Channel in which the cause of a silence and other trouble is told: `C0123ABCD`, or `19:…@thread.tacv2`. Without it the owners hear it directly.",
	"tenants[].owners":         "Names of people who grant roles and are told what is wrong. At least one, better two.",
	"tenants[].roles":          "Who holds which role, by name: `requester`, `entra-admin`, `privileged-role-admin`, `servicenow-admin`, `m365-admin`.",
	"tenants[].backups":        "Who is asked once the holders of a role let a step wait.",
	"tenants[].groups":         "The user group of a role to mention, by platform: `{entra-admin: {slack: S0123ABCD}}`. A group is only pinged, unless an owner declares it admin-managed.",
	"tenants[].four_eyes":      "Whether whoever asked for a run may not approve its credentials. Without it `true`.",
	"tenants[].approval_lives": "Working time in which an approved plan may begin. Without it `1h`.",
	"tenants[].working_hours":  "Such as `09:00-17:00`, which it is without it. Reminders come and approvals expire in them.",
	"tenants[].working_days":   "Such as `mon-fri`, which it is without it.",
	"tenants[].remind_after":   "Working time until the first reminder. Without it `8h`.",

	"tenants[].servicenow":                               "The ServiceNow instance. Leave it out where there is none.",
	"tenants[].servicenow.host":                          "Its host name alone: `contoso.service-now.com`. No secret goes to any other.",
	"tenants[].servicenow.url":                           "Its address, where that is another than `https://` and the host.",
	"tenants[].servicenow.simulator":                     "A client with which calls are made. Only for simulators on this machine.",
	"tenants[].servicenow.knowledge":                     "What of the instance's own knowledge completes the answers of `recommend`. Without it nothing is asked there.",
	"tenants[].servicenow.knowledge.as_asker":            "Whether articles and solved incidents are read as the asker, once they signed in: ServiceNow decides what they see.",
	"tenants[].servicenow.knowledge.bases":               "Knowledge bases (sys_id) whose published articles anybody who may ask is shown, without a sign-in.",
	"tenants[].servicenow.knowledge.incident_categories": "Incidents of these categories Keyturn's dedicated user reads, and notes, for people who hold itil.",
	"tenants[].simulator":                                "An application with which calls are made. Only for simulators on this machine.",

	"tenants[].people":            "The people by their Entra object ID.",
	"tenants[].people[].id":       "The person's Entra object ID. One person stands here once, with every account: four eyes compare it.",
	"tenants[].people[].name":     "What the other sections and messages call them.",
	"tenants[].people[].accounts": "Their chat accounts: `slack:T0123ABCD:U0123ABCD`, `teams:TENANT-ID:OBJECT-ID`.",
	"tenants[].people[].admin":    "Their admin accounts, where those are others: `{entra: ada.admin@contoso.com, servicenow: ada}`. One that is missing can be linked by signing in.",
	"tenants[].people[].zone":     "Their time zone, where it is another than the tenant's.",

	"tenants[].change":                 "Change numbers.",
	"tenants[].change.required":        "Whether an approval needs one.",
	"tenants[].change.pattern":         "What one looks like, as a regular expression: `'CHG[0-9]{7}'`.",
	"tenants[].change.example":         "One, for the form: `CHG0031337`.",
	"tenants[].change.systems":         "For which systems: `entra`, `servicenow`. Without it both.",
	"tenants[].change.read_servicenow": "Whether the change is read in ServiceNow: it has to be approved there and in its window, and what was done goes back to it as a work note.",

	"tenants[].sign_in":                            "As whom calls are made, and Keyturn's own registrations for that.",
	"tenants[].sign_in.entra":                      "`delegated`: as whoever approves, with their own sign-in. `app`: as `entra_app`. `none`: nothing is called. Without it `delegated` where `entra_client_id` is set, otherwise `none`.",
	"tenants[].sign_in.servicenow":                 "The same for ServiceNow.",
	"tenants[].sign_in.entra_client_id":            "The client ID of Keyturn's sign-in registration; `keyturn manifest entra` prints how to make it.",
	"tenants[].sign_in.entra_redirect":             "The redirect address of the registration. It is `public_url` with `/signin/entra`, so leave it out.",
	"tenants[].sign_in.entra_private_key":          "The private key (PEM) with which Keyturn proves itself.",
	"tenants[].sign_in.entra_certificate":          "The certificate (PEM) that was uploaded to the registration, in the file itself.",
	"tenants[].sign_in.entra_secret":               "A client secret in place of the key pair, by choice.",
	"tenants[].sign_in.entra_federated_token_file": "File with the token of a workload or managed identity that the registration trusts, in place of the key pair.",
	"tenants[].sign_in.servicenow_client_id":       "The client ID of Keyturn's entry in Application Registry. Its redirect address is `public_url` with `/signin/servicenow/` and the tenant's `id`.",
	"tenants[].sign_in.servicenow_secret":          "Its secret; none for a public client.",
	"tenants[].sign_in.entra_app":                  "The application of the mode `app`. It holds a standing right to write: the organisation's choice.",
	"tenants[].sign_in.servicenow_app":             "The client of the mode `app` at ServiceNow.",

	"tenants[].reader": "A registration that reads service health (`ServiceHealth.Read.All`, and `ServiceMessage.Read.All` for the message center), where no guide made one.",

	"tenants[].fallback":               "What is told when chat could not be reached for ten minutes: any of these.",
	"tenants[].fallback.channel":       "A channel on the other platform.",
	"tenants[].fallback.webhook":       "An address that takes a note as JSON.",
	"tenants[].fallback.mail":          "A mail.",
	"tenants[].fallback.mail.server":   "The mail server, `host:port`.",
	"tenants[].fallback.mail.user":     "The name to sign in with, if any.",
	"tenants[].fallback.mail.password": "Its password.",
	"tenants[].fallback.mail.from":     "The sender.",
	"tenants[].fallback.mail.to":       "Who gets it.",

	"tenants[].heartbeat":        "A monitor that raises the alarm when Keyturn's beats stay away, as they do while service health is not read.",
	"tenants[].heartbeat.url":    "The address that the monitor gives out.",
	"tenants[].heartbeat.method": "`GET` or `POST`, as the monitor wants it. Without it `POST`, which carries a sentence.",
	"tenants[].heartbeat.fail":   "An address for trouble, where the monitor has one.",
	"tenants[].heartbeat.every":  "The time between two beats.",

	"audit":               "The audit trail.",
	"audit.keep":          "How long its entries stay. Without it for good. A signed checkpoint stays in the place of what was removed.",
	"audit.heads":         "Where the heads of the trails leave the store, so that a shortened trail shows.",
	"audit.heads.every":   "How often. Without it `1h`.",
	"audit.heads.log":     "Whether they go to the log. Without it `true`.",
	"audit.heads.syslog":  "A syslog collector: `tls://logs.contoso.com:6514`, also `tcp://` and `udp://`.",
	"audit.heads.webhook": "An address that takes them as JSON.",

	"web":                     "The door: who may knock, and how often.",
	"web.certificate":         "PEM file of a certificate, where Keyturn itself ends TLS. It is read anew when it changes.",
	"web.key":                 "PEM file of its private key.",
	"web.trusted_proxies":     "Addresses or networks whose word about the client counts (X-Forwarded-For). Without it nobody's does.",
	"web.requests_per_second": "How many requests one address may make. Without it 50.",
	"web.burst":               "How many at once. Without it 200.",

	"checklist":             "How often a checklist is redrawn at most.",
	"checklist.every":       "Without it `5s`.",
	"checklist.after_click": "In the half minute after a click. Without it `1500ms`.",
}

// wordsOfMany are keys that stand in several sections and mean the same.
var wordsOfMany = map[string]string{
	"client_id":   "Its client ID.",
	"secret":      "Its secret.",
	"private_key": "Or the private key (PEM) of a certificate that was uploaded to it.",
	"certificate": "That certificate (PEM), in the file itself.",
	"url":         "The address. It is a secret: who knows it can post there.",
	"bearer":      "A token that is sent along.",
	"signing_key": "A key that signs the body, so that the receiver knows who sent it.",
}

// wordsOn is what is said of a key.
func wordsOn(path string) (string, bool) {
	if w, ok := configWords[path]; ok {
		return w, true
	}
	w, ok := wordsOfMany[path[strings.LastIndexByte(path, '.')+1:]]
	return w, ok
}
