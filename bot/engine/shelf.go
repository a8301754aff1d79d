package engine

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// shelf are a tenant's texts, read and counted: what takes longest of an answer,
// and is the same for every question until something is published. There is one a
// tenant, of what the store knew when it was asked last, so that a decision that
// runs again, or on an older view, never finds what it may not know.
type shelf struct {
	edition     string    // of the texts; "" where the store does not say
	from, until time.Time // what is too old by then is not on it
	print       uint64    // of everything that is on it
	index       *recommend.Index
}

// texts names what a tenant's answers are found in: its incidents and its message
// center posts.
const texts = "texts"

// hitsShown is how many texts of the tenant an answer names.
const hitsShown = 3

// Find finds what the tenant knows to a question, at once. The incident named
// except is left out.
func (d *Draft) Find(t bot.TenantID, q recommend.Query, except string) (a recommend.Answer, err error) {
	a = recommend.Answer{Said: q.Said, About: except}
	index, err := d.index(t)
	if err != nil {
		return a, err
	}
	esteem, err := d.votes(t)
	if err != nil {
		return a, err
	}
	a.Hits = index.Find(q, d.Now, hitsShown, except, func(id string) (int, int) { return esteem[id].Helped, esteem[id].Failed })
	a.Read, a.Blind, err = d.Standing(t)
	return a, err
}

// index are the texts that may explain what people see: incidents that go on or
// are over lately, and message center posts. They are read again when one was
// published or has become too old.
func (d *Draft) index(t bot.TenantID) (*recommend.Index, error) {
	edition, _, err := editions.Get(d.View, t, texts)
	if err != nil {
		return nil, err
	}
	was := d.env.shelves.get(t)
	if edition != "" && was.edition == edition && !d.Now.Before(was.from) && !d.Now.After(was.until) {
		return was.index, nil
	}
	known, err := d.Incidents(t, true)
	if err != nil {
		return nil, err
	}
	changes, err := posts.All(d.View, t)
	if err != nil {
		return nil, err
	}
	var issues []*incident.Issue
	var news []*incident.Announcement
	h := fnv.New64a()
	print := func(id, status string, at time.Time, more ...int) {
		_, _ = h.Write([]byte(id + "\x00" + status + "\x00")) // a sum cannot fail
		for _, n := range append(more, int(at.UnixNano())) {
			_ = binary.Write(h, binary.LittleEndian, int64(n))
		}
	}
	now := shelf{edition: edition, from: d.Now, until: d.Now.Add(recently)}
	fades := func(at time.Time) (over bool) {
		if over = d.Now.After(at); !over && at.Before(now.until) {
			now.until = at
		}
		return over
	}
	for i := range known {
		x := &known[i].Issue
		if x.Resolved && fades(x.Modified.Add(recently)) {
			continue
		}
		issues = append(issues, x)
		print(x.ID, x.Status, x.Modified, len(x.Posts), len(x.Title), len(x.Impact))
	}
	for i := range changes {
		x := &changes[i].Post
		if fades(x.Modified.Add(changesFor)) || !x.End.IsZero() && fades(x.End.Add(-1)) {
			continue
		}
		news = append(news, x)
		print(x.ID, "", x.Modified, len(x.Title), len(x.Body))
	}
	if now.print = h.Sum64(); was.index != nil && was.print == now.print {
		now.index = was.index
	} else {
		now.index = recommend.NewIndex(documents(issues, news))
	}
	d.env.shelves.put(t, now)
	return now.index, nil
}

func documents(issues []*incident.Issue, news []*incident.Announcement) (docs []recommend.Doc) {
	for _, x := range issues {
		docs = append(docs, issueText(x))
	}
	for _, x := range news {
		docs = append(docs, changeText(x))
	}
	return docs
}

// renewTexts gives the texts of tenants another edition where a write set changes
// them.
func renewTexts(v View, c *Changes) error {
	changed := map[bot.TenantID][]any{}
	for _, k := range c.Incidents {
		changed[k.Tenant] = append(changed[k.Tenant], k)
	}
	for _, r := range c.Records {
		if r.Kind == posts.Name {
			changed[r.Tenant] = append(changed[r.Tenant], r)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(changed)) {
		was, _, err := editions.Get(v, t, texts)
		if err != nil {
			return err
		}
		next, err := nextEdition(was, changed[t])
		if err != nil {
			return err
		}
		editions.Put(c, t, texts, next)
	}
	return nil
}

// votes are what others said of texts, by the text's ID.
func (d *Draft) votes(t bot.TenantID) (map[string]votes, error) {
	out := map[string]votes{}
	list, err := d.Records(voted.Name, t)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if out[r.Key], err = voted.read(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}
