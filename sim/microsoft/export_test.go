package microsoft

// AnswerDNS is the answer to one datagram.
func AnswerDNS(s *Server, query []byte) []byte { return s.answerDNS(query) }

// ParseFilter parses a $filter and applies it to an object.
func ParseFilter(text string, object map[string]any) (bool, error) {
	f, err := parseFilter(text)
	if err != nil {
		return false, err
	}
	return f.keep(object), nil
}
