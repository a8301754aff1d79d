package setup

import (
	"strings"
	"time"

	"keyturn/bot"
)

// appAdmins are the directory roles with which registrations are made, changed
// and deleted.
var appAdmins = []string{"Application Administrator", "Cloud Application Administrator"}

// pimPage is where a role is activated that a person holds in Privileged
// Identity Management.
const pimPage = "https://entra.microsoft.com/#view/Microsoft_Azure_PIMCommon/ActivationMenuBlade/~/aadmigratedroles"

// accepted says which directory roles do, in words.
func (s *Spec) accepted() string {
	out := list(s.Accepts)
	if i := strings.LastIndex(out, " and "); i >= 0 {
		out = out[:i] + " or " + out[i+5:]
	}
	too := ". A custom role that allows it counts too"
	if s.Role == bot.EntraAdmin {
		too += ", and so does owning the application"
	}
	return out + too + ": Microsoft decides."
}

// lacksRole reports whether a step failed because Microsoft, or the
// person's own sign-in, says that the role is missing or not active.
func (s *Step) lacksRole(spec *Spec) bool {
	if s.State != Failed || s.Problem == nil {
		return false
	}
	return s.Problem.Kind == bot.KindInactive || (s.Problem.Kind == bot.KindForbidden && len(spec.Accepts) > 0)
}

// activate says how somebody goes on who holds a role that is not active. Only
// they know whether they do.
func (s Scene) activate(spec *Spec, st *Step) bot.Text {
	what := spec.Role.Title()
	if len(spec.Accepts) > 0 {
		what = spec.Accepts[0]
	}
	page := pimPage
	if base := s.Run.Facts["portal.entra"].Value; base != "" {
		page = base + "/pim"
	}
	then := ", then [Activated]: I look again, with a fresh sign-in where you sign in. If you do not hold it, [Not me] hands the step to somebody who does."
	if st.Inactive() {
		then += " Nobody is reminded meanwhile."
	}
	return bot.Join(bot.T("Your account does not carry "+what+" now. If you hold it in PIM, "), bot.Link("activate it", page), bot.T(then))
}

// Activated reads a step again whose person has activated the role that was
// missing: an earlier sign-in does not carry it.
func (r *Run) Activated(id StepID, now time.Time) error {
	if err := r.Retry(id); err != nil {
		return err
	}
	r.Step(id).Fresh = now
	return nil
}
