package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nexus-rpc/sdk-go/nexus"
	"github.com/stretchr/testify/require"
	activitypb "go.temporal.io/api/activity/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/temporalnexus"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/durationpb"
)

const taskQueue = "features"

// TestFeatures uses, with a real worker, what a development server must offer without being configured.
func TestFeatures(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--headless", "--search-attribute", "Customer=Keyword")
	c, err := client.Dial(client.Options{HostPort: server.ready.GRPC, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)

	w := worker.New(c, taskQueue, worker.Options{})
	w.RegisterWorkflow(sleepManyDays)
	w.RegisterWorkflow(greet)
	w.RegisterWorkflow(callNexus)
	w.RegisterWorkflow(waitForUpdate)
	w.RegisterActivityWithOptions(salute, activity.RegisterOptions{Name: "salute"})
	service := nexus.NewService(nexusService)
	require.NoError(t, service.Register(greetOperation))
	w.RegisterNexusService(service)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	createEndpoint(t, c)

	t.Run("time skipping", func(t *testing.T) { testTimeSkipping(t, c) })
	t.Run("eager start", func(t *testing.T) { testEagerStart(t, c) })
	t.Run("update with start", func(t *testing.T) { testUpdateWithStart(t, c) })
	t.Run("schedule", func(t *testing.T) { testSchedule(t, c) })
	t.Run("search attribute", func(t *testing.T) { testSearchAttribute(t, c) })
	t.Run("nexus operation of a workflow", func(t *testing.T) { testNexusOperation(t, c) })
	t.Run("standalone nexus operation", func(t *testing.T) { testStandaloneNexusOperation(t, c) })
	t.Run("standalone activity", func(t *testing.T) { testStandaloneActivity(t, c) })
	t.Run("callback", func(t *testing.T) { testCallback(t, c) })
	t.Run("reset", func(t *testing.T) { testReset(t, c) })
	t.Run("worker deployment", func(t *testing.T) { testWorkerDeployment(t, c) })
	t.Run("fairness", func(t *testing.T) { testFairness(t, c) })
}

const daysAsleep = 50

func sleepManyDays(ctx workflow.Context) error {
	for range daysAsleep {
		if err := workflow.Sleep(ctx, 24*time.Hour); err != nil {
			return err
		}
	}
	return nil
}

func salute(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

func greet(ctx workflow.Context, name string) (greeting string, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	err = workflow.ExecuteActivity(ctx, "salute", name).Get(ctx, &greeting)
	return greeting, err
}

const (
	endpointName = "greeter"
	nexusService = "greetings"
)

var greetOperation = temporalnexus.NewWorkflowRunOperation("greet", greet,
	func(_ context.Context, _ string, options nexus.StartOperationOptions) (client.StartWorkflowOptions, error) {
		return client.StartWorkflowOptions{ID: "nexus-" + options.RequestID}, nil
	})

func callNexus(ctx workflow.Context, name string) (greeting string, err error) {
	nexusClient := workflow.NewNexusClient(endpointName, nexusService)
	err = nexusClient.ExecuteOperation(ctx, greetOperation, name, workflow.NexusOperationOptions{}).Get(ctx, &greeting)
	return greeting, err
}

func waitForUpdate(ctx workflow.Context) (received string, err error) {
	err = workflow.SetUpdateHandler(ctx, "set", func(_ workflow.Context, value string) (string, error) {
		received = value
		return "got " + value, nil
	})
	if err != nil {
		return "", err
	}
	err = workflow.Await(ctx, func() bool { return received != "" })
	return received, err
}

func createEndpoint(t *testing.T, c client.Client) {
	t.Helper()
	_, err := c.OperatorService().CreateNexusEndpoint(withDeadline(t), &operatorservice.CreateNexusEndpointRequest{
		Spec: &nexuspb.EndpointSpec{
			Name: endpointName,
			Target: &nexuspb.EndpointTarget{Variant: &nexuspb.EndpointTarget_Worker_{
				Worker: &nexuspb.EndpointTarget_Worker{Namespace: defaultNamespace, TaskQueue: taskQueue},
			}},
		},
	})
	require.NoError(t, err)
}

func testTimeSkipping(t *testing.T, c client.Client) {
	begin := time.Now()
	id := uuid.NewString()
	_, err := c.WorkflowService().StartWorkflowExecution(withDeadline(t), &workflowservice.StartWorkflowExecutionRequest{
		Namespace:          defaultNamespace,
		WorkflowId:         id,
		WorkflowType:       &commonpb.WorkflowType{Name: "sleepManyDays"},
		TaskQueue:          &taskqueuepb.TaskQueue{Name: taskQueue},
		RequestId:          uuid.NewString(),
		TimeSkippingConfig: &commonpb.TimeSkippingConfig{Enabled: true},
	})
	require.NoError(t, err)
	require.NoError(t, c.GetWorkflow(withDeadline(t), id, "").Get(withDeadline(t), nil))
	// With the server's own settings each timer takes a second; with its own poll rates most take a fifth of one.
	require.Less(t, time.Since(begin), daysAsleep*100*time.Millisecond)
}

func testEagerStart(t *testing.T, c client.Client) {
	started, err := c.WorkflowService().StartWorkflowExecution(withDeadline(t),
		&workflowservice.StartWorkflowExecutionRequest{
			Namespace:             defaultNamespace,
			WorkflowId:            uuid.NewString(),
			WorkflowType:          &commonpb.WorkflowType{Name: "eager"},
			TaskQueue:             &taskqueuepb.TaskQueue{Name: "eager"},
			RequestId:             uuid.NewString(),
			RequestEagerExecution: true,
		})
	require.NoError(t, err)
	require.NotEmpty(t, started.GetEagerWorkflowTask().GetTaskToken())
}

func testUpdateWithStart(t *testing.T, c client.Client) {
	operation := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: uuid.NewString(), TaskQueue: taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, waitForUpdate)
	update, err := c.UpdateWithStartWorkflow(withDeadline(t), client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: operation,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateName: "set", Args: []any{"it"}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	require.NoError(t, err)
	var answer string
	require.NoError(t, update.Get(withDeadline(t), &answer))
	require.Equal(t, "got it", answer)
}

func testSchedule(t *testing.T, c client.Client) {
	workflowID := uuid.NewString()
	_, err := c.ScheduleClient().Create(withDeadline(t), client.ScheduleOptions{
		ID:                 uuid.NewString(),
		TriggerImmediately: true,
		Action: &client.ScheduleWorkflowAction{
			ID: workflowID, Workflow: greet, Args: []any{"schedule"}, TaskQueue: taskQueue,
		},
	})
	require.NoError(t, err)
	query := "WorkflowId STARTS_WITH '" + workflowID + "' AND ExecutionStatus = 'Completed'"
	requireCount(t, c, query, 1)
}

func requireCount(t *testing.T, c client.Client, query string, want int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		counted, err := c.CountWorkflow(withDeadline(t), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		return err == nil && counted.GetCount() == want
	}, processDeadline, probeInterval, query)
}

func testSearchAttribute(t *testing.T, c client.Client) {
	customer := temporal.NewSearchAttributeKeyKeyword("Customer")
	execute(t, c, client.StartWorkflowOptions{
		TypedSearchAttributes: temporal.NewSearchAttributes(customer.ValueSet("Ada")),
	}, greet, "Ada")
	requireCount(t, c, "Customer = 'Ada'", 1)
}

// execute runs a workflow on the features task queue and returns its result and its run.
func execute(
	t *testing.T, c client.Client, options client.StartWorkflowOptions, function any, argument string,
) (string, client.WorkflowRun) {
	t.Helper()
	options.TaskQueue = taskQueue
	run, err := c.ExecuteWorkflow(withDeadline(t), options, function, argument)
	require.NoError(t, err)
	var result string
	require.NoError(t, run.Get(withDeadline(t), &result))
	return result, run
}

func testNexusOperation(t *testing.T, c client.Client) {
	result, _ := execute(t, c, client.StartWorkflowOptions{}, callNexus, "Nexus")
	require.Equal(t, "Hello, Nexus", result)
}

func testStandaloneNexusOperation(t *testing.T, c client.Client) {
	id := uuid.NewString()
	_, err := c.WorkflowService().StartNexusOperationExecution(withDeadline(t),
		&workflowservice.StartNexusOperationExecutionRequest{
			Namespace:              defaultNamespace,
			RequestId:              uuid.NewString(),
			OperationId:            id,
			Endpoint:               endpointName,
			Service:                nexusService,
			Operation:              greetOperation.Name(),
			Input:                  jsonPayload(`"alone"`),
			ScheduleToCloseTimeout: durationpb.New(time.Minute),
		})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		polled, err := c.WorkflowService().PollNexusOperationExecution(withDeadline(t),
			&workflowservice.PollNexusOperationExecutionRequest{
				Namespace: defaultNamespace, OperationId: id, WaitStage: enumspb.NEXUS_OPERATION_WAIT_STAGE_CLOSED,
			})
		require.NoError(t, err)
		return string(polled.GetResult().GetData()) == `"Hello, alone"`
	}, processDeadline, probeInterval)
}

func testCallback(t *testing.T, c client.Client) {
	called := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		select {
		case called <- request.URL.Path:
		default:
		}
	}))
	defer receiver.Close()
	_, err := c.WorkflowService().StartWorkflowExecution(withDeadline(t), &workflowservice.StartWorkflowExecutionRequest{
		Namespace:    defaultNamespace,
		WorkflowId:   uuid.NewString(),
		WorkflowType: &commonpb.WorkflowType{Name: "greet"},
		TaskQueue:    &taskqueuepb.TaskQueue{Name: taskQueue},
		Input:        &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(`"callback"`)}},
		RequestId:    uuid.NewString(),
		CompletionCallbacks: []*commonpb.Callback{{
			Variant: &commonpb.Callback_Nexus_{Nexus: &commonpb.Callback_Nexus{Url: receiver.URL + "/done"}},
		}},
	})
	require.NoError(t, err)
	select {
	case path := <-called:
		require.Equal(t, "/done", path)
	case <-time.After(processDeadline):
		require.FailNow(t, "the callback did not come")
	}
}

func jsonPayload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func testStandaloneActivity(t *testing.T, c client.Client) {
	id := uuid.NewString()
	_, err := c.WorkflowService().StartActivityExecution(withDeadline(t), &workflowservice.StartActivityExecutionRequest{
		Namespace:           defaultNamespace,
		RequestId:           uuid.NewString(),
		ActivityId:          id,
		ActivityType:        &commonpb.ActivityType{Name: "salute"},
		TaskQueue:           &taskqueuepb.TaskQueue{Name: taskQueue},
		Input:               &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(`"alone"`)}},
		StartToCloseTimeout: durationpb.New(time.Minute),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		polled, err := c.WorkflowService().PollActivityExecution(withDeadline(t),
			&workflowservice.PollActivityExecutionRequest{Namespace: defaultNamespace, ActivityId: id})
		require.NoError(t, err)
		return outcomeText(polled.GetOutcome()) == `"Hello, alone"`
	}, processDeadline, probeInterval)
}

func outcomeText(outcome *activitypb.ActivityExecutionOutcome) string {
	payloads := outcome.GetResult().GetPayloads()
	if len(payloads) == 0 {
		return ""
	}
	return string(payloads[0].GetData())
}

func testReset(t *testing.T, c client.Client) {
	_, run := execute(t, c, client.StartWorkflowOptions{}, greet, "again")
	reset, err := c.ResetWorkflowExecution(withDeadline(t), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:                 defaultNamespace,
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
		WorkflowTaskFinishEventId: 4,
		RequestId:                 uuid.NewString(),
	})
	require.NoError(t, err)
	var result string
	require.NoError(t, c.GetWorkflow(withDeadline(t), run.GetID(), reset.GetRunId()).Get(withDeadline(t), &result))
	require.Equal(t, "Hello, again", result)
}

func testWorkerDeployment(t *testing.T, c client.Client) {
	const queue = "versioned"
	version := worker.WorkerDeploymentVersion{DeploymentName: "greeter", BuildID: "1.0"}
	w := worker.New(c, queue, worker.Options{DeploymentOptions: worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   version,
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}})
	w.RegisterWorkflow(greet)
	w.RegisterActivityWithOptions(salute, activity.RegisterOptions{Name: "salute"})
	require.NoError(t, w.Start())
	defer w.Stop()

	deployment := c.WorkerDeploymentClient().GetHandle(version.DeploymentName)
	require.Eventually(t, func() bool {
		_, err := deployment.SetCurrentVersion(withDeadline(t), client.WorkerDeploymentSetCurrentVersionOptions{
			BuildID: version.BuildID,
		})
		return err == nil
	}, processDeadline, probeInterval)
	run, err := c.ExecuteWorkflow(withDeadline(t), client.StartWorkflowOptions{TaskQueue: queue}, greet, "version")
	require.NoError(t, err)
	require.NoError(t, run.Get(withDeadline(t), nil))
	description, err := c.DescribeWorkflowExecution(withDeadline(t), run.GetID(), run.GetRunID())
	require.NoError(t, err)
	pinned := description.GetWorkflowExecutionInfo().GetVersioningInfo().GetDeploymentVersion()
	require.Equal(t, version.BuildID, pinned.GetBuildId())
}

func testFairness(t *testing.T, c client.Client) {
	result, run := execute(t, c, client.StartWorkflowOptions{
		Priority: temporal.Priority{PriorityKey: 1, FairnessKey: "tenant", FairnessWeight: 2},
	}, greet, "tenant")
	require.Equal(t, "Hello, tenant", result)
	description, err := c.DescribeWorkflowExecution(withDeadline(t), run.GetID(), run.GetRunID())
	require.NoError(t, err)
	require.Equal(t, "tenant", description.GetWorkflowExecutionInfo().GetPriority().GetFairnessKey())
}
