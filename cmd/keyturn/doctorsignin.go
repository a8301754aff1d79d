package main

import (
	"context"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// signInAsRegistered looks whether the sign-in registration is as it has to be,
// as far as that can be known while nobody signs in.
func (d *doctor) signInAsRegistered(ctx context.Context, name string, t *bot.Tenant) []finding {
	is, readable, err := d.graph.Registered(ctx, t.ID)
	if err != nil {
		readable = false
	}
	out := []finding{d.redirect(ctx, name, t)}
	what := "its delegated permissions"
	if !readable {
		// By design: the registration has no right of its own.
		return append(out, finding{Of: name, What: what, State: unproved,
			Says: "Nothing but a sign-in proves them, because the registration may not read itself, as it should be. It needs " + permissionsListed(false) + ", and if you like " + permissionsListed(true),
			Fix: "Compare API permissions of the registration with what keyturn manifest entra prints: each has to say Granted. " +
				"Or have an admin take a step with [Sign in]: what is missing is said there"})
	}
	var lacks, optional, ungranted []string
	for _, p := range setup.SignInPermissions() {
		switch {
		case !slices.Contains(is.Asked, strings.ToLower(p.ID)) && p.Optional:
			optional = append(optional, p.Name)
		case !slices.Contains(is.Asked, strings.ToLower(p.ID)):
			lacks = append(lacks, p.Name)
		case is.Consents && !slices.Contains(is.Granted, p.Name):
			ungranted = append(ungranted, p.Name)
		}
	}
	f := finding{Of: name, What: what, State: fine, Says: "The registration lists them, and the organisation has consented"}
	switch {
	case len(lacks) > 0:
		f.State, f.Says = broken, "The registration does not list "+strings.Join(lacks, ", ")
		f.Fix = "Add them under API permissions > Microsoft Graph > Delegated permissions, then consent; keyturn manifest entra prints both."
	case len(ungranted) > 0:
		f.State, f.Says = broken, "Nobody has consented for the organisation to "+strings.Join(ungranted, ", ")
		f.Fix = "Open the consent link that keyturn manifest entra prints, as a Privileged Role Administrator."
	case !is.Consents:
		f.State, f.Says = unproved, "The registration lists them. Whether the organisation has consented only a sign-in tells"
		f.Fix = "Look whether each says Granted under API permissions of the registration."
	case len(optional) > 0:
		f.State, f.Says = warned, "The registration does not list "+strings.Join(optional, ", ")+", which is optional: permissions and roles that are missing are told later"
		f.Fix = "keyturn manifest entra prints what each is for."
	}
	return append(out, f)
}

// redirect looks whether browsers are sent back to Keyturn.
func (d *doctor) redirect(ctx context.Context, name string, t *bot.Tenant) finding {
	what := "its redirect address " + t.SignIn.EntraRedirect
	proved, err := d.graph.ProveRedirect(ctx, t.ID)
	switch {
	case err != nil:
		f := failed(name, what, err, "")
		if f.Code == "AADSTS50011" {
			f.Says, f.Fix = "The registration does not have it, so that Microsoft sends nobody back", "Add it under Authentication of the registration, platform Web, letter by letter."
		}
		return f
	case proved:
		return finding{Of: name, What: what, State: fine, Says: "Microsoft sends browsers back there"}
	}
	return finding{Of: name, What: what, State: unproved, Says: "Microsoft's page did not say whether the registration has it. The first sign-in proves it",
		Fix: "Look for it under Authentication of the registration, platform Web."}
}

// listed are the permissions that people sign in with.
func permissionsListed(optional bool) string {
	var out []string
	for _, p := range setup.SignInPermissions() {
		if p.Optional == optional {
			out = append(out, p.Name)
		}
	}
	return strings.Join(out, ", ")
}
