package incident

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func minutes(n int) time.Time { return monday.Add(time.Duration(n) * time.Minute) }

func wrote(at int, text string) Post {
	return Post{Created: minutes(at), Type: "regular", Content: text}
}

// mail is an open advisory that Microsoft has written the posts about.
func mail(posts ...Post) Issue {
	i := Issue{ID: "EX1", Title: "Mail is late", Service: "Exchange Online", Classification: "advisory", Status: "serviceDegradation",
		Impact: "Mail arrives late.", Start: minutes(-60), Posts: posts}
	if p := i.Latest(); p != nil {
		i.Modified = p.Created
	}
	return i
}

// tracker follows one issue over readings, as the store would.
type tracker struct {
	known *Known
	n     int
}

// read gives what changed, as "reason: text of the post", with ! where it is
// told aloud.
func (r *tracker) read(i Issue) []string {
	r.n++
	at := minutes(r.n * 2)
	var out []string
	for _, c := range Compare(r.known, i, at) {
		s := string(c.Reason)
		if c.Aloud {
			s += "!"
		}
		if c.Post != nil {
			s += ": " + c.Post.Content
		}
		out = append(out, s)
	}
	if len(out) > 0 {
		k := Merge(r.known, i, at)
		r.known = &k
	}
	return out
}

func (r *tracker) expect(t *testing.T, i Issue, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, r.read(i)); d != "" {
		t.Errorf("reading %d (-want +got):\n%s", r.n, d)
	}
}

func TestAnIncidentFromItsFirstWordToItsReview(t *testing.T) {
	var r tracker
	first, second := wrote(0, "Current status: We look."), wrote(10, "Current status: A server is down.")
	r.expect(t, mail(first), "new: "+first.Content)
	r.expect(t, mail(first))
	r.expect(t, mail(second, first), "new post: "+second.Content)
	quiet := wrote(20, "Current status: There's no change. We'll provide an update within 30 minutes.\n\nNext update by: later")
	r.expect(t, mail(quiet, second, first), "nothing worth telling")
	again := wrote(30, "Title: Mail is still late\n\nCurrent status:  A server is <b>down</b>.\n\nNext update by: much later")
	r.expect(t, mail(quiet, second, again, first), "nothing worth telling")

	outage := wrote(40, "Current status: All servers are down.")
	i := mail(first, second, quiet, again, outage)
	i.Classification, i.Status = "INCIDENT", "ServiceInterruption"
	r.expect(t, i, "worse!: "+outage.Content)
	i.Status = "serviceDegradation"
	i.Modified = minutes(45)
	r.expect(t, i, "better")

	done := wrote(50, "Final status: Repaired. We'll publish a post-incident report within five business days.")
	i.Posts, i.Status, i.Resolved, i.Title, i.Modified = append(i.Posts, done), "serviceRestored", true, "Mail was late", minutes(50)
	r.expect(t, i, "resolved!: "+done.Content, "title")

	for n, at := range []int{2000, 3000, 3002} {
		review := wrote(at, "A post-incident report has been published.")
		i.Posts, i.Status, i.Modified = append(i.Posts, review), "postIncidentReviewPublished", review.Created
		if n == 0 {
			r.expect(t, i, "post-incident review: "+review.Content)
		} else {
			r.expect(t, i, "nothing worth telling")
		}
	}
}

func TestAnIssueThatComesBackIsToldAloudAndNobodyIsOnItAnyMore(t *testing.T) {
	var r tracker
	i := mail(wrote(0, "Current status: We look."))
	r.read(i)
	i.Resolved, i.Status, i.Modified = true, "serviceRestored", minutes(5)
	r.expect(t, i, "resolved!")
	r.known.Worker, r.known.Working = "erin", minutes(6)
	back := wrote(9, "Current status: It is back.")
	i.Posts, i.Resolved, i.Status, i.Modified = append(i.Posts, back), false, "serviceDegradation", back.Created
	r.expect(t, i, "re-opened!: "+back.Content)
	if r.known.Worker != "" || !r.known.Reopened.Equal(minutes(9)) {
		t.Errorf("still %q is on it, re-opened %v", r.known.Worker, r.known.Reopened)
	}
}

func TestARecoveryThatFailsIsWorseAndAnInvestigationThatGoesOnIsNot(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"extendedRecovery", "serviceDegradation", "worse!"},
		{"verifyingService", "serviceInterruption", "worse!"},
		{"serviceDegradation", "Service interruption", "worse!"},
		{"investigating", "serviceDegradation", "status"},
		{"serviceDegradation", "restoringService", "better"},
		{"serviceDegradation", "somethingNew", "status"},
		{"serviceDegradation", "SERVICEDEGRADATION", "nothing worth telling"},
	} {
		var r tracker
		i := mail()
		i.Status, i.Modified = c.from, minutes(1)
		r.read(i)
		i.Status, i.Modified = c.to, minutes(2)
		r.expect(t, i, c.want)
	}
}

func TestAReadingFromALaggingServerUndoesNothing(t *testing.T) {
	var r tracker
	early := mail(wrote(0, "Current status: We look."))
	late := mail(early.Posts[0], wrote(10, "Final status: Repaired."))
	late.Resolved, late.Status = true, "serviceRestored"
	r.read(early)
	r.read(late)
	r.expect(t, early)
	r.expect(t, late)
	if !r.known.Issue.Resolved || len(r.known.Issue.Posts) != 2 {
		t.Errorf("the older reading won: %+v", r.known.Issue)
	}
}

func TestAnEditedPostTakesTheOldOnesPlace(t *testing.T) {
	var r tracker
	r.read(mail(wrote(0, "Current status: We lok.")))
	r.expect(t, mail(wrote(0, "Current status: We look, and found a broken server.")), "new post: Current status: We look, and found a broken server.")
	r.expect(t, mail(wrote(0, "Current status: We look,  and found a broken server.\n\nNext update by: noon")), "nothing worth telling")
	if n := len(r.known.Issue.Posts); n != 1 {
		t.Errorf("the history holds %d versions of one post", n)
	}
}

func TestAfterDowntimeEachPostStillHasItsReply(t *testing.T) {
	var r tracker
	r.read(mail(wrote(0, "Current status: We look.")))
	i := mail(r.known.Issue.Posts[0], wrote(10, "Current status: Found."), wrote(20, "Final status: Repaired."), wrote(900, "A post-incident report has been published."))
	i.Resolved, i.Status = true, "postIncidentReviewPublished"
	r.expect(t, i, "new post: Current status: Found.", "resolved!: Final status: Repaired.", "post-incident review: A post-incident report has been published.")
}

// Whatever order, overlap and repetition readings come in, each thing that
// Microsoft says is told once, and a reading that repeats tells nothing.
func TestEachPostIsToldExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 12).Draw(t, "texts") // the same number is the same text
		var all []Post
		for n, x := range texts {
			pad := strings.Repeat(" ", n%3) // and never the same bytes
			all = append(all, wrote(n, fmt.Sprintf("Current status: %s Finding number %d.\n\nNext update by: %d o'clock", pad, x, n)))
		}
		var r tracker
		told, shown, seen := map[string]int{}, map[string]bool{}, map[string]bool{}
		gistOfPost := func(p Post) string { return digestOf(p).gist }
		for reading := range rapid.IntRange(1, 8).Draw(t, "readings") {
			var some []Post
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 0, 15).Draw(t, "posts") {
				some = append(some, all[n])
			}
			i := mail(some...)
			i.Posts = append([]Post(nil), some...)
			sortPosts(i.Posts)
			i.Status = rapid.SampledFrom([]string{"serviceDegradation", "serviceInterruption", "extendedRecovery"}).Draw(t, "status")
			i.Resolved = rapid.Bool().Draw(t, "resolved")
			i.Modified = minutes(rapid.IntRange(0, 30).Draw(t, "modified"))
			for _, p := range some {
				seen[gistOfPost(p)] = true
				if reading == 0 {
					shown[gistOfPost(p)] = true
				}
			}
			changes := Compare(r.known, i, minutes(reading))
			for _, c := range changes {
				if c.Post != nil && c.Reason != New {
					told[gistOfPost(*c.Post)]++
				}
			}
			k := Merge(r.known, i, minutes(reading))
			r.known = &k
			if more := Compare(r.known, i, minutes(reading)); len(more) > 0 {
				t.Fatalf("the same reading again tells %v", more[0].Reason)
			}
		}
		for g := range seen {
			want := 1
			if shown[g] {
				want = 0
			}
			if told[g] != want {
				t.Fatalf("%q was told %d times, want %d", g, told[g], want)
			}
		}
	})
}
