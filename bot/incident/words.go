package incident

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The marks of the chat, always shown with their word.
const (
	markIncident = "🔴"
	markAdvisory = "🟡"
	markResolved = "🟢"
	markBlind    = "⚫"
)

// fold is a name for comparing: without case, and every run of blanks as one.
func fold(s string) string { return strings.ToLower(oneLine(s)) }

// enum is a value of an enumeration for comparing. Graph writes
// serviceDegradation, its documentation ServiceDegradation, and the API before
// it "Service degradation".
func enum(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// Advisory reports whether Microsoft calls the issue an advisory. Whatever is
// not called so counts as an incident, so that none is missed.
func (i *Issue) Advisory() bool { return strings.EqualFold(i.Classification, "advisory") }

// Class is "advisory" or "incident", the values that a subscription chooses
// from.
func (i *Issue) Class() string {
	if i.Advisory() {
		return "advisory"
	}
	return "incident"
}

// grade is how bad a status is. Only the order counts.
type grade int

const (
	fine        grade = iota // nothing is wrong, or no longer
	recovering               // the end is in sight
	open                     // looked into
	degraded                 //
	interrupted              //
)

type statusWords struct {
	grade grade
	says  string
}

// statuses are the values of serviceHealthStatus (Microsoft Graph, resource
// type serviceHealth), by [enum].
var statuses = map[string]statusWords{
	"serviceoperational":          {fine, "working normally"},
	"servicerestored":             {fine, "service restored"},
	"postincidentreviewpublished": {fine, "post-incident review published"},
	"falsepositive":               {fine, "false alarm"},
	"resolved":                    {fine, "resolved"},
	"resolvedexternal":            {fine, "resolved by another party"},
	"mitigated":                   {recovering, "mitigated"},
	"mitigatedexternal":           {recovering, "mitigated by another party"},
	"verifyingservice":            {recovering, "restored, being verified"},
	"restoringservice":            {recovering, "being restored"},
	"extendedrecovery":            {recovering, "extended recovery"},
	"investigating":               {open, "under investigation"},
	"investigationsuspended":      {open, "investigation suspended"},
	"reported":                    {open, "reported"},
	"confirmed":                   {open, "confirmed"},
	"servicedegradation":          {degraded, "service degradation"},
	"serviceinterruption":         {interrupted, "service interruption"},
}

func gradeOf(status string) grade {
	if s, ok := statuses[enum(status)]; ok {
		return s.grade
	}
	return open
}

// overStatus reports whether a status by itself says that the issue is over.
func overStatus(status string) bool {
	e := enum(status)
	return e != "" && e != "serviceoperational" && gradeOf(status) == fine
}

// StatusWords says a status as a person would: "service degradation". A value
// that is new to Keyturn is said in Microsoft's own word, taken apart.
func StatusWords(status string) string {
	if s, ok := statuses[enum(status)]; ok {
		return s.says
	}
	if strings.TrimSpace(status) == "" {
		return "status unknown"
	}
	var b strings.Builder
	last := ' '
	for _, r := range oneLine(status) {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return b.String()
}

// mark is the mark of an issue with its word.
func (i *Issue) mark() string {
	switch {
	case i.Resolved:
		return markResolved + " Resolved"
	case i.Advisory():
		return markAdvisory + " Advisory"
	}
	return markIncident + " Incident"
}

// span says how long something lasted, in the two largest units that matter:
// "3 h 20 min", "2 days 4 h".
func span(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d min", minutes)
	case days == 0:
		return two(hours, "h", minutes, "min")
	case days == 1:
		return two(1, "day", hours, "h")
	}
	return two(days, "days", hours, "h")
}

func two(n int, unit string, rest int, small string) string {
	if rest == 0 {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprintf("%d %s %d %s", n, unit, rest, small)
}

// ago says how long ago something was, for a reader who looks now.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute ago"
	case d < 2*time.Minute:
		return "a minute ago"
	case d < time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	}
	return span(d) + " ago"
}

// count says a number of things: "1 other service", "2 other services".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// capital begins a sentence with s.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// squeeze takes blank lines out.
func squeeze(s string) string {
	for strings.Contains(s, "\n\n") {
		s = strings.ReplaceAll(s, "\n\n", "\n")
	}
	return s
}
