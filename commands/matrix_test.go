package commands_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// The kinds of person that may ask for something, and what makes them so.
var kinds = []struct {
	name, who string
	set       func(w *world)
	note      string
}{
	{"member", "nobody", nil, "anybody in the workspace, whom the configuration does not know"},
	{"known", "kim", nil, "a person of the configuration who holds no role"},
	{"holder", "ada", nil, "holds the role of the step that is asked about, and the run asks them"},
	{"backup", "bea", func(w *world) { w.tenant.Backups = map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"bea"}}; w.seat("bea") }, "backup for that role, after the holders let it wait"},
	{"in group", "gus", func(w *world) { w.inGroup("gus", w.now) }, "in a user group that an owner declared admin-managed, and that was read within the hour"},
	{"group unread", "gus", func(w *world) { w.inGroup("gus", w.now.Add(-2*bot.MembershipHolds)) }, "the same, and the last reading is older"},
	{"was holder", "amir", nil, "the run asked them, and the role was taken from them since"},
	{"other role", "sam", nil, "holds another role"},
	{"requester", "rita", nil, "asked for the run"},
	{"asks+holds", "rita", func(w *world) { w.alsoHolds("rita") }, "asked for the run and holds the role of its step, which creates a credential (four eyes)"},
	{"owner", "olga", nil, "an owner, who holds no other role"},
	{"guest", "ada", nil, "a guest, or a person of another organisation: Slack Connect, Teams external access"},
}

// seat makes the run of the matrix ask a person too.
func (w *world) seat(who bot.PersonID) {
	w.commit(func(d *engine.Draft) error {
		before, err := d.Run("r1")
		after := before.Clone()
		after.Holders[bot.EntraAdmin] = append(after.Holders[bot.EntraAdmin], who)
		return errorsOr(err, d.PutRun(&before, &after))
	})
}

// inGroup makes an admin-managed group of the Entra admins that holds one
// person, as it was read at a time.
func (w *world) inGroup(who string, read time.Time) {
	w.commit(func(d *engine.Draft) error {
		d.Manage(w.tenant, bot.Membership{Role: bot.EntraAdmin, Team: "T1", Group: "S1", By: "olga", Members: []string{"U" + who}, Read: read}, true)
		return nil
	})
	w.seat(bot.PersonID(who))
}

// alsoHolds gives the requester the role of the run's steps.
func (w *world) alsoHolds(who bot.PersonID) {
	w.tenant.FourEyes = true
	w.tenant.Holders[bot.EntraAdmin] = append(w.tenant.Holders[bot.EntraAdmin], who)
	g := matrixGuide()
	for i := range g.Steps {
		g.Steps[i].FourEyes = true
	}
	w.env.Guide = func(id setup.GuideID) (*setup.Guide, bool) {
		x := *g
		x.ID = id
		return &x, id == setup.Direct || id == setup.Cleanup
	}
	w.seat(who)
}

// onBoth makes everybody speak on both platforms.
func (w *world) onBoth() {
	w.tenant.Teams = append(w.tenant.Teams, bot.Workspace{Platform: bot.Teams, ID: "TT"})
	for _, id := range []string{"bea", "gus"} {
		w.tenant.People = append(w.tenant.People, bot.Person{ID: bot.PersonID(id), Name: strings.ToUpper(id[:1]) + id[1:], Accounts: []bot.Account{account("U" + id)}})
	}
	for i := range w.tenant.People {
		p := &w.tenant.People[i]
		p.Accounts = append(p.Accounts, bot.Account{Platform: bot.Teams, Team: "TT", ID: p.Accounts[0].ID})
	}
}

// from moves a request to a platform.
func from(r bot.Request, on bot.Platform) bot.Request {
	if on == bot.Teams {
		r.From.Platform, r.From.Team = bot.Teams, "TT"
		r.Place.Platform, r.Place.Team = bot.Teams, "TT"
	}
	return r
}

// matrix is what each intent comes to for each kind of person, by intent.
type matrix struct {
	names []string
	cells map[string][]string
}

// TestWhoMayDoWhat asks everything as everybody, on each platform, by a card as
// it stands and by one of yesterday.
func TestWhoMayDoWhat(t *testing.T) {
	digest := setup.Digest([]bot.Call{{System: bot.Graph, Method: "POST", Path: "/x"}})
	all := map[string]matrix{}
	var b strings.Builder
	for _, on := range []bot.Platform{bot.Slack, bot.Teams} {
		for _, card := range []struct{ name, digest string }{{"fresh", digest}, {"stale", "0f-yesterday"}} {
			m := matrixOf(t, on, card.digest)
			all[string(on)+card.name] = m
			fmt.Fprintf(&b, "===== %s, %s card\n%s\n", on, card.name, m.table())
		}
	}
	for _, card := range []string{"fresh", "stale"} {
		if d := cmp.Diff(all["slack"+card].cells, all["teams"+card].cells); d != "" {
			t.Errorf("the platforms differ with a %s card:\n%s", card, d)
		}
	}
	golden(t, "may.txt", b.String())
	document(t, filepath.Join("..", "docs", "permissions.md"), permissions(all["slackfresh"], all["slackstale"]))
}

func matrixOf(t *testing.T, on bot.Platform, digest string) matrix {
	t.Helper()
	m := matrix{cells: map[string][]string{}}
	for _, k := range kinds {
		w := newWorld(t)
		w.onBoth()
		w.begin()
		if k.set != nil {
			k.set(w)
		}
		for _, ask := range asks(w, digest) {
			r := from(ask.make(k.who), on)
			r.Guest = k.name == "guest"
			reply, out := w.try(r)
			got := outcome(reply, out)
			if got == "no" && !onlyRedraws(out) {
				t.Errorf("%s by %s is refused, and yet changes %+v", ask.name, k.name, out)
			}
			if k.name == "guest" && got != "no" {
				t.Errorf("%s by a guest: %s (%s)", ask.name, got, words(reply))
			}
			if len(m.cells[ask.name]) == 0 {
				m.names = append(m.names, ask.name)
			}
			m.cells[ask.name] = append(m.cells[ask.name], got)
		}
	}
	return m
}

func (m matrix) table() string {
	var b strings.Builder
	row := func(name string, cells []string) {
		line := fmt.Sprintf("%-26s", name)
		for _, c := range cells {
			line += fmt.Sprintf("%-14s", c)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	var heads []string
	for _, k := range kinds {
		heads = append(heads, k.name)
	}
	row("", heads)
	for _, n := range m.names {
		row(n, m.cells[n])
	}
	return b.String()
}

// permissions writes the matrix for people.
func permissions(fresh, stale matrix) string {
	var b strings.Builder
	b.WriteString(`# Who may do what

This page is written by a test from what the code does (` + "`go test ./commands -run TestWhoMayDoWhat -update`" + `), so it cannot be out of date.
Everything that is typed or clicked passes one place, which denies what it does not know. Both platforms give the same.

*acts*: it is done. *answers*: it is answered, and nothing changes. *form*: a form opens, which is checked again when it is sent.
*asks again*: a form says what is missing. **no**: it is refused, with who may, and nothing changes.

| column | who that is |
| --- | --- |
`)
	for _, k := range kinds {
		fmt.Fprintf(&b, "| %s | %s |\n", k.name, k.note)
	}
	b.WriteString("\nSlack and Teams mark guests and people of other organisations; they get nothing, until they are members.\n\n## By a card as it stands\n\n")
	fresh.markdown(&b, nil)
	b.WriteString("\n## By a card of yesterday\n\nOnly what differs. A button of a plan that has changed since it was drawn is answered with what became of it, and never acted on.\n\n")
	stale.markdown(&b, &fresh)
	return b.String()
}

// markdown writes the rows; with old only those that differ from it.
func (m matrix) markdown(b *strings.Builder, old *matrix) {
	b.WriteString("| |")
	for _, k := range kinds {
		b.WriteString(" " + k.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(kinds)+1) + "\n")
	for _, n := range m.names {
		if twin := strings.Trim(n, "[]"); twin != n && slices.Equal(m.cells[n], m.cells[twin]) {
			continue // the button of a command
		}
		if old != nil && slices.Equal(old.cells[n], m.cells[n]) {
			continue
		}
		fmt.Fprintf(b, "| `%s` |", n)
		for _, cell := range m.cells[n] {
			if cell == "no" {
				cell = "**no**"
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		b.WriteString("\n")
	}
}

func TestOnlyARefusalIsBold(t *testing.T) {
	var b strings.Builder
	matrix{names: []string{"x"}, cells: map[string][]string{"x": {"nothing", "no"}}}.markdown(&b, nil)
	if !strings.Contains(b.String(), "| `x` | nothing | **no** |\n") {
		t.Errorf("%s", b.String())
	}
}

// document holds a page of the documentation to what the code says.
func document(t *testing.T, path, want string) {
	t.Helper()
	bottest.Golden(t, path, want, *update, "go test -update")
}
