package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// The kinds of job.
const (
	kindDeliver = "deliver" // a message is as it should be
	kindAnswer  = "answer"  // a private answer to a request
	kindHome    = "home"    // somebody's own page is drawn
	kindStep    = "step"    // a step is read, run or read back
	kindPoll    = "poll"    // a tenant's service health is read
	kindRemind  = "remind"  // those whom a run waits for are reminded
	kindWindow  = "window"  // the window of a run's change begins
	kindChange  = "change"  // what was done is written into the change request
	kindGroups  = "groups"  // who is in a tenant's admin-managed user groups is read
	kindExpiry  = "expiry"  // credentials that end are told of
	kindHead    = "head"    // the head of a tenant's audit trail leaves the store
	kindWake    = "wake"    // what waited for its time in a channel is told
	kindVisitor = "visitor" // a platform is asked whether somebody is a guest
	kindRedeem  = "redeem"  // the code of a sign-in is exchanged for a token
	kindForget  = "forget"  // what a sign-in left is gone
	kindTwice   = "twice"   // what a call may have made a second time is removed
)

// Deliver makes a message be at a place as it is drawn now: posted when the
// ledger does not know its key, edited when it does and the words changed.
type Deliver struct {
	Key       string       `json:"key"`
	Place     bot.Place    `json:"place"`
	Under     string       `json:"under,omitempty"` // ledger key of the thread's root
	Draw      Draw         `json:"draw"`
	Sub       string       `json:"sub,omitempty"` // the subscription it belongs to
	Tenant    bot.TenantID `json:"tenant,omitempty"`
	Ambiguous bool         `json:"ambiguous,omitempty"` // an earlier try may have landed
	Doubts    int          `json:"doubts,omitempty"`    // how many tries ended so that nobody knows how
	Covers    []string     `json:"covers,omitempty"`    // ledger keys of changes that are told by it
}

// collapse names deliveries of which only the newest counts: those that are
// drawn at the moment of sending. Fixed messages are all sent.
func (p Deliver) collapse() string {
	if p.Draw.What == drawFixed {
		return ""
	}
	return "deliver/" + p.Key
}

// Draw says what a message is drawn from, at the moment of sending.
type Draw struct {
	What     string         `json:"what"`
	Message  *bot.Message   `json:"message,omitempty"`
	Run      string         `json:"run,omitempty"`
	Person   bot.PersonID   `json:"person,omitempty"`
	Visit    int            `json:"visit,omitempty"`
	Steps    []setup.StepID `json:"steps,omitempty"`
	Incident string         `json:"incident,omitempty"`
	Sub      string         `json:"sub,omitempty"`
	Group    string         `json:"group,omitempty"`
	Post     string         `json:"post,omitempty"`
	Question string         `json:"question,omitempty"`
}

const (
	drawFixed     = "fixed"
	drawChecklist = "checklist"
	drawCard      = "card"
	drawTold      = "told"     // what became of a run, for whoever asked for it
	drawRoot      = "root"     // an incident's root message
	drawGroup     = "group"    // the root that the issues of a storm share
	drawPost      = "post"     // the root of a message center post
	drawQuestion  = "question" // the answer to a question for solutions
	drawPage      = "page"     // the bot's own page, as a message
	drawReminder  = "reminder" // a step that a person wanted to be reminded of
)

type answerJob struct {
	To      bot.Account `json:"to"`
	At      bot.Place   `json:"at"`
	URL     string      `json:"url,omitempty"`
	Expires time.Time   `json:"expires,omitzero"`
	Message bot.Message `json:"message"`
	Redraw  bool        `json:"redraw,omitempty"`
	InPlace bool        `json:"in_place,omitempty"`
}

type homeJob struct {
	Account bot.Account `json:"account"`
}

type pollJob struct {
	Tenant bot.TenantID `json:"tenant"`
}

type wakeJob struct {
	Tenant bot.TenantID `json:"tenant"`
	Sub    string       `json:"sub"`
}

func chatLane(p bot.Place) string { return "chat/" + p.Root().String() }

func worthAnother(err error) bool {
	switch bot.KindOf(err) {
	case bot.KindBadRequest, bot.KindForbidden, bot.KindGone, bot.KindUninstalled, bot.KindForeign:
		return false
	}
	return true
}

func backoff(tries int) time.Duration {
	return min(time.Second<<min(tries-1, 6), time.Minute)
}

func payload[T any](j bot.Job) (T, error) {
	var v T
	if err := json.Unmarshal(j.Payload, &v); err != nil {
		return v, fmt.Errorf("job %d of kind %s cannot be read: %w", j.ID, j.Kind, err)
	}
	return v, nil
}
