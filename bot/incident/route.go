package incident

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// Way is what becomes of a change for one subscription.
type Way string

// The ways.
const (
	Now           Way = "now"
	Held          Way = "held"            // until quiet hours end
	InDigest      Way = "digest"          // until the next digest
	InMaintenance Way = "maintenance"     // until the maintenance window ends, then in one message
	NotWanted     Way = "not wanted"      //
	NothingToTell Way = "nothing to tell" // the change is none that a channel without the issue's root is told
)

// Delivery is the decision about one change with its reason.
type Delivery struct {
	Way   Way
	Until time.Time // when it is told, where it waits
	Why   string    // for a person who asks why they were told, or were not
}

// Wants reports whether a subscription is to be told of an issue that its
// channel has no root of, and why not.
func Wants(sub Subscription, is Issue) (bool, string) {
	switch {
	case sub.Stopped != "":
		return false, "the subscription is stopped: " + sub.Stopped
	case !Matches(Subscription{Services: sub.Services}, is):
		return false, "it is about " + serviceName(&is) + ", which is not subscribed here"
	case !Matches(sub, is):
		return false, "it is an " + is.Class() + ", which is not subscribed here"
	case len(sub.Features) > 0 && !hasFeature(sub.Features, is):
		return false, "it is about a feature that is not subscribed here"
	case len(sub.Statuses) > 0 && !slices.ContainsFunc(sub.Statuses, func(s string) bool { return enum(s) == enum(is.Status) }):
		return false, "its status is " + StatusWords(is.Status) + ", which is not subscribed here"
	}
	return true, ""
}

func hasFeature(features []string, is Issue) bool {
	return slices.ContainsFunc(features, func(f string) bool { return fold(f) == fold(is.Feature) || fold(f) == fold(is.FeatureGroup) })
}

func hasService(services []string, name string) bool {
	return slices.ContainsFunc(services, func(s string) bool { return ServiceKey(s) == ServiceKey(name) })
}

// Route decides what becomes of a changed issue for one subscription. rooted
// is whether the channel has a message of the issue already: then it follows
// the issue whatever the filter says now, so that no root ever tells an old
// state. An incident is held by quiet hours only where the channel chose it.
func Route(sub Subscription, t Told, rooted bool, at time.Time) Delivery {
	is := t.Known.Issue
	if sub.Stopped != "" {
		return Delivery{Way: NotWanted, Why: "the subscription is stopped: " + sub.Stopped}
	}
	if !rooted {
		if d, ends := routeNew(sub, t, at); ends {
			return d
		}
	}
	return sub.waits(is.Class(), is.Service, at)
}

// routeNew is the part of [Route] for an issue that the channel does not have.
func routeNew(sub Subscription, t Told, at time.Time) (d Delivery, ends bool) {
	is := t.Known.Issue
	if ok, why := Wants(sub, is); !ok {
		return Delivery{Way: NotWanted, Why: why}, true
	}
	if !slices.ContainsFunc(t.Changes, tells) {
		return Delivery{Way: NothingToTell, Why: "Microsoft changed nothing that is worth a message"}, true
	}
	switch sub.Style {
	case ResolvedOnly:
		if !is.Resolved || !slices.ContainsFunc(t.Changes, func(c Change) bool { return c.Reason == Resolved || c.Reason == New }) {
			return Delivery{Way: NotWanted, Why: "this channel is only told what is resolved"}, true
		}
	case DigestOnly:
		return Delivery{Way: InDigest, Until: NextDigest(sub, at), Why: "this channel is told in a daily digest"}, true
	case ByClass:
		if is.Advisory() {
			return Delivery{Way: InDigest, Until: NextDigest(sub, at), Why: "advisories are told in the daily digest here"}, true
		}
	}
	return Delivery{}, false
}

// waits is now, or the end of what holds a thing of a class.
func (s Subscription) waits(class, service string, at time.Time) Delivery {
	if w, ok := s.window(service, at); ok {
		why := "a maintenance window is on"
		if w.Why != "" {
			why += " (" + w.Why + ")"
		}
		return Delivery{Way: InMaintenance, Until: w.To, Why: why}
	}
	if until, ok := s.Quiet.until(at, s.location()); ok && (class != "incident" || s.Quiet.Incidents) {
		return Delivery{Way: Held, Until: until, Why: "quiet hours until " + string(s.Quiet.To)}
	}
	return Delivery{Way: Now, Why: "subscribed"}
}

// RoutePost decides what becomes of a message center post for one
// subscription.
func RoutePost(sub Subscription, a Announcement, at time.Time) Delivery {
	if ok, why := wantsPost(sub, a); !ok {
		return Delivery{Way: NotWanted, Why: why}
	}
	switch sub.Style {
	case Live:
		service := ""
		if len(a.Services) > 0 {
			service = a.Services[0]
		}
		return sub.waits("post", service, at)
	case ResolvedOnly:
		return Delivery{Way: NotWanted, Why: "this channel is only told what is resolved"}
	}
	return Delivery{Way: InDigest, Until: NextDigest(sub, at), Why: "message center posts are told in the daily digest here"}
}

func wantsPost(sub Subscription, a Announcement) (bool, string) {
	services := sub.PostServices
	if len(services) == 0 {
		services = sub.Services
	}
	anyOf := func(want []string, is string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return enum(w) == enum(is) })
	}
	switch {
	case sub.Stopped != "":
		return false, "the subscription is stopped: " + sub.Stopped
	case !sub.Messages:
		return false, "message center posts are not subscribed here"
	case len(services) > 0 && !slices.ContainsFunc(a.Services, func(s string) bool { return hasService(services, s) }):
		return false, "it is about " + strings.Join(a.Services, ", ") + ", which is not subscribed here"
	case !anyOf(sub.Categories, a.Category):
		return false, "its category is not subscribed here"
	case !anyOf(sub.Severities, a.Severity):
		return false, "its severity is not subscribed here"
	}
	return true, ""
}

// tells reports whether a change says something: it has a reply, or the issue
// is new.
func tells(c Change) bool { return c.Reason == New || c.Replies() }

// ChangeID names a change of an issue for the ledger: the same change always
// has the same ID, and two never share one.
func ChangeID(issue string, c Change) string {
	when, what := c.At, c.Reason
	if c.Post != nil {
		when = c.Post.Created
	}
	id := issue + "/" + when.UTC().Format("20060102T150405.000") + "-" + strings.ReplaceAll(string(what), " ", "-")
	if c.Post == nil {
		return id
	}
	h := fnv.New32a()
	h.Write([]byte(c.Post.Content))
	return id + "-" + strconv.FormatUint(uint64(h.Sum32()), 36)
}

// CallFor is [Subscription.Call] without those who muted the channel or the
// issue: their names stand there without a mention. person finds who is behind
// a chat account.
func (s Subscription) CallFor(m bot.Message, k Known, person func(bot.Account) (bot.PersonID, bool)) bot.Message {
	var call bot.Text
	for _, sp := range s.OnCall {
		if sp.Who != nil {
			if p, ok := person(*sp.Who); ok && (slices.Contains(s.Muted, p) || slices.Contains(k.Muted, p)) {
				sp.Who = nil
			}
		}
		call = append(call, sp)
	}
	s.OnCall = call
	return s.Call(m)
}

// Mute adds a person to those who are not mentioned about an issue, or takes
// them off again. muted is how it stands then.
func Mute(k Known, p bot.PersonID) (_ Known, muted bool) {
	if i := slices.Index(k.Muted, p); i >= 0 {
		k.Muted = slices.Delete(slices.Clone(k.Muted), i, i+1)
		return k, false
	}
	k.Muted = append(slices.Clone(k.Muted), p)
	return k, true
}
