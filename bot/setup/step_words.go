package setup

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"keyturn/bot"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isGUID(s string) bool { return guid.MatchString(s) }

var sysID = regexp.MustCompile(`^[0-9A-Za-z_\-]{1,64}$`)

// isID reports whether a value that a system gave may stand in a path.
func isID(s string) bool { return sysID.MatchString(s) }

// plainText says why a typed value cannot be used, or "". Braces would be
// read as a place for a fact or a secret, a caret as the end of a condition.
func plainText(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return strings.ContainsRune("{}^", r) || unicode.IsControl(r) }); i >= 0 {
		return fmt.Sprintf("The character %q cannot be used here: leave it out.", []rune(s[i:])[0])
	}
	if looksSecret(s) {
		return secretTyped
	}
	return ""
}

const secretTyped = "That looks like a client secret. I have not kept it, but it may be in this chat's history: ask the Entra admin to make a new one and to remove this one, and bring back the ID instead."

// looksSecret recognises what Entra's client secrets look like: 16 to 64
// characters, today always with a tilde.
func looksSecret(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) < 16 || len(s) > 64 || isGUID(s) || strings.ContainsAny(s, " /:@") {
		return false
	}
	if strings.Contains(s, "~") {
		return true
	}
	var upper, lower, digit bool
	for _, r := range s {
		upper = upper || unicode.IsUpper(r)
		lower = lower || unicode.IsLower(r)
		digit = digit || unicode.IsDigit(r)
	}
	return len(s) >= 30 && upper && lower && digit
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func dashed(host string) string {
	return strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(host), "-"), "-")
}

// label is the first part of a host name: what people call the instance.
func label(host string) string {
	name, _, _ := strings.Cut(host, ".")
	return name
}

// directory names the tenant in a token URL: by its ID, which no rename
// touches.
func directory(c Context) string {
	if c.Tenant.Directory != "" {
		return c.Tenant.Directory
	}
	return c.Tenant.Domain
}

const publicLogin = "https://" + loginHost

// portal is the base address of pages that people open, without a slash at
// the end.
func portal(c Context, name string) string {
	if base := c.Fact("portal." + name); base != "" {
		return strings.TrimRight(base, "/")
	}
	switch name {
	case "login", "authority": // what people open, and what ServiceNow calls
		return publicLogin
	case "entra":
		return "https://entra.microsoft.com"
	case "admin":
		return "https://admin.microsoft.com"
	case "servicenow":
		return "https://" + c.Run.Instance
	}
	return ""
}

func entraApp(c Context, clientID, blade string) string {
	return portal(c, "entra") + "/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/" + blade + "/appId/" + url.PathEscape(clientID)
}

func entraApps(c Context) string {
	return portal(c, "entra") + "/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade"
}

func record(c Context, tab, id string) string {
	return portal(c, "servicenow") + "/" + tab + ".do?sys_id=" + id
}

func recordList(c Context, tab string) string {
	return portal(c, "servicenow") + "/" + tab + "_list.do"
}

func orgSettings(c Context) string { return portal(c, "admin") + "/#/Settings/OrganizationProfile" }

// trouble turns a failed read into a problem with the step's own fix.
func trouble(f *bot.Failure, fix string) *Problem {
	p := &Problem{Says: f.Says, Fix: f.Fix, Code: f.Code, Request: f.RequestID, Kind: f.Kind}
	if p.Says == "" {
		p.Says = f.System.Name() + " did not answer as expected."
	}
	if fix != "" {
		p.Fix = strings.TrimSpace(fix + " " + f.Fix)
	}
	return p
}

func refuse(says, fix string) *Problem {
	return &Problem{Says: says, Fix: fix, Kind: bot.KindRefused}
}

// absent is a problem that may be gone in a moment: what was just made or
// removed does not show everywhere at once.
func absent(says, fix string) *Problem {
	return &Problem{Says: says, Fix: fix, Kind: bot.KindNotFound}
}

func count(n int, one, many string) string { return plural(n, one, many) }

// quoted lists names for a sentence.
func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "“" + n + "”"
	}
	return list(out)
}

// commas splits what was typed with commas or line breaks.
func commas(s string) []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\n' || r == ';' }) {
		if f = strings.TrimSpace(f); f != "" && !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}

// since is when a step was handed out, or when the run began.
func since(c Context, id StepID) time.Time {
	if s := c.Run.Step(id); s != nil && !s.Since.IsZero() {
		return s.Since
	}
	return c.Run.Started
}

// byHand reports whether a person did the step without Keyturn's calls.
func byHand(c Context, id StepID) bool {
	s := c.Run.Step(id)
	return s == nil || s.Approval == nil
}

// skipped reports whether one of the steps was skipped.
func skipped(c Context, ids ...StepID) bool {
	for _, id := range ids {
		if s := c.Run.Step(id); s != nil && s.State == Skipped {
			return true
		}
	}
	return false
}

// harmless reports whether text from an outside system may go into a call: it
// must not be taken for the place of a fact or a secret.
func harmless(s string) bool { return !strings.ContainsAny(s, "{}") }

// do writes things to do, one text each.
func do(lines ...string) []bot.Text {
	var out []bot.Text
	for _, l := range lines {
		if l != "" {
			out = append(out, bot.T(l))
		}
	}
	return out
}

func always(lines ...string) func(Context) []bot.Text {
	return func(Context) []bot.Text { return do(lines...) }
}

func withInstance(c Context) bool { return c.WithServiceNow() }

// object finds an object of the inventory that still exists.
func object(c Context, key string) (bot.Object, bool) {
	for _, o := range c.Objects {
		if o.Key == key && o.Removed.IsZero() {
			return o, true
		}
	}
	return bot.Object{}, false
}
