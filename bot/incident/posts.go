package incident

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// KnownMessage is what the store keeps of a message center post.
type KnownMessage struct {
	Tenant bot.TenantID `json:"tenant"`
	Post   Announcement `json:"post"`
	First  time.Time    `json:"first"`          // when Keyturn first read it
	Seen   time.Time    `json:"seen"`           // when Keyturn last saw it changed
	Seed   bool         `json:"seed,omitempty"` // known since the first reading: never told as new
}

// MessageWatch is what is known of reading a tenant's message center.
type MessageWatch struct {
	Seeded  bool      `json:"seeded,omitempty"`
	Good    time.Time `json:"good,omitzero"`
	Newest  time.Time `json:"newest,omitzero"`   // the latest lastModifiedDateTime seen
	Failure string    `json:"failure,omitempty"` // why the last reading failed, in a sentence; "" where it did not
}

// PostChange is a message center post that is new or revised.
type PostChange struct {
	Reason Reason    `json:"reason"`         // [New] or [Revised]
	What   []string  `json:"what,omitempty"` // what is different, for a revision, each a phrase
	At     time.Time `json:"at"`             // when it was read
}

// Revised is the reason of a message center post that Microsoft published
// anew.
const Revised Reason = "revised"

// ToldPost is a message center post with its change.
type ToldPost struct {
	Known  KnownMessage
	Change PostChange
}

// ID names the change for the ledger.
func (t ToldPost) ID() string {
	return t.Known.Post.ID + "/" + t.Known.Post.Modified.UTC().Format("20060102T150405.000") + "-" + string(t.Change.Reason)
}

// MessageOutcome is what follows from a reading of the message center.
type MessageOutcome struct {
	Watch Watch
	Known []KnownMessage // what to store: only what changed
	Told  []ToldPost     // what to tell, in the order in which Microsoft changed it
}

// oldPost is how long ago a post must have been changed to count as past when
// Keyturn meets it for the first time: posts leave the list for weeks and come
// back.
const oldPost = 7 * 24 * time.Hour

// CompareMessages says whether a post is new or revised. Only
// lastModifiedDateTime counts: the order inside a post's details changes from
// reading to reading without meaning anything. known nil means that the post
// is new.
func CompareMessages(known *KnownMessage, now Announcement, at time.Time) (PostChange, bool) {
	switch {
	case known == nil:
		return PostChange{Reason: New, At: at}, true
	case now.Modified.After(known.Post.Modified):
		return PostChange{Reason: Revised, What: revisions(known.Post, now), At: at}, true
	}
	return PostChange{}, false
}

// revisions says what a revision changed that a reader has to know.
func revisions(was, now Announcement) []string {
	var out []string
	if !was.ActBy.Equal(now.ActBy) {
		switch {
		case now.ActBy.IsZero():
			out = append(out, "nothing has to be done by a date any more")
		case was.ActBy.IsZero():
			out = append(out, "act by "+now.ActBy.UTC().Format("2 Jan 2006"))
		default:
			out = append(out, "act by "+now.ActBy.UTC().Format("2 Jan 2006")+", was "+was.ActBy.UTC().Format("2 Jan 2006"))
		}
	}
	if enum(was.Category) != enum(now.Category) {
		out = append(out, "now "+categoryWords(now.Category))
	}
	if enum(was.Severity) != enum(now.Severity) {
		out = append(out, "now of "+StatusWords(now.Severity)+" severity")
	}
	if !was.Major && now.Major {
		out = append(out, "now a major change")
	}
	if !slices.EqualFunc(was.Services, now.Services, func(a, b string) bool { return ServiceKey(a) == ServiceKey(b) }) && len(now.Services) > 0 {
		out = append(out, "about "+strings.Join(now.Services, ", "))
	}
	if postTitle(was) != postTitle(now) {
		out = append(out, "another title")
	}
	if was.Body != now.Body || was.Summary != now.Summary {
		out = append(out, "its text")
	}
	if len(out) == 0 && !was.End.Equal(now.End) && !now.End.IsZero() {
		out = append(out, "it now ends "+now.End.UTC().Format("2 Jan 2006"))
	}
	if len(out) == 0 && !slices.Equal(was.Tags, now.Tags) {
		out = append(out, "its tags")
	}
	return out
}

// postTitle is the title without the prefix that Microsoft puts before that of
// a revised post.
func postTitle(a Announcement) string {
	title := oneLine(Convert(a.Title).Plain())
	for _, prefix := range []string{"(Updated)", "(Update)", "[Updated]"} {
		if len(title) >= len(prefix) && strings.EqualFold(title[:len(prefix)], prefix) {
			title = strings.TrimSpace(title[len(prefix):])
		}
	}
	return title
}

func categoryWords(category string) string {
	if w, ok := categories[enum(category)]; ok {
		return w
	}
	if strings.TrimSpace(category) == "" {
		return "no category"
	}
	return StatusWords(category)
}

// ReadingMessages decides what follows from a reading of all message center
// posts of a tenant. The first reading seeds and tells nothing; a post that is
// listed twice counts once in its newest form; one that is not listed stays as
// it is, for posts leave the list and come back; one that Keyturn meets for
// the first time a week after its last change becomes known silently.
func ReadingMessages(watch Watch, known func(id string) (*KnownMessage, bool), posts []Announcement, at time.Time) MessageOutcome {
	o := MessageOutcome{Watch: watch}
	w := &o.Watch.Messages
	for _, a := range uniquePosts(posts) {
		was, ok := known(a.ID)
		if !ok {
			was = nil
		}
		if a.Modified.After(w.Newest) {
			w.Newest = a.Modified
		}
		change, changed := CompareMessages(was, a, at)
		if !changed {
			continue
		}
		k := KnownMessage{Tenant: watch.Tenant, Post: a, First: at, Seen: at, Seed: !watch.Messages.Seeded}
		if was != nil {
			k.First, k.Seed = was.First, was.Seed
		}
		o.Known = append(o.Known, k)
		past := was == nil && a.Modified.Before(watch.Messages.Good) && at.Sub(a.Modified) > oldPost
		if watch.Messages.Seeded && !past {
			o.Told = append(o.Told, ToldPost{Known: k, Change: change})
		}
	}
	w.Seeded, w.Good, w.Failure = true, at, ""
	return o
}

// FailedMessages is the watch after a reading of the message center that
// failed. Service health is another reading and does not suffer.
func FailedMessages(watch Watch, failure string) Watch {
	watch.Messages.Failure = failure
	return watch
}

func uniquePosts(posts []Announcement) []Announcement {
	at := map[string]int{}
	var out []Announcement
	for _, a := range posts {
		key := strings.ToUpper(a.ID)
		if i, ok := at[key]; !ok {
			at[key] = len(out)
			out = append(out, a)
		} else if a.Modified.After(out[i].Modified) {
			out[i] = a
		}
	}
	slices.SortStableFunc(out, func(a, b Announcement) int { return a.Modified.Compare(b.Modified) })
	return out
}

// TellPosts takes what a reading of the message center told for one
// subscription.
func (d Desk) TellPosts(sub Subscription, told []ToldPost, at time.Time) (Desk, []Act) {
	d = d.clone()
	var acts []Act
	for _, t := range told {
		id := t.Known.Post.ID
		it := Item{ID: t.ID(), Post: id, Edit: &t.Change, At: at}
		_, rooted := d.Roots[id]
		r := RoutePost(sub, t.Known.Post, at)
		if rooted && sub.Stopped == "" {
			r = sub.waits("post", "", at)
		}
		switch r.Way {
		case Now:
			acts = append(acts, d.post(t, at)...)
		case Held, InMaintenance:
			it.Way, it.Until = r.Way, r.Until
			d.Held = append(d.Held, it)
		case InDigest:
			d.Waiting = append(d.Waiting, it)
		}
	}
	return d, acts
}

// post makes the root of a message center post be as it is, with a reply that
// says what a revision changed.
func (d *Desk) post(t ToldPost, at time.Time) []Act {
	id := t.Known.Post.ID
	_, rooted := d.Roots[id]
	root := Act{Kind: ActPost, Key: RootKey(id), Post: id, Class: bot.ClassDigest}
	if !rooted {
		d.Roots[id] = at
		root.Covers = []string{t.ID()}
		return []Act{root}
	}
	return []Act{root, {Kind: ActReply, Key: t.ID(), Post: id, Under: RootKey(id), Message: RevisionReply(t), Covers: []string{t.ID()}, Class: bot.ClassDigest}}
}

func (d *Desk) releasePosts(sub Subscription, f Facts, at time.Time) []Act {
	var acts []Act
	var still []Item
	for _, it := range d.Held {
		if it.Post == "" || it.Until.After(at) {
			still = append(still, it)
			continue
		}
		if r := sub.waits("post", "", at); r.Way != Now {
			it.Until = r.Until
			still = append(still, it)
			continue
		}
		if k, ok := f.post(it.Post); ok && it.Edit != nil {
			t := ToldPost{Known: k, Change: *it.Edit}
			step := d.post(t, at)
			for i := range step { // a later revision may be known by now: what was held keeps its name
				if len(step[i].Covers) > 0 {
					step[i].Covers = []string{it.ID}
				}
				if step[i].Kind == ActReply {
					step[i].Key = it.ID
				}
			}
			acts = append(acts, step...)
		}
	}
	d.Held = still
	return acts
}

// RevisionReply is what the thread of a message center post says about a
// revision.
func RevisionReply(t ToldPost) bot.Message {
	what := "It does not say what is different."
	if len(t.Change.What) > 0 {
		what = capital(strings.Join(t.Change.What, "; ")) + "."
	}
	return bot.Say(bot.B("Microsoft revised it"), bot.T(" · "), bot.When(t.Known.Post.Modified, bot.DateTime), bot.T("\n"+what))
}
