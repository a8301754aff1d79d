package setup

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// secretRule is what the tenant's app management policies say about client
// secrets of one registration (Microsoft Graph, "tenantAppManagementPolicy").
type secretRule struct {
	forbidden bool
	longest   time.Duration // 0 is no limit
	policy    string        // the policy's name
	unread    string        // why the policy could not be read
}

// readSecretRule judges the default policy, or the one assigned to the
// registration, which replaces it.
func readSecretRule(r Reading, created time.Time) secretRule {
	for _, p := range r.List("assigned", "value") {
		if p.Get("isEnabled") == "true" {
			return judge(p, "restrictions.passwordCredentials", created, "the policy “"+p.Get("displayName")+"” that is assigned to this registration")
		}
	}
	if f := r.Failed("policy"); f != nil {
		return secretRule{unread: shortly(f)}
	}
	p := Item{r["policy"].Answer.Body}
	if p.Get("isEnabled") != "true" {
		return secretRule{}
	}
	return judge(p, "applicationRestrictions.passwordCredentials", created, "the tenant's default app management policy")
}

func judge(p Item, path string, created time.Time, name string) secretRule {
	rule := secretRule{policy: name}
	for _, x := range p.List(path) {
		if s := x.Get("state"); s != "" && s != "enabled" {
			continue
		}
		if from, err := time.Parse(time.RFC3339, x.Get("restrictForAppsCreatedAfterDateTime")); err == nil && !created.IsZero() && created.Before(from) {
			continue
		}
		switch x.Get("restrictionType") {
		case "passwordAddition":
			rule.forbidden = true
		case "passwordLifetime":
			if d, ok := isoDuration(x.Get("maxLifetime")); ok && (rule.longest == 0 || d < rule.longest) {
				rule.longest = d
			}
		}
	}
	return rule
}

var iso8601 = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$`)

// isoDuration reads an ISO 8601 duration such as P180D. Years and months
// count as 365 and 30 days, so that a limit is never overstepped.
func isoDuration(s string) (time.Duration, bool) {
	m := iso8601.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	units := []time.Duration{365 * 24 * time.Hour, 30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}
	var d time.Duration
	for i, u := range units {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(m[i+1])
		if err != nil || n > 100000 {
			return 0, false
		}
		d += time.Duration(n) * u
	}
	return d, d > 0
}

// secretMonths is the life of the client secret that was chosen.
func secretMonths(c Context) int {
	n, err := strconv.Atoi(c.Option(OptionSecretMonths))
	if err != nil || n < 1 || n > 24 {
		return 12
	}
	return n
}

// secretEnd is when the secret is to expire. It counts from the day of the
// hand-out, so that planning twice gives the same plan.
func secretEnd(c Context, rule secretRule) time.Time {
	from := since(c, StepEntraSecret).UTC().Truncate(24 * time.Hour)
	end := from.AddDate(0, secretMonths(c), 0)
	if rule.longest > 0 && end.After(from.Add(rule.longest)) {
		end = from.Add(rule.longest)
	}
	return end
}

func days(d time.Duration) string { return fmt.Sprintf("%d days", int(d.Hours()/24)) }
