package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestVersionAndHelp(t *testing.T) {
	p := launch(t, "--version")
	require.Equal(t, versionLine()+"\n", p.line())
	require.Zero(t, p.exitCode())
	require.Contains(t, versionLine(), "1.32.1")
	require.Contains(t, versionLine(), "2.55.0")

	p = launch(t, "--help")
	require.Contains(t, p.line(), "Usage: invincible-server")
	require.Zero(t, p.exitCode())
}

func TestUsageErrorsExitWithTwo(t *testing.T) {
	p := launch(t, "--port", "seven")
	require.Equal(t, exitUsage, p.exitCode())
	require.Equal(t, 1, strings.Count(p.stderr.String(), "\n"), p.stderr.String())
	require.Contains(t, p.stderr.String(), "seven")
}

func TestReadyLineNamesWhatServes(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--namespace", "more", "--metrics-port", "0", "--search-attribute", "Customer=Keyword",
		"--ui-codec-endpoint", "http://localhost:8081/codec/")
	require.Equal(t, []string{"default", "more"}, server.ready.Namespaces)
	require.Equal(t, server.cmd.Process.Pid, server.ready.PID)
	require.Equal(t, "1.32.1", server.ready.ServerVersion)
	require.Equal(t, "2.55.0", server.ready.UIVersion)
	require.Nil(t, server.ready.Database)

	require.Contains(t, get(t, *server.ready.UI), "<html")
	require.Contains(t, get(t, *server.ready.UI+"/api/v1/namespaces"), `"more"`)
	require.Contains(t, get(t, *server.ready.UI+"/api/v1/settings"), `"Endpoint":"http://localhost:8081/codec"`)
	require.Contains(t, get(t, *server.ready.Metrics), "# TYPE service_requests")
	require.Contains(t, get(t, server.ready.HTTP+"/api/v1/namespaces"), `"more"`)

	conn := server.connect()
	for _, namespace := range server.ready.Namespaces {
		completeWorkflow(t, workflowservice.NewWorkflowServiceClient(conn), namespace, "workflow")
		require.Equal(t, enumspb.INDEXED_VALUE_TYPE_KEYWORD, searchAttributesOf(t, server, namespace)["Customer"])
	}
}

func TestHeadlessHasNoUI(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--headless")
	require.Nil(t, server.ready.UI)
	require.Nil(t, server.ready.Metrics)
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func searchAttributesOf(t *testing.T, server *process, namespace string) map[string]enumspb.IndexedValueType {
	t.Helper()
	operator := operatorservice.NewOperatorServiceClient(server.connect())
	attributes, err := operator.ListSearchAttributes(withDeadline(t),
		&operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	require.NoError(t, err)
	return attributes.GetCustomAttributes()
}

func TestTakenPorts(t *testing.T) {
	t.Parallel()
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = holder.Close() }()
	port := strconv.Itoa(portOf(holder))

	for _, flag := range []string{"--port", "--ui-port", "--http-port", "--metrics-port"} {
		args := []string{flag, port}
		if flag != "--port" {
			args = append(args, "--port", "0")
		}
		p := launch(t, args...)
		require.Equal(t, exitError, p.exitCode())
		require.Equal(t,
			fmt.Sprintf("invincible-server: port %s is already in use on 127.0.0.1: choose another with %s (0 picks a free one)",
				port, flag),
			p.lastErrorLine())
	}
}

func TestForeignAddress(t *testing.T) {
	p := launch(t, "--ip", "192.0.2.1", "--port", "7233")
	require.Equal(t, exitError, p.exitCode())
	require.Contains(t, p.lastErrorLine(), "cannot listen on 192.0.2.1:7233")
}

func TestNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database\n", 500)), 0o600))
	p := launch(t, "--port", "0", "--db", path)
	require.Equal(t, exitError, p.exitCode())
	require.Contains(t, p.lastErrorLine(), path+" is not a SQLite database")
}

func TestSignalsStopCleanly(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		server := startServer(t)
		frontend := workflowservice.NewWorkflowServiceClient(server.connect())
		polled := make(chan error, 1)
		go func() {
			_, err := frontend.PollWorkflowTaskQueue(withDeadline(t), pollRequest(defaultNamespace, "idle"))
			polled <- err
		}()
		require.Eventually(t, func() bool { return hasPoller(t, frontend, "idle") }, processDeadline, probeInterval)

		begin := time.Now()
		require.NoError(t, server.cmd.Process.Signal(signal))
		rest, err := io.ReadAll(server.stdout)
		require.NoError(t, err)
		require.Empty(t, rest, "nothing follows the ready line")
		require.Equal(t, exitOK, server.exitCode(), server.stderr.String())
		require.Less(t, time.Since(begin), stopTimeout)
		require.Empty(t, server.stderr.String(), "a server that stops has nothing to warn of")
		<-polled
	}
}

func hasPoller(t *testing.T, frontend workflowservice.WorkflowServiceClient, taskQueue string) bool {
	description, err := frontend.DescribeTaskQueue(withDeadline(t), &workflowservice.DescribeTaskQueueRequest{
		Namespace:     defaultNamespace,
		TaskQueue:     pollRequest(defaultNamespace, taskQueue).GetTaskQueue(),
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	require.NoError(t, err)
	return len(description.GetPollers()) > 0
}

func TestClosedPipesDoNotStopTheServer(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	server := startServerWith(t, writer, "--headless", "--log-level", "debug")
	require.NoError(t, reader.Close())
	require.NoError(t, writer.Close())
	conn := server.connect()
	for range 3 {
		requireServing(t, conn)
	}
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, server.exitCode())
}

func TestKilledServerKeepsWorkflows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "durable.db")
	server := startServer(t, "--headless", "--db", path)
	require.Equal(t, path, *server.ready.Database)
	startWorkflow(t, workflowservice.NewWorkflowServiceClient(server.connect()), defaultNamespace, "survivor")
	require.NoError(t, server.cmd.Process.Kill())
	server.exitCode()

	server = startServer(t, "--headless", "--db", path)
	frontend := workflowservice.NewWorkflowServiceClient(server.connect())
	finishWorkflow(t, frontend, defaultNamespace, "survivor")
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, server.exitCode())

	server = startServer(t, "--headless", "--db", path)
	frontend = workflowservice.NewWorkflowServiceClient(server.connect())
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, statusOf(t, frontend, defaultNamespace, "survivor"))
}

func TestRestartAddsNamespacesAndSearchAttributes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "grows.db")
	stop := func(server *process) {
		require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
		require.Equal(t, exitOK, server.exitCode())
	}
	stop(startServer(t, "--headless", "--db", path, "--search-attribute", "First=Int"))

	server := startServer(t, "--headless", "--db", path, "--namespace", "later",
		"--search-attribute", "First=Int", "--search-attribute", "Second=Text")
	for _, namespace := range []string{"default", "later"} {
		attributes := searchAttributesOf(t, server, namespace)
		require.Equal(t, enumspb.INDEXED_VALUE_TYPE_INT, attributes["First"])
		require.Equal(t, enumspb.INDEXED_VALUE_TYPE_TEXT, attributes["Second"])
	}
	stop(server)

	p := launch(t, "--port", "0", "--headless", "--db", path, "--search-attribute", "First=Bool")
	require.Equal(t, exitError, p.exitCode())
	require.Contains(t, p.lastErrorLine(), `search attribute "First" of namespace "default" is Int in the database, not Bool`)
}

func TestOneServerPerFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shared.db")
	startServer(t, "--headless", "--db", path)
	p := launch(t, "--port", "0", "--headless", "--db", path)
	require.Equal(t, exitError, p.exitCode())
	require.Contains(t, p.lastErrorLine(), path+" is in use by another server")
}

func TestRemoteClusterWithoutAddress(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--headless")
	conn := server.connect()
	for address, want := range map[string]codes.Code{
		"":                codes.Internal,
		"nowhere":         codes.Internal,
		server.ready.GRPC: codes.Unavailable, // itself: it does not serve AdminService
	} {
		_, err := operatorservice.NewOperatorServiceClient(conn).AddOrUpdateRemoteCluster(withDeadline(t),
			&operatorservice.AddOrUpdateRemoteClusterRequest{FrontendAddress: address})
		require.Equal(t, want, status.Code(err), "%q: %v", address, err)
	}
	require.Contains(t, server.stderr.String(), "Invalid rpcAddress for remote cluster")
	requireServing(t, conn)
}
