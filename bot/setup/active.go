package setup

import (
	"slices"

	"keyturn/bot"
)

// directoryRoles are the Entra roles one of which the calls of a role's steps
// usually need, by template ID; the first is the one to name. Microsoft also
// accepts owners of an application and custom roles, so what a token lacks is
// said and never decides.
var directoryRoles = map[bot.Role][]directoryRole{
	bot.EntraAdmin: {
		{"Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"},
		{"Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7"},
		{"Application Developer", "cf1c38e5-3621-4004-a7cb-879624dced7c"},
		{"Global Administrator", "62e90394-69f5-4237-9190-012177145e10"},
	},
	bot.PrivilegedRoleAdmin: {
		{"Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"},
		{"Global Administrator", "62e90394-69f5-4237-9190-012177145e10"},
	},
}

// pimPath is where a person activates roles in the Entra portal.
const pimPath = "/#view/Microsoft_Azure_PIMCommon/ActivationMenuBlade/~/aadmigratedroles"

type directoryRole struct{ name, template string }

// Carries notes on the planned and failed steps that a person's sign-in goes on
// with whether the token carries a directory role for them.
func (r *Run) Carries(g *Guide, p bot.PersonID, roles []string, known bool) {
	for i := range g.Steps {
		spec := &g.Steps[i]
		s := r.Step(spec.ID)
		if s == nil || s.As != p || s.State.Settled() {
			continue
		}
		want := directoryRoles[spec.Role]
		held := slices.ContainsFunc(want, func(d directoryRole) bool { return slices.Contains(roles, d.template) })
		s.Lacks = ""
		if known && len(want) > 0 && !held {
			s.Lacks = want[0].name
		}
	}
}

// inactiveWords says that a role seems not to be active, and what to do.
func inactiveWords(role string) string {
	return "Your account does not carry " + role + " now. If you hold it in PIM, activate it, then choose [Activated] for a fresh sign-in. Where you may do this without that role, go on: Microsoft's answer decides."
}

// inactive draws the note, with the way to PIM.
func (s Scene) inactive(m *bot.Message, spec *Spec, st *Step) []bot.Button {
	if st.Lacks == "" {
		return nil
	}
	m.Add(bot.Paragraph{Text: bot.Join(bot.T(inactiveWords(st.Lacks)+" "), bot.Link("My roles in PIM", portal(s.Context(), "entra")+pimPath))})
	return []bot.Button{s.activated(spec, st)}
}

func (s Scene) activated(spec *Spec, st *Step) bot.Button {
	return bot.Button{Label: "Activated", Action: ActSignIn, Value: s.value(spec, st), Says: "I activated the role: sign in again for " + spec.Title}
}

// SystemOf is the system that a step's people sign in at: the one that it waits
// for, that its plan writes to, or that it reads.
func SystemOf(c Context, spec *Spec, st *Step) (bot.System, bool) {
	if st.SignIn != nil {
		return st.SignIn.System, true
	}
	var calls []bot.Call
	if st.Plan != nil {
		for _, x := range st.Plan.Calls {
			if x.Write() {
				calls = append(calls, x)
			}
		}
		calls = append(calls, st.Plan.Calls...)
	}
	if spec.API != nil && spec.API.Read != nil {
		calls = append(calls, spec.API.Read(c)...)
	}
	if spec.API != nil && spec.API.Verify != nil {
		calls = append(calls, spec.API.Verify(c)...)
	}
	for _, x := range calls {
		if c.Tenant.SignsIn(x) {
			return x.System, true
		}
	}
	return "", false
}

// SecretGarbled is the code of a problem that says that ServiceNow stored
// another secret than it was given.
const SecretGarbled = "secret-garbled"

// Revealable is the secret that a step's person may be shown once, because
// ServiceNow did not take it by API, or garbled it: the name of its fact.
func Revealable(c Context, spec *Spec, st *Step) (fact string, ok bool) {
	p := st.Problem
	if p == nil || st.State != Failed || !c.Has(entraSecret) || c.Tenant.Mode(bot.ServiceNow) != bot.Delegated {
		return "", false // without a sign-in there is nobody to show it to
	}
	refused := spec.ID == StepOAuth && (p.Call == "entry" || p.Call == "secret")
	return entraSecret, refused || p.Code == SecretGarbled
}

// Exposed is the secret of a run that a person saw, as the inventory has it.
func Exposed(c Context) (bot.Object, bool) {
	return object(c, bot.ObjectKey(bot.Graph, "secret", c.Fact(entraSecretKey)))
}

// garbled is what is wrong where ServiceNow signs in with another secret than
// it was given.
func garbled(c Context, status, then string) *Problem {
	p := refuse("ServiceNow asked for a token and got "+status+": the secret that ServiceNow stored is not the one Entra issued.", "Have the secret written again: the Entra admin makes a new one, and it goes into the OAuth provider's form. "+then)
	p.Code = SecretGarbled
	if c.Has(entraSecret) && c.Tenant.Mode(bot.ServiceNow) == bot.Delegated {
		p.Fix = "Type it into the field Client Secret of the OAuth provider's form yourself: [Show me the secret once] shows it to you alone. Or have the Entra admin make a new one and type that in. " + then
	}
	return p
}
