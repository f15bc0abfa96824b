package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// asServer makes the test binary be the server, so that tests meet the real process: its output, signals and exit code.
const asServer = "INVINCIBLE_SERVER_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
	}
	os.Exit(m.Run())
}

const processDeadline = 60 * time.Second

// process is a server in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr *safeBuffer
	exited chan struct{}
	ready  announcement
}

func command(args ...string) *exec.Cmd {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(executable, args...)
	cmd.Args[0] = programName
	cmd.Env = append(os.Environ(), asServer+"=1")
	return cmd
}

// startServer starts a server on free ports and waits for its ready line.
func startServer(t *testing.T, args ...string) *process {
	t.Helper()
	return startServerWith(t, nil, args...)
}

// startServerWith is startServer with a standard error of the test's choice; nil keeps it for messages.
func startServerWith(t *testing.T, stderr *os.File, args ...string) *process {
	t.Helper()
	p := launchWith(t, stderr, append([]string{"--port", "0"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(p.line()), &p.ready), "stderr: %s", p.stderr)
	require.Equal(t, "ready", p.ready.Event)
	return p
}

// launch starts the program without waiting for anything; the test's end kills it.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	return launchWith(t, nil, args...)
}

func launchWith(t *testing.T, stderr *os.File, args ...string) *process {
	t.Helper()
	cmd := command(args...)
	p := &process{t: t, cmd: cmd, stderr: &safeBuffer{}, exited: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdout = bufio.NewReader(stdout)
	cmd.Stderr = p.stderr
	if stderr != nil {
		cmd.Stderr = stderr
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if p.waitable() {
			_ = cmd.Wait()
		}
	})
	return p
}

// line reads one line of standard output.
func (p *process) line() string {
	p.t.Helper()
	type result struct {
		line string
		err  error
	}
	results := make(chan result, 1)
	go func() {
		line, err := p.stdout.ReadString('\n')
		results <- result{line, err}
	}()
	select {
	case r := <-results:
		require.NoError(p.t, r.err, "stderr: %s", p.stderr)
		return r.line
	case <-time.After(processDeadline):
		require.FailNow(p.t, "no line on standard output", "stderr: %s", p.stderr)
		return ""
	}
}

func (p *process) waitable() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// exitCode waits for the end of the process.
func (p *process) exitCode() int {
	p.t.Helper()
	timer := time.AfterFunc(processDeadline, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	close(p.exited)
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		require.NoError(p.t, err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) alive() bool {
	return p.waitable() && p.cmd.Process.Signal(syscall.Signal(0)) == nil
}

func (p *process) connect() *grpc.ClientConn {
	p.t.Helper()
	conn, err := grpc.NewClient(p.ready.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// lastErrorLine is what the program said last on standard error.
func (p *process) lastErrorLine() string {
	lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
	return lines[len(lines)-1]
}

func withDeadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), processDeadline)
	t.Cleanup(cancel)
	return ctx
}

// safeBuffer is written by the process's copier while the test reads it.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
