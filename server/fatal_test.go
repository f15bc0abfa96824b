package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// onNewGoroutine runs f and reports whether it returned, which a function that ends its goroutine does not.
func onNewGoroutine(f func()) (returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
		returned = true
	}()
	<-done
	return returned
}

func TestFatalBeforeReadyFailsTheStart(t *testing.T) {
	policy := newFatalPolicy()
	logger := newLogger(io.Discard, zapcore.WarnLevel, logFormatText, policy.raise)
	require.False(t, onNewGoroutine(func() {
		logger.Fatal("no listener.", tag.Error(errors.New("taken")), tag.Address("a:1"))
	}))
	require.Equal(t, "no listener: taken: a:1", <-policy.failedStart())
}

func TestFatalOnRequestIsItsError(t *testing.T) {
	// Requests come in before the server says that it is ready: they must not fail its start.
	policy := newFatalPolicy()
	logger := newLogger(io.Discard, zapcore.WarnLevel, logFormatText, policy.raise)
	handler := func(context.Context, any) (any, error) {
		log.With(logger, tag.Value("derived")).Fatal("bad address")
		return nil, nil
	}
	var err error
	require.True(t, onNewGoroutine(func() {
		info := &grpc.UnaryServerInfo{FullMethod: "/service/Method"}
		_, err = recoverUnary(logger)(t.Context(), nil, info, handler)
	}))
	require.Equal(t, codes.Internal, status.Code(err))
	require.ErrorContains(t, err, "/service/Method failed: bad address")
	require.Empty(t, policy.failedStart())
}

func TestFatalElsewhereEndsTheGoroutineOnly(t *testing.T) {
	policy := newFatalPolicy()
	policy.setReady()
	logger := newLogger(io.Discard, zapcore.WarnLevel, logFormatText, policy.raise)
	unlocked := false
	require.False(t, onNewGoroutine(func() {
		defer func() { unlocked = true }()
		logger.Fatal("broken invariant")
	}))
	require.True(t, unlocked)
	require.Empty(t, policy.failedStart())
}

func TestDerivedLoggersSurviveFatal(t *testing.T) {
	var messages []string
	logger := newLogger(io.Discard, zapcore.WarnLevel, logFormatText, func(message string) {
		messages = append(messages, message)
	})
	log.With(logger, tag.Value(1)).Fatal("with")
	logger.(log.SkipLogger).Skip(1).Fatal("skip")
	log.NewThrottledLogger(logger, func() float64 { return 1000 }).Fatal("throttled")
	require.Equal(t, []string{"with", "skip", "throttled"}, messages)
}

func TestLogFormatsAndLevels(t *testing.T) {
	for _, test := range []struct{ level, format, want string }{
		{"warn", logFormatText, "warn  shown  {\"key\": \"value\""},
		{"warn", logFormatJSON, `"message":"shown","key":"value"`},
		{"never", logFormatText, ""},
	} {
		var level logLevel
		require.NoError(t, parseLogLevel(&level)(test.level))
		var out strings.Builder
		logger := newLogger(&out, level.zap, test.format, func(string) {})
		logger.Info("hidden")
		logger.Warn("shown", tag.String("key", "value"))
		require.NotContains(t, out.String(), "hidden")
		require.Contains(t, out.String(), test.want)
		require.Equal(t, test.want == "", out.Len() == 0)
	}
}

func TestAdminServiceIsRefused(t *testing.T) {
	info := &grpc.UnaryServerInfo{FullMethod: "/temporal.server.api.adminservice.v1.AdminService/CloseShard"}
	_, err := recoverUnary(log.NewNoopLogger())(t.Context(), nil, info, func(context.Context, any) (any, error) {
		require.FailNow(t, "called")
		return nil, nil
	})
	require.Equal(t, codes.PermissionDenied, status.Code(err))
}
