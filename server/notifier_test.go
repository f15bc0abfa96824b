package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/definition"
	"go.temporal.io/server/service/history/events"
)

func TestNotifierKeepsTheLatest(t *testing.T) {
	notifier := newLatestNotifier()
	key := definition.NewWorkflowKey("namespace", "workflow", "run")
	first, waiter, err := notifier.WatchHistoryEvent(key)
	require.NoError(t, err)
	second, other, err := notifier.WatchHistoryEvent(key)
	require.NoError(t, err)

	for next := range int64(5) {
		notifier.NotifyNewHistoryEvent(&events.Notification{ID: key, NextEventID: next})
	}
	notifier.NotifyNewHistoryEvent(&events.Notification{
		ID: definition.NewWorkflowKey("namespace", "workflow", "another run"), NextEventID: 9,
	})
	require.EqualValues(t, 4, (<-waiter).NextEventID)
	require.EqualValues(t, 4, (<-other).NextEventID)
	require.Empty(t, waiter)

	require.NoError(t, notifier.UnwatchHistoryEvent(key, first))
	require.NoError(t, notifier.UnwatchHistoryEvent(key, second))
	require.Error(t, notifier.UnwatchHistoryEvent(key, second))
	require.Empty(t, notifier.(*latestNotifier).waiters)
}
