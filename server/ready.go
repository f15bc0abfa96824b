package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const probeInterval = 20 * time.Millisecond

// waitServing returns once every part that a client of the namespace meets has answered: the namespace itself, history
// (an unknown workflow is found to be unknown), matching (a task queue describes itself) and visibility.
func waitServing(ctx context.Context, conn grpc.ClientConnInterface, namespace string) error {
	frontend := workflowservice.NewWorkflowServiceClient(conn)
	probes := []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := frontend.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
			return err
		},
		func(ctx context.Context) error {
			_, err := frontend.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
				Namespace: namespace,
				Execution: &commonpb.WorkflowExecution{WorkflowId: uuid.NewString()},
			})
			if status.Code(err) == codes.NotFound {
				return nil
			}
			return err
		},
		func(ctx context.Context) error {
			_, err := frontend.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
				Namespace:     namespace,
				TaskQueue:     &taskqueuepb.TaskQueue{Name: programName + "-probe"},
				TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
			})
			return err
		},
		func(ctx context.Context) error {
			_, err := frontend.CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
				Namespace: namespace,
			})
			return err
		},
	}
	for _, probe := range probes {
		if err := retryUntil(ctx, probe); err != nil {
			return fmt.Errorf("namespace %q does not answer: %w", namespace, err)
		}
	}
	return nil
}

// waitAnswering returns once the address answers HTTP.
func waitAnswering(ctx context.Context, address string) error {
	return retryUntil(ctx, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
}

// retryUntil repeats an attempt until it succeeds; when ctx ends first it returns the attempt's last error.
func retryUntil(ctx context.Context, attempt func(context.Context) error) error {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		err := attempt(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
