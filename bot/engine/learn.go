package engine

import (
	"context"
	"sync"
	"time"

	"keyturn/bot"
	"keyturn/bot/recommend"
)

// Library is an outside collection of articles, Microsoft Learn. A search takes
// seconds at most; only [recommend.Query.Public] words are searched for.
type Library interface {
	Articles(ctx context.Context, query string) ([]recommend.Doc, error)
}

const kindLearn = "learn" // an answer is completed with articles

// learnt is what the library said to a query.
type learnt struct {
	At   time.Time       `json:"at"`
	Docs []recommend.Doc `json:"docs,omitempty"`
}

var learntOf = Kind[learnt]{Name: "learnt"} // by query

const (
	learntLives   = 24 * time.Hour
	articlesShown = 3
	// tooLate is when nobody waits for the articles any more.
	tooLate = 2 * time.Minute
)

// learnJob completes a question, and says so by the way that its asker can be
// answered.
type learnJob struct {
	Tenant   bot.TenantID `json:"tenant"`
	Question string       `json:"question"`
	Answer   answerJob    `json:"answer"`
	Own      speaking     `json:"own,omitzero"` // as whom the organisation's own knowledge is asked
}

// replyTo is the way by which a request is answered later.
func replyTo(r bot.Request) answerJob {
	return answerJob{To: r.From, At: r.Place, URL: r.Return.URL.Reveal(), Expires: r.Return.Expires}
}

// learn completes an answer from what lies outside: at once from what the
// library said before, else by a job, since nobody who clicks waits for it.
func (d *Draft) learn(to answerJob, q *Question) error {
	asks, err := d.askLibrary(q)
	if err != nil {
		return err
	}
	own, err := d.askOwn(q)
	if err != nil || !asks && own.nobody() {
		return err
	}
	// A lane of its own for each tenant: a library that hangs holds up one worker.
	d.job("learn/"+string(q.Tenant), kindLearn, bot.ClassHandoff, d.Now, learnJob{Tenant: q.Tenant, Question: q.ID, Answer: to, Own: own}, "")
	return nil
}

// askLibrary reports whether the library has to be asked.
func (d *Draft) askLibrary(q *Question) (bool, error) {
	query := recommend.Parse(q.Answer.Said).Public()
	if !d.env.Learns || query == "" {
		return false, nil
	}
	q.Answer.Sent = query
	before, ok, err := learntOf.Get(d.View, q.Tenant, query)
	if err != nil {
		return false, err
	}
	if ok {
		return false, d.taught(q, before.Docs)
	}
	q.Answer.Learn = recommend.Asking
	return true, nil
}

// taught puts what the library said into an answer.
func (d *Draft) taught(q *Question, docs []recommend.Doc) error {
	if err := d.esteem(q.Tenant, docs); err != nil {
		return err
	}
	asked := recommend.Parse(q.Answer.Said)
	hits := recommend.Rank(asked, docs, d.Now, articlesShown)
	q.Answer.Articles = hits
	q.Answer.Learn = recommend.Told
	if len(hits) == 0 {
		q.Answer.Learn = recommend.Nothing
	}
	return nil
}

// complete asks the library and completes the answer. It is never tried again:
// who asked has read on.
func (e *Engine) complete(ctx context.Context, j bot.Job) error {
	p, err := payload[learnJob](j)
	if err != nil {
		return err
	}
	q, ok, err := e.asked(ctx, j, p.Tenant, p.Question)
	if err != nil || !ok {
		return err
	}
	asks := q.Answer.Learn == recommend.Asking
	late := e.Now().Sub(j.Made) > tooLate
	var docs, own []recommend.Doc
	var unlearnt, unasked error
	var both sync.WaitGroup
	if asks && !late && e.Library != nil {
		both.Go(func() { docs, unlearnt = e.Library.Articles(ctx, q.Answer.Sent) })
	}
	if !p.Own.nobody() && !late {
		both.Go(func() { own, unasked = e.ownTexts(ctx, q, p.Own) })
	}
	both.Wait()
	if ctx.Err() != nil {
		return ctx.Err() // the process stops: it is asked again
	}
	if unlearnt != nil || unasked != nil {
		e.Log.Info("an answer could not be completed", "query", q.Answer.Sent, "learn", unlearnt, "servicenow", unasked)
	}
	silent := late || e.Library == nil || unlearnt != nil
	return e.commit(ctx, "learn/"+p.Question, func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		q, ok, err := questions.Get(d.View, p.Tenant, p.Question)
		if err != nil || !ok {
			return err
		}
		switch {
		case asks && silent:
			q.Answer.Learn = recommend.Silent
		case asks:
			if err := d.taught(&q, docs); err != nil {
				return err
			}
			learntOf.PutUntil(&d.Out, p.Tenant, q.Answer.Sent, learnt{At: d.Now, Docs: docs}, d.Now.Add(learntLives))
		}
		if !p.Own.nobody() {
			if err := d.told(&q, own, late || unasked != nil); err != nil {
				return err
			}
		}
		questions.PutUntil(&d.Out, q.Tenant, q.ID, q, q.Made.Add(questionLives))
		d.completed(q, p.Answer)
		return nil
	})
}

// completed shows a completed answer: its message is edited, or, where it is
// not the bot's to edit, what was added follows it.
func (d *Draft) completed(q Question, to answerJob) {
	if q.Edits {
		d.showQuestion(q)
		return
	}
	to.Message = q.Answer.Completion()
	if row := q.Answer.CompletionButtons(q.ID, !q.Place.Direct()); len(row.Items) > 0 {
		to.Message.Add(row)
	}
	d.job("now/question/"+q.ID, kindAnswer, bot.ClassClick, d.Now, to, "")
}
