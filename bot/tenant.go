package bot

import "time"

// TenantID names a tenant in the configuration: "contoso".
type TenantID string

// Tenant is one Microsoft 365 tenant with what belongs to it: configuration,
// never changed from chat, but for who holds which role, which owners lay over
// it ([Tenant.With]).
type Tenant struct {
	ID        TenantID
	Name      string // "Contoso"
	Directory string // Entra tenant ID (GUID)
	Domain    string // contoso.onmicrosoft.com
	Instance  string // ServiceNow host, such as contoso.service-now.com; "" is none
	Zone      *time.Location
	Teams     []Workspace // chat workspaces that may speak for it
	Owners    []PersonID
	People    []Person
	Holders   map[Role][]PersonID
	Backups   map[Role][]PersonID          // asked once the holders have let a step wait
	Groups    map[Role]map[Platform]string // user groups that are pinged beside the holders
	Changes   ChangeRules
	SignIn    SignIn
	Modes     map[System]Mode // as whom calls are made, by system
	Reader    Reader
	Knowledge Knowledge
	Own       []Object // credentials that the configuration names, whose end is watched
	// OwnSecrets are client secrets that the configuration names: they do not say
	// when they end, the directory does.
	OwnSecrets []OwnSecret
	Admins     *Place // where Keyturn tells the admins what is wrong; nil is the owners' direct messages

	// Of the tenant as it stands now, which the configuration does not say:
	// user groups that an owner declared admin-managed, roles whose group
	// cannot be told and why, people who cannot act and why.
	Managed  map[Role]Membership
	Doubts   map[Role]string
	Inactive map[PersonID]string

	// Fallback is a place on another platform that is told when the first is
	// silent; nil is none. Ways are the names of the other fallback ways, in the
	// order in which the engine has them.
	Fallback *Place
	Ways     []string

	// Hours is when its people work, and RemindAfter how much of that time a
	// step may wait before its next reminder; 0 reminds nobody.
	Hours       Hours
	RemindAfter time.Duration
	// FourEyes keeps a requester from approving a step that creates a
	// credential.
	FourEyes bool
	// ApprovalLives is how much working time an approval holds before the calls
	// begin.
	ApprovalLives time.Duration
	// Portals are base addresses of the pages that guided steps link to, by
	// "login", "entra", "admin" and "servicenow"; missing ones are Microsoft's
	// and the instance's own. "authority" is the sign-in service as ServiceNow
	// itself calls it.
	Portals map[string]string
}

// Workspace is a Slack workspace or a Teams tenant.
type Workspace struct {
	Platform Platform
	ID       string
}

// SignIn names Keyturn's own registrations at the tenant, made once by hand.
type SignIn struct {
	EntraClientID      string // "" where approvers do not sign in
	EntraRedirect      string // https://keyturn.contoso.com/signin/entra
	ServiceNowClientID string
}

// Knowledge says what of the organisation's own ServiceNow an answer may be
// completed with. The zero value is nothing.
type Knowledge struct {
	// AsAsker asks as whoever asks, while they are signed in there.
	AsAsker bool
	// Bases are the knowledge bases, by their own IDs, whose published articles
	// the dedicated user shows to anybody who may ask.
	Bases []string
	// Categories are those of incidents that the dedicated user reads for people
	// who hold itil.
	Categories []string
}

// OwnSecret is a client secret of the configuration. Hint is its beginning, by
// which the directory tells secrets apart.
type OwnSecret struct{ ID, Name, Client, Hint string }

// Reader is a Graph credential for reading service health that exists without
// any run.
type Reader struct {
	ClientID string
	Secret   Secret
	Key      Secret // PEM private key, with Cert
	Cert     string
}

// Configured reports whether there is such a credential.
func (r Reader) Configured() bool { return r.ClientID != "" }

// ZoneName is the tenant's time zone by its IANA name, for what is told by the
// clock there.
func (t *Tenant) ZoneName() string {
	if t.Zone == nil {
		return ""
	}
	return t.Zone.String()
}

// Person finds a person by ID.
func (t *Tenant) Person(id PersonID) (Person, bool) {
	for _, p := range t.People {
		if p.ID == id {
			return p, true
		}
	}
	return Person{}, false
}

// Who finds the person behind a chat account.
func (t *Tenant) Who(a Account) (Person, bool) {
	for _, p := range t.People {
		for _, x := range p.Accounts {
			if x == a {
				return p, true
			}
		}
	}
	return Person{}, false
}

// Speaks reports whether a workspace may speak for the tenant.
func (t *Tenant) Speaks(p Platform, team string) bool {
	for _, w := range t.Teams {
		if w.Platform == p && w.ID == team {
			return true
		}
	}
	return false
}
