package engine

import (
	"context"
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
}

// learn asks the library for a question's articles: at once from what it said
// before, else by a job, since nobody who clicks waits for it.
func (d *Draft) learn(r bot.Request, q *Question) error {
	query := recommend.Parse(q.Answer.Said).Public()
	if !d.env.Learns || query == "" {
		return nil
	}
	q.Answer.Sent = query
	before, ok, err := learntOf.Get(d.View, q.Tenant, query)
	if err != nil {
		return err
	}
	if ok {
		return d.taught(q, before.Docs)
	}
	q.Answer.Learn = recommend.Asking
	// A lane of its own for each tenant: a library that hangs holds up one worker.
	d.job("learn/"+string(q.Tenant), kindLearn, bot.ClassHandoff, d.Now, learnJob{Tenant: q.Tenant, Question: q.ID,
		Answer: answerJob{To: r.From, At: r.Place, URL: r.Return.URL.Reveal(), Expires: r.Return.Expires}}, "")
	return nil
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
	for i := range q.Answer.Articles {
		q.Answer.Articles[i].Doc.Text = ""
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
	var q Question
	var ok bool
	if err := e.Store.Read(ctx, func(v View) (err error) {
		q, ok, err = questions.Get(v, p.Tenant, p.Question)
		return err
	}); err != nil || !ok {
		if err == nil {
			err = e.finish(ctx, j, nil)
		}
		return err
	}
	var docs []recommend.Doc
	silent := e.Library == nil || e.Now().Sub(j.Made) > tooLate
	if !silent {
		if docs, err = e.Library.Articles(ctx, q.Answer.Sent); err != nil {
			if ctx.Err() != nil {
				return err // the process stops: it is asked again
			}
			silent = true
			e.Log.Info("Microsoft Learn was asked in vain", "query", q.Answer.Sent, "err", err)
		}
	}
	return e.commit(ctx, "learn/"+p.Question, func(d *Draft) error {
		d.Out.Done = []bot.JobID{j.ID}
		q, ok, err := questions.Get(d.View, p.Tenant, p.Question)
		if err != nil || !ok {
			return err
		}
		if silent {
			q.Answer.Learn = recommend.Silent
		} else {
			if err := d.taught(&q, docs); err != nil {
				return err
			}
			learntOf.PutUntil(&d.Out, p.Tenant, q.Answer.Sent, learnt{At: d.Now, Docs: docs}, d.Now.Add(learntLives))
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
