package play

// Person is one member of the organisation, on every system.
type Person struct {
	Name   string   // as chat shows it
	Slack  string   // Slack user ID
	Entra  string   // Entra object ID
	UPN    string   // account that acts in Entra and the admin center
	Admin  string   // object ID of that account where it is a separate one
	Now    string   // ServiceNow user name, "" has none
	Title  string   // what they do
	Roles  []string // Keyturn's roles
	Active []string // Entra roles that are active
	PIM    []string // Entra roles that have to be activated
	SNRole []string // ServiceNow roles
	Owner  bool
	Known  bool // whether Keyturn's configuration knows them
}

// The people of the organisation.
var (
	Rita  = Person{Name: "Rita Okafor", Slack: "U0RITA", Entra: "11111111-0000-4000-8000-000000000001", UPN: "rita@contoso.example", Title: "IT operations lead", Known: true, Roles: []string{"requester"}}
	Erin  = Person{Name: "Erin Vogel", Slack: "U0ERIN", Entra: "11111111-0000-4000-8000-000000000002", UPN: "erin.admin@contoso.example", Admin: "11111111-0000-4000-8001-000000000002", Title: "Entra admin", Known: true, Roles: []string{"entra-admin"}, Active: []string{"Application Administrator"}}
	Emil  = Person{Name: "Emil Sato", Slack: "U0EMIL", Entra: "11111111-0000-4000-8000-000000000003", UPN: "emil.admin@contoso.example", Admin: "11111111-0000-4000-8001-000000000003", Title: "Entra admin", Known: true, Roles: []string{"entra-admin"}, Active: []string{"Cloud Application Administrator"}}
	Priya = Person{Name: "Priya Nair", Slack: "U0PRIYA", Entra: "11111111-0000-4000-8000-000000000004", UPN: "priya.admin@contoso.example", Admin: "11111111-0000-4000-8001-000000000004", Title: "Privileged Role Administrator", Known: true, Roles: []string{"privileged-role-admin"}, PIM: []string{"Privileged Role Administrator"}}
	Sam   = Person{Name: "Sam Duarte", Slack: "U0SAM", Entra: "11111111-0000-4000-8000-000000000005", UPN: "sam@contoso.example", Now: "sam.duarte", Title: "ServiceNow admin", Known: true, Roles: []string{"servicenow-admin"}, SNRole: []string{"admin", "oauth_admin"}}
	Mona  = Person{Name: "Mona Lindqvist", Slack: "U0MONA", Entra: "11111111-0000-4000-8000-000000000006", UPN: "mona.admin@contoso.example", Admin: "11111111-0000-4000-8001-000000000006", Title: "Microsoft 365 admin", Known: true, Roles: []string{"m365-admin"}, Active: []string{"Service Support Administrator"}}
	Omar  = Person{Name: "Omar Haddad", Slack: "U0OMAR", Entra: "11111111-0000-4000-8000-000000000007", UPN: "omar@contoso.example", Title: "Owner of Keyturn", Known: true, Owner: true}
	Olga  = Person{Name: "Olga Brandt", Slack: "U0OLGA", Entra: "11111111-0000-4000-8000-000000000008", UPN: "olga@contoso.example", Title: "Owner of Keyturn", Known: true, Owner: true}
	Max   = Person{Name: "Max Petrov", Slack: "U0MAX", Entra: "11111111-0000-4000-8000-000000000009", UPN: "max@contoso.example", Now: "max.petrov", Title: "Service desk", SNRole: []string{"itil"}}
)

// Everybody lists the people of the organisation.
func Everybody() []Person { return []Person{Rita, Erin, Emil, Priya, Sam, Mona, Omar, Olga, Max} }

// The organisation's workspace, its channels and its other systems.
const (
	Team      = "T0CONTOSO"
	Ops       = "C0ITOPS"     // where setups are started
	Incidents = "C0INCIDENTS" // where incidents go
	Directory = "7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10"
	Domain    = "contoso.example"
	Instance  = "contoso.service-now.com"
)

// The organisation's team in Teams, and its channels.
const (
	TeamsTeam      = "19:it-operations@thread.tacv2"
	TeamsOps       = "19:it-ops@thread.tacv2"
	TeamsIncidents = "19:m365-incidents@thread.tacv2"
)

// Credentials that the simulators know and the bot is configured with. They
// open nothing but simulators.
const (
	SlackToken       = "xoxb-simulated-bot-token"
	SlackAppToken    = "xapp-simulated-app-token"
	SlackSigning     = "simulated-signing-secret"
	TeamsApp         = "22222222-0000-4000-8000-000000000004"
	TeamsSecret      = "simulated-teams-secret"
	GraphClient      = "22222222-0000-4000-8000-000000000001"
	GraphSecret      = "simulated-graph-secret"
	SignInClient     = "22222222-0000-4000-8000-000000000002"
	SignInRedirect   = "https://keyturn.contoso.example/signin/entra"
	ServiceNowClient = "33333333000040008000000000000001"
	ServiceNowSecret = "simulated-servicenow-secret"
	SignInNowClient  = "33333333000040008000000000000002"
	SignInNowSecret  = "simulated-sign-in-secret"
	// ReaderClient reads service health without any run, where a demo wants
	// incidents only.
	ReaderClient = "22222222-0000-4000-8000-000000000003"
	ReaderSecret = "simulated-reader-secret"
)
