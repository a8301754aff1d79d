// Package beside finds what tests compare with and the project does not
// contain: recorded requests, answers and incidents (data), and published
// schemas and descriptions (contracts).
//
// The environment variables KEYTURN_DATA and KEYTURN_CONTRACTS name the two
// folders. Without them they are looked for in a folder "shared" beside the
// module. A test that does not find what it needs is skipped and says which
// variable it misses: a check that must not miss any looks for that name.
package beside
