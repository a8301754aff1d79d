package chat

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/sim/teams"
)

// Teams' own limits of what its client shows ("Targeted messages").
const targetedFor = 24 * time.Hour

// repliesShown is how many replies stand under a post before the rest hides
// behind a link.
const repliesShown = 3

// teamsDrawer draws the tenant of Microsoft Teams for one person. A nil one
// draws nothing: there is no Teams in the demo.
type teamsDrawer struct {
	*drawer
	tm     *teams.State
	me     human
	server *teams.Server
	red    map[string]redLine // of this person, by conversation and activity
}

func (p *page) teamsDrawer(d *drawer, tm *teams.State, viewer human) *teamsDrawer {
	if p.cfg.Teams == nil {
		return nil
	}
	t := &teamsDrawer{drawer: d, tm: tm, me: viewer, server: p.cfg.Teams, red: p.redLines(viewer.Teams.ID)}
	if viewer.Slack.ID == "" {
		if zone, err := time.LoadLocation(viewer.Teams.TZ); err == nil {
			d.zone = zone
		}
	}
	return t
}

// inTeams tells a conversation of Teams from a channel of Slack by its ID.
func inTeams(at string) bool { return strings.Contains(at, ":") }

// spot is a conversation that the viewer can look at.
type spot struct {
	team    *teams.Team
	channel *teams.Channel
	chat    *teams.Chat
	id      string
}

func (t *teamsDrawer) find(id string) (spot, bool) {
	if t == nil {
		return spot{}, false
	}
	for i := range t.tm.Teams {
		for j := range t.tm.Teams[i].Channels {
			if ch := &t.tm.Teams[i].Channels[j]; ch.ID == id && !ch.Deleted && !t.tm.Teams[i].Deleted {
				return spot{team: &t.tm.Teams[i], channel: ch, id: id}, true
			}
		}
	}
	for i := range t.tm.Chats {
		if t.tm.Chats[i].ID == id {
			return spot{chat: &t.tm.Chats[i], id: id}, true
		}
	}
	if t.me.Teams.ID != "" && id == t.server.PersonalID(t.me.Teams.ID) { // before its first word
		return spot{chat: &teams.Chat{ID: id, Personal: true, Members: []string{t.me.Teams.ID}}, id: id}, true
	}
	return spot{}, false
}

func (s spot) members() []string {
	switch {
	case s.team != nil:
		return s.team.Members
	case s.chat != nil:
		return s.chat.Members
	}
	return nil
}

func (s spot) installed() bool {
	return s.team != nil && s.team.Installed || s.chat != nil && s.chat.Installed
}

func (s spot) name(bot string) string {
	switch {
	case s.channel != nil:
		return cmp.Or(s.channel.Name, "General")
	case s.chat != nil && s.chat.Personal:
		return bot
	case s.chat != nil:
		return cmp.Or(s.chat.Name, "Group chat")
	}
	return ""
}

func (t *teamsDrawer) members(id string) []string {
	s, _ := t.find(id)
	return s.members()
}

// personal says whether a conversation is somebody's chat with the bot.
func (t *teamsDrawer) personal(id string) bool {
	s, ok := t.find(id)
	return ok && s.chat != nil && s.chat.Personal
}

func (t *teamsDrawer) firstRoom() string {
	if t == nil || t.me.Teams.ID == "" {
		return ""
	}
	for _, team := range t.tm.Teams {
		for _, ch := range team.Channels {
			if slices.Contains(team.Members, t.me.Teams.ID) && !ch.Deleted && !team.Deleted && ch.Name != "" {
				return ch.ID
			}
		}
	}
	return t.server.PersonalID(t.me.Teams.ID)
}

// offer is the button that adds the bot where it is not yet.
type offer struct{ Where, Words string }

// openRoom fills in the middle of the page.
func (t *teamsDrawer) openRoom(v *viewModel, q url.Values) {
	s, ok := t.find(v.At)
	if !ok || !slices.Contains(s.members(), t.me.Teams.ID) {
		who := "This person"
		if t != nil {
			who = t.me.Name
		}
		v.Closed = who + " is not in this conversation of Microsoft Teams."
		return
	}
	bot := t.tm.App.BotName
	v.Room = &room{ID: s.id, Name: s.name(bot)}
	v.Topic, v.Members = "Group chat", len(s.members())
	switch {
	case s.team != nil:
		v.Topic = s.team.Name
	case s.chat.Personal:
		v.Topic, v.Members = "Personal chat in Microsoft Teams", 0
	}
	t.try(v, s)
	switch {
	case s.team != nil && s.team.Archived:
		v.Closed = "This team is archived."
	case s.chat != nil && s.chat.Blocked:
		v.Closed = t.me.Name + " has blocked " + bot + "."
	case !s.installed():
		v.Add, v.Try = &offer{Words: "Add " + bot + " to this conversation"}, nil
		if s.chat == nil || !s.chat.Personal {
			v.Add.Where = s.id
		} else {
			v.Closed = bot + " is not installed for " + t.me.Name + " yet."
			v.Add.Words = "Add " + bot
		}
	}
	root := q.Get("thread")
	if s.team != nil {
		v.Entries = t.posts(s)
	} else {
		v.Entries, root = t.lines(s), ""
	}
	if root != "" {
		v.ThreadTS, v.CloseThread, v.Thread = root, t.address(s.id, ""), t.thread(s, root)
	}
}

// try turns the lines on offer into what Teams takes in this place.
func (t *teamsDrawer) try(v *viewModel, s spot) {
	at := "@" + t.tm.App.BotName + " "
	v.Hint = ", or " + at + "…"
	if s.chat != nil && s.chat.Personal {
		at, v.Hint = "", ""
	}
	for _, line := range v.AllTry {
		if _, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "/") {
			line = at + rest
		}
		v.Try = append(v.Try, line)
	}
}

// seen are the messages of a conversation that the viewer's client shows. What
// was deleted keeps its place, as in Teams, if it was for everybody.
func (t *teamsDrawer) seen(conversation string) []teams.Message {
	var all []teams.Message
	for _, m := range t.tm.Messages {
		if m.Conversation == conversation && (m.To == "" || m.To == t.me.Teams.ID && !m.Deleted && t.now.Sub(m.At) < targetedFor) {
			all = append(all, m)
		}
	}
	return all
}

// lines are the messages of a chat.
func (t *teamsDrawer) lines(s spot) []entry {
	return t.divide(t.draw(t.seen(s.id)), true)
}

// posts are those of a channel with their replies below them; the one with the
// newest word comes last.
func (t *teamsDrawer) posts(s spot) []entry {
	type post struct {
		all  []teams.Message // the first one, then the replies
		last time.Time
	}
	var posts []*post
	by := map[string]*post{}
	for _, m := range t.seen(s.id) {
		if m.Root == "" || by[m.Root] == nil {
			p := &post{}
			by[m.ID] = p
			posts = append(posts, p)
			m.Root = ""
		}
		p := by[cmp.Or(m.Root, m.ID)]
		p.all = append(p.all, m)
		p.last = m.At
	}
	slices.SortStableFunc(posts, func(a, b *post) int { return a.last.Compare(b.last) })
	var all []entry
	for _, p := range posts {
		if len(p.all) == 1 && p.all[0].Deleted && p.all[0].Bot {
			continue // nothing is left to say of it
		}
		link := t.address(s.id, p.all[0].ID)
		first := t.draw(p.all[:1])[0]
		first.Post, first.Day = true, ""
		if hidden := len(p.all) - 1 - repliesShown; hidden > 0 {
			first.ThreadLabel, first.ThreadLink = plural(hidden, "earlier reply", "earlier replies"), link
		}
		all = append(all, first)
		replies := t.divide(t.draw(p.all[max(1, len(p.all)-repliesShown):]), false)
		for i := range replies {
			replies[i].Reply = true
		}
		all = append(all, replies...)
		if last := &all[len(all)-1]; p.all[0].To == "" {
			last.AnswerLink, last.AnswerTo = link, first.Who
		}
	}
	return all
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// thread is a post with all its replies.
func (t *teamsDrawer) thread(s spot, root string) []entry {
	t.pane = "t"
	defer func() { t.pane = "" }()
	all := slices.DeleteFunc(t.seen(s.id), func(m teams.Message) bool { return m.ID != root && m.Root != root })
	return t.divide(t.draw(all), true)
}

func (t *teamsDrawer) draw(messages []teams.Message) []entry {
	all := make([]entry, len(messages))
	for i, m := range messages {
		all[i] = t.message(m)
	}
	return all
}

// divide joins what one author says in one breath and, where days is set, puts a
// line between days.
func (t *teamsDrawer) divide(all []entry, days bool) []entry {
	day := ""
	for i := range all {
		if today := t.dayName(all[i].At); days && today != day {
			day, all[i].Day = today, today
		}
		if i > 0 && all[i].Day == "" && all[i].Who == all[i-1].Who && all[i].Private == all[i-1].Private && all[i].At.Sub(all[i-1].At) < 5*time.Minute {
			all[i].Joined = true
		}
	}
	return all
}

func (t *teamsDrawer) message(m teams.Message) entry {
	e := entry{ID: t.pane + "m" + m.ID, TS: m.ID, At: m.At, Clock: t.clockTime(m.At), Stamp: m.At.In(t.zone).Format("Monday, 2 January 2006, 15:04:05 MST"),
		Edited: m.Revisions > 0 && !m.Deleted, Private: m.To != "", Only: "Only you can see this message",
		Place: place{Channel: m.Conversation, TS: m.ID, Pane: t.pane}}
	if t.dayName(m.At) != "Today" {
		e.Clock = t.dayName(m.At) + ", " + e.Clock
	}
	t.author(&e, m)
	if m.Deleted {
		e.Text = `<span class="gone">This message has been deleted.</span>`
		return e
	}
	a := readActivity(m)
	words := cardText{zone: t.zone, mentions: a.mentions(), me: t.me.Teams, bot: "28:" + t.tm.App.BotAppID}
	switch {
	case m.Bot && a.TextFormat != "plain":
		e.Text = words.blocks(m.Text)
	case m.Text != "":
		e.Text = words.plain(m.Text)
	}
	for i, raw := range m.CardsFor(t.me.Teams.ID) {
		e.Cards = append(e.Cards, t.card(raw, fmt.Sprint(t.pane, m.Conversation, m.ID, i), nil, t.red[m.Conversation+"/"+m.ID].of(m)))
	}
	e.Odd = a.odd(m.Bot)
	if m.To == "" {
		e.Menu = t.menu
	}
	e.Reactions = t.reactions(m)
	return e
}

func (t *teamsDrawer) author(e *entry, m teams.Message) {
	if m.Bot {
		e.Who, e.App = t.tm.App.BotName, true
	} else if i := slices.IndexFunc(t.tm.Users, func(u teams.User) bool { return u.ID == m.From }); i >= 0 {
		e.Who, e.Hue = t.tm.Users[i].Name, i%8
	} else {
		e.Who = m.From
	}
	e.Initials = initials(e.Who)
}

// reaction is an emoji below a message.
type reaction struct {
	Emoji, Name string
	Count       int
}

var reactionEmoji = map[string]string{"like": "👍", "heart": "❤️", "laugh": "😆", "surprised": "😮", "sad": "🙁", "angry": "😠"}

func (t *teamsDrawer) reactions(m teams.Message) []reaction {
	var all []reaction
	for _, r := range m.Reactions {
		at := slices.IndexFunc(all, func(x reaction) bool { return x.Name == r.Type })
		if at < 0 {
			all = append(all, reaction{Emoji: cmp.Or(reactionEmoji[r.Type], r.Type), Name: r.Type})
			at = len(all) - 1
		}
		all[at].Count++
	}
	return all
}

// activity is what of a message's JSON the page draws beside its cards.
type activity struct {
	TextFormat  string          `json:"textFormat"`
	Entities    json.RawMessage `json:"entities"`
	Attachments []struct {
		ContentType string `json:"contentType"`
	} `json:"attachments"`
}

func readActivity(m teams.Message) activity {
	var a activity
	_ = json.Unmarshal(m.Activity, &a) // of another shape: nothing beside the words
	return a
}

func (a activity) mentions() map[string]mentioned { return mentionsOf(a.Entities) }

// odd are the types of attachments that the page cannot draw.
func (a activity) odd(bot bool) []string {
	var all []string
	for _, at := range a.Attachments {
		if bot && at.ContentType != "application/vnd.microsoft.card.adaptive" && at.ContentType != "text/html" {
			all = append(all, cmp.Or(at.ContentType, "unknown"))
		}
	}
	return all
}
