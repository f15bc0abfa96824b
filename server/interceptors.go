package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// adminService is the server's internal control plane: it can close shards and rewrite mutable state. A development
// server has no use for it, and a request to it could leave the server useless, so the frontend refuses it.
const adminService = "/temporal.server.api.adminservice.v1.AdminService/"

// guardOptions make a gRPC server outlive its handlers. grpc.UnaryInterceptor and grpc.StreamInterceptor put a guard
// outside every chained interceptor: a panic in the server's own interceptors is caught as well.
func guardOptions(logger log.Logger) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(recoverUnary(logger)),
		grpc.StreamInterceptor(recoverStream(logger)),
	}
}

func recoverUnary(logger log.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
		defer recoverInto(&err, info.FullMethod, logger)
		if err := refuseAdmin(info.FullMethod); err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

func recoverStream(logger log.Logger) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer recoverInto(&err, info.FullMethod, logger)
		if err := refuseAdmin(info.FullMethod); err != nil {
			return err
		}
		return handler(server, stream)
	}
}

// recoverInto must be deferred directly, or recover finds nothing.
func recoverInto(err *error, method string, logger log.Logger) {
	value := recover()
	if value == nil {
		return
	}
	logger.Error("request panicked",
		tag.String("method", method), tag.String("panic", fmt.Sprint(value)), tag.SysStackTrace(string(debug.Stack())))
	*err = status.Errorf(codes.Internal, "%s failed: %v", method, value)
}

func refuseAdmin(method string) error {
	if strings.HasPrefix(method, adminService) {
		return status.Error(codes.PermissionDenied, "the development server does not serve AdminService")
	}
	return nil
}
