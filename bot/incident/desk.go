package incident

import (
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// Desk is what is kept for one subscription between readings: which issues
// have a root in the channel, what waits for the digest, what quiet hours or a
// maintenance window hold, and the storms. It decides and does nothing: every
// method gives the desk as it is afterwards with the acts that follow, to be
// stored in one commit.
type Desk struct {
	Roots   map[string]time.Time `json:"roots,omitempty"`   // issues and posts with a root of their own, since when
	Waiting []Item               `json:"waiting,omitempty"` // for the digest, in order
	Held    []Item               `json:"held,omitempty"`    // for a time of their own, in order
	Storm   Storm                `json:"storm,omitzero"`
	Digest  time.Time            `json:"digest,omitzero"` // up to when digests have told
}

// Item is one change that waits to be told.
type Item struct {
	ID     string      `json:"id"`              // [ChangeID], or that of a message center post
	Issue  string      `json:"issue,omitempty"` // of an issue
	Post   string      `json:"post,omitempty"`  // or of a message center post
	Change Change      `json:"change,omitzero"`
	Edit   *PostChange `json:"edit,omitempty"`
	At     time.Time   `json:"at"`
	Way    Way         `json:"way,omitempty"`  // why it is held: [Held] or [InMaintenance]
	Until  time.Time   `json:"until,omitzero"` // until when it is held
	Why    string      `json:"why,omitempty"`  // the reason of the window
	Since  time.Time   `json:"since,omitzero"` // when the window began
}

// ActKind is what an act is.
type ActKind string

// The acts. Each is idempotent by its Key: a root or a group that is there is
// edited, a reply or a message that was sent is not sent again.
const (
	ActRoot  ActKind = "root"  // make the root of Issue be [Root] as it is at the time of sending
	ActReply ActKind = "reply" // say Message under the root of Issue
	ActGroup ActKind = "group" // make the root of a storm be [GroupMessage] of Group
	ActSay   ActKind = "say"   // say Message as a message of its own
	ActPost  ActKind = "post"  // make the root of a message center post be [Announce] of Post
)

// Act is one thing to do in the channel of a subscription. Acts of one call
// happen in their order.
type Act struct {
	Kind    ActKind
	Key     string // for the ledger, unique within the subscription
	Issue   string
	Post    string
	Group   string
	Under   string // Key of the act whose message this is a reply to
	Message bot.Message
	Class   bot.Class
	// Covers are the IDs of the changes that are told by this act: the ledger
	// counts them as told.
	Covers []string
}

// RootKey is the [Act] key of an issue's or a message center post's root.
func RootKey(id string) string { return id + "/root" }

// RootOf is the issue or post whose root has an [Act] key.
func RootOf(key string) (id string, ok bool) { return strings.CutSuffix(key, "/root") }

func groupKey(id string) string { return id + "/group" }

// Facts are what a desk looks up.
type Facts struct {
	Issues []Known        // every issue that is kept, resolved ones too
	Posts  []KnownMessage // every message center post that is kept
	Watch  Watch          // how reading the tenant's service health stands
	// Picture is the heat map for the weekly digest; without URL there is
	// none, and its words still stand.
	Picture bot.Image
}

func (f Facts) issue(id string) (Known, bool) {
	i := slices.IndexFunc(f.Issues, func(k Known) bool { return k.Issue.ID == id })
	if i < 0 {
		return Known{}, false
	}
	return f.Issues[i], true
}

func (f Facts) post(id string) (KnownMessage, bool) {
	i := slices.IndexFunc(f.Posts, func(k KnownMessage) bool { return k.Post.ID == id })
	if i < 0 {
		return KnownMessage{}, false
	}
	return f.Posts[i], true
}

func (d Desk) clone() Desk {
	if d.Roots = maps.Clone(d.Roots); d.Roots == nil {
		d.Roots = map[string]time.Time{}
	}
	d.Waiting, d.Held, d.Storm = slices.Clone(d.Waiting), slices.Clone(d.Held), d.Storm.clone()
	return d
}

func (d Desk) has(issue string) bool {
	_, own := d.Roots[issue]
	return own || d.Storm.group(issue) >= 0
}

// Tell takes what a reading told ([Outcome.Told]) for one subscription. gap is
// the outcome's: after one of at least [SummaryAfter] everything is named in
// one message instead of a reply each. Where service health can be read again
// after a shorter silence that channels were told of, the first act says so.
func (d Desk) Tell(sub Subscription, told []Told, gap *Gap, at time.Time) (Desk, []Act) {
	d = d.clone()
	var live []Told
	for _, t := range told {
		switch r := Route(sub, t, d.has(t.Known.Issue.ID), at); r.Way {
		case Now:
			live = append(live, d.withEarlier(t))
		case Held, InMaintenance:
			d.hold(sub, t, r, at)
		case InDigest:
			d.wait(t, at)
		}
	}
	var acts []Act
	for _, t := range told {
		if d.has(t.Known.Issue.ID) && !slices.ContainsFunc(live, func(l Told) bool { return l.Known.Issue.ID == t.Known.Issue.ID }) {
			acts = append(acts, d.Redraw(t.Known.Issue.ID)...) // its replies are held, its state is not
		}
	}
	if sub.Stopped != "" {
		return d, nil
	}
	since := at.Add(-StormWindow)
	if gap != nil && gap.Summarised() {
		since = gap.From
	}
	return d, append(acts, d.deliver(sub, live, summaryOf(gap, live), since, at)...)
}

// summaryOf is the message that ends a gap for a channel, where one is due.
func summaryOf(gap *Gap, live []Told) *Summed {
	switch {
	case gap == nil:
		return nil
	case gap.Summarised():
		s := Summary(*gap, live)
		return &s
	case gap.Told:
		return &Summed{Message: ReadableAgain(*gap), Key: gap.key()}
	}
	return nil
}

// withEarlier puts what waits of the issue before what is told now, so that a
// thread tells in order.
func (d *Desk) withEarlier(t Told) Told {
	var earlier []Change
	take := func(items []Item) []Item {
		return slices.DeleteFunc(items, func(it Item) bool {
			if it.Issue != t.Known.Issue.ID {
				return false
			}
			earlier = append(earlier, it.Change)
			return true
		})
	}
	d.Waiting, d.Held = take(d.Waiting), take(d.Held)
	slices.SortStableFunc(earlier, func(a, b Change) int { return a.At.Compare(b.At) })
	t.Changes = append(earlier, t.Changes...)
	return t
}

func (d *Desk) hold(sub Subscription, t Told, r Delivery, at time.Time) {
	it := Item{Issue: t.Known.Issue.ID, At: at, Way: r.Way, Until: r.Until}
	if w, ok := sub.window(t.Known.Issue.Service, at); ok && r.Way == InMaintenance {
		it.Why, it.Since = w.Why, w.From
	}
	for _, c := range t.Changes {
		if tells(c) {
			it.ID, it.Change = ChangeID(t.Known.Issue.ID, c), c
			d.Held = append(d.Held, it)
		}
	}
}

func (d *Desk) wait(t Told, at time.Time) {
	for _, c := range t.Changes {
		if tells(c) {
			d.Waiting = append(d.Waiting, Item{ID: ChangeID(t.Known.Issue.ID, c), Issue: t.Known.Issue.ID, Change: c, At: at})
		}
	}
}

// Redraw brings what the channel has of an issue up to date.
func (d Desk) Redraw(issue string) []Act {
	if _, own := d.Roots[issue]; own {
		return []Act{{Kind: ActRoot, Key: RootKey(issue), Issue: issue, Class: bot.ClassIncident}}
	}
	if g := d.Storm.group(issue); g >= 0 {
		id := d.Storm.Groups[g].ID
		return []Act{{Kind: ActGroup, Key: groupKey(id), Group: id, Class: bot.ClassIncident}}
	}
	return nil
}

// deliver makes acts of what is told now: the summary, then the group of a
// storm, then root and replies of each issue.
func (d *Desk) deliver(sub Subscription, live []Told, sum *Summed, since, at time.Time) []Act {
	covered := map[string]bool{}
	var acts, single []Act
	if sum != nil {
		acts = append(acts, Act{Kind: ActSay, Key: sum.Key, Message: sub.Call(sum.Message), Covers: sum.Covers, Class: bot.ClassIncident})
		for _, id := range sum.Covers {
			covered[id] = true
		}
	}
	var fresh []Told
	for _, t := range live {
		if !d.has(t.Known.Issue.ID) && t.told(New) && !t.Known.Issue.Resolved && len(t.Changes) == 1 {
			fresh = append(fresh, t)
		}
	}
	placed := d.Storm.next(fresh, since, at)
	drawn := map[string]bool{}
	for _, t := range live {
		id := t.Known.Issue.ID
		g, joins := placed[id]
		left := d.Storm.group(id)
		switch {
		case joins:
			drawn[g] = true
			continue
		case left >= 0 && !slices.ContainsFunc(t.Changes, Change.Replies):
			drawn[d.Storm.Groups[left].ID] = true
			continue
		case left >= 0:
			drawn[d.Storm.Groups[left].ID] = true
			d.Storm.leave(id)
		case !d.has(id) && t.Known.Issue.Resolved && t.all(covered):
			continue // it came and went while nothing could be read: the summary has said so
		}
		single = append(single, d.own(t, covered, at)...)
	}
	for i := range d.Storm.Groups {
		if g := &d.Storm.Groups[i]; drawn[g.ID] {
			acts = append(acts, Act{Kind: ActGroup, Key: groupKey(g.ID), Group: g.ID, Covers: g.news(placed, live, covered), Class: bot.ClassIncident})
		}
	}
	return append(acts, single...)
}

// own is the root of an issue with the replies that are not told otherwise. The
// root of a new thread comes before its replies; later the news come first, since
// platforms let far fewer edits through than messages.
func (d *Desk) own(t Told, covered map[string]bool, at time.Time) []Act {
	id := t.Known.Issue.ID
	_, stands := d.Roots[id]
	if !stands {
		d.Roots[id] = at
	}
	root := Act{Kind: ActRoot, Key: RootKey(id), Issue: id, Class: bot.ClassIncident}
	var replies []Act
	for _, c := range t.Changes {
		change := ChangeID(id, c)
		if covered[change] {
			continue
		}
		if !c.Replies() {
			if tells(c) {
				root.Covers = append(root.Covers, change)
			}
			continue
		}
		m := Reply(t.Known, c)
		if m.Empty() {
			continue
		}
		replies = append(replies, Act{Kind: ActReply, Key: change, Issue: id, Under: RootKey(id), Message: m, Covers: []string{change}, Class: bot.ClassIncident})
	}
	if stands {
		return append(replies, root)
	}
	return append([]Act{root}, replies...)
}

// told reports whether an issue has a change of a reason.
func (t Told) told(r Reason) bool {
	return slices.ContainsFunc(t.Changes, func(c Change) bool { return c.Reason == r })
}

func (t Told) all(covered map[string]bool) bool {
	return !slices.ContainsFunc(t.Changes, func(c Change) bool { return tells(c) && !covered[ChangeID(t.Known.Issue.ID, c)] })
}
