// Package recommend finds what may explain, or mend, what a person says is
// wrong: incidents and message center posts of the tenant, articles, the
// organisation's own knowledge. It decides and does nothing: who asks gives it
// the texts.
//
//	words ─▶ [Parse] ─▶ Query: terms, concepts, services, codes ─┐
//	                                                             ├─▶ [Rank] ─▶ hits, best first,
//	texts ─▶ [NewIndex]: the same of each text, counted ─────────┘            each with why
//
// Ranking is BM25 over the stems of words, the concepts behind them (a user says
// "mail", Microsoft says "message"), products and error codes, and then a factor
// each for whether the service fits, how fresh it is, and whether it helped
// others. It is measured: testdata/labelled has symptoms in users' words and what
// they should find among some hundred texts that they should not; the ranking was
// tuned on one half, and the test holds the other.
//
// Invariants:
//
//   - A hit says why it was chosen, in words that the asker used. It may match;
//     it never is.
//   - A text that shares only what every text shares (that something does not
//     work, that users are concerned) is no hit.
//   - What may leave for an outside search, [Query.Public], is made of the words
//     of a closed list and of codes of known shapes. No other word of the asker
//     is in it, whatever they typed.
package recommend
