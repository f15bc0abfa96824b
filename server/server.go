package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/temporal"
	"go.uber.org/dig"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	// startTimeout bounds the way to the ready line. It takes a second or two on an idle machine.
	startTimeout = 90 * time.Second
	// stopTimeout bounds a clean stop. What is cut off then is only waiting: SQLite transactions are atomic.
	stopTimeout = 5 * time.Second
)

// serve runs the server until a signal, or the end of the parent, stops it.
func serve(opts *options, stdout, stderr io.Writer) error {
	stop := stopRequests(opts.parentPID)
	fatal := newFatalPolicy()
	level := zap.NewAtomicLevelAt(opts.logLevel.zap)
	logger := newLogger(stderr, level, opts.logFormat, fatal.raise)

	started := make(chan startResult, 1)
	go func() {
		// Goexit, with which a fatal event ends this goroutine, leaves the error in place.
		result := startResult{err: errors.New("the server did not start")}
		defer func() { started <- result }()
		result = start(opts, logger)
	}()
	var s *devServer
	select {
	case <-stop:
		return nil
	case message := <-fatal.failedStart():
		return errors.New(message)
	case result := <-started:
		if result.err != nil {
			return startError(result.err, fatal)
		}
		s = result.server
	}
	defer s.release()
	fatal.setReady()
	if err := s.announcement.write(stdout, opts.output); err != nil {
		return errors.Join(err, s.stop(0))
	}
	drain := <-stop
	if opts.logLevel.zap >= zapcore.WarnLevel {
		// The parts of the server complain of each other's end, which is as it should be.
		level.SetLevel(zapcore.InvalidLevel)
	}
	return s.stop(drain)
}

type startResult struct {
	server *devServer
	err    error
}

func start(opts *options, logger log.Logger) startResult {
	s, err := newDevServer(opts, logger)
	if err != nil {
		return startResult{err: err}
	}
	return startResult{server: s, err: s.start()}
}

// startError prefers the fatal event that made the start fail.
func startError(err error, fatal *fatalPolicy) error {
	select {
	case message := <-fatal.failedStart():
		return errors.New(message)
	default:
		return err
	}
}

// devServer is everything that runs in this process.
type devServer struct {
	opts         *options
	logger       log.Logger
	database     *database
	services     *services
	temporal     temporal.Server
	ui           *uiserver.Server
	listener     net.Listener
	uiPort       int
	announcement announcement
}

// newDevServer opens the ports and the database and assembles the Temporal server; nothing serves yet. What it has taken
// when it fails goes with the process.
func newDevServer(opts *options, logger log.Logger) (_ *devServer, err error) {
	s := &devServer{opts: opts, logger: logger}
	if s.listener, err = listen(opts.ip, opts.port, "--port"); err != nil {
		return nil, err
	}
	httpPort, err := pickPort(opts.ip, opts.httpPort, "--http-port")
	if err != nil {
		return nil, err
	}
	if !opts.headless {
		if s.uiPort, err = pickPort(opts.ip, opts.uiPort, "--ui-port"); err != nil {
			return nil, err
		}
	}
	meter := metrics.NoopMetricsHandler
	if opts.metricsPort != portUnset {
		port, err := pickPort(opts.ip, opts.metricsPort, "--metrics-port")
		if err != nil {
			return nil, err
		}
		if meter, err = serveMetrics(opts.ip, port, logger); err != nil {
			return nil, err
		}
		s.announcement.Metrics = address("http://", reachable(opts.ip, port), metricsPath)
	}

	if s.database, err = openDatabase(opts.database); err != nil {
		return nil, err
	}
	if err := s.database.createNamespaces(opts.namespaces, opts.searchAttributes); err != nil {
		return nil, err
	}

	s.announcement.GRPC = reachable(opts.ip, portOf(s.listener))
	s.announcement.HTTP = *address("http://", reachable(opts.ip, httpPort), "")
	s.announcement.Namespaces = opts.namespaces
	if opts.database != "" {
		s.announcement.Database = &opts.database
	}
	if !opts.headless {
		s.announcement.UI = address("http://", reachable(opts.ip, s.uiPort), "")
	}

	s.services = newServices(s.listener)
	s.temporal, err = temporal.NewServerFx(s.services.module(),
		temporal.WithConfig(configOf(s.database.config, s.announcement.GRPC, httpPort)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(s.services.hosts(s.announcement.GRPC)),
		temporal.WithDynamicConfigClient(settingsOf(opts, reachable(opts.ip, httpPort))),
		temporal.WithLogger(logger),
		temporal.WithCustomMetricsHandler(meter),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("cannot set up the server: %w", dig.RootCause(err))
	}
	return s, nil
}

// start serves, and returns when every namespace answers.
func (s *devServer) start() error {
	if err := s.temporal.Start(); err != nil {
		return fmt.Errorf("cannot start the server: %w", err)
	}
	if !s.opts.headless {
		s.ui = startUI(s.opts.ip, s.uiPort, s.announcement.GRPC, s.opts.uiCodecEndpoint)
	}

	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := grpc.NewClient(s.announcement.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, namespace := range s.opts.namespaces {
		if err := waitServing(ctx, conn, namespace); err != nil {
			return err
		}
		if err := completeSearchAttributes(ctx, conn, namespace, s.opts.searchAttributes); err != nil {
			return err
		}
	}
	if s.ui != nil {
		if err := waitAnswering(ctx, *s.announcement.UI); err != nil {
			return fmt.Errorf("the Web UI does not answer: %w", err)
		}
	}
	return nil
}

// stop ends a started server: requests that are open get the drain time to end.
func (s *devServer) stop(drain time.Duration) error {
	if s.ui != nil {
		s.ui.Stop()
	}
	if drain == 0 {
		s.services.stopFrontend()
	} else {
		defer time.AfterFunc(drain, s.services.stopFrontend).Stop()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.temporal.Stop() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(stopTimeout):
		s.logger.Warn("stopped waiting for a clean stop")
		return nil
	}
}

// release gives back what newDevServer took.
func (s *devServer) release() {
	if s.database != nil {
		s.database.close()
	}
	if s.listener != nil {
		_ = s.listener.Close()
	}
}

func address(scheme, hostPort, path string) *string {
	full := scheme + hostPort + path
	return &full
}
