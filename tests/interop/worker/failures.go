package main

import (
	"errors"
	"fmt"

	"github.com/nexus-rpc/sdk-go/nexus"
	"go.temporal.io/sdk/temporal"
)

// Failure says how something is to fail.
type Failure struct {
	Message      string   `json:"message"`
	Type         string   `json:"type"`
	Details      []any    `json:"details"`
	NonRetryable bool     `json:"non_retryable"`
	Cause        *Failure `json:"cause"`
}

func (f *Failure) asError() error {
	options := temporal.ApplicationErrorOptions{NonRetryable: f.NonRetryable, Details: f.Details}
	if f.Cause != nil {
		options.Cause = f.Cause.asError()
	}
	return temporal.NewApplicationErrorWithOptions(f.Message, f.Type, options)
}

// Link is one error of a chain of causes, as Go sees it. Detail is the first of the error's details.
type Link struct {
	Kind         string `json:"kind"`
	Name         string `json:"name"`
	Message      string `json:"message"`
	Type         string `json:"type"`
	NonRetryable bool   `json:"non_retryable"`
	Detail       any    `json:"detail"`
}

// explain returns an error's chain of causes, the outermost first.
func explain(err error) ([]Link, error) {
	links := []Link{}
	for ; err != nil; err = errors.Unwrap(err) {
		link, decodeError := linkOf(err)
		if decodeError != nil {
			return nil, decodeError
		}
		links = append(links, link)
	}
	return links, nil
}

func linkOf(err error) (link Link, decodeError error) {
	switch err := err.(type) {
	case *temporal.ActivityError:
		link = Link{Kind: "activity", Name: err.ActivityType().GetName()}
	case *temporal.ChildWorkflowExecutionError:
		link = Link{Kind: "child", Name: err.WorkflowType()}
	case *temporal.NexusOperationError:
		link = Link{Kind: "nexus_operation", Name: err.Operation}
	case *nexus.HandlerError:
		link = Link{Kind: "nexus_handler", Message: err.Message, Type: string(err.Type)}
	case *temporal.ApplicationError:
		link = Link{Kind: "application", Message: err.Message(), Type: err.Type(), NonRetryable: err.NonRetryable()}
		if err.HasDetails() {
			decodeError = err.Details(&link.Detail)
		}
	case *temporal.CanceledError:
		link = Link{Kind: "cancelled"}
		if err.HasDetails() {
			decodeError = err.Details(&link.Detail)
		}
	default:
		link = Link{Kind: fmt.Sprintf("%T", err), Message: err.Error()}
	}
	return link, decodeError
}
