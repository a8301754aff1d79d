package engine

import (
	"context"
	"errors"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// Question is what somebody asked for solutions, with the answer as it stands.
type Question struct {
	ID     string           `json:"id"`
	Tenant bot.TenantID     `json:"tenant"`
	By     bot.Account      `json:"by"`
	Place  bot.Place        `json:"place"`
	Made   time.Time        `json:"made"`
	Answer recommend.Answer `json:"answer"`
	Voted  bool             `json:"voted,omitempty"`
	Noted  string           `json:"noted,omitempty"` // how writing it into its record stands: "asked", "written"
	// Edits says that the answer is a message of the bot's own, which is edited
	// when the answer is completed.
	Edits bool `json:"edits,omitempty"`
}

// votes are how often a text helped those who asked, and how often not.
type votes struct {
	Helped int `json:"helped,omitempty"`
	Failed int `json:"failed,omitempty"`
}

var (
	questions = Kind[Question]{Name: "question"} // by ID
	latest    = Kind[string]{Name: "latest-question"}
	voted     = Kind[votes]{Name: "votes"}
)

// How long things are kept: a question as long as its buttons are likely to be
// pressed, a vote as long as the text is likely to be found.
const (
	questionLives = 30 * 24 * time.Hour
	votesLive     = 400 * 24 * time.Hour
	// recently is how long a resolved incident still explains what people see.
	recently = 14 * 24 * time.Hour
)

// asked reads the question that a job is about. Where it is forgotten there is
// nothing to do any more, and the job is finished.
func (e *Engine) asked(ctx context.Context, j bot.Job, t bot.TenantID, id string) (q Question, ok bool, err error) {
	err = e.Store.Read(ctx, func(v View) (err error) {
		q, ok, err = questions.Get(v, t, id)
		return err
	})
	if err == nil && !ok {
		err = e.finish(ctx, j, nil)
	}
	return q, ok, err
}

// PutQuestion keeps a question, as its asker's latest.
func (d *Draft) PutQuestion(q Question) {
	questions.PutUntil(&d.Out, q.Tenant, q.ID, q, q.Made.Add(questionLives))
	latest.PutUntil(&d.Out, q.Tenant, q.By.String(), q.ID, q.Made.Add(questionLives))
}

// Question finds a question; "" is the latest of the account.
func (d *Draft) Question(t bot.TenantID, by bot.Account, id string) (q Question, ok bool, err error) {
	if id == "" {
		if id, ok, err = latest.Get(d.View, t, by.String()); err != nil || !ok {
			return q, false, err
		}
	}
	return questions.Get(d.View, t, id)
}

// Vote counts a word about a text that was found.
func (d *Draft) Vote(t bot.TenantID, text string, helped bool) error {
	v, _, err := voted.Get(d.View, t, text)
	if err != nil {
		return err
	}
	if helped {
		v.Helped++
	} else {
		v.Failed++
	}
	voted.PutUntil(&d.Out, t, text, v, d.Now.Add(votesLive))
	return nil
}

// changesFor is how long a message center post explains what people see.
const changesFor = 180 * 24 * time.Hour

// bodySize is how much of a post's body is searched.
const bodySize = 3000

func changeText(p *incident.Announcement) recommend.Doc {
	body := p.Summary
	if body == "" {
		body = p.Body
		if r := []rune(body); len(r) > bodySize {
			body = string(r[:bodySize])
		}
	}
	text := incident.Convert(body).Plain()
	return recommend.Doc{ID: p.ID, Kind: recommend.Change, Title: incident.Convert(p.Title).Plain(), Text: text, Service: p.Services, Changed: p.Modified,
		Link: incident.MessageLink(p.ID), Mark: "Message center", Status: "a change by Microsoft", Says: incident.CutAtSentence(text, gistSize)}
}

// esteem adds what others said of the texts.
func (d *Draft) esteem(t bot.TenantID, docs []recommend.Doc) error {
	for i := range docs {
		v, _, err := voted.Get(d.View, t, docs[i].ID)
		if err != nil {
			return err
		}
		docs[i].Helped, docs[i].Failed = v.Helped, v.Failed
	}
	return nil
}

// gistSize is how much of a text's beginning is shown.
const gistSize = 240

func issueText(i *incident.Issue) recommend.Doc {
	text := incident.Convert(i.Impact).Plain()
	if p := i.Latest(); p != nil {
		text += "\n" + incident.Convert(p.Content).Plain()
	}
	doc := recommend.Doc{ID: i.ID, Kind: recommend.Incident, Title: incident.Convert(i.Title).Plain(), Text: text, Service: []string{i.Service},
		Feature: i.Feature + " " + i.FeatureGroup, Active: !i.Resolved, Changed: i.Modified,
		Link: incident.AlertLink(i.ID), Mark: i.Mark(), Status: incident.StatusWords(i.Status), Since: i.Start,
		Workaround: incident.Advice(*i), Says: incident.Notice(*i, gistSize)}
	if i.Resolved {
		doc.Workaround = nil // it is over: what helped meanwhile is of no use
	}
	return doc
}

// Standing is how the reading of service health stands, for an answer that says
// that nothing was published.
func (d *Draft) Standing(t bot.TenantID) (read time.Time, blind bool, err error) {
	w, err := d.Watch(t)
	return w.Good, w.Blind(d.Now), err
}

// drawQuestion draws an answer as it stands.
func (e *Engine) drawQuestion(v View, p Deliver) (bot.Message, error) {
	q, ok, err := questions.Get(v, p.Tenant, p.Draw.Question)
	if err != nil || !ok {
		return bot.Message{}, err
	}
	return q.Message(), nil
}

// Message is the answer for its asker, with its buttons.
func (q Question) Message() bot.Message {
	m := q.Answer.Message("/keyturn", false)
	m.Add(q.Answer.Buttons(q.ID, !q.Place.Direct()))
	return m
}

// Ask keeps a question and says its answer as it is now: by the reply, or,
// where the bot can edit it later, by a message of its own.
func (d *Draft) Ask(r bot.Request, q Question) (bot.Reply, error) {
	q.Edits = r.Place.Direct() && !r.Inline
	if err := d.learn(replyTo(r), &q); err != nil {
		return bot.Reply{}, err
	}
	d.PutQuestion(q)
	if !q.Edits {
		return bot.Private(q.Message()), nil
	}
	d.showQuestion(q)
	return bot.Reply{}, nil
}

// showQuestion makes the answer in a direct message be as it stands.
func (d *Draft) showQuestion(q Question) {
	d.deliver(Deliver{Key: "question/" + q.ID, Place: q.Place, Tenant: q.Tenant, Draw: Draw{What: drawQuestion, Question: q.ID}}, bot.ClassClick, d.Now)
}

// IssueText is what an answer shows of one incident.
func (d *Draft) IssueText(t bot.TenantID, id string) (recommend.Doc, bool, error) {
	k, err := d.Incident(t, id)
	if errors.Is(err, bot.ErrNotFound) {
		return recommend.Doc{}, false, nil
	}
	if err != nil {
		return recommend.Doc{}, false, err
	}
	doc := issueText(&k.Issue)
	doc.Text = ""
	return doc, true, nil
}
