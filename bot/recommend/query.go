package recommend

import (
	"slices"
	"strings"
)

// MaxQuery is how many characters of a question are read.
const MaxQuery = 500

// Query is what a person says is wrong, understood.
type Query struct {
	Said     string            // as typed, cut to [MaxQuery]
	Services []string          // keys of the services that it may be about, likeliest first
	Sure     bool              // a product was named, not only guessed
	Codes    []string          // error codes, in lower case
	products int               // how many were named
	terms    []string          // what is looked for, in the order of the words
	of       map[string]string // the word that each term was made of
}

// Parse understands a question. Whatever is typed is one.
func Parse(said string) Query {
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "")), " ")
	if r := []rune(said); len(r) > MaxQuery {
		said = strings.TrimSpace(string(r[:MaxQuery]))
	}
	q := Query{Said: said, Codes: codesOf(said), of: map[string]string{}}
	named := meant(wordsOf(said))
	q.Services, q.Sure = servicesOf(named)
	q.products = namedBy(named)
	add := func(term, word string) {
		if _, ok := q.of[term]; !ok {
			q.of[term] = word
			q.terms = append(q.terms, term)
		}
	}
	for _, c := range q.Codes {
		add("!"+c, strings.ToUpper(c))
	}
	for _, m := range numberShape.FindAllStringSubmatch(said, -1) {
		add("!"+m[1], m[1])
	}
	for _, w := range named {
		if codeShape.FindString(w) == w {
			continue // counted as a code
		}
		for _, t := range termsOf(w) {
			add(t, w)
		}
	}
	return q
}

// Empty reports whether nothing was said that could be looked for.
func (q Query) Empty() bool { return len(q.terms) == 0 }

// Symptom reports whether the question says something that can be wrong: a
// product, a code, or what one sees. "Who is on call" does not.
func (q Query) Symptom() bool {
	return len(q.Services)+len(q.Codes) > 0 || slices.ContainsFunc(q.terms, func(t string) bool {
		return t[0] == '!' || t[0] == '~' && !weak[t] && !hollow[q.of[t]]
	})
}

// Codeless reports whether the question has words but nothing that names a
// product, a feature or a code: there is nothing to ask an outside search for.
func (q Query) Codeless() bool { return q.Public() == "" }

// Public is what of the question may leave for an outside search: the names of
// products and of what they have, from a closed list, and error codes of known
// shapes. Names, addresses and IDs are in neither.
func (q Query) Public() string {
	bare := identifying.ReplaceAllString(q.Said, " ")
	var names, features []string
	for _, w := range meant(wordsOf(bare)) {
		if p, ok := products[w]; ok {
			names = append(names, p.shown)
		} else if f, ok := spoken[stem(w)]; ok {
			features = append(features, f)
		}
	}
	out := slices.Concat(compact(names), compact(features), codesOf(bare))
	return strings.Join(out[:min(len(out), 12)], " ")
}

func compact(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// spoken is the closed list of what products have and do, by stem, as it leaves.
var spoken = func() map[string]string {
	out := map[string]string{}
	for _, w := range strings.Fields(`password search calendar meeting call chat presence recording transcript caption camera microphone screensharing
		file attachment upload download sync library permission quarantine spam rule signature archive quota recall delegate autoreply freebusy
		activesync mobile addin profile cache install update license activation printer macro workbook document version restore enrollment compliance
		policy device app notification prompt passkey refresh gateway dataset trigger connector prompt alert label retention task board
		booking channel guest external sharing browser offline desktop webcam voicemail room folder datafile pending processing slow hang blank readonly`) {
		out[stem(w)] = w
	}
	for from, to := range written {
		out[stem(from)] = to
	}
	return out
}()

// written is how a person writes what wordsOf writes as one word.
var written = map[string]string{"screensharing": "screen sharing", "addin": "add-in", "readonly": "read-only", "freebusy": "free/busy",
	"autoreply": "automatic replies", "datafile": "data file", "activesync": "ActiveSync", "sharedmailbox": "shared mailbox", "conditionalaccess": "Conditional Access",
	"selfservice": "self-service", "login": "sign-in", "signout": "sign-out", "companyportal": "Company Portal", "somethingwrong": "something went wrong", "admincenter": "admin center",
	"powerbi": "Power BI", "flow": "Power Automate", "powerapps": "Power Apps", "onpremises": "on-premises"}
