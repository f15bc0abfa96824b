//go:build unix

package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServerEndsWithItsParent(t *testing.T) {
	t.Parallel()
	// The shell is the parent. It waits for the server and so cannot be replaced by it.
	script := `"$0" --port 0 --headless --parent-pid $$ & wait`
	shell := exec.Command("sh", "-c", script, command().Path)
	requireEndsAfterKill(t, shell, shell)
}

func TestServerEndsWithAForeignProcess(t *testing.T) {
	t.Parallel()
	foreign := exec.Command("sleep", "1000")
	require.NoError(t, foreign.Start())
	t.Cleanup(func() { _ = foreign.Process.Kill() })
	requireEndsAfterKill(t, command("--port", "0", "--headless", "--parent-pid", strconv.Itoa(foreign.Process.Pid)), foreign)
}

func TestServerEndsWhenTheParentIsGoneAlready(t *testing.T) {
	t.Parallel()
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	p := launch(t, "--port", "0", "--headless", "--parent-pid", strconv.Itoa(gone.Process.Pid))
	require.Equal(t, exitOK, p.exitCode())
}

// requireEndsAfterKill runs cmd, a server or its parent, kills the watched process when the server is ready, and waits
// for the end of the server's output: every process that could write to it is gone then.
func requireEndsAfterKill(t *testing.T, cmd, watched *exec.Cmd) {
	t.Helper()
	cmd.Env = command().Env
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })

	var ready announcement
	decoder := json.NewDecoder(stdout)
	require.NoError(t, decoder.Decode(&ready))
	require.NoError(t, watched.Process.Kill())
	if watched != cmd {
		_ = watched.Wait()
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, stdout)
		ended <- err
	}()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(processDeadline):
		require.FailNow(t, "the server outlived its parent")
	}
	_ = cmd.Wait()
}
