package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

func startWorkflow(t *testing.T, frontend workflowservice.WorkflowServiceClient, namespace, id string) {
	t.Helper()
	_, err := frontend.StartWorkflowExecution(withDeadline(t), &workflowservice.StartWorkflowExecutionRequest{
		Namespace:    namespace,
		WorkflowId:   id,
		WorkflowType: &commonpb.WorkflowType{Name: "test"},
		TaskQueue:    &taskqueuepb.TaskQueue{Name: id, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		RequestId:    uuid.NewString(),
	})
	require.NoError(t, err)
}

// pollWorkflowTask returns a workflow task of the task queue that startWorkflow gave to the workflow.
func pollWorkflowTask(
	t *testing.T, frontend workflowservice.WorkflowServiceClient, namespace, id string,
) *workflowservice.PollWorkflowTaskQueueResponse {
	t.Helper()
	task, err := frontend.PollWorkflowTaskQueue(withDeadline(t), pollRequest(namespace, id))
	require.NoError(t, err)
	require.NotEmpty(t, task.GetTaskToken())
	return task
}

// completeWorkflow starts a workflow and completes its first workflow task.
func completeWorkflow(t *testing.T, frontend workflowservice.WorkflowServiceClient, namespace, id string) {
	t.Helper()
	startWorkflow(t, frontend, namespace, id)
	finishWorkflow(t, frontend, namespace, id)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, statusOf(t, frontend, namespace, id))
}

func statusOf(
	t *testing.T, frontend workflowservice.WorkflowServiceClient, namespace, id string,
) enumspb.WorkflowExecutionStatus {
	t.Helper()
	description, err := frontend.DescribeWorkflowExecution(withDeadline(t),
		&workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: namespace,
			Execution: &commonpb.WorkflowExecution{WorkflowId: id},
		})
	require.NoError(t, err)
	return description.GetWorkflowExecutionInfo().GetStatus()
}

func pollRequest(namespace, taskQueue string) *workflowservice.PollWorkflowTaskQueueRequest {
	return &workflowservice.PollWorkflowTaskQueueRequest{
		Namespace: namespace,
		TaskQueue: &taskqueuepb.TaskQueue{Name: taskQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Identity:  "test",
	}
}

func finishWorkflow(t *testing.T, frontend workflowservice.WorkflowServiceClient, namespace, id string) {
	t.Helper()
	_, err := frontend.RespondWorkflowTaskCompleted(withDeadline(t), &workflowservice.RespondWorkflowTaskCompletedRequest{
		Namespace: namespace,
		TaskToken: pollWorkflowTask(t, frontend, namespace, id).GetTaskToken(),
		Commands: []*commandpb.Command{{
			CommandType: enumspb.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
			Attributes: &commandpb.Command_CompleteWorkflowExecutionCommandAttributes{
				CompleteWorkflowExecutionCommandAttributes: &commandpb.CompleteWorkflowExecutionCommandAttributes{},
			},
		}},
	})
	require.NoError(t, err)
}
