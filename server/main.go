// Command invincible-server is the development server of invincible: the Temporal server, its Web UI and SQLite in
// one process, for local work and for tests.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// commandName is what the program was called: a launcher may give it the name of its own command.
func commandName() string {
	return strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
}

// run is main without the process: it parses args, serves until told to stop, and returns the exit code. Standard
// output carries the ready line only; everything meant for people goes to standard error.
func run(args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v (see --help)\n", commandName(), err)
		return exitUsage
	case opts.showVersion:
		fmt.Fprintln(stdout, versionLine())
		return exitOK
	}
	if err := serve(opts, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", commandName(), err)
		return exitError
	}
	return exitOK
}
