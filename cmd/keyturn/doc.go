// Command keyturn is the bot, its demo and its tools. It wires what the other
// packages make and decides nothing: this is the only place where an adapter
// meets the store.
//
//	serve     the bot: chat in, Microsoft and ServiceNow out, one file of state
//	demo, sim the same bot, or one system alone, against simulators
//	check     every error of a configuration at once, each with its fix
//	doctor    asks every system with the configured credentials; writes nothing
//	preview, manifest, key, version      need neither configuration nor state
//	backup, audit                        read the state
//
// Invariants:
//
//   - A command ends with 0 when it did what it says, 1 when it could not, and
//     2 when it was called wrongly. What it prints for people who err goes to
//     the error output, each error with what to do.
//   - Secrets stand in the configuration by reference only (env:NAME,
//     file:/path) and are printed by no command but key, which makes one.
//   - The data file belongs to one process. While the bot runs, the commands
//     that read state ask it through a Unix socket beside the file.
package main
