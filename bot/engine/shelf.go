package engine

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// shelves are the tenants' texts, read and counted: what takes longest of an
// answer, and is the same for every question until something is published. There
// is one a tenant, of what the store knew when it was asked last, so that a
// decision that runs again, or on an older view, never finds what it may not know.
type shelves struct {
	mu sync.Mutex
	of map[bot.TenantID]shelf
}

type shelf struct {
	print uint64 // of everything that is on it
	index *recommend.Index
}

func (s *shelves) get(t bot.TenantID, print uint64) (*recommend.Index, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.of[t]
	return x.index, ok && x.print == print
}

func (s *shelves) put(t bot.TenantID, print uint64, index *recommend.Index) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[bot.TenantID]shelf{}
	}
	s.of[t] = shelf{print, index}
}

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
	for i := range a.Hits {
		a.Hits[i].Doc.Text = "" // what is searched is not shown
	}
	a.Read, a.Blind, err = d.Standing(t)
	return a, err
}

// index are the texts that may explain what people see: incidents that go on or
// are over lately, and message center posts.
func (d *Draft) index(t bot.TenantID) (*recommend.Index, error) {
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
	for i := range known {
		x := &known[i].Issue
		if x.Resolved && d.Now.Sub(x.Modified) > recently {
			continue
		}
		issues = append(issues, x)
		print(x.ID, x.Status, x.Modified, len(x.Posts), len(x.Title), len(x.Impact))
	}
	for i := range changes {
		x := &changes[i].Post
		if d.Now.Sub(x.Modified) > changesFor || !x.End.IsZero() && !x.End.After(d.Now) {
			continue
		}
		news = append(news, x)
		print(x.ID, "", x.Modified, len(x.Title), len(x.Body))
	}
	sum := h.Sum64()
	if index, ok := d.env.shelves.get(t, sum); ok {
		return index, nil
	}
	var docs []recommend.Doc
	for _, x := range issues {
		docs = append(docs, issueText(x))
	}
	for _, x := range news {
		docs = append(docs, changeText(x))
	}
	index := recommend.NewIndex(docs)
	d.env.shelves.put(t, sum, index)
	return index, nil
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
