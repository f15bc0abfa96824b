// Command worker is the other side of the interoperability tests: a worker of Temporal's Go SDK that serves workflows,
// activities and Nexus operations to Python, and calls those that Python serves.
//
// It prints one line of JSON on standard output when it polls its task queue, and runs until SIGTERM, an interrupt or
// the end of its standard input, so that it never outlives the test that started it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
)

const (
	connectTimeout = 30 * time.Second
	// Activities hear of their cancellation when a heartbeat is sent, and tests wait for that.
	heartbeatThrottle = 50 * time.Millisecond
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "interop worker:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	opts, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()

	c, err := dial(ctx, opts)
	if err != nil {
		return fmt.Errorf("cannot connect to %s: %w", opts.address, err)
	}
	defer c.Close()

	fatal := make(chan error, 1)
	w := worker.New(c, opts.taskQueue, worker.Options{
		DefaultHeartbeatThrottleInterval: heartbeatThrottle,
		MaxHeartbeatThrottleInterval:     heartbeatThrottle,
		OnFatalError:                     func(err error) { fatal <- err },
	})
	if err := register(w); err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return fmt.Errorf("cannot poll task queue %q: %w", opts.taskQueue, err)
	}
	defer w.Stop()

	ready := map[string]any{"event": "ready", "pid": os.Getpid(), "task_queue": opts.taskQueue}
	if err := json.NewEncoder(stdout).Encode(ready); err != nil {
		return err
	}
	select {
	case err := <-fatal:
		return err
	case <-ctx.Done():
		return nil
	}
}

type options struct {
	address   string
	namespace string
	taskQueue string
}

func parseOptions(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.StringVar(&opts.address, "address", "", "the server, as host:port")
	flags.StringVar(&opts.namespace, "namespace", "default", "the namespace")
	flags.StringVar(&opts.taskQueue, "task-queue", "", "the task queue to serve")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if opts.address == "" || opts.taskQueue == "" || flags.NArg() > 0 {
		return opts, errors.New("usage: worker --address HOST:PORT --task-queue NAME [--namespace NAME]")
	}
	return opts, nil
}

func dial(ctx context.Context, opts options) (client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	warnings := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})
	return client.DialContext(ctx, client.Options{
		HostPort:  opts.address,
		Namespace: opts.namespace,
		Logger:    log.NewStructuredLogger(slog.New(warnings)),
	})
}
