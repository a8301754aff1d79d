// Package about is the pages about this Keyturn that anybody may read without
// signing in: what it is, what it keeps of people, and on which terms it is
// used. The manifest of the Teams app names their addresses, and Teams shows
// them to whoever looks at the app.
//
// They say nothing about the organisation, its people or its state: whoever
// finds the address learns that a Keyturn is there, and no more. They take no
// input, set no cookie, and load nothing from elsewhere.
package about
