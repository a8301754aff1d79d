package incident

import (
	"strconv"
	"time"

	"keyturn/bot"
)

// FallbackAfter is how long chat must not be reachable before the tenant's
// fallback way is used.
const FallbackAfter = 10 * time.Minute

// Reach is what is known of reaching a tenant's chat. The zero value reaches
// it:
//
//	reached --[Reach.Failed]--> failing --[FallbackAfter]--> told by the fallback way --[Reach.Reached]--> reached
type Reach struct {
	Failing time.Time `json:"failing,omitzero"`
	Failure string    `json:"failure,omitempty"` // the sentence, for the message
	Told    bool      `json:"told,omitempty"`    // the fallback way was used in this outage
}

// Failed is the reach after a message of the incident class could not be
// delivered because the platform could not be reached. A single channel that
// is gone or archived is no failure of the platform.
func (r Reach) Failed(failure string, at time.Time) Reach {
	if r.Failing.IsZero() {
		r.Failing = at
	}
	r.Failure = failure
	return r
}

// Reached is the reach after a delivery. again is set where the fallback way
// was told and is to be told that chat works again.
func (r Reach) Reached() (_ Reach, again bool) { return Reach{}, r.Told }

// Fallback decides whether the tenant's fallback way is to be used now: once
// in an outage, when chat cannot be reached for [FallbackAfter] and something
// is kept from people by that: messages wait, or service health cannot be read
// either. Store [Reach.ToldFallback] together with sending it.
func Fallback(r Reach, w Watch, waiting int, at time.Time) bool {
	return !r.Failing.IsZero() && !r.Told && at.Sub(r.Failing) >= FallbackAfter && (waiting > 0 || !w.Since().IsZero())
}

// ToldFallback is the reach once the fallback way was used.
func (r Reach) ToldFallback() Reach {
	r.Told = true
	return r
}

// FallbackMessage is what goes the fallback way: that chat is silent because
// it cannot be reached, and the worst of what is open. known are the open
// issues.
func FallbackMessage(r Reach, w Watch, known []Known, waiting int, at time.Time) bot.Message {
	m := bot.Say(bot.B(markBlind+" Chat cannot be reached"), bot.T(" since "), bot.When(r.Failing, bot.DateTime),
		bot.T(", so channels are not told. This is not a green light."))
	if r.Failure != "" {
		m.Add(bot.Note{Text: bot.T(CutAtSentence(oneLine(r.Failure), noticeSize))})
	}
	if waiting > 0 {
		m.Add(bot.Paragraph{Text: bot.T("Waiting to be posted: " + count(waiting, "message") + ". They are posted in order when chat is back.")})
	}
	if w.Blind(at) {
		m.Add(bot.Paragraph{Text: blindLine(w, at)})
	}
	if w.Public != nil {
		if says := PublicWords(*w.Public, at); len(says) > 0 {
			m.Add(bot.Paragraph{Text: says})
		}
	}
	var bad []Known
	for _, k := range known {
		if !k.Issue.Resolved && !k.Issue.Advisory() {
			bad = append(bad, k)
		}
	}
	sortWorst(bad)
	if len(bad) > 0 {
		m.Add(listLines(bad)...)
	}
	return fit(m, "")
}

// FallbackOver tells the fallback way that chat works again.
func FallbackOver(from, to time.Time) bot.Message {
	return bot.Say(bot.T("Chat is reached again, after " + span(to.Sub(from)) + ". What waited is posted there now, in order."))
}

// Undelivered tells a tenant's admins that a message about service health was
// given up: of which issue or post, where that is known, and whether it is one
// that others reply to.
func Undelivered(at bot.Place, about string, root bool, why string) bot.Message {
	what := "A message about service health"
	if about != "" {
		what = "A message about " + about
	}
	says := " was given up and may not stand there. "
	if root {
		says += "What replies to it is held, and follows by itself once it stands: with the next change, or when it is sent again. "
	}
	m := bot.Say(bot.T(what+" in "), bot.C(at.String()), bot.T(says))
	m.Add(bot.Note{Text: bot.T("Why: " + CutAtSentence(oneLine(why), noticeSize))},
		bot.Buttons{Items: []bot.Button{{Label: "What was given up", Action: "verb", Value: "undelivered", Says: "What was given up: lists the messages that were given up, to send them again"}}},
		bot.Note{Text: bot.T("For this channel I say this once a day.")})
	return m
}

// Beat is a heartbeat for a monitor that watches the bot.
type Beat struct {
	OK   bool   // ping the monitor only when this is set
	Says string // one line: why, or what was read when
}

// Heartbeat decides whether a monitor outside may be told that service health
// is watched: only when every tenant that was ever to be read was read lately.
// A monitor that misses beats raises the alarm by itself, so a silent bot is
// never taken for a healthy Microsoft. No watch at all is no beat.
func Heartbeat(watches []Watch, at time.Time) Beat {
	if len(watches) == 0 {
		return Beat{Says: "no tenant's service health is read"}
	}
	blind, oldest := 0, time.Duration(0)
	for _, w := range watches {
		if at.Sub(w.Good) > SilenceAfter || w.Good.IsZero() {
			blind++
		} else {
			oldest = max(oldest, at.Sub(w.Good))
		}
	}
	if blind > 0 {
		return Beat{Says: "service health of " + strconv.Itoa(blind) + " of " + count(len(watches), "tenant") + " cannot be read"}
	}
	return Beat{OK: true, Says: "service health of " + count(len(watches), "tenant") + " read " + ago(oldest)}
}
