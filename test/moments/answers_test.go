package moments

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/recommend"
)

// article is one of Microsoft Learn, invented.
func article(title, path, text string) recommend.Doc {
	return recommend.Doc{ID: "https://learn.microsoft.com" + path, Kind: recommend.Article, Title: title, Link: "https://learn.microsoft.com" + path, Text: text}
}

// found are the texts that fit a question, best first.
func found(said string, docs ...recommend.Doc) []recommend.Hit {
	hits := recommend.Rank(recommend.Parse(said), docs, monday, 3)
	for i := range hits {
		hits[i].Doc.Text = ""
	}
	return hits
}

func articles(said string) []recommend.Hit {
	return found(said,
		article("OneDrive shows sync pending", "/onedrive/pending", "Files stay at sync pending when they are open, when the path is too long or when the disk is full."),
		article("Reset OneDrive sync", "/onedrive/reset", "Reset the OneDrive sync app when it stays at processing changes."),
		article("Microphone and audio in Teams calls", "/teams/audio", "Check the device in the settings."))
}

// rows is what ServiceNow answers with.
func rows(list ...map[string]string) json.RawMessage {
	for i, r := range list {
		r["sys_id"] = fmt.Sprintf("%032x", i+1)
		r["sys_updated_on"] = "2026-11-20 08:00:00"
	}
	b, err := json.Marshal(map[string]any{"result": list})
	if err != nil {
		panic(err) // strings marshal
	}
	return b
}

// ours is what the organisation itself knows of a question.
func ours(said string) []recommend.Hit {
	instance := base("", bot.ServiceNow)
	docs := recommend.ReadKnowledge(rows(map[string]string{"number": "KB0010001", "short_description": "Outlook cannot send: clear the outbox first", "workflow_state": "published", "active": "true",
		"text": "<p>Work offline, delete what stays in the Outbox, then send again.</p>"}), nil, instance)
	docs = append(docs, recommend.ReadPast(rows(map[string]string{"number": "INC0010007", "short_description": "Outlook cannot send mail to customers", "state": "6",
		"close_notes": "A rule of the mail gateway held it. The network team took the rule out."}), instance, "")...)
	return found(said, docs...)
}

// answer is an answer as its asker gets it.
func (o *office) answer(where bot.Place, a recommend.Answer) bot.Message {
	a.Read = o.now.Add(-2 * time.Minute)
	return engine.Question{ID: "q-4k7q2m", Tenant: o.tenant.ID, By: on("RITA")[0], Place: where, Made: o.now, Answer: a}.Message()
}

const (
	pending = "onedrive files stay at sync pending"
	unsent  = "Outlook on the web cannot send mail"
)

// known is an answer with what Microsoft published about mail that is not sent.
func (o *office) known(said string) recommend.Answer {
	o.t.Helper()
	var a recommend.Answer
	err := o.kept(mail(1, false)).store.Read(o.t.Context(), func(v engine.View) (err error) {
		a, err = engine.NewDraft(v, o.env, "answer", o.now).Find(o.tenant.ID, recommend.Parse(said), "")
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

// answers are what somebody gets who says what is wrong.
var answers = []moment{
	{"answer-12-recommend-asking", func(o *office) bot.Message {
		o.env.Learns = true
		return o.kept().asks(typed("RITA", "recommend "+pending))
	}},
	{"answer-13-recommend-articles", func(o *office) bot.Message {
		return o.answer(ops, recommend.Answer{Said: pending, Learn: recommend.Told, Sent: recommend.Parse(pending).Public(), Articles: articles(pending)})
	}},
	{"answer-14-articles-follow", func(*office) bot.Message {
		a := recommend.Answer{Said: pending, Learn: recommend.Told, Sent: recommend.Parse(pending).Public(), Articles: articles(pending)}
		m := a.Completion()
		m.Add(a.CompletionButtons("q-4k7q2m", true))
		return m
	}},
	{"answer-15-recommend-incident-of-servicenow", func(o *office) bot.Message {
		a := o.known(unsent)
		a.Record, a.RecordID, a.As = "INC0012345", fmt.Sprintf("%032x", 7), "rita.okafor"
		a.Asks, a.Ours = recommend.Told, ours(unsent)
		return o.answer(ops, a)
	}},
	{"answer-16-is-this-microsoft", func(o *office) bot.Message {
		return o.kept(mail(2, false)).asks(clicked("RITA", recommend.ActMessage, "Is it just me, or does Outlook on the web not send anything since this morning?"))
	}},
	{"answer-17-is-this-microsoft-nothing", func(o *office) bot.Message {
		return o.kept(mail(2, false)).asks(clicked("RITA", recommend.ActMessage, "The printer on the third floor is out of paper again"))
	}},
	{"answer-18-what-can-i-do", func(o *office) bot.Message {
		return o.kept(mail(1, false)).asks(clicked("RITA", "solve", "EX1234567"))
	}},
	{"answer-19-shared", func(o *office) bot.Message {
		m := o.kept(mail(2, false)).asks(typed("RITA", "recommend "+unsent))
		for _, b := range buttonsOf(m) {
			if b.Action == recommend.ActShare {
				return o.asks(clicked("RITA", b.Action, b.Value))
			}
		}
		o.t.Fatal("it cannot be shared")
		return bot.Message{}
	}},
	{"answer-20-sign-in-for-own-knowledge", func(o *office) bot.Message {
		o.tenant.Knowledge.AsAsker = true
		return o.kept(mail(2, false)).asks(typed("SAM", "recommend "+unsent))
	}},
}

// What is asked in a direct message has nobody to be shared with.
func TestAnAnswerInADirectMessageIsNotShared(t *testing.T) {
	o := newOffice(t)
	for _, b := range buttonsOf(o.answer(bot.DM(on("RITA")[0]), o.known(unsent))) {
		if b.Action == recommend.ActShare {
			t.Error("it can be shared")
		}
	}
}
