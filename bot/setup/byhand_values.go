package setup

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// bring is what a person brings back from a step done by hand, because later
// steps, the inventory or the watch over ends need it.
type bring struct {
	ask    func(Context) []bot.Input
	accept func(c Context, in map[string]string) (facts, wrong map[string]string)
}

// brings are the values to bring back, by step.
var brings = map[StepID]bring{
	StepPreflight:          {ask: askPreflight, accept: asTyped},
	StepEntraApp:           {ask: askClient(FactEntraClientID), accept: asTyped},
	StepReaderApp:          {ask: askClient(FactReaderClientID), accept: asTyped},
	StepEntraSecret:        {ask: askSecret, accept: acceptSecret},
	StepOAuth:              {ask: askProfile, accept: asTyped},
	StepRotateLook:         {ask: askRotated, accept: acceptRotated},
	StepDiscoverEntra:      {ask: askFoundApps, accept: acceptFoundApps},
	StepDiscoverServiceNow: {ask: askFoundRows, accept: acceptFoundRows},
}

// Brings are the values to bring back from a step that is done by hand.
func (s *Spec) Brings(c Context) []bot.Input {
	if _, ok := s.ByHand(c); !ok {
		return nil
	}
	if b, ok := brings[s.ID]; ok {
		return b.ask(c)
	}
	return nil
}

// Brought checks the values that a person brought back: the facts, or what is
// wrong, by input.
func (s *Spec) Brought(c Context, in map[string]string) (facts, wrong map[string]string) {
	typed, wrong := map[string]string{}, map[string]string{}
	for _, x := range s.Brings(c) {
		v := strings.TrimSpace(in[x.Name])
		switch {
		case x.Kind == bot.Area && looksSecret(v), x.Kind == bot.Line && looksSecret(v):
			wrong[x.Name] = secretTyped
		case v == "" && x.Optional:
		case x.Kind == bot.Choice && !slices.ContainsFunc(x.Options, func(o bot.Option) bool { return o.Value == v }):
			wrong[x.Name] = "Choose one of the answers."
		case strings.HasSuffix(x.Name, "client_id") && !isGUID(v):
			wrong[x.Name] = "That is no client ID. It looks like 6d05c93f-1b77-4845-87dd-d4227cc4bcb9; the object ID beside it is another."
		case v == "" || len(v) > 200 && x.Kind != bot.Area:
			wrong[x.Name] = "This is needed by a later step."
		}
		typed[x.Name] = v
	}
	if len(wrong) == 0 {
		facts, wrong = brings[s.ID].accept(c, typed)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return facts, nil
}

func asTyped(_ Context, in map[string]string) (facts, wrong map[string]string) { return in, nil }

// askClient asks for a registration's client ID, unless it is known.
func askClient(fact string) func(Context) []bot.Input {
	return func(c Context) []bot.Input {
		if c.Has(fact) && c.Option(OptionRotate) != "" {
			return nil
		}
		return []bot.Input{{Name: fact, Label: "Application (client) ID", Kind: bot.Line, Hint: "From the registration's Overview page."}}
	}
}

func askProfile(c Context) []bot.Input {
	if c.Option(OptionRotate) != "" { // the entry and its profile stay
		return nil
	}
	return []bot.Input{{Name: "sn.oauth_profile_name", Label: "Name of the default OAuth profile", Kind: bot.Line, Hint: "From the entry's list OAuth Entity Profiles."}}
}

// noApp is the version of an app that is not on the instance.
const noApp = "none"

func askPreflight(Context) []bot.Input {
	return []bot.Input{{Name: "app.version", Label: "The app on the instance", Kind: bot.Choice, Hint: "The wizard's cards follow its version.", Options: []bot.Option{
		{Value: "2", Label: "Installed, version 2 or later"}, {Value: "1", Label: "Installed, version 1"}, {Value: noApp, Label: "It is not installed"}}}}
}

func askSecret(c Context) []bot.Input {
	return []bot.Input{
		{Name: entraSecretKey, Label: "Secret ID", Kind: bot.Line, Hint: "From the column Secret ID. Not the column Value: that one never goes into a chat."},
		{Name: FactEntraSecretEnd, Label: "Expires", Kind: bot.Line, Example: "2027-05-31", Hint: "Year, month, day. I remind you before it ends."},
	}
}

func acceptSecret(c Context, in map[string]string) (facts, wrong map[string]string) {
	wrong = map[string]string{}
	if !isGUID(in[entraSecretKey]) {
		wrong[entraSecretKey] = "That is no Secret ID. It looks like 6d05c93f-1b77-4845-87dd-d4227cc4bcb9, and stands beside the value."
	} else if o, ok := replaced(c); ok && strings.EqualFold(o.ID, in[entraSecretKey]) {
		wrong[entraSecretKey] = "That is the secret that is replaced, and it is deleted in the end. Bring back the ID of the new one."
	}
	end, err := time.Parse(time.DateOnly, in[FactEntraSecretEnd])
	if err != nil || !end.After(c.Run.Started) {
		wrong[FactEntraSecretEnd] = "Write the day on which it ends as 2027-05-31. It lies in the future."
	}
	return map[string]string{entraSecretKey: in[entraSecretKey], FactEntraSecretEnd: end.Format(time.RFC3339)}, wrong
}

func rotatedClient(c Context) string {
	if o, _ := replaced(c); o.Kind == "secret" {
		return FactEntraClientID
	}
	return FactReaderClientID
}

func askRotated(c Context) []bot.Input {
	return []bot.Input{{Name: rotatedClient(c), Label: "Application (client) ID", Kind: bot.Line, Hint: "From the Overview page of the registration that has the credential."}}
}

func acceptRotated(c Context, in map[string]string) (facts, wrong map[string]string) {
	o, ok := replaced(c)
	if !ok {
		return nil, map[string]string{rotatedClient(c): "The inventory no longer has what this run was to replace. Cancel the run."}
	}
	if o.Kind == "secret" {
		in[rotateOld] = o.ID
	}
	return in, nil
}

const (
	handReader    = "hand.reader.client_id"
	handConnector = "hand.connector.client_id"
	handOthers    = "hand.others"
	handRows      = "hand.rows"
	handApp       = "hand.app"
)

func askFoundApps(c Context) []bot.Input {
	var out []bot.Input
	if cleans(c, Direct) {
		out = append(out, bot.Input{Name: handReader, Label: cut("Client ID of " + nameReader), Kind: bot.Line, Optional: true, Hint: "Empty where there is none."})
	}
	if cleansConnector(c) {
		out = append(out,
			bot.Input{Name: handConnector, Label: cut("Client ID of " + nameConnector), Kind: bot.Line, Optional: true, Hint: "Empty where there is none."},
			bot.Input{Name: handOthers, Label: "Client IDs of others, one a line", Kind: bot.Area, Optional: true, Hint: "Only registrations that belong to this setup."})
	}
	return out
}

// cut keeps a label within what forms take.
func cut(s string) string { return string([]rune(s)[:min(len([]rune(s)), 48)]) }

// acceptFoundApps is what a person found at Entra, as a search would have.
func acceptFoundApps(c Context, in map[string]string) (facts, wrong map[string]string) {
	wrong = map[string]string{}
	var list []found
	seen := map[string]bool{}
	add := func(input, client, key, name string) {
		switch {
		case client == "" || seen[client]:
			return
		case !isGUID(client):
			wrong[input] = fmt.Sprintf("%q is no client ID. It looks like 6d05c93f-1b77-4845-87dd-d4227cc4bcb9.", client)
		case strings.EqualFold(client, c.Tenant.SignIn.EntraClientID):
			wrong[input] = client + " is Keyturn's own sign-in and stays."
		case strings.EqualFold(client, c.Tenant.Reader.ClientID):
			wrong[input] = client + " is the reader that the configuration names and stays."
		}
		seen[client] = true
		f := found{Kind: "application", ID: client, Key: key, Client: client, Name: "“" + name + "” (" + client + ")", Why: "found by hand", Hand: true, Secrets: 1}
		if key == UniqueReader { // it signs in with a key
			f.Secrets = 0
		}
		list = append(list, f)
	}
	add(handReader, in[handReader], UniqueReader, nameReader)
	add(handConnector, in[handConnector], UniqueConnector(c.Run.Instance), nameConnector)
	for _, client := range commas(in[handOthers]) {
		add(handOthers, client, client, "registration")
	}
	return map[string]string{factFoundEntra: compact(list)}, wrong
}

// handKinds are the tables whose rows a person may name, with what they are.
var handKinds = map[string]string{
	"oauth_entity": "OAuth entry", "sys_user": "User", "sys_user_has_role": "Role of a user", "sys_group_has_role": "Role of a group",
	"sys_db_object": "Table", "sys_scope_privilege": "Privilege", "sys_properties": "Property",
}

// KindWords is what an object is, in words: a table of ServiceNow has a name that
// only its admins read.
func KindWords(kind string) string {
	words, ok := handKinds[kind]
	if !ok {
		return kind
	}
	if words == "OAuth entry" {
		return words
	}
	return strings.ToLower(words)
}

func askFoundRows(c Context) []bot.Input {
	rows := bot.Input{Name: handRows, Label: "Rows, one a line: table and sys_id", Kind: bot.Area, Optional: true, Example: "oauth_entity 4f0d8b2ec7a1201072b211d4d8c26010",
		Hint: "What the inventory has stands here already. Leave out what belongs to others."}
	var known []string
	for _, o := range c.Objects {
		if o.System == bot.ServiceNow && o.Removed.IsZero() && isID(o.ID) && handKinds[o.Kind] != "" {
			known = append(known, o.Kind+" "+o.ID)
		}
	}
	if len(known) > 0 {
		rows.Values = []string{strings.Join(known, "\n")}
	}
	out := []bot.Input{rows}
	if cleansConnector(c) {
		out = append(out, bot.Input{Name: handApp, Label: "The connector's app", Kind: bot.Choice, Options: []bot.Option{{Value: "yes", Label: "It is installed"}, {Value: "no", Label: "It is not installed"}}})
	}
	return out
}

// acceptFoundRows is what a person found on the instance. A switch of which
// nobody knows what it was before is not chosen by itself.
func acceptFoundRows(c Context, in map[string]string) (facts, wrong map[string]string) {
	var list []found
	for _, line := range commas(in[handRows]) {
		kind, id, _ := strings.Cut(strings.Join(strings.Fields(line), " "), " ")
		if handKinds[kind] == "" || !isID(id) || len(id) != 32 {
			return nil, map[string]string{handRows: fmt.Sprintf("%q is not a table and a sys_id. A line looks like: oauth_entity 4f0d8b2ec7a1201072b211d4d8c26010. The tables are %s.", line, strings.Join(sorted(handKinds), ", "))}
		}
		f := found{Kind: kind, ID: id, Key: id, Name: handKinds[kind] + " " + id, Why: "found by hand", Hand: true}
		o, recorded := object(c, bot.ObjectKey(bot.ServiceNow, kind, id))
		if recorded {
			f.Name, f.Before, f.Why = o.Name, o.Before, "the inventory names it"
		}
		switch kind {
		case "sys_db_object", "sys_scope_privilege", "sys_properties":
			f.Restore = true
			if kind == "sys_db_object" && f.Before == "" {
				f.Before, f.Weak = `{"read_access":"false"}`, true
			} else if !recorded {
				return nil, map[string]string{handRows: fmt.Sprintf("Nobody recorded what %q was before, so I cannot say how to put it back: leave it out, and look at it by hand.", line)}
			}
		}
		list = append(list, f)
	}
	facts = map[string]string{factFoundServiceNow: compact(list)}
	if in[handApp] == "yes" {
		facts[factFoundApp] = "installed"
	}
	return facts, nil
}
