// Package learn asks Microsoft Learn for articles: by its documented MCP server,
// whose tools are discovered at run time, and where that does not answer by
// Learn's search.
//
// Invariants:
//
//   - What leaves is the query that it is given and nothing else: no name of the
//     tenant, no ID, no header of ours but the program's own.
//   - A question takes [Limit] at most, both ways together.
//   - Nothing that comes back is trusted: titles and texts are cut, and a link
//     that is not Learn's own is dropped.
package learn
