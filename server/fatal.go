package main

import (
	"runtime"
	"strings"
	"sync"
)

// fatalPolicy decides what a fatal log event ends. It is never the process while the server serves:
//
//   - On a goroutine that serves a request, it panics. Every gRPC server of this process recovers at its outermost
//     interceptor and net/http recovers by itself, so that the caller gets an error and deferred unlocks run.
//   - Elsewhere, before the server is ready, it is a failed start. It is reported to the starter, which ends the process
//     with the message; the goroutine that logged it stops.
//   - Elsewhere, later on, only the goroutine stops, again running its deferred calls. A panic there would end the
//     process, and returning would run code that relies on Fatal not to return.
type fatalPolicy struct {
	mu       sync.Mutex
	ready    bool
	starting chan string
}

func newFatalPolicy() *fatalPolicy {
	return &fatalPolicy{starting: make(chan string, 1)}
}

// setReady ends the time in which a fatal event is a failed start.
func (p *fatalPolicy) setReady() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = true
}

// failedStart delivers the message of the first fatal event before the server was ready.
func (p *fatalPolicy) failedStart() <-chan string {
	return p.starting
}

// raise does not return.
func (p *fatalPolicy) raise(message string) {
	if onRequestGoroutine() {
		panic(requestPanic(message))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ready {
		select {
		case p.starting <- message:
		default:
		}
	}
	runtime.Goexit()
}

// requestPanic is what a fatal event on a request's goroutine panics with.
type requestPanic string

func (p requestPanic) Error() string { return string(p) }

// requestEntries name functions that stay on the stack while a request is served and under which a panic is recovered.
var requestEntries = []string{".recoverUnary.", ".recoverStream.", "net/http.(*conn).serve"}

// maxStackDepth bounds the search for a request entry; a request's goroutine is some hundred frames deep at most.
const maxStackDepth = 4096

func onRequestGoroutine() bool {
	callers := make([]uintptr, maxStackDepth)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		for _, entry := range requestEntries {
			if strings.Contains(frame.Function, entry) {
				return true
			}
		}
		if !more {
			return false
		}
	}
}
