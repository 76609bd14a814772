// Command rsie evolves evolution strategies and trains models with them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailure     = 1
	exitBadInput    = 2
	exitInterrupted = 3
)

// cli is the command line; each field is one subcommand, in a file of its name.
type cli struct {
	Evolve   evolveCmd   `cmd:"" help:"Learn strategies on a suite of tasks: the main job."`
	Resume   resumeCmd   `cmd:"" help:"Continue an interrupted run to the result it would have had."`
	Train    trainCmd    `cmd:"" help:"Train a model on a task with a strategy."`
	Predict  predictCmd  `cmd:"" help:"Apply a trained model to the rows of a CSV file."`
	Sample   sampleCmd   `cmd:"" help:"Let a trained text model write."`
	Compare  compareCmd  `cmd:"" help:"Compare strategies on tasks with intervals and tests."`
	Explain  explainCmd  `cmd:"" help:"Say by experiment what each gene of a strategy contributes."`
	Strategy strategyCmd `cmd:"" help:"List, show, compare or check strategies."`
	Tasks    tasksCmd    `cmd:"" help:"List, show or evaluate tasks; measure anchors."`
	Report   reportCmd   `cmd:"" help:"Write a run, or two side by side, as one HTML page with pictures."`
	Show     showCmd     `cmd:"" help:"Print a run on the terminal."`
	Plot     plotCmd     `cmd:"" help:"Write one picture of a run as SVG or PNG."`
	Watch    watchCmd    `cmd:"" help:"Serve a page that shows runs while they run, and steers them."`
	Export   exportCmd   `cmd:"" help:"Write a run or a model as files that other tools read."`
	Init     initCmd     `cmd:"" help:"Make a commented starter project, from a CSV file when one is given."`
	Doctor   doctorCmd   `cmd:"" help:"Show what this machine and this program can do."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// env is what a command gets besides its own flags.
type env struct {
	ctx            context.Context
	stdout, stderr io.Writer
}

// errInterrupted means that the run was stopped by the user and is saved.
var errInterrupted = errors.New("interrupted")

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run parses args, carries out the command and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("rsie"),
		kong.Description("RSIE evolves evolution strategies: it searches for the algorithm that trains models.\n\n"+
			"Start with: rsie evolve. Fitness is minimised; quality, area and meta-fitness are maximised."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "rsie:", err)
		return exitFailure
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "rsie: %s; see %s --help\n", oneLine(err), commandOf(err))
		return exitBadInput
	}
	out := &checkedWriter{w: stdout}
	if err = parsed.Run(&env{ctx, out, stderr}); err == nil {
		err = out.err
	}
	return exitCode(err, stderr)
}

// checkedWriter keeps the first error of writing a result, so that a full disk behind standard
// output does not pass for success.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("cannot write the result to standard output: %w", err)
	}
	return n, err
}

// commandOf returns the command that a wrong command line got as far as.
func commandOf(err error) string {
	var parse *kong.ParseError
	if !errors.As(err, &parse) || parse.Context == nil {
		return "rsie"
	}
	names := []string{"rsie"}
	for _, step := range parse.Context.Path {
		if step.Command != nil {
			names = append(names, step.Command.Name)
		}
	}
	return strings.Join(names, " ")
}

// oneLine returns the text of an error without line ends, which parsers of files put in.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// exitCode prints err once and returns its exit code.
func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "rsie: interrupted; nothing was written")
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "rsie:", oneLine(err))
	for _, fault := range []error{rsie.ErrInvalid, rsie.ErrNotFound, rsie.ErrUnsupported} {
		if errors.Is(err, fault) {
			return exitBadInput
		}
	}
	if diskFull(err) {
		return exitBadInput
	}
	return exitFailure
}

// diskFull reports whether an error, of the system or of SQLite, says that the disk is full.
func diskFull(err error) bool {
	const sqliteFull = 13 // https://sqlite.org/rescode.html#full
	var coded interface{ Code() int }
	return errors.Is(err, syscall.ENOSPC) || errors.As(err, &coded) && coded.Code()&0xff == sqliteFull
}
