package incident

import (
	"slices"
	"strings"
	"time"
)

// Outcome is what follows from a reading that succeeded.
type Outcome struct {
	Watch Watch   // how the watch stands now
	Known []Known // what to store: only what changed
	Told  []Told  // what to tell, in the order in which Microsoft changed it
	Gap   *Gap    // set when nothing could be read for a while before
}

// Told is one issue with what changed.
type Told struct {
	Known   Known
	Changes []Change
}

// Gap is a time in which nothing was read.
type Gap struct {
	From     time.Time // the last reading before it, or the first failure where there was none
	To       time.Time // the reading that ended it
	Told     bool      // the channels were told
	New      int       // what this reading found, in issues
	Resolved int
	Reopened int

	// After is how long a gap has to be for [Summary]; 0 is [SummaryAfter].
	After time.Duration
}

// Long reports whether the gap is long enough for channels to be told what
// happened meanwhile. A shorter one that they were told about ends with the
// same message.
func (g *Gap) Long() bool { return g.To.Sub(g.From) >= SilenceAfter }

// old is how long ago an issue must have ended to count as past when Keyturn
// meets it for the first time.
const old = 24 * time.Hour

// Reading decides what follows from a reading of all issues of a tenant.
// known gives what is stored of an issue.
//
// The first reading seeds: everything becomes known and nothing is told. An
// issue that is listed twice, because pages overlap, counts once; one that is
// not listed stays as it is; one that Keyturn meets for the first time when it
// was over before the reading before this one becomes known silently.
func Reading(watch Watch, known func(id string) (*Known, bool), issues []Issue, at time.Time) Outcome {
	o := Outcome{Watch: watch, Gap: gapBefore(watch, at)}
	for _, is := range unique(issues) {
		was, ok := known(is.ID)
		if !ok {
			was = nil
		}
		changes := Compare(was, is, at)
		if is.Modified.After(o.Watch.Newest) {
			o.Watch.Newest = is.Modified
		}
		if len(changes) == 0 {
			continue
		}
		k := Merge(was, is, at)
		k.Tenant = watch.Tenant
		if silent := !watch.Seeded || was == nil && longOver(watch, is, at); silent {
			k.Seed = k.Seed || was == nil
			o.Known = append(o.Known, k)
			continue
		}
		o.Known = append(o.Known, k)
		o.Told = append(o.Told, Told{Known: k, Changes: changes})
		o.Gap.count(changes)
	}
	if !watch.Seeded {
		o.Gap = nil
	}
	o.Watch = good(o.Watch, at)
	return o
}

// unique gives each issue once, in the order of their last change.
func unique(issues []Issue) []Issue {
	at := make(map[string]int, len(issues))
	out := make([]Issue, 0, len(issues))
	for _, is := range issues {
		key := strings.ToUpper(is.ID)
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, is)
			continue
		}
		first := out[i]
		if is.Modified.Before(first.Modified) {
			first, is = is, first
		}
		out[i] = withPosts(is, missing(is.Posts, first.Posts))
	}
	slices.SortStableFunc(out, func(a, b Issue) int { return a.Modified.Compare(b.Modified) })
	return out
}

// missing gives posts together with those of more whose time none of them has.
func missing(posts, more []Post) []Post {
	out := slices.Clone(posts)
	for _, p := range more {
		if !slices.ContainsFunc(posts, func(q Post) bool { return q.Created.Equal(p.Created) }) {
			out = append(out, p)
		}
	}
	return out
}

func longOver(watch Watch, is Issue, at time.Time) bool {
	return is.Resolved && is.Modified.Before(watch.Good) && at.Sub(is.Modified) > old
}

func good(w Watch, at time.Time) Watch {
	w.Seeded, w.Good = true, at
	w.Failing, w.Failure, w.Tries, w.Told, w.Public = time.Time{}, "", 0, false, nil
	return w
}

func gapBefore(w Watch, at time.Time) *Gap {
	from := w.Since()
	if w.Failing.IsZero() {
		from = w.Good
	}
	if from.IsZero() || !w.Told && at.Sub(from) < SilenceAfter {
		return nil
	}
	return &Gap{From: from, To: at, Told: w.Told}
}

func (g *Gap) count(changes []Change) {
	if g == nil {
		return
	}
	for _, c := range changes {
		switch c.Reason {
		case New:
			g.New++
		case Resolved:
			g.Resolved++
		case Reopened:
			g.Reopened++
		}
	}
}

// SilenceAfter is how long nothing may be read before channels are told.
const SilenceAfter = 15 * time.Minute

// Since is the time from which on nothing is known: the last reading that
// succeeded, or the first failure where none ever did. It is the zero time
// while readings succeed.
func (w Watch) Since() time.Time {
	switch {
	case w.Failing.IsZero():
		return time.Time{}
	case w.Good.IsZero() || w.Good.After(w.Failing):
		return w.Failing
	}
	return w.Good
}

// Failed is the watch after a reading that failed. failure is the sentence for
// the admins.
func Failed(watch Watch, failure string, at time.Time) Watch {
	if watch.Failing.IsZero() {
		watch.Failing = at
	}
	watch.Failure = failure
	watch.Tries++
	return watch
}

// Silence decides whether channels are to be told now that nothing can be read:
// once, after 15 minutes without a reading. After Keyturn itself was down one
// more try has to fail first. Store [ToldSilence] together with the messages.
func Silence(watch Watch, at time.Time) (tell bool) {
	return !watch.Failing.IsZero() && !watch.Told && watch.Tries >= 2 && at.Sub(watch.Since()) >= SilenceAfter
}

// ToldSilence is the watch once channels are told.
func ToldSilence(watch Watch) Watch {
	watch.Told = true
	return watch
}

// The pace of readings: 30 of the 800 calls that Graph allows a tenant in an
// hour.
const (
	PollEvery  = 2 * time.Minute
	firstRetry = 30 * time.Second
	maxRetry   = 5 * time.Minute
)

// Backoff is how long to wait for the next reading: [PollEvery] after a good
// one; after failures 30 seconds, doubling up to 5 minutes. A longer wait that
// Microsoft asked for is kept.
func Backoff(tries int, retryAfter time.Duration) time.Duration {
	wait := PollEvery
	if tries > 0 {
		wait = min(maxRetry, firstRetry<<min(tries-1, 8))
	}
	return max(wait, retryAfter)
}
