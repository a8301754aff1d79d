package recommend

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
)

// Kind is what a text is.
type Kind string

// The kinds.
const (
	Incident  Kind = "incident"  // a service health issue of the tenant, incident or advisory
	Change    Kind = "change"    // a message center post
	Article   Kind = "article"   // of Microsoft Learn
	Knowledge Kind = "knowledge" // of the organisation's own knowledge base
	Past      Kind = "past"      // an incident that the organisation solved before
)

// Doc is a text that may be the answer.
type Doc struct {
	ID      string
	Kind    Kind
	Title   string
	Text    string
	Service []string // as Microsoft names them
	Feature string
	Active  bool      // an incident that goes on
	Changed time.Time // when it was last changed; zero is unknown
	// Votes are how often it helped, and how often not, those who asked.
	Helped, Failed int

	// What is shown of it, besides its title.
	Link       string
	Mark       string    // mark and word: "🔴 incident"
	Status     string    // in words
	Since      time.Time // when it began; zero is not said
	Workaround bot.Text
	Says       string // its gist, where it has no workaround
}

// Hit is a text that may match, with why.
type Hit struct {
	Doc   Doc
	Score float64
	Words []string // of the question, that the text shares or means
	Codes []string // of the question, that the text names
	Fits  bool     // its service is one that the question names
	Meant bool     // it was not found: the question is about it
}

// How much counts what. Tuned on one half of the labelled set.
const (
	k1, b         = 1.2, 0.4
	titleWeight   = 2.0
	featureWeight = 1.5
	conceptWeight = 0.6
	weakWeight    = 0.35
	vagueWeight   = 0.5
	coverage      = 0.35 // how much of the score hangs on how much of the question is covered
	codeWeight    = 3.0
	fitFactor     = 1.6
	guessFactor   = 1.2
	unfitFactor   = 0.6
	activeFactor  = 1.1
	enough        = 2.6 // the least score of a hit
	fewest        = 30  // of fewer texts than this, how rare a word is says little
)

// Index is texts, counted. It is kept for as long as nothing is published, so it
// has each term once, and of a text neither its words nor more than two numbers
// for each of them.
type Index struct {
	docs   []Doc
	terms  map[string]uint32 // by number
	in     []int             // in how many texts a term is, by its number
	counts [][]count         // of each text, by the terms' numbers
	length []float64
	mean   float64
}

// count is how much of a term is in a text. Weights are halves, and so exact.
type count struct {
	term   uint32
	weight float32
}

// of is how much of a term is in a text.
func (x *Index) of(term string, doc int) float64 {
	n, known := x.terms[term]
	if !known {
		return 0
	}
	i, found := slices.BinarySearchFunc(x.counts[doc], n, func(c count, n uint32) int { return cmp.Compare(c.term, n) })
	if !found {
		return 0
	}
	return float64(x.counts[doc][i].weight)
}

// texts is in how many texts a term is.
func (x *Index) texts(term string) int {
	if n, known := x.terms[term]; known {
		return x.in[n]
	}
	return 0
}

// NewIndex counts texts. What is found has no Text: what is searched is not shown.
func NewIndex(docs []Doc) *Index {
	x := &Index{docs: make([]Doc, 0, len(docs)), terms: map[string]uint32{}}
	for _, d := range docs {
		c := map[uint32]float32{}
		total := 0.0
		add := func(text string, weight float32) {
			for _, t := range terms(text) {
				n, known := x.terms[t]
				if !known {
					n = uint32(len(x.in))
					x.terms[strings.Clone(t)], x.in = n, append(x.in, 0)
				}
				c[n] += weight
				total += float64(weight)
			}
		}
		add(d.Title, titleWeight)
		add(d.Feature+" "+strings.Join(d.Service, " "), featureWeight)
		add(d.Text, 1)
		list := make([]count, 0, len(c))
		for n, w := range c {
			list = append(list, count{n, w})
			x.in[n]++
		}
		slices.SortFunc(list, func(a, b count) int { return cmp.Compare(a.term, b.term) })
		x.counts, x.length = append(x.counts, list), append(x.length, total)
		x.mean += total
		d.Text = ""
		x.docs = append(x.docs, d)
	}
	x.mean = max(x.mean/float64(max(len(docs), 1)), 1)
	return x
}

// Rank gives the texts that may answer a question, best first, at most n.
func Rank(q Query, docs []Doc, at time.Time, n int) []Hit { return NewIndex(docs).Rank(q, at, n) }

// Rank gives the texts that may answer a question, best first, at most n.
func (x *Index) Rank(q Query, at time.Time, n int) []Hit {
	return x.Find(q, at, n, "", nil)
}

// Find is [Index.Rank] without the text named except, and with what others said
// of each text as it is now: an index is kept for longer than that.
func (x *Index) Find(q Query, at time.Time, n int, except string, votes func(id string) (helped, failed int)) []Hit {
	var hits []Hit
	asked := x.known(q)
	for i := range x.docs {
		if except != "" && x.docs[i].ID == except {
			continue
		}
		if h, ok := x.hit(q, asked, i, at, votes); ok {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), b.Doc.Changed.Compare(a.Doc.Changed), cmp.Compare(a.Doc.ID, b.Doc.ID))
	})
	return hits[:min(len(hits), n)]
}

// term is a term of the question as the index knows it.
type term struct{ is, said string }

// known are the terms of a question; a word that no text has stands for the one
// that it probably was before it was mistyped.
func (x *Index) known(q Query) []term {
	var out []term
	for _, t := range q.terms {
		if x.texts(t) == 0 && len(t) >= 5 && t[0] != '~' && t[0] != '!' {
			if near := x.nearest(t); near != "" {
				out = append(out, term{near, q.of[t]})
				for _, c := range concepts[near] {
					out = append(out, term{"~" + c, q.of[t]})
				}
				continue
			}
		}
		out = append(out, term{t, q.of[t]})
	}
	return out
}

func (x *Index) nearest(t string) string {
	best := ""
	for k, n := range x.terms {
		if len(k) >= 5 && k[0] != '~' && k[0] != '!' && oneOff(k, t) && (best == "" || x.in[n] > x.texts(best) || x.in[n] == x.texts(best) && k < best) {
			best = k
		}
	}
	return best
}

// oneOff reports whether one slip of the finger makes b of a: a letter too
// many, too few, wrong, or two that changed places.
func oneOff(a, b string) bool {
	if d := len(a) - len(b); d < -1 || d > 1 {
		return false
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i+2 <= len(a) && i+2 <= len(b) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
		return true
	}
	switch {
	case len(a) > len(b):
		return a[i+1:] == b[i:]
	case len(a) < len(b):
		return a[i:] == b[i+1:]
	default:
		return i < len(a) && a[i+1:] == b[i+1:]
	}
}

func (x *Index) hit(q Query, asked []term, i int, at time.Time, votes func(string) (int, int)) (Hit, bool) {
	h := Hit{Doc: x.docs[i]}
	if votes != nil {
		h.Doc.Helped, h.Doc.Failed = votes(h.Doc.ID)
	}
	strong := false
	var names []string           // of products, that the text has: two of them are more than a subject
	best := map[string]float64{} // of each word of the question, whichever of its terms the text has
	for _, t := range asked {
		f := x.of(t.is, i)
		if f == 0 {
			continue
		}
		s := x.rarity(t.is) * f * (k1 + 1) / (f + k1*(1-b+b*x.length[i]/x.mean))
		plain := false
		switch {
		case t.is[0] == '!':
			s *= codeWeight
			h.Codes = append(h.Codes, t.said)
			strong = true
		case weak[t.is]:
			s *= weakWeight
		case t.is[0] == '~':
			s *= conceptWeight
			strong, plain = strong || !hollow[t.said], true
		case vague[t.is]:
			s *= vagueWeight
		default:
			_, name := products[t.said]
			if name && !slices.Contains(names, t.said) {
				names = append(names, t.said)
				strong = strong || len(names) > 1
			}
			strong, plain = strong || !name && !hollow[t.said], true
		}
		best[t.said] = max(best[t.said], s)
		if plain && x.tells(t.is) && !hollow[t.said] && !slices.Contains(h.Words, t.said) {
			h.Words = append(h.Words, t.said)
		}
	}
	for _, t := range asked { // in the order of the question: sums of floats depend on it
		h.Score += best[t.said]
		delete(best, t.said)
	}
	h.Score *= 1 - coverage + coverage*x.covered(asked, i)
	h.Fits = fits(q, h.Doc)
	h.Score *= fitness(q, h) * freshness(h.Doc, at) * esteem(h.Doc)
	return h, strong && h.Score >= enough && h.Why() != ""
}

// tells reports whether a term tells texts apart: what most of many texts have
// is no reason for one of them.
func (x *Index) tells(term string) bool {
	return len(x.docs) < fewest || 2*x.texts(term) <= len(x.docs)
}

// rarity is how much a term tells texts apart.
func (x *Index) rarity(term string) float64 {
	n, in := float64(max(len(x.docs), fewest)), float64(x.texts(term))
	return math.Log(1 + (n-in+0.5)/(in+0.5))
}

// covered is how much of a question a text has at all, by its words.
func (x *Index) covered(asked []term, i int) float64 {
	all, has := map[string]bool{}, map[string]bool{}
	for _, t := range asked {
		if vague[t.is] || weak[t.is] {
			continue
		}
		all[t.said] = true
		if x.of(t.is, i) > 0 {
			has[t.said] = true
		}
	}
	if len(all) == 0 {
		return 1
	}
	return float64(len(has)) / float64(len(all))
}

func fits(q Query, d Doc) bool {
	return slices.ContainsFunc(d.Service, func(s string) bool { return slices.Contains(q.Services, serviceKey(s)) })
}

// fitness prefers what is about a service that the question names. The suite and
// the organisation's own texts are about any.
func fitness(q Query, h Hit) float64 {
	switch {
	case len(q.Services) == 0 || len(h.Doc.Service) == 0:
		return 1
	case h.Fits && q.Sure:
		return fitFactor
	case h.Fits:
		return guessFactor
	case q.Sure && !wide(h.Doc):
		return unfitFactor
	}
	return 1
}

func wide(d Doc) bool {
	return d.Kind == Knowledge || d.Kind == Past || slices.ContainsFunc(d.Service, func(s string) bool { return serviceKey(s) == "365 suite" })
}

// freshness prefers what goes on now, and lets what is over fade: an incident
// within days, a change within months. An article does not age.
func freshness(d Doc, at time.Time) float64 {
	var half time.Duration
	switch {
	case d.Kind == Incident && d.Active:
		return activeFactor
	case d.Kind == Incident:
		half = 7 * 24 * time.Hour
	case d.Kind == Change:
		half = 120 * 24 * time.Hour
	}
	age := at.Sub(d.Changed)
	if half == 0 || d.Changed.IsZero() || age <= 0 {
		return 1
	}
	return 0.4 + 0.6*math.Exp2(-float64(age)/float64(half))
}

// esteem is what others said who asked: it moves neighbours, and hides nothing.
func esteem(d Doc) float64 {
	n := float64(d.Helped + d.Failed)
	if n == 0 {
		return 1
	}
	return 1 + 0.3*float64(d.Helped-d.Failed)/(n+2)
}

// Why says in words why a text was chosen.
func (h Hit) Why() string {
	var because []string
	if len(h.Codes) > 0 {
		because = append(because, "it names "+and(h.Codes))
	}
	if h.Fits && len(h.Doc.Service) > 0 {
		because = append(because, "it is about "+strings.Join(h.Doc.Service[:1], ""))
	}
	var quoted []string
	for _, w := range h.Words {
		if p, name := products[w]; name {
			if h.Fits {
				continue // said already
			}
			w = p.shown
		}
		if f, ok := written[w]; ok {
			w = f
		}
		if quoted = append(quoted, "“"+w+"”"); len(quoted) == 4 {
			break
		}
	}
	if len(quoted) > 0 {
		because = append(because, "it speaks of "+and(quoted))
	}
	return and(because)
}

func and(list []string) string {
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return strings.Join(list, "")
}
