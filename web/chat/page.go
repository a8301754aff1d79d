package chat

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/sim/slack"
)

// entry is one line of a conversation.
type entry struct {
	ID, TS, Clock, Stamp    string
	Who, Title, Initials    string
	Hue                     int
	App, Private, System    bool
	Edited, Aloud           bool
	Day                     string // a divider above it
	Joined                  bool   // continues the one above
	Text                    template.HTML
	Place                   place
	Blocks                  []node
	Attachments             []attachment
	Replies                 int
	At                      time.Time
	Only                    string // why only the viewer sees it
	Cards                   []*card
	Odd                     []string // attachments that cannot be drawn
	Reactions               []reaction
	Post, Reply             bool   // a post of a Teams channel, and what stands below it
	AnswerLink, AnswerTo    string // below the last reply
	ThreadLink, ThreadLabel string
	Menu                    []MenuItem
}

// attachment is a block with a coloured bar.
type attachment struct {
	Hue    string // one of the page's own classes
	Text   template.HTML
	Blocks []node
}

// colours maps what apps use to classes; a style attribute would break the
// content security policy.
var colours = map[string]string{"good": "good", "warning": "warning", "danger": "danger"}

func (d *drawer) attachments(raw json.RawMessage, at place) []attachment {
	var list []struct {
		Color    string          `json:"color"`
		Text     string          `json:"text"`
		Fallback string          `json:"fallback"`
		Blocks   json.RawMessage `json:"blocks"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var all []attachment
	for i, a := range list {
		drawn := attachment{Hue: cmp.Or(colours[a.Color], "plain")}
		if a.Blocks != nil {
			drawn.Blocks = d.nodes(slack.WithIDs(a.Blocks, fmt.Sprint(at.TS, "attachment", i)), at)
		} else {
			drawn.Text = d.mrkdwn(cmp.Or(a.Text, a.Fallback))
		}
		all = append(all, drawn)
	}
	return all
}

func initials(name string) string {
	var b strings.Builder
	for _, word := range strings.Fields(name) {
		r, _ := utf8.DecodeRuneInString(word)
		if b.Len() < 2 {
			b.WriteRune(r)
		}
	}
	return strings.ToUpper(b.String())
}

// hue gives neighbours different avatar colours.
func (d *drawer) hue(id string) int {
	return max(0, slices.IndexFunc(d.st.Users, func(u slack.User) bool { return u.ID == id })) % 8
}

func (d *drawer) author(e *entry, id string) {
	u, ok := d.users[id]
	switch {
	case id == slack.Slackbot:
		e.Who, e.App = "Slackbot", true
	case ok:
		e.Who, e.Title, e.App = u.RealName, u.Title, u.Bot
	default:
		e.Who = id
	}
	e.Initials, e.Hue = initials(e.Who), d.hue(id)
}

func (d *drawer) message(m slack.Message) entry {
	when := at(m.TS)
	e := entry{ID: d.pane + "m" + m.TS, TS: m.TS, Clock: d.clockTime(when), Stamp: when.In(d.zone).Format("Monday, 2 January 2006, 15:04:05 MST"),
		Edited: m.Edited != "", Aloud: m.Broadcast, System: m.Subtype != "",
		Place: place{Channel: m.Channel, TS: m.TS, Pane: d.pane}}
	d.author(&e, m.User)
	blocks := m.DrawnBlocks()
	e.Place.Values = slack.StateValues(blocks, d.st.Choices[d.viewer.ID+"/"+m.TS])
	e.Blocks = d.nodes(blocks, e.Place)
	e.Attachments = d.attachments(m.Attachments, e.Place)
	if len(blocks) == 0 {
		e.Text = d.mrkdwn(m.Text)
	}
	if !e.System && !d.viewer.Stranger && !d.st.Uninstalled {
		e.Menu = d.menu
	}
	return e
}

func (d *drawer) ephemeral(m slack.Ephemeral) entry {
	when := at(m.TS)
	e := entry{ID: d.pane + "m" + m.TS, TS: m.TS, Clock: d.clockTime(when), Stamp: when.In(d.zone).Format("Monday, 2 January 2006, 15:04:05 MST"), Private: true, Only: "Only visible to you",
		Place: place{Channel: m.Channel, TS: m.TS, Pane: d.pane}}
	d.author(&e, m.From)
	blocks := m.DrawnBlocks()
	e.Place.Values = slack.StateValues(blocks, d.st.Choices[d.viewer.ID+"/"+m.TS])
	e.Blocks = d.nodes(blocks, e.Place)
	if len(blocks) == 0 {
		e.Text = d.mrkdwn(m.Text)
	}
	return e
}

// channelEntries is what the viewer sees in a channel.
func (d *drawer) channelEntries(channel string) []entry {
	replies := map[string]int{}
	for _, m := range d.st.Messages {
		if m.Channel == channel && m.ThreadTS != "" && !m.Deleted {
			replies[m.ThreadTS]++
		}
	}
	return d.entries(channel, func(thread string, aloud bool) bool { return thread == "" || aloud }, func(e *entry, m slack.Message) {
		root := cmp.Or(m.ThreadTS, m.TS)
		e.Replies = replies[m.TS]
		e.ThreadLink = d.address(channel, root)
		switch {
		case m.ThreadTS != "":
			e.ThreadLabel = "View thread"
		case e.Replies == 1:
			e.ThreadLabel = "1 reply"
		case e.Replies > 1:
			e.ThreadLabel = fmt.Sprintf("%d replies", e.Replies)
		}
	})
}

// threadEntries is a thread with its parent first.
func (d *drawer) threadEntries(channel, root string) []entry {
	d.pane = "t"
	defer func() { d.pane = "" }()
	return d.entries(channel, func(thread string, _ bool) bool { return thread == root }, func(*entry, slack.Message) {}, root)
}

// entries gathers messages and ephemerals in the order of their time. also
// names messages that are shown besides.
func (d *drawer) entries(channel string, shown func(thread string, aloud bool) bool, finish func(*entry, slack.Message), also ...string) []entry {
	var all []entry
	for _, m := range d.st.Messages {
		if m.Channel == channel && !m.Deleted && (shown(m.ThreadTS, m.Broadcast) || slices.Contains(also, m.TS)) {
			e := d.message(m)
			finish(&e, m)
			all = append(all, e)
		}
	}
	for _, m := range d.st.Ephemerals {
		if m.Channel == channel && m.To == d.viewer.ID && shown(m.ThreadTS, false) {
			all = append(all, d.ephemeral(m))
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return at(a.TS).Compare(at(b.TS)) })
	day := ""
	for i := range all {
		when := at(all[i].TS)
		if today := d.dayName(when); today != day {
			day, all[i].Day = today, today
		}
		if i > 0 && all[i].Day == "" && all[i-1].Who == all[i].Who && !all[i].System && !all[i-1].System &&
			all[i].Private == all[i-1].Private && when.Sub(at(all[i-1].TS)).Minutes() < 5 {
			all[i].Joined = true
		}
	}
	return all
}

// firstWords are the beginning of a message, for the list of threads.
func firstWords(m slack.Message) string {
	line, _, _ := strings.Cut(decode.Replace(m.Text), "\n")
	line = strings.TrimSpace(markup.Replace(line))
	if line == "" {
		return "Thread"
	}
	if utf8.RuneCountInString(line) > 34 {
		line = strings.TrimSpace(string([]rune(line)[:33])) + "…"
	}
	return line
}

var markup = strings.NewReplacer("*", "", "`", "", "~", "")
