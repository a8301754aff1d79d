package recommend

import (
	"regexp"
	"strings"
	"unicode"
)

// maxWords is how many words of a text count: what comes after them is another
// subject.
const maxWords = 600

// The shapes of error codes. What has one of these shapes names no person and no
// machine.
var (
	codeShape = regexp.MustCompile(`(?i)\b(?:aadsts\d{4,7}|0x[0-9a-f]{8}|caa[0-9a-f]{5})\b`)
	smtpShape = regexp.MustCompile(`(?:^|[^\d.])([245]\.\d{1,3}\.\d{1,3})(?:$|[^\d.]|\.(?:$|[^\d]))`)
	httpShape = regexp.MustCompile(`(?:^|[^\w.+/-])(40[0134589]|429|50[0234])(?:$|[^\w.+/-]|\.(?:$|\s))`)
	// numberShape is an error's number, which only ever stays here.
	numberShape = regexp.MustCompile(`(?i)\b(?:error|code|fehler)\s+#?(\d{3,6})\b`)
)

// identifying is what carries a name, an address or a place in the network, and
// is no word of a symptom.
var identifying = regexp.MustCompile(`(?i)(?:https?://\S*)|(?:\\\\\S+)|(?:[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}._-]*)|(?:[@#]\S+)|(?:\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{10,}\b)|(?:\b(?:\d{1,3}\.){3}\d{1,3}\b)|(?:\b[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}\S*)`)

// codesOf finds the error codes of a text, in lower case and each once.
func codesOf(text string) []string {
	found := codeShape.FindAllString(text, -1)
	for _, shape := range []*regexp.Regexp{smtpShape, httpShape} {
		for _, m := range shape.FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
	}
	return unique(found)
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if s = strings.ToLower(s); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// wordsOf are the words of a text in lower case, with what is written in
// several ways ("log in", "e-mail") written in one.
func wordsOf(text string) []string {
	text = strings.ToLower(text)
	text = strings.NewReplacer("’", "'", "‘", "'", "`", "'").Replace(text)
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
	out := words[:0]
	for _, w := range words {
		if w = strings.Trim(strings.TrimSuffix(w, "'s"), "'"); w != "" && len(w) <= 40 {
			out = append(out, w)
		}
	}
	return together(out[:min(len(out), maxWords)])
}

// together makes one word of those that are one thing: the longest phrase wins.
func together(words []string) []string {
	var out []string
	for i := 0; i < len(words); {
		one, n := words[i], 1
		for k := min(longestPhrase, len(words)-i); k > 1; k-- {
			if to, ok := phrases[strings.Join(words[i:i+k], " ")]; ok {
				one, n = to, k
				break
			}
		}
		if one != "" {
			out = append(out, one)
		}
		i += n
	}
	return out
}

// stem takes the endings off that do not change what an English word is about.
// It is gentle: a wrong join costs more than a missed one.
func stem(w string) string {
	if len(w) < 4 || strings.ContainsFunc(w, unicode.IsDigit) {
		return w
	}
	switch {
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		w = w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "shes"), strings.HasSuffix(w, "ches"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		w = w[:len(w)-1]
	}
	for _, end := range []string{"ing", "ed"} {
		if base, ok := strings.CutSuffix(w, end); ok && len(base) >= 3 && strings.ContainsAny(base, "aeiouy") {
			if n := len(base); base[n-1] == base[n-2] && !strings.ContainsRune("lsz", rune(base[n-1])) {
				base = base[:n-1]
			}
			w = base
			break
		}
	}
	if len(w) > 4 {
		w = strings.TrimSuffix(w, "e")
	}
	return w
}

// terms are what a text is counted by: stems, the concepts behind them ("~"),
// products ("$") and codes ("!").
func terms(text string) []string {
	var out []string
	for _, c := range codesOf(text) {
		out = append(out, "!"+c)
	}
	for _, m := range numberShape.FindAllStringSubmatch(text, -1) {
		out = append(out, "!"+m[1])
	}
	for _, w := range wordsOf(text) {
		if codeShape.FindString(w) != w {
			out = append(out, termsOf(w)...)
		}
	}
	return out
}

// termsOf is one word's stem, its concepts, and the products that it means.
func termsOf(w string) []string {
	if stop[w] {
		return nil
	}
	s := stem(w)
	out := []string{s}
	if _, name := products[w]; name {
		out[0] = w // Teams is not a team
	}
	if w == "teams" {
		return out
	}
	for _, c := range concepts[s] {
		out = append(out, "~"+c)
	}
	return out
}
