package main

import (
	"go.temporal.io/sdk/workflow"
)

// Steer signals a workflow, and then cancels it.
func Steer(ctx workflow.Context, workflowID, signal string, argument any) error {
	if err := workflow.SignalExternalWorkflow(ctx, workflowID, "", signal, argument).Get(ctx, nil); err != nil {
		return err
	}
	return workflow.RequestCancelExternalWorkflow(ctx, workflowID, "").Get(ctx, nil)
}
