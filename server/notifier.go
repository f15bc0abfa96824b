package main

import (
	"fmt"
	"sync"

	"github.com/google/uuid"
	"go.temporal.io/server/common/definition"
	"go.temporal.io/server/service/history/events"
)

// latestNotifier wakes those who wait for a workflow's next event or its end, in place of the server's own notifier.
//
// That one gives a waiter room for one notification and drops what comes while it is taken. When a workflow moves on
// twice before the waiter runs, which a fast machine with few cores makes common, the waiter never learns of its end and
// sleeps until its long poll expires, 20 seconds later. Here a newer notification takes the place of an older one: each
// says where the workflow stands, so that the last one says it all.
type latestNotifier struct {
	mu      sync.Mutex
	waiters map[definition.WorkflowKey]map[string]chan *events.Notification
}

var _ events.Notifier = (*latestNotifier)(nil)

func newLatestNotifier() events.Notifier {
	return &latestNotifier{waiters: map[definition.WorkflowKey]map[string]chan *events.Notification{}}
}

func (n *latestNotifier) NotifyNewHistoryEvent(event *events.Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, waiter := range n.waiters[event.ID] {
		select {
		case <-waiter:
		default:
		}
		// There is room: nobody else sends, and not without the lock.
		waiter <- event
	}
}

func (n *latestNotifier) WatchHistoryEvent(key definition.WorkflowKey) (string, chan *events.Notification, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiters[key] == nil {
		n.waiters[key] = map[string]chan *events.Notification{}
	}
	id, waiter := uuid.NewString(), make(chan *events.Notification, 1)
	n.waiters[key][id] = waiter
	return id, waiter, nil
}

func (n *latestNotifier) UnwatchHistoryEvent(key definition.WorkflowKey, id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.waiters[key][id]; !ok {
		return fmt.Errorf("nobody waits as %s", id)
	}
	delete(n.waiters[key], id)
	if len(n.waiters[key]) == 0 {
		delete(n.waiters, key)
	}
	return nil
}

func (n *latestNotifier) Start() {}

func (n *latestNotifier) Stop() {}
