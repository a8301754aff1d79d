// Package learn plays Microsoft Learn: its MCP server with the tools that its
// documentation names, and its search, over a few invented articles. Faults are
// scripted: each way can be silent, slow or broken.
//
// Invariants:
//
//   - It keeps every query that it was asked, so that a test can hold what left.
//   - It answers by how many words of the query an article has, which is worse
//     than the real one, never better.
package learn
