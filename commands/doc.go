// Package commands is what people can type and click: one file a verb, and
// one table from which help is generated.
//
// Every request passes [Table.Decide], the one choke point: it finds the
// intent, the tenant that the place speaks for, the person behind the account,
// and whether this person may ask that. Verbs then decide purely: they read the
// draft's view and fill its write set.
//
//	request ──▶ guest? ──▶ intent ──▶ tenant ──▶ person ──▶ may they? ──▶ verb ──▶ reply + changes
//	              no        unknown:    unclear:              no: who can
//	                        did you     which one?            change that
//	                        mean?
//
// Invariants:
//
//   - What no line of the table allows is denied: a line that names no [Level]
//     is for nobody, and guests may nothing.
//   - A level opens the door to a verb. Acts on a step are checked further: the
//     person holds the step's role now, is one of those whom the run asks, and
//     nobody else has taken the step.
//   - Who holds a role is what the configuration says with what owners said
//     since ([bot.Tenant.With]); who is an owner is the configuration's alone.
//   - A refusal says who may, and changes nothing: not even the tenant that a
//     channel speaks for, which its first use by somebody who may decides, and
//     which then stays.
//   - A button names what it saw: run, step and plan digest. What was decided
//     or has changed meanwhile is answered with who decided, never acted on.
//   - Every button has a command that does the same.
package commands
