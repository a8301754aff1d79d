package setup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// warnings are the days before its end at which a credential is spoken of; the
// last is its end itself.
var warnings = []int{60, 30, 14, 7, 1, 0}

// Ends reports whether an object is a credential whose end is watched.
func Ends(o bot.Object) bool { return !o.Expires.IsZero() && o.Removed.IsZero() }

// Warning gives the threshold that a credential has reached, in days before
// its end, and false where its end is further away than the first.
func Warning(o bot.Object, now time.Time) (days int, reached bool) {
	if !Ends(o) {
		return 0, false
	}
	left := o.Expires.Sub(now)
	for _, d := range slices.Backward(warnings) {
		if left <= time.Duration(d)*24*time.Hour {
			return d, true
		}
	}
	return 0, false
}

// Keeper is the role that can replace a credential.
func Keeper(o bot.Object) bot.Role {
	if o.System == bot.ServiceNow {
		return bot.ServiceNowAdmin
	}
	return bot.EntraAdmin
}

// Replaceable reports whether the guide rotate can replace a credential at a
// tenant: what a run made, not what the configuration names.
func Replaceable(t *bot.Tenant, o bot.Object) bool {
	switch {
	case unattendedEntry(o):
		return t.Instance != "" && t.Mode(bot.ServiceNow) != bot.NoCalls && isID(o.ID)
	case o.System != bot.Graph || !Ends(o) || o.Run == "":
		return false
	case o.Kind == "secret":
		return t.Instance != "" && isGUID(o.ID)
	}
	return o.Kind == "application" && o.ID == UniqueReader && !t.Reader.Configured()
}

// Unreachable reports whether a credential could be replaced, but that nothing is
// called where it is.
func Unreachable(t *bot.Tenant, o bot.Object) bool {
	return unattendedEntry(o) && t.Mode(bot.ServiceNow) == bot.NoCalls
}

// unattendedEntry reports whether an object is the registry entry with which
// Keyturn signs in at ServiceNow, made by a run.
func unattendedEntry(o bot.Object) bool {
	return o.System == bot.ServiceNow && o.Kind == "oauth_entity" && o.Run != "" && o.Removed.IsZero() && strings.HasPrefix(o.Name, nameUnattended)
}

// Endless says of a credential without an end why it has none, or "" where an
// object is none. ServiceNow knows no end of a client's secret.
func Endless(o bot.Object) string {
	switch {
	case !o.Expires.IsZero() || !o.Removed.IsZero() || o.System != bot.ServiceNow:
		return ""
	case unattendedEntry(o):
		return "its secret does not end by itself: it stays valid until it is replaced"
	case o.Kind == "oauth_entity" && o.Name == nameProvider:
		return "has no secret of its own: Entra's client secret is in it, and ends as that does"
	case o.ID == OwnServiceNow:
		return "its secret does not end by itself: replace it by hand, in Application Registry and in the configuration"
	}
	return ""
}

// yearly is how old a credential without an end becomes before its keepers are
// asked about it.
const yearly = 365 * 24 * time.Hour

// Aged gives the last anniversary of a credential that a run made and that does
// not end by itself, and false before the first.
func Aged(o bot.Object, now time.Time) (at time.Time, years int, reached bool) {
	if !unattendedEntry(o) || o.At.IsZero() || !o.Expires.IsZero() {
		return time.Time{}, 0, false
	}
	years = int(now.Sub(o.At) / yearly)
	return o.At.Add(time.Duration(years) * yearly), years, years > 0
}

// Old is what a role's holders and the owners are told, once a year, of a
// credential that does not end by itself.
func Old(t *bot.Tenant, o bot.Object, years int) bot.Message {
	m := bot.Say(bot.T(o.System.Name()+", "+KindWords(o.Kind)+" "), bot.B(o.Name), bot.T(" of "+t.Name+" is in use since "), bot.When(o.At, bot.DateOnly),
		bot.T(", "+plural(years, "year", "years")+": "+Endless(o)+". Nothing stops working. I ask once a year."))
	if Replaceable(t, o) {
		m.Add(bot.Paragraph{Text: bot.T(gapless)})
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Replace it", Action: ActReplace, Value: ReplaceValue(t.ID, o), Says: "Replace it: " + o.Name + " of " + t.Name}}})
	}
	return m
}

const gapless = "It is replaced without a gap: a new one is made, put to use and proved, and only then the old one is removed. Each step is approved as always."

// stops says what no longer works when a credential has ended.
func stops(o bot.Object) string {
	switch {
	case o.Kind == "secret":
		return "ServiceNow can then no longer sign in to Microsoft 365, and incidents and solutions stop arriving there."
	case o.Kind == "application" && o.ID == UniqueReader, o.ID == OwnReader:
		return "Keyturn can then no longer read service health, so no incident reaches a channel."
	case o.ID == OwnTeams:
		return "Keyturn can then no longer speak in Teams."
	case o.ID == OwnSignIn:
		return "Nobody can then sign in to approve a step."
	}
	return "Whatever uses it then stops working."
}

// The credentials that the configuration names, as objects whose end is
// watched. They are in no store: [bot.Tenant.Own] lists them.
const (
	OwnReader = "configured-reader"
	OwnTeams  = "configured-teams"
	OwnSignIn = "configured-sign-in"
	// OwnServiceNow is the client with which people sign in at ServiceNow. Its
	// secret has no end.
	OwnServiceNow = "configured-servicenow"
)

// Expiring is what a role's holders and the owners are told of a credential
// that ends.
func Expiring(t *bot.Tenant, o bot.Object, days int) bot.Message {
	what := bot.Join(bot.T(o.System.Name()+", "+KindWords(o.Kind)+" "), bot.B(o.Name))
	if o.Link != "" {
		what = bot.Join(bot.T(o.System.Name()+", "+KindWords(o.Kind)+" "), bot.Link(o.Name, o.Link))
	}
	when := fmt.Sprintf("ends in %d days, on ", days)
	switch days {
	case 0:
		when = "has ended, on "
	case 1:
		when = "ends within a day, on "
	}
	m := bot.Say(what, bot.T(" of "+t.Name+" "+when), bot.When(o.Expires, bot.DateTime), bot.T(". "+stops(o)))
	if !Replaceable(t, o) {
		m.Add(bot.Paragraph{Text: bot.T(byHandInstead(o))})
		return m
	}
	m.Add(bot.Paragraph{Text: bot.T(gapless)})
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Replace it", Action: ActReplace, Value: ReplaceValue(t.ID, o), Style: bot.Primary, Says: "Replace it: " + o.Name + " of " + t.Name}}})
	return m
}

func byHandInstead(o bot.Object) string {
	if strings.HasPrefix(o.ID, "configured-") {
		return "It stands in Keyturn's configuration: make a new key pair, upload its public half to the registration, name it in the configuration, start Keyturn again, and then remove the old one."
	}
	return "I did not make it and cannot replace it: make a new one beside it, put it to use, and then remove the old one."
}

// ReplaceButton begins the guide rotate for a secret that was on a screen.
func ReplaceButton(t bot.TenantID, o bot.Object) bot.Button {
	return bot.Button{Label: "Replace the secret", Action: ActReplace, Value: ReplaceValue(t, o), Says: "Replace the secret: " + o.Name}
}

// ReplaceValue is what a button that replaces a credential carries.
func ReplaceValue(t bot.TenantID, o bot.Object) string { return string(t) + "/" + o.Key }

// ReadReplaceValue undoes [ReplaceValue].
func ReadReplaceValue(v string) (t bot.TenantID, key string) {
	tenant, key, _ := strings.Cut(v, "/")
	return bot.TenantID(tenant), key
}

// WatchedApps are the reads that say when credentials end in the directory, by
// registration: what Keyturn made, and what it signs people in with.
func WatchedApps(t *bot.Tenant) []bot.Call {
	const fields = "id,appId,displayName,passwordCredentials,keyCredentials"
	calls := []bot.Call{asReader(graphGet("reader", appByName(UniqueReader, fields), "Reads when the keys of the health reader end"))}
	if t.Instance != "" {
		calls = append(calls, asReader(graphGet("connector", appByName(UniqueConnector(t.Instance), fields), "Reads when the secrets for ServiceNow end")))
	}
	if id := t.SignIn.EntraClientID; isGUID(id) {
		calls = append(calls, asReader(graphGet("sign-in", appByClient(id, fields), "Reads when Keyturn's own sign-in ends")))
	}
	for _, s := range t.OwnSecrets {
		if isGUID(s.Client) {
			calls = append(calls, asReader(graphGet(s.ID, appByClient(s.Client, fields), "Reads when the client secret ends "+s.Name)))
		}
	}
	return calls
}

// Seen gives the inventory as the directory has it: ends as they are there, and
// secrets of the watched registrations that no run of ours made.
func Seen(t *bot.Tenant, objects []bot.Object, r Reading, now time.Time) []bot.Object {
	var out []bot.Object
	for _, s := range r.List("connector", "passwordCredentials") {
		id, end := s.Get("keyId"), instant(s.Get("endDateTime"))
		if !isGUID(id) || end.IsZero() {
			continue
		}
		o := bot.Object{Key: bot.ObjectKey(bot.Graph, "secret", id), System: bot.Graph, Kind: "secret", ID: id, Name: s.Get("displayName"), Expires: end, At: now}
		for _, known := range objects {
			if known.Key == o.Key {
				o = known
				o.Expires = end
			}
		}
		if o.Name == "" {
			o.Name = id
		}
		out = append(out, o)
	}
	if end := last(r.List("sign-in", "keyCredentials"), r.List("sign-in", "passwordCredentials")); !end.IsZero() {
		out = append(out, bot.Object{Key: bot.ObjectKey(bot.Graph, "application", OwnSignIn), System: bot.Graph, Kind: "application", ID: OwnSignIn, Name: r.Get("sign-in", "displayName"), Expires: end, At: now})
	}
	for _, s := range t.OwnSecrets {
		if end := last(hinted(r.List(s.ID, "passwordCredentials"), s.Hint)); !end.IsZero() {
			out = append(out, bot.Object{Key: bot.ObjectKey(bot.Graph, "key", s.ID), System: bot.Graph, Kind: "client secret", ID: s.ID, Name: s.Name, Expires: end, At: now})
		}
	}
	for _, known := range objects {
		if known.Kind == "application" && known.ID == UniqueReader && known.Removed.IsZero() {
			// A later end there is another's key; an earlier one means that ours
			// was taken away.
			if end := last(r.List("reader", "keyCredentials")); !end.IsZero() && end.Before(known.Expires) {
				known.Expires = end
			}
			out = append(out, known)
		}
	}
	return out
}

// hinted are the secrets that begin as the one in use does.
func hinted(list []Item, hint string) []Item {
	return slices.DeleteFunc(list, func(it Item) bool { return hint == "" || it.Get("hint") != hint })
}

// last is when the last of some credentials ends.
func last(lists ...[]Item) time.Time {
	var end time.Time
	for _, it := range slices.Concat(lists...) {
		if at := instant(it.Get("endDateTime")); at.After(end) {
			end = at
		}
	}
	return end
}
