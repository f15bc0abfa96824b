package main

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const callTimeout = 30 * time.Second

// CallActivities sends each value through the Python activity for its type on a task queue, and returns what comes back.
func CallActivities(ctx workflow.Context, taskQueue string, values Values) (back Values, err error) {
	ctx = withActivities(ctx, taskQueue)
	call := func(name string, argument, result any) error {
		return workflow.ExecuteActivity(ctx, name, argument).Get(ctx, result)
	}
	return back, errors.Join(
		call("echo_note", values.Note, &back.Note),
		call("echo_bytes", values.Bytes, &back.Bytes),
		call("echo_int", values.Int, &back.Int),
		call("echo_float", values.Float, &back.Float),
		call("echo_text", values.Text, &back.Text),
		call("echo_list", values.List, &back.List),
		call("echo_map", values.Map, &back.Map),
		call("echo_person", values.Person, &back.Person),
	)
}

// CallChild starts the Python workflow "python_child", sends it a signal and returns its result.
func CallChild(ctx workflow.Context, taskQueue string, person Person, text string) (result Person, err error) {
	child := workflow.ExecuteChildWorkflow(onTaskQueue(ctx, taskQueue), "python_child", person)
	if err := child.SignalChildWorkflow(ctx, releaseSignal, text).Get(ctx, nil); err != nil {
		return Person{}, err
	}
	err = child.Get(ctx, &result)
	return result, err
}

// CancelChild starts the Python workflow "python_child", cancels it and tells how it ended.
func CancelChild(ctx workflow.Context, taskQueue string, person Person) ([]Link, error) {
	childContext, cancel := workflow.WithCancel(onTaskQueue(ctx, taskQueue))
	childContext = workflow.WithWaitForCancellation(childContext, true)
	child := workflow.ExecuteChildWorkflow(childContext, "python_child", person)
	if err := child.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return nil, err
	}
	cancel()
	return explain(child.Get(ctx, nil))
}

// CallFailing has the Python activity "fail" and the Python workflow "failing_child" fail, and tells what it sees.
func CallFailing(ctx workflow.Context, taskQueue string, failure Failure) (seen struct {
	Activity []Link `json:"activity"`
	Child    []Link `json:"child"`
}, err error) {
	activityError := workflow.ExecuteActivity(withActivities(ctx, taskQueue), "fail", failure).Get(ctx, nil)
	if seen.Activity, err = explain(activityError); err != nil {
		return seen, err
	}
	childError := workflow.ExecuteChildWorkflow(onTaskQueue(ctx, taskQueue), "failing_child", failure).Get(ctx, nil)
	seen.Child, err = explain(childError)
	return seen, err
}

// OperationCall is a call of a Nexus operation that Python serves.
type OperationCall struct {
	Endpoint  string `json:"endpoint"`
	Operation string `json:"operation"`
	Input     any    `json:"input"`
	// Cancel has the operation be cancelled once it has started.
	Cancel bool `json:"cancel"`
}

// CallOperation calls an operation of the Python service "python", and tells how it ended.
func CallOperation(ctx workflow.Context, call OperationCall) (seen struct {
	Result any    `json:"result"`
	Failed []Link `json:"failed"`
}, err error) {
	operationContext, cancel := workflow.WithCancel(ctx)
	operation := workflow.NewNexusClient(call.Endpoint, "python").ExecuteOperation(
		operationContext, call.Operation, call.Input, workflow.NexusOperationOptions{ScheduleToCloseTimeout: callTimeout})
	if call.Cancel {
		if err := operation.GetNexusOperationExecution().Get(ctx, nil); err != nil {
			return seen, err
		}
		cancel()
	}
	if operationError := operation.Get(ctx, &seen.Result); operationError != nil {
		seen.Failed, err = explain(operationError)
	}
	return seen, err
}

func withActivities(ctx workflow.Context, taskQueue string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           taskQueue,
		StartToCloseTimeout: callTimeout,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	})
}

func onTaskQueue(ctx workflow.Context, taskQueue string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: taskQueue})
}
