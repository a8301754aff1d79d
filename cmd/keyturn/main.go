package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

// cli is every command with its flags.
type cli struct {
	Serve    serveCmd    `cmd:"" help:"Run the bot."`
	Check    checkCmd    `cmd:"" help:"Find every error of a configuration, each with its fix."`
	Doctor   doctorCmd   `cmd:"" help:"Ask every system with the configured credentials, and say of each what is fine and what is broken, with its fix."`
	Demo     demoCmd     `cmd:"" help:"Run the bot against simulators, with a chat page to play every role."`
	Sim      simCmd      `cmd:"" help:"Run one simulator alone."`
	Preview  previewCmd  `cmd:"" help:"Render issues or messages in Graph shape to one platform payload a line."`
	Manifest manifestCmd `cmd:"" help:"Print an app manifest."`
	Key      keyCmd      `cmd:"" help:"Make a sealing key, or add one to rotate."`
	Pack     packCmd     `cmd:"" name:"request-pack" help:"Write a page for each of the people who must agree before the first run."`
	Backup   backupCmd   `cmd:"" help:"Copy the state to a file while the bot runs."`
	Restore  restoreCmd  `cmd:"" help:"Put a backup in the place of the state, once it is verified."`
	State    stateCmd    `cmd:"" help:"Check or compact the state."`
	Audit    auditCmd    `cmd:"" help:"Verify, export or report from the audit trail."`
	Erase    eraseCmd    `cmd:"" help:"Erase a person's names from the state; IDs and pseudonyms stay, and the audit trail whole."`
	Export   exportCmd   `cmd:"" help:"Print what Keyturn knows, as JSON."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// console is what commands read and write.
type console struct {
	ctx context.Context
	out io.Writer
	err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: everything but the process. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exit := -1
	parser, err := kong.New(&cli{}, kong.Name("keyturn"), kong.Description("A ChatOps bot for Microsoft 365 service health and ServiceNow."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		fmt.Fprintln(stderr, "keyturn:", err)
		return 2
	}
	if len(args) == 0 || args[0] == "help" {
		args = append(slices.Clone(args[min(1, len(args)):]), "--help")
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help
	}
	if err != nil {
		fmt.Fprintf(stderr, "keyturn: %v\n\nkeyturn help lists the commands, keyturn COMMAND --help what one of them takes.\n", err)
		return 2
	}
	if err := k.Run(&console{ctx: ctx, out: stdout, err: stderr}); err != nil {
		fmt.Fprintln(stderr, "keyturn:", err)
		return 1
	}
	return 0
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(c *console) error {
	fmt.Fprintln(c.out, "keyturn", version)
	return nil
}
