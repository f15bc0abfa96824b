package main

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const releaseSignal = "release"

// Echo returns its arguments, once they have been values of these types.
func Echo(_ workflow.Context, values Values) (Values, error) {
	return values, nil
}

// Fail fails as it is told.
func Fail(_ workflow.Context, failure Failure) error {
	return failure.asError()
}

// HoldInput says how Hold behaves.
type HoldInput struct {
	// WorkflowID is the id to run under when a Nexus operation starts it.
	WorkflowID string `json:"workflow_id"`
	// Linger keeps a cancelled run open until it is released.
	Linger bool `json:"linger"`
}

// Hold waits until it is released by a signal, whose value it returns, or cancelled. The query "cancelled" tells
// whether it was asked to.
func Hold(ctx workflow.Context, input HoldInput) (released string, err error) {
	cancelled := func() (bool, error) { return ctx.Err() != nil, nil }
	if err := workflow.SetQueryHandler(ctx, "cancelled", cancelled); err != nil {
		return "", err
	}
	release := workflow.GetSignalChannel(ctx, releaseSignal)
	workflow.NewSelector(ctx).
		AddReceive(release, func(channel workflow.ReceiveChannel, _ bool) { channel.Receive(ctx, &released) }).
		AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {}).
		Select(ctx)
	if ctx.Err() == nil {
		return released, nil
	}
	if input.Linger {
		lingering, _ := workflow.NewDisconnectedContext(ctx)
		release.Receive(lingering, nil)
	}
	return "", temporal.NewCanceledError("let go")
}

// ContinueOnce continues as new one time, and returns its argument in the second run.
func ContinueOnce(ctx workflow.Context, text string) (string, error) {
	if workflow.GetInfo(ctx).ContinuedExecutionRunID == "" {
		return "", workflow.NewContinueAsNewError(ctx, ContinueOnce, text)
	}
	return text, nil
}
