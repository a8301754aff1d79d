// Package commands is what people can type and click: one file a verb, and
// one table from which help is generated.
//
// Every request passes [Table.Decide], the one choke point: it finds the
// tenant that the place speaks for, the person behind the account, the intent,
// and whether this person may ask that. What no line of the table allows is
// denied. Verbs then decide purely: they read the draft's view and fill its
// write set.
//
//	request ──> intent ──> tenant ──> person ──> may they? ──> verb ──> reply + changes
package commands
