package main

import (
	"context"
	"time"

	"github.com/nexus-rpc/sdk-go/nexus"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporalnexus"
	"go.temporal.io/sdk/workflow"
)

// newService returns the Nexus service "interop".
func newService() (*nexus.Service, error) {
	service := nexus.NewService("interop")
	err := service.Register(
		nexus.NewSyncOperation("echo", echoOperation),
		nexus.NewSyncOperation("fail", failOperation),
		temporalnexus.NewWorkflowRunOperation("greet", Greet,
			func(_ context.Context, input GreetInput, _ nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
				return client.StartWorkflowOptions{ID: input.WorkflowID}, nil
			}),
		temporalnexus.NewWorkflowRunOperation("slow", Hold,
			func(_ context.Context, input HoldInput, _ nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
				return client.StartWorkflowOptions{ID: input.WorkflowID}, nil
			}),
	)
	return service, err
}

func echoOperation(_ context.Context, person Person, _ nexus.StartOperationOptions) (Person, error) {
	return person, nil
}

// OperationFailure says how the operation "fail" ends without success.
type OperationFailure struct {
	// HandlerError is a type of handler errors, BAD_REQUEST say. The operation itself fails where this is empty.
	HandlerError nexus.HandlerErrorType `json:"handler_error"`
	// Cancelled has the operation end as cancelled.
	Cancelled bool    `json:"cancelled"`
	Failure   Failure `json:"failure"`
}

func failOperation(_ context.Context, input OperationFailure, _ nexus.StartOperationOptions) (nexus.NoValue, error) {
	switch {
	case input.HandlerError != "":
		return nil, &nexus.HandlerError{Type: input.HandlerError, Message: "refused", Cause: input.Failure.asError()}
	case input.Cancelled:
		return nil, nexus.NewOperationCanceledError(input.Failure.Message)
	default:
		return nil, &nexus.OperationError{
			State:   nexus.OperationStateFailed,
			Message: "given up",
			Cause:   input.Failure.asError(),
		}
	}
}

// GreetInput says whom Greet greets, and when.
type GreetInput struct {
	Name string `json:"name"`
	// WorkflowID is the id to run under when a Nexus operation starts it.
	WorkflowID string `json:"workflow_id"`
	// Seconds is how long to wait for the signal "release"; 0 is for ever.
	Seconds float64 `json:"seconds"`
	// Failure is how to end instead of with a greeting.
	Failure *Failure `json:"failure"`
}

// Greet waits for a signal or a time, whichever comes first, and returns a greeting.
func Greet(ctx workflow.Context, input GreetInput) (string, error) {
	waiting := workflow.NewSelector(ctx).AddReceive(
		workflow.GetSignalChannel(ctx, releaseSignal),
		func(channel workflow.ReceiveChannel, _ bool) { channel.Receive(ctx, nil) },
	)
	if input.Seconds > 0 {
		timer := workflow.NewTimer(ctx, time.Duration(input.Seconds*float64(time.Second)))
		waiting.AddFuture(timer, func(workflow.Future) {})
	}
	waiting.Select(ctx)
	if input.Failure != nil {
		return "", input.Failure.asError()
	}
	return "Hello, " + input.Name, nil
}
