package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

const beatInterval = 20 * time.Millisecond

// echo returns what it gets, once it has been a value of this type.
func echo[T any](_ context.Context, value T) (T, error) {
	return value, nil
}

// Combine takes several arguments.
func Combine(_ context.Context, text string, times int, person Person) (string, error) {
	return fmt.Sprintf("%s %d %s", text, times, person.Name), nil
}

// Nothing has no argument and no result.
func Nothing(context.Context) error {
	return nil
}

// FailWith fails as it is told.
func FailWith(_ context.Context, failure Failure) error {
	return failure.asError()
}

// Beat heartbeats until it is cancelled, and says so in the details of its cancellation.
func Beat(ctx context.Context) error {
	for beats := 1; ; beats++ {
		activity.RecordHeartbeat(ctx, beats)
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return temporal.NewCanceledError("stopped beating")
			}
			return ctx.Err()
		case <-time.After(beatInterval):
		}
	}
}

// Resume fails on its first attempt after a heartbeat, and returns on the next one what that heartbeat said.
func Resume(ctx context.Context, progress Person) (Person, error) {
	if !activity.HasHeartbeatDetails(ctx) {
		activity.RecordHeartbeat(ctx, progress)
		return Person{}, errors.New("interrupted")
	}
	var reached Person
	err := activity.GetHeartbeatDetails(ctx, &reached)
	return reached, err
}
