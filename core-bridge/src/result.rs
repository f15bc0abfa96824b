//! How a workflow ended: the wait for its close event, and that event as a Python record.

use std::time::Instant;

use pyo3::prelude::*;
use temporalio_client::Connection;
use temporalio_client::grpc::WorkflowService;
use temporalio_protos::temporal::api::enums::v1::{HistoryEventFilterType, WorkflowTaskFailedCause};
use temporalio_protos::temporal::api::history::v1::HistoryEvent;
use temporalio_protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_protos::temporal::api::workflowservice::v1::GetWorkflowExecutionHistoryRequest;

use crate::errors::Error;
use crate::failure::Failure;
use crate::long_poll::{PAUSE, passing};
use crate::payload::Payloads;
use crate::requests::{WorkflowResultRequest, execution};
use crate::rpc::CallOptions;

/// How a run ended. `kind` is "completed", "failed", "canceled", "terminated", "timed_out" or "continued_as_new"; or
/// "task_failed" if it did not end but a workflow task failed, with the name of the cause in `reason`.
#[pyclass(frozen, get_all, module = "invincible._native")]
#[derive(Debug, Default)]
pub struct WorkflowOutcome {
    kind: &'static str,
    run_id: String,
    payloads: Payloads,
    failure: Option<Failure>,
    reason: String,
    identity: String,
    retry_state: i32,
    new_execution_run_id: String,
}

pub struct Wait {
    namespace: String,
    workflow_id: String,
    run_id: String,
    follow_runs: bool,
    task_failures: bool,
}

impl From<&WorkflowResultRequest> for Wait {
    fn from(request: &WorkflowResultRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            workflow_id: request.workflow_id.clone(),
            run_id: request.run_id.clone(),
            follow_runs: request.follow_runs,
            task_failures: request.task_failures,
        }
    }
}

pub async fn workflow_result(
    mut connection: Connection,
    wait: Wait,
    options: CallOptions,
) -> Result<WorkflowOutcome, Error> {
    let Wait { namespace, workflow_id, mut run_id, follow_runs, task_failures } = wait;
    let filter = if task_failures { HistoryEventFilterType::AllEvent } else { HistoryEventFilterType::CloseEvent };
    let mut next_page_token = Vec::new();
    let mut last_contact = Instant::now();
    loop {
        let asked = Instant::now();
        let request = options.request(GetWorkflowExecutionHistoryRequest {
            namespace: namespace.clone(),
            execution: execution(&workflow_id, &run_id),
            next_page_token: next_page_token.clone(),
            wait_new_event: true,
            history_event_filter_type: filter.into(),
            skip_archival: true,
            ..Default::default()
        });
        let response = match WorkflowService::get_workflow_execution_history(&mut connection, request).await {
            Ok(response) => response.into_inner(),
            Err(status) if passing(&status, last_contact, &options) => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        last_contact = Instant::now();
        let events = response.history.unwrap_or_default().events;
        if events.is_empty() && asked.elapsed() < PAUSE {
            tokio::time::sleep(PAUSE).await;
        }
        next_page_token = response.next_page_token;
        let kept = since_reset(events);
        if let Some(outcome) = kept.into_iter().find_map(|event| outcome(event, &run_id, task_failures)) {
            if !follow_runs || outcome.new_execution_run_id.is_empty() {
                return Ok(outcome);
            }
            run_id = outcome.new_execution_run_id;
            next_page_token = Vec::new();
        }
    }
}

/// The events after the last reset: the failures before it are what it is to put right.
fn since_reset(mut events: Vec<HistoryEvent>) -> Vec<HistoryEvent> {
    let reset = events.iter().rposition(|event| match &event.attributes {
        Some(Attributes::WorkflowTaskFailedEventAttributes(event)) => {
            event.cause() == WorkflowTaskFailedCause::ResetWorkflow
        }
        _ => false,
    });
    events.split_off(reset.map_or(0, |reset| reset + 1))
}

fn outcome(event: HistoryEvent, run_id: &str, task_failures: bool) -> Option<WorkflowOutcome> {
    let mut outcome = WorkflowOutcome { run_id: run_id.to_owned(), ..Default::default() };
    match event.attributes? {
        Attributes::WorkflowExecutionCompletedEventAttributes(event) => {
            outcome.kind = "completed";
            outcome.payloads = event.result.into();
            outcome.new_execution_run_id = event.new_execution_run_id;
        }
        Attributes::WorkflowExecutionFailedEventAttributes(event) => {
            outcome.kind = "failed";
            outcome.failure = event.failure.map(Failure::from);
            outcome.retry_state = event.retry_state;
            outcome.new_execution_run_id = event.new_execution_run_id;
        }
        Attributes::WorkflowExecutionCanceledEventAttributes(event) => {
            outcome.kind = "canceled";
            outcome.payloads = event.details.into();
        }
        Attributes::WorkflowExecutionTerminatedEventAttributes(event) => {
            outcome.kind = "terminated";
            outcome.payloads = event.details.into();
            outcome.reason = event.reason;
            outcome.identity = event.identity;
        }
        Attributes::WorkflowExecutionTimedOutEventAttributes(event) => {
            outcome.kind = "timed_out";
            outcome.retry_state = event.retry_state;
            outcome.new_execution_run_id = event.new_execution_run_id;
        }
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(event) => {
            outcome.kind = "continued_as_new";
            outcome.new_execution_run_id = event.new_execution_run_id;
        }
        Attributes::WorkflowTaskFailedEventAttributes(event) if task_failures && is_workflow_bug(event.cause()) => {
            outcome.kind = "task_failed";
            outcome.reason = event.cause().as_str_name().trim_start_matches("WORKFLOW_TASK_FAILED_CAUSE_").to_owned();
            outcome.failure = event.failure.map(Failure::from);
        }
        _ => return None,
    }
    Some(outcome)
}

/// Whether the same code will fail the task again: what is left are hand-overs between server, worker and other runs.
fn is_workflow_bug(cause: WorkflowTaskFailedCause) -> bool {
    use WorkflowTaskFailedCause as Cause;
    !matches!(
        cause,
        Cause::Unspecified
            | Cause::UnhandledCommand
            | Cause::UnhandledUpdate
            | Cause::ResetStickyTaskQueue
            | Cause::ResetWorkflow
            | Cause::ForceCloseCommand
            | Cause::FailoverCloseCommand
            | Cause::BadBinary
            | Cause::WorkflowPauseRequestedBeforeTaskStarted
    )
}

#[cfg(test)]
mod tests {
    use temporalio_protos::temporal::api::failure::v1 as failure;
    use temporalio_protos::temporal::api::history::v1 as history;

    use super::*;

    fn event(attributes: Attributes) -> HistoryEvent {
        HistoryEvent { attributes: Some(attributes), ..Default::default() }
    }

    fn task_failed(cause: WorkflowTaskFailedCause) -> HistoryEvent {
        event(Attributes::WorkflowTaskFailedEventAttributes(history::WorkflowTaskFailedEventAttributes {
            cause: cause.into(),
            failure: Some(failure::Failure { message: "boom".to_owned(), ..Default::default() }),
            ..Default::default()
        }))
    }

    #[test]
    fn the_close_event_names_the_next_run() {
        let closed = event(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(
            history::WorkflowExecutionContinuedAsNewEventAttributes {
                new_execution_run_id: "next".to_owned(),
                ..Default::default()
            },
        ));
        let outcome = outcome(closed, "first", false).unwrap();
        assert_eq!((outcome.kind, outcome.run_id.as_str()), ("continued_as_new", "first"));
        assert_eq!(outcome.new_execution_run_id, "next");
    }

    #[test]
    fn failed_tasks_end_the_wait_only_on_request_and_only_for_bugs() {
        let bug = task_failed(WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure);
        assert!(outcome(bug.clone(), "run", false).is_none());
        let failed = outcome(bug, "run", true).unwrap();
        assert_eq!((failed.kind, failed.reason.as_str()), ("task_failed", "WORKFLOW_WORKER_UNHANDLED_FAILURE"));
        let refused = task_failed(WorkflowTaskFailedCause::BadSearchAttributes);
        assert_eq!(outcome(refused, "run", true).unwrap().reason, "BAD_SEARCH_ATTRIBUTES");
        assert!(outcome(task_failed(WorkflowTaskFailedCause::ResetWorkflow), "run", true).is_none());
        assert!(outcome(task_failed(WorkflowTaskFailedCause::ResetStickyTaskQueue), "run", true).is_none());
    }

    #[test]
    fn failures_before_a_reset_are_what_it_put_right() {
        let bug = || task_failed(WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure);
        let reset = || task_failed(WorkflowTaskFailedCause::ResetWorkflow);
        assert_eq!(since_reset(vec![bug(), reset()]), []);
        assert_eq!(since_reset(vec![bug(), reset(), bug()]), [bug()]);
        assert_eq!(since_reset(vec![bug()]), [bug()]);
    }
}
