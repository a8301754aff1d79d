package microsoft

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// condition decides about one object, as decoded JSON.
type condition func(object map[string]any) bool

// filter is a parsed $filter.
type filter struct {
	keep     condition
	advanced bool     // uses ne, not or endswith: directory objects need ConsistencyLevel: eventual and $count=true
	names    []string // properties it looks at
}

// parseFilter reads the forms of $filter in use: comparisons (eq ne gt ge lt
// le), in, startswith, endswith, contains, any(), not, and, or, parentheses.
func parseFilter(text string) (*filter, error) {
	p := &filterParser{out: &filter{}}
	if err := p.scan(text); err != nil {
		return nil, err
	}
	keep, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if !p.done() {
		return nil, fmt.Errorf("unexpected %q", p.peek().text)
	}
	p.out.keep = keep
	return p.out, nil
}

type word struct {
	text   string
	quoted bool
}

type filterParser struct {
	words []word
	at    int
	out   *filter
}

const filterDepth = 20

func (p *filterParser) scan(text string) error {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t':
			i++
		case strings.IndexByte("(),:", c) >= 0:
			p.words = append(p.words, word{text: text[i : i+1]})
			i++
		case c == '\'':
			var b strings.Builder
			j := i + 1
			for ; ; j++ {
				if j >= len(text) {
					return fmt.Errorf("a quote that begins at character %d is not closed", i+1)
				}
				if text[j] == '\'' {
					if j+1 < len(text) && text[j+1] == '\'' {
						j++
					} else {
						break
					}
				}
				b.WriteByte(text[j])
			}
			p.words = append(p.words, word{b.String(), true})
			i = j + 1
		default:
			j := i
			for j < len(text) && strings.IndexByte(" \t(),'", text[j]) < 0 && (text[j] != ':' || !isLambda(text[i:j])) {
				j++
			}
			p.words = append(p.words, word{text: text[i:j]})
			i = j
		}
	}
	return nil
}

// isLambda says whether a word before a colon is a variable (any(x:...)) and
// not the hour of a time.
func isLambda(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

func (p *filterParser) done() bool { return p.at >= len(p.words) }

func (p *filterParser) peek() word {
	if p.done() {
		return word{}
	}
	return p.words[p.at]
}

func (p *filterParser) next() word {
	w := p.peek()
	p.at++
	return w
}

// take moves on when the next word is this keyword or sign.
func (p *filterParser) take(text string) bool {
	if w := p.peek(); !p.done() && !w.quoted && strings.EqualFold(w.text, text) {
		p.at++
		return true
	}
	return false
}

func (p *filterParser) expect(text string) error {
	if !p.take(text) {
		return fmt.Errorf("expected %q before %q", text, p.peek().text)
	}
	return nil
}

func (p *filterParser) or(depth int) (condition, error) {
	return p.chain(depth, "or", p.and, func(a, b condition) condition {
		return func(o map[string]any) bool { return a(o) || b(o) }
	})
}

func (p *filterParser) and(depth int) (condition, error) {
	return p.chain(depth, "and", p.unary, func(a, b condition) condition {
		return func(o map[string]any) bool { return a(o) && b(o) }
	})
}

func (p *filterParser) chain(depth int, sign string, part func(int) (condition, error), join func(a, b condition) condition) (condition, error) {
	left, err := part(depth)
	for err == nil && p.take(sign) {
		var right condition
		if right, err = part(depth); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *filterParser) unary(depth int) (condition, error) {
	if depth > filterDepth {
		return nil, fmt.Errorf("the filter is nested more than %d deep", filterDepth)
	}
	switch {
	case p.take("not"):
		p.out.advanced = true
		inner, err := p.unary(depth + 1)
		return func(o map[string]any) bool { return !inner(o) }, err
	case p.take("("):
		inner, err := p.or(depth + 1)
		if err == nil {
			err = p.expect(")")
		}
		return inner, err
	}
	return p.term()
}

func (p *filterParser) term() (condition, error) {
	name := p.next()
	if name.quoted || name.text == "" || strings.Contains("(),:", name.text) {
		return nil, fmt.Errorf("expected a property before %q", name.text)
	}
	switch fn := strings.ToLower(name.text); {
	case fn == "startswith" || fn == "endswith" || fn == "contains":
		return p.function(fn)
	case strings.HasSuffix(fn, "/any"):
		return p.any(name.text[:len(name.text)-len("/any")])
	}
	test, err := p.comparison()
	if err != nil {
		return nil, err
	}
	return p.on(name.text, test), nil
}

// on applies a test to a property, which may be a path into a nested object.
func (p *filterParser) on(name string, test func(any) bool) condition {
	p.out.names = append(p.out.names, name)
	path := strings.Split(name, "/")
	return func(o map[string]any) bool { return test(lookup(o, path)) }
}

func lookup(o map[string]any, path []string) any {
	var v any = o
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// function reads the rest of startswith(name,'text') and its like.
func (p *filterParser) function(fn string) (condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	name := p.next()
	if err := p.expect(","); err != nil {
		return nil, err
	}
	value := p.next()
	if !value.quoted {
		return nil, fmt.Errorf("%s needs a quoted text", fn)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if p.take("eq") && !p.take("true") {
		return nil, fmt.Errorf("%s can only be compared with true", fn)
	}
	if fn == "endswith" {
		p.out.advanced = true
	}
	want := strings.ToLower(value.text)
	return p.on(name.text, func(v any) bool {
		text, ok := v.(string)
		text = strings.ToLower(text)
		switch {
		case !ok:
			return false
		case fn == "startswith":
			return strings.HasPrefix(text, want)
		case fn == "endswith":
			return strings.HasSuffix(text, want)
		}
		return strings.Contains(text, want)
	}), nil
}

// any reads the rest of list/any(x:x eq 'text') and list/any(x:startswith(x,'text')).
func (p *filterParser) any(name string) (condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	variable := p.next().text
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	inner := &filterParser{words: p.words, at: p.at, out: &filter{}}
	keep, err := inner.or(filterDepth / 2)
	if err != nil {
		return nil, err
	}
	p.at = inner.at
	for _, n := range inner.out.names {
		if n != variable && !strings.HasPrefix(n, variable+"/") {
			return nil, fmt.Errorf("any() over %q looks at %q", variable, n)
		}
	}
	p.out.advanced = p.out.advanced || inner.out.advanced
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return p.on(name, func(v any) bool {
		list, _ := v.([]any)
		for _, item := range list {
			if keep(map[string]any{variable: item}) {
				return true
			}
		}
		return false
	}), nil
}

func (p *filterParser) comparison() (func(any) bool, error) {
	sign := p.next()
	op := strings.ToLower(sign.text)
	switch {
	case sign.quoted:
		return nil, fmt.Errorf("expected an operator before %q", sign.text)
	case op == "in":
		return p.list()
	case strings.Contains(" eq ne gt ge lt le ", " "+op+" ") && op != "":
	default:
		return nil, fmt.Errorf("unknown operator %q", sign.text)
	}
	if p.done() {
		return nil, fmt.Errorf("nothing stands behind %s", op)
	}
	want := p.next()
	if !want.quoted && strings.Contains("(),:", want.text) {
		return nil, fmt.Errorf("expected a value before %q", want.text)
	}
	if op == "ne" {
		p.out.advanced = true
	}
	return func(v any) bool {
		c, comparable := compare(v, want)
		switch op {
		case "eq":
			return comparable && c == 0
		case "ne":
			return !comparable || c != 0
		case "gt":
			return comparable && c > 0
		case "ge":
			return comparable && c >= 0
		case "lt":
			return comparable && c < 0
		}
		return comparable && c <= 0
	}, nil
}

func (p *filterParser) list() (func(any) bool, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var values []word
	for {
		w := p.next()
		if !w.quoted && (w.text == "" || strings.Contains("(),:", w.text)) {
			return nil, fmt.Errorf("expected a value before %q", w.text)
		}
		values = append(values, w)
		if p.take(")") {
			break
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
	return func(v any) bool {
		for _, w := range values {
			if c, ok := compare(v, w); ok && c == 0 {
				return true
			}
		}
		return false
	}, nil
}

// compare orders a JSON value against a literal. Text compares without case,
// as Graph compares it; times compare as times.
func compare(v any, lit word) (int, bool) {
	switch v := v.(type) {
	case nil:
		return 0, !lit.quoted && lit.text == "null"
	case bool:
		b, err := strconv.ParseBool(lit.text)
		if err != nil || lit.quoted || v != b {
			return 1, err == nil
		}
		return 0, true
	case float64:
		n, err := strconv.ParseFloat(lit.text, 64)
		switch {
		case err != nil:
			return 0, false
		case v < n:
			return -1, true
		case v > n:
			return 1, true
		}
		return 0, true
	case string:
		if a, err := time.Parse(time.RFC3339, v); err == nil {
			if b, err := time.Parse(time.RFC3339, lit.text); err == nil {
				return a.Compare(b), true
			}
		}
		if !lit.quoted && lit.text == "null" {
			return 1, true
		}
		return strings.Compare(strings.ToLower(v), strings.ToLower(lit.text)), true
	}
	return 0, false
}
