package incident

import (
	"slices"
	"strings"
	"time"
)

// Reason says why a change is told, or that it is not.
type Reason string

// The reasons.
const (
	New        Reason = "new"                   // Keyturn did not know the issue
	NewPost    Reason = "new post"              // Microsoft wrote something new
	Worse      Reason = "worse"                 // advisory to incident, to an interruption, or a recovery that failed
	Better     Reason = "better"                // incident to advisory, or nearer to its end
	Moved      Reason = "status"                // another status, neither worse nor better
	Classed    Reason = "classification"        // another classification that is neither advisory nor incident
	Retitled   Reason = "title"                 // only the root shows it
	Resolved   Reason = "resolved"              //
	Reopened   Reason = "re-opened"             // Microsoft had called it resolved
	Reviewed   Reason = "post-incident review"  // told once
	RootEdited Reason = "nothing worth telling" // the root is edited, nothing more
)

// Change is one difference between what was known of an issue and what was
// read. Every change edits the root messages of the issue.
type Change struct {
	Reason Reason `json:"reason"`
	// Post is the post that came with it: what a reply quotes. nil where
	// Microsoft changed the issue without writing.
	Post *Post `json:"post,omitempty"`
	// Aloud is set where people are to be told beyond the thread: worse,
	// re-opened, resolved.
	Aloud bool      `json:"aloud,omitempty"`
	From  string    `json:"from,omitempty"` // in words, where something went from one state to another
	To    string    `json:"to,omitempty"`
	At    time.Time `json:"at"` // when it was read
}

// Replies reports whether the change has a reply in the thread. A new issue
// has a root instead, a title or a mere edit only the root's text.
func (c Change) Replies() bool {
	switch c.Reason {
	case New, Retitled, RootEdited:
		return false
	}
	return true
}

// Compare names what is different in now against what is known, oldest first.
// It returns nothing where nothing is. known nil means that the issue is new.
//
// A change of state takes the newest new post with it, so that a resolution
// and the post that explains it are one reply. Posts with the gist of a post
// that is known, or of one before it in the same reading, are not told again.
// A reading older than what is known, which a lagging server can give, adds
// posts but changes no state.
func Compare(known *Known, now Issue, at time.Time) []Change {
	if known == nil {
		return []Change{{Reason: New, Post: now.Latest(), At: at}}
	}
	old := known.Issue
	if same(&old, &now) {
		return nil
	}
	if stale(&old, &now) {
		now = withPosts(old, now.Posts)
	}
	fresh, edited := freshPosts(old.Posts, now.Posts)
	changes := tellPosts(&old, &now, fresh, at)
	if state, ok := stateChange(&old, &now, at); ok {
		changes = lead(changes, fresh, state)
	}
	if fold(old.Title) != fold(now.Title) {
		changes = append(changes, Change{Reason: Retitled, From: oneLine(old.Title), To: oneLine(now.Title), At: at})
	}
	if len(changes) == 0 && (len(fresh) > 0 || edited || !sameFields(&old, &now)) {
		changes = []Change{{Reason: RootEdited, At: at}}
	}
	return changes
}

// same is the quick answer for the hundreds of issues that a reading repeats.
func same(old, now *Issue) bool {
	return sameFields(old, now) && slices.EqualFunc(old.Posts, now.Posts, samePost)
}

func sameFields(old, now *Issue) bool {
	return old.Modified.Equal(now.Modified) && old.Resolved == now.Resolved && old.Status == now.Status &&
		old.Classification == now.Classification && old.Title == now.Title && old.Impact == now.Impact &&
		old.Service == now.Service && old.Start.Equal(now.Start) && old.End.Equal(now.End) &&
		old.Feature == now.Feature && old.FeatureGroup == now.FeatureGroup && old.Origin == now.Origin
}

func samePost(a, b Post) bool {
	return a.Created.Equal(b.Created) && a.Content == b.Content && a.HTML == b.HTML && a.Type == b.Type
}

func stale(old, now *Issue) bool { return now.Modified.Before(old.Modified) && !now.Modified.IsZero() }

// freshPost is a post that is not known, as a person reads it.
type freshPost struct {
	post   *Post
	digest digest
	again  bool // its gist is known
}

// freshPosts gives the posts of now that are not known, oldest first. edited
// reports whether a known post has another text now.
func freshPosts(old, now []Post) (fresh []freshPost, edited bool) {
	var told map[string]bool
	for i := range now {
		p := &now[i]
		if hasPost(old, *p) {
			continue
		}
		if told == nil {
			told = map[string]bool{}
			for _, k := range old {
				told[digestOf(k).gist] = true
			}
		}
		f := freshPost{post: p, digest: digestOf(*p)}
		f.again = told[f.digest.gist]
		told[f.digest.gist] = true
		if f.again && slices.ContainsFunc(old, func(k Post) bool { return k.Created.Equal(p.Created) }) {
			edited = true
			continue
		}
		fresh = append(fresh, f)
	}
	return fresh, edited
}

// tellPosts makes changes of the posts that say something new.
func tellPosts(old, now *Issue, fresh []freshPost, at time.Time) []Change {
	var out []Change
	reviewed := hasReview(old)
	for _, f := range fresh {
		switch {
		case f.digest.review && !reviewed:
			reviewed = true
			out = append(out, Change{Reason: Reviewed, Post: f.post, At: at})
		case f.digest.review, f.again, f.digest.nothing, f.digest.gist == "":
		default:
			out = append(out, Change{Reason: NewPost, Post: f.post, At: at})
		}
	}
	if !reviewed && enum(now.Status) == "postincidentreviewpublished" {
		out = append(out, Change{Reason: Reviewed, At: at})
	}
	return out
}

// hasReview reports whether a post-incident review of the issue is known.
func hasReview(i *Issue) bool {
	return enum(i.Status) == "postincidentreviewpublished" ||
		slices.ContainsFunc(i.Posts, func(p Post) bool {
			return strings.Contains(p.Content, "ublished") && announcesReview(Convert(p.Content).Plain())
		})
}

// stateChange names the one change of state that matters most.
func stateChange(old, now *Issue, at time.Time) (Change, bool) {
	c := Change{From: StatusWords(old.Status), To: StatusWords(now.Status), At: at}
	was, is := gradeOf(old.Status), gradeOf(now.Status)
	switch {
	case old.Resolved && !now.Resolved:
		c.Reason, c.Aloud, c.From = Reopened, true, "resolved"
	case !old.Resolved && now.Resolved:
		c.Reason, c.Aloud = Resolved, true
	case old.Advisory() && enum(now.Classification) == "incident" && !now.Resolved:
		c.Reason, c.Aloud, c.From, c.To = Worse, true, "an advisory", "an incident"
	case !now.Resolved && (is == interrupted && was < interrupted || is >= degraded && was == recovering):
		c.Reason, c.Aloud = Worse, true
	case enum(old.Classification) == "incident" && now.Advisory():
		c.Reason, c.From, c.To = Better, "an incident", "an advisory"
	case enum(old.Classification) != enum(now.Classification):
		c.Reason, c.From, c.To = Classed, words(old.Classification), words(now.Classification)
	case enum(old.Status) == enum(now.Status), enum(now.Status) == "postincidentreviewpublished":
		return Change{}, false
	case was == interrupted, was > is && is <= recovering:
		c.Reason = Better
	default:
		c.Reason = Moved
	}
	return c, true
}

func words(classification string) string {
	if w := fold(classification); w != "" {
		return w
	}
	return "unclassified"
}

// lead puts a change of state in the place of the newest post that it can take
// with it, or at the end. A post that says the same as one before is not
// quoted again.
func lead(changes []Change, fresh []freshPost, state Change) []Change {
	for i := len(fresh) - 1; i >= 0; i-- {
		if f := fresh[i]; !f.digest.review && !f.again {
			state.Post = f.post
			break
		}
	}
	if state.Post != nil {
		if i := slices.IndexFunc(changes, func(c Change) bool { return c.Post == state.Post }); i >= 0 {
			changes[i] = state
			return changes
		}
	}
	for i, c := range changes {
		later := state.Post != nil && c.Post != nil && c.Post.Created.After(state.Post.Created)
		if later || c.Reason == Reviewed {
			return slices.Insert(changes, i, state)
		}
	}
	return append(changes, state)
}

// withPosts is the issue with the posts of both, by time. Posts that Graph no
// longer lists stay, so that they are not told again when they return; an
// edited one takes the place of the one that it was.
func withPosts(i Issue, posts []Post) Issue {
	all := slices.Clone(posts)
	for _, k := range i.Posts {
		replaced := slices.ContainsFunc(posts, func(p Post) bool {
			return p.Created.Equal(k.Created) && (p.Content == k.Content || !p.Created.IsZero() && !hasPost(i.Posts, p))
		})
		if !replaced {
			all = append(all, k)
		}
	}
	sortPosts(all)
	i.Posts = all
	return i
}

func hasPost(posts []Post, p Post) bool {
	return slices.ContainsFunc(posts, func(k Post) bool { return k.Created.Equal(p.Created) && k.Content == p.Content })
}

// Merge is what to keep of an issue after a reading: the newer state with the
// posts of both. known nil makes a new entry. A person's "we are on it" ends
// when the issue is opened again: who said it had seen it resolved.
func Merge(known *Known, now Issue, at time.Time) Known {
	if known == nil {
		return Known{Issue: now, First: at, Seen: at}
	}
	k := *known
	if same(&k.Issue, &now) {
		return k
	}
	old := k.Issue
	if k.Issue = now; stale(&old, &now) {
		k.Issue = old
	}
	k.Issue.Posts = withPosts(old, now.Posts).Posts
	k.Seen = at
	switch {
	case old.Resolved && !k.Issue.Resolved:
		k.Reopened, k.Worker, k.Working = at, "", time.Time{}
		if !now.Modified.IsZero() {
			k.Reopened = now.Modified
		}
	case k.Issue.Resolved:
		k.Reopened = time.Time{}
	}
	return k
}
