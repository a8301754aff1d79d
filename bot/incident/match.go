package incident

import (
	"slices"
	"strings"
)

// sameService lists names under which one service has appeared: as Microsoft
// renamed it, and by its historical ID in healthOverviews. The first of a row
// stands for all.
var sameService = [][]string{
	{"exchange", "exchange online"},
	{"sharepoint", "sharepoint online"},
	{"onedrive", "onedrive for business", "onedriveforbusiness"},
	{"teams", "microsoftteams"},
	{"entra", "entra id", "identity service", "azure active directory", "orgliveid"},
	{"365 suite", "365", "office 365", "office 365 suite", "osdpplatform"},
	{"365 apps", "office 365 proplus", "365 apps for enterprise", "o365client"},
	{"365 for the web", "office for the web", "office online", "officeonline"},
	{"defender xdr", "365 defender", "microsoft365defender"},
	{"defender for cloud apps", "cloud app security", "cloudappsecurity"},
	{"copilot (microsoft 365)", "365 copilot", "copilot for microsoft 365"},
	{"viva engage", "yammer", "yammer enterprise"},
	{"power automate", "flow", "microsoftflow"},
	{"power automate in microsoft 365", "flow in microsoft 365", "microsoftflowm365"},
	{"power apps", "powerapps"},
	{"power apps in microsoft 365", "powerappsm365"},
	{"power bi", "powerbicom"},
	{"dynamics 365 apps", "dynamics 365", "dynamicscrm"},
	{"skype for business", "skype for business online", "lync"},
	{"mobile device management for office 365", "mobiledevicemanagement"},
	{"azure information protection", "rms"},
	{"sway", "swayenterprise"},
	{"purview", "purview compliance"},
	{"privileged access", "pam"},
}

var serviceNames = func() map[string]string {
	names := map[string]string{}
	for _, row := range sameService {
		for _, n := range row {
			names[n] = row[0]
		}
	}
	return names
}()

// ServiceKey is the name of a service for comparing: without case and
// "Microsoft", and the same for the names that Microsoft has given one service
// over the years, such as "OneDrive for Business" and "Microsoft OneDrive".
func ServiceKey(name string) string {
	key := fold(name)
	if rest, ok := strings.CutPrefix(key, "microsoft "); ok {
		key = rest
	}
	if same, ok := serviceNames[key]; ok {
		return same
	}
	return key
}

// Matches reports whether a subscription wants to be told of an issue: one of
// its services, or any where it names none, and one of its classes. An issue
// that Microsoft has not classed counts as an incident.
//
// An incident of the whole Microsoft 365 suite also matches where its text
// names one of the services: that is how Microsoft publishes an outage of many
// services at once, and who watches one of them must not miss it.
func Matches(sub Subscription, is Issue) bool {
	if sub.Stopped != "" {
		return false
	}
	if len(sub.Classes) > 0 && !slices.ContainsFunc(sub.Classes, func(c string) bool { return fold(c) == is.Class() }) {
		return false
	}
	if len(sub.Services) == 0 {
		return true
	}
	return touches(is, sub.Services)
}

// touches reports whether an issue is about one of the services.
func touches(is Issue, services []string) bool {
	key := ServiceKey(is.Service)
	return slices.ContainsFunc(services, func(s string) bool { return ServiceKey(s) == key }) ||
		key == "365 suite" && !is.Advisory() && names(is, services)
}

// names reports whether the text of an issue names one of the services.
func names(is Issue, services []string) bool { return named(is, services) != "" }

// named is the first of the services that the text of an issue names, or "".
func named(is Issue, services []string) string {
	text := is.Title + " " + is.Impact
	if p := is.Latest(); p != nil {
		text += " " + p.Content
	}
	text = fold(text)
	for _, s := range services {
		for _, n := range spellings(s) {
			if hasWord(text, n) {
				return oneLine(s)
			}
		}
	}
	return ""
}

// spellings are the names of a service by which a sentence certainly means it:
// "teams" alone can be people, and "exchange" a verb.
func spellings(service string) []string {
	key := ServiceKey(service)
	row := []string{key, fold(service)}
	for _, r := range sameService {
		if r[0] == key {
			row = append(row, r...)
		}
	}
	var out []string
	for _, n := range row {
		if strings.Contains(n, " ") || n == "sharepoint" || n == "onedrive" {
			out = append(out, n)
		} else {
			out = append(out, "microsoft "+n)
		}
	}
	return out
}

// hasWord reports whether text holds what as words of its own.
func hasWord(text, what string) bool {
	for at := 0; ; {
		n := strings.Index(text[at:], what)
		if n < 0 {
			return false
		}
		from, to := at+n, at+n+len(what)
		if !wordByte(text, from-1) && !wordByte(text, to) {
			return true
		}
		at = from + 1
	}
}

func wordByte(s string, i int) bool {
	return i >= 0 && i < len(s) && (letter(s[i]) || s[i] >= '0' && s[i] <= '9')
}
