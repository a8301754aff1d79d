package bot

import (
	"slices"
	"time"
)

// Hold is how a person holds a role.
type Hold string

// The ways to hold a role. A backup may do whatever a holder may, and is asked
// once the holders have let a step wait.
const (
	NotHeld  Hold = "none"
	AsHolder Hold = "holder"
	AsBackup Hold = "backup"
)

// Grant is what an owner said in chat about one person and one role. It counts
// over what the configuration says, until it is dropped.
type Grant struct {
	Role   Role      `json:"role"`
	Person PersonID  `json:"person"`
	Held   Hold      `json:"held"`
	By     PersonID  `json:"by"`
	At     time.Time `json:"at"`
}

// Membership is what a platform said about a user group that an owner declared
// admin-managed: whoever is in it holds the role. It is a fact with an age, and
// one that is too old counts for nobody.
type Membership struct {
	Role    Role      `json:"role"`
	Team    string    `json:"team"` // the Slack workspace
	Group   string    `json:"group"`
	By      PersonID  `json:"by"` // the owner who declared it
	Since   time.Time `json:"since"`
	Members []string  `json:"members,omitempty"` // user IDs
	Read    time.Time `json:"read,omitzero"`     // the last time that it could be read
	Why     string    `json:"why,omitempty"`     // why it could not, the last time
}

// MembershipHolds is how long a reading of an admin-managed group counts.
const MembershipHolds = time.Hour

// Fresh reports whether the membership is known well enough to count.
func (m Membership) Fresh(now time.Time) bool {
	return !m.Read.IsZero() && now.Sub(m.Read) <= MembershipHolds
}

// Away is a person who cannot act: the chat platform says that their account
// is deactivated.
type Away struct {
	Person   PersonID  `json:"person"`
	Accounts []Account `json:"accounts"`
	Why      string    `json:"why"`
	Since    time.Time `json:"since"`
}

// Standing is everything that was said about a tenant's roles since its
// configuration was written.
type Standing struct {
	Grants []Grant
	Groups []Membership
	Away   []Away
}

// With gives the tenant as it stands now: its configuration with what owners
// said in chat, what admin-managed groups say, and who is away. The
// configuration itself is not changed.
func (t *Tenant) With(s Standing, now time.Time) *Tenant {
	out := *t
	out.Holders, out.Backups = cloned(t.Holders), cloned(t.Backups)
	out.Doubts, out.Inactive, out.Managed = map[Role]string{}, map[PersonID]string{}, map[Role]Membership{}
	for _, g := range s.Groups {
		out.Managed[g.Role] = g
		if !g.Fresh(now) {
			out.Doubts[g.Role] = "I cannot tell who is in the user group of " + g.Role.Crew() + ", so being in it counts for nobody now."
			if g.Why != "" {
				out.Doubts[g.Role] += " " + g.Why
			}
			continue
		}
		for _, id := range g.Members {
			if p, ok := t.Who(Account{Platform: Slack, Team: g.Team, ID: id}); ok {
				out.hold(g.Role, p.ID, AsHolder)
			}
		}
	}
	for _, g := range s.Grants { // an owner's word about a person counts over a group
		if _, known := t.Person(g.Person); known && g.Role != Owner {
			out.hold(g.Role, g.Person, g.Held)
		}
	}
	for _, a := range s.Away {
		if p, ok := t.Person(a.Person); ok && !slices.ContainsFunc(p.Accounts, func(x Account) bool { return !slices.Contains(a.Accounts, x) }) {
			out.Inactive[a.Person] = a.Why
		}
	}
	return &out
}

func cloned(m map[Role][]PersonID) map[Role][]PersonID {
	out := make(map[Role][]PersonID, len(m))
	for r, list := range m {
		out[r] = slices.Clone(list)
	}
	return out
}

// hold makes a person hold a role in one way only.
func (t *Tenant) hold(r Role, id PersonID, as Hold) {
	put := func(m map[Role][]PersonID, in bool) {
		switch have := slices.Contains(m[r], id); {
		case in && !have:
			m[r] = append(m[r], id)
		case !in && have:
			m[r] = slices.DeleteFunc(m[r], func(x PersonID) bool { return x == id })
		}
	}
	put(t.Holders, as == AsHolder)
	put(t.Backups, as == AsBackup)
}

// Held says how a person holds a role.
func (t *Tenant) Held(id PersonID, r Role) Hold {
	switch {
	case r == Owner && slices.Contains(t.Owners, id), r != Owner && slices.Contains(t.Holders[r], id):
		return AsHolder
	case r != Owner && slices.Contains(t.Backups[r], id):
		return AsBackup
	}
	return NotHeld
}

// Holds reports whether a person holds a role in the tenant, as a holder or as
// a backup.
func (t *Tenant) Holds(id PersonID, r Role) bool { return t.Held(id, r) != NotHeld }

// Asked gives the people whom a step of a role is handed to: its holders, or
// its backups where it has no holder who can act.
func (t *Tenant) Asked(r Role) []PersonID {
	if r == Owner {
		return t.Owners
	}
	if slices.ContainsFunc(t.Holders[r], t.Active) {
		return t.Holders[r]
	}
	return slices.Concat(t.Holders[r], t.Backups[r])
}

// Active reports whether a person can act: they are known, have a chat account,
// and it is not deactivated.
func (t *Tenant) Active(id PersonID) bool {
	p, ok := t.Person(id)
	return ok && len(p.Accounts) > 0 && t.Inactive[id] == ""
}

// Manned reports whether anybody who can act holds a role.
func (t *Tenant) Manned(r Role) bool {
	return slices.ContainsFunc(t.Asked(r), t.Active)
}

// Gaps says what works but will bite: a role that nobody holds who can act, and
// fewer than two owners. The keys are stable, so that each is told once.
func (t *Tenant) Gaps() map[string]string {
	out := map[string]string{}
	owners := 0
	for _, o := range t.Owners {
		if t.Active(o) {
			owners++
		}
	}
	if owners < 2 {
		out[string(Owner)] = "There are fewer than two owners who can act. When the only one is away, nobody can give a role or is told what is wrong. Owners stand in the configuration."
	}
	for _, r := range Roles {
		if r == Requester || r == Owner || (r == ServiceNowAdmin && t.Instance == "") || t.Manned(r) {
			continue
		}
		says := "Nobody who can act holds " + r.Title() + ", so steps of that role wait."
		for _, p := range t.Asked(r) {
			if person, ok := t.Person(p); ok {
				says += " " + person.Name + cannot(person, t.Inactive[p])
			}
		}
		if d := t.Doubts[r]; d != "" {
			says += " " + d
		}
		out[string(r)] = says
	}
	return out
}

func cannot(p Person, why string) string {
	if len(p.Accounts) == 0 {
		return " has no chat account in the configuration."
	}
	return " cannot act: " + why
}
