package main

import (
	"context"
	"net"

	"go.temporal.io/server/chasm"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/serialization"
	"go.temporal.io/server/common/pprof"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/resource"
	"go.temporal.io/server/service/frontend"
	"go.temporal.io/server/service/history"
	"go.temporal.io/server/service/history/replication"
	"go.temporal.io/server/service/matching"
	"go.temporal.io/server/service/worker"
	"go.temporal.io/server/temporal"
	"go.uber.org/fx"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
)

// pipeBuffer is the size of the in-memory buffer of one connection between services, in bytes per direction.
const pipeBuffer = 1 << 18

// services says where the four services of the server listen. Only the frontend has a port. History and matching talk
// through memory: no second port to find free, and none on which a stranger's request could reach them.
type services struct {
	frontend       net.Listener
	frontendServer *grpc.Server
	pipes          map[primitives.ServiceName]*bufconn.Listener
}

func newServices(frontendListener net.Listener) *services {
	pipes := map[primitives.ServiceName]*bufconn.Listener{}
	for _, name := range []primitives.ServiceName{
		primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		pipes[name] = bufconn.Listen(pipeBuffer)
	}
	return &services{frontend: frontendListener, pipes: pipes}
}

// hosts is the static membership: this process, once per service.
func (s *services) hosts(frontendAddress string) map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{
		primitives.FrontendService: static.SingleLocalHost(frontendAddress),
	}
	for name := range s.pipes {
		// The scheme keeps gRPC from asking DNS for the name.
		hosts[name] = static.SingleLocalHost("passthrough:///" + string(name))
	}
	return hosts
}

// stopFrontend closes the gRPC port and cancels the requests that are still open.
func (s *services) stopFrontend() {
	s.frontendServer.Stop()
}

// module is temporal.TopLevelModule with this process's listeners and guards in each service.
func (s *services) module() fx.Option {
	return fx.Options(
		fx.Provide(
			temporal.NewServerFxImpl,
			temporal.ServerOptionsProvider,
			temporal.TaskCategoryRegistryProvider,
			temporal.ApplyClusterMetadataConfigProvider,
			resource.ArchivalMetadataProvider,
			s.provider(primitives.FrontendService, frontend.Module, fx.Decorate(guardFrontend),
				fx.Supply([]grpc.UnaryServerInterceptor(nil)), fx.Populate(&s.frontendServer)),
			s.provider(primitives.HistoryService, history.QueueModule, history.Module, replication.Module,
				fx.Decorate(guardService), fx.Decorate(newLatestNotifier)),
			s.provider(primitives.MatchingService, matching.Module, fx.Decorate(guardService)),
			s.provider(primitives.WorkerService, worker.Module),
		),
		dynamicconfig.Module,
		pprof.Module,
		temporal.TraceExportModule,
		chasm.Module,
		serialization.Module,
		temporal.FxLogAdapter,
		fx.Invoke(temporal.ServerLifetimeHooks),
	)
}

func (s *services) provider(
	name primitives.ServiceName,
	modules ...fx.Option,
) func(temporal.ServiceProviderParamsCommon) (temporal.ServicesGroupOut, error) {
	return func(params temporal.ServiceProviderParamsCommon) (temporal.ServicesGroupOut, error) {
		app := fx.New(
			params.GetCommonServiceOptions(name),
			fx.Decorate(func() net.Listener { return s.listener(name) }),
			fx.Decorate(s.dialThroughPipes),
			fx.Options(modules...),
		)
		return temporal.NewService(app, name, params.Logger), app.Err()
	}
}

func (s *services) listener(name primitives.ServiceName) net.Listener {
	if pipe, ok := s.pipes[name]; ok {
		return pipe
	}
	return s.frontend
}

// dialThroughPipes adds the dialers to the options with which services connect to each other.
func (s *services) dialThroughPipes(
	options map[primitives.ServiceName][]grpc.DialOption,
) map[primitives.ServiceName][]grpc.DialOption {
	for name, pipe := range s.pipes {
		dialer := func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }
		options[name] = append(options[name], grpc.WithContextDialer(dialer))
	}
	return options
}

func guardService(options []grpc.ServerOption, logger log.SnTaggedLogger) []grpc.ServerOption {
	return append(options, guardOptions(logger)...)
}

// guardFrontend also guards the HTTP API, which calls the handlers through the unary interceptors alone.
func guardFrontend(options frontend.GrpcServerOptions, logger log.SnTaggedLogger) frontend.GrpcServerOptions {
	options.Options = append(options.Options, guardOptions(logger)...)
	options.UnaryInterceptors = append([]grpc.UnaryServerInterceptor{recoverUnary(logger)}, options.UnaryInterceptors...)
	return options
}
