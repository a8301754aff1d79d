package setup

import (
	"fmt"
	"strings"
	"time"

	"keyturn/bot"
)

// Scene is what the messages of a run are drawn from, for one place.
type Scene struct {
	Guide    *Guide
	Run      *Run
	Tenant   *bot.Tenant
	Objects  []bot.Object
	Platform bot.Platform // where the message will be shown: mentions need it
	Team     string
	Base     func(bot.System) string // base address of a system, for showing calls
	Public   string                  // Keyturn's own address; "" where it has no page
	Gate     func(bot.System) string // address of the page where people sign in at a system
	Now      time.Time
	// Called says what somebody was called whom the configuration no longer has, or
	// that their name was erased; nil is nobody knows.
	Called func(bot.PersonID) string
}

// Context is the scene as steps see it.
func (s Scene) Context() Context {
	return Context{Run: s.Run, Tenant: s.Tenant, Objects: s.Objects}
}

// name is a person's name without a ping.
func (s Scene) name(id bot.PersonID) string {
	if p, ok := s.Tenant.Person(id); ok && p.Name != "" {
		return p.Name
	}
	if id == "" {
		return "nobody"
	}
	if s.Called != nil {
		if name := s.Called(id); name != "" {
			return name
		}
	}
	return string(id)
}

// Ping mentions a person where they have an account on this platform.
func (s Scene) Ping(id bot.PersonID) bot.Text {
	p, _ := s.Tenant.Person(id)
	if a, ok := p.On(s.Platform, s.Team); ok {
		return bot.Mention(a, s.name(id))
	}
	return bot.B(s.name(id))
}

// crew names who a step waits for: the person who took it, or the team.
func (s Scene) crew(spec *Spec, st *Step) string {
	if st.State == Unsigned && st.Approval != nil {
		return s.name(st.Approval.Person)
	}
	if spec.Role == bot.Requester || st.Gone() {
		return s.name(s.Run.Requester)
	}
	if st.Holder != "" {
		return s.name(st.Holder)
	}
	return spec.Role.Crew()
}

// Title is how a run is called in messages.
func (s Scene) Title() bot.Text { return bot.T(s.title()) }

func (s Scene) title() string {
	t := s.Guide.Title + " · " + s.Tenant.Name
	if s.Run.Instance != "" {
		t += " · " + s.Run.Instance
	}
	return t
}

// mark is the state of a step as a mark with its word.
func (s Scene) mark(spec *Spec, st *Step) bot.Text {
	if s.Run.State != RunOpen && !st.State.Settled() { // nobody waits in a run that is over
		if st.State == Failed {
			return bot.T("⛔ failed")
		}
		return bot.T("⚪ open")
	}
	switch st.State {
	case Pending:
		return bot.T("⚪ open")
	case Open, Planned:
		return bot.T("🔵 waiting for " + s.crew(spec, st))
	case Unsigned:
		if st.Approval != nil {
			return bot.T("🔵 waiting for " + s.name(st.Approval.Person) + " to sign in and finish")
		}
		return bot.T("🔵 waiting for " + s.crew(spec, st) + " to sign in")
	case Looking:
		return bot.T("⏳ reading what exists")
	case Running:
		return bot.T("⏳ running")
	case Checking:
		if spec.API != nil && spec.API.Poll {
			return bot.T("🔵 waiting for " + s.crew(spec, st))
		}
		return bot.T("⏳ reading back")
	case Failed:
		return bot.T("⛔ failed, waiting for " + s.crew(spec, st))
	case Done:
		return bot.T("✅ done, read back")
	case Confirmed:
		return bot.T("☑️ confirmed by " + s.name(st.By) + ", no check exists")
	case Skipped:
		return bot.T("⏭ skipped by " + s.name(st.By))
	case NotNeeded:
		return bot.T("⏭ not needed")
	}
	return bot.T(string(st.State))
}

// Value is what a step's buttons carry: the run, the step, and the plan that
// the card shows.
func (s Scene) value(spec *Spec, st *Step) string {
	digest := ""
	if st.Plan != nil {
		digest = st.Plan.Digest
	}
	return s.Run.ID + "/" + string(spec.ID) + "/" + digest
}

// Target reads what [Scene] put into a button: run, step and plan digest.
func Target(value string) (run string, step StepID, digest string, ok bool) {
	p := strings.Split(value, "/")
	if len(p) == 0 || p[0] == "" {
		return "", "", "", false
	}
	run = p[0]
	if len(p) > 1 {
		step = StepID(p[1])
	}
	if len(p) > 2 {
		digest = p[2]
	}
	return run, step, digest, true
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func list(names []string) string {
	switch len(names) {
	case 0:
		return "nobody"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
