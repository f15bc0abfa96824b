//! Commands: what one run asks for in return for an activation, and the completion built from them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::coresdk::workflow_commands::{WorkflowCommand, query_result};
use temporalio_protos::coresdk::workflow_completion::{self, WorkflowActivationCompletion};
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::enums::v1::WorkflowTaskFailedCause;
use temporalio_protos::temporal::api::failure::v1::Failure as FailureMessage;
use temporalio_protos::temporal::api::sdk::v1::UserMetadata;

use crate::activation::{Priority, RetryPolicy};
use crate::convert::duration;
use crate::failure::Failure;
use crate::payload::{Payload, PayloadMap, Payloads};
use crate::record::record;

record! {
    /// Start a timer of `duration` seconds.
    StartTimer { seq: u32, duration: f64, summary: Option<Payload> = None }
}

record! {
    /// Cancel a timer that has not fired.
    CancelTimer { seq: u32 }
}

record! {
    /// Schedule an activity; timeouts are seconds.
    ScheduleActivity {
        seq: u32,
        activity_id: String,
        activity_type: String,
        task_queue: String,
        arguments: Payloads = Payloads::default(),
        headers: Option<PayloadMap> = None,
        schedule_to_close_timeout: Option<f64> = None,
        schedule_to_start_timeout: Option<f64> = None,
        start_to_close_timeout: Option<f64> = None,
        heartbeat_timeout: Option<f64> = None,
        retry_policy: Option<Py<RetryPolicy>> = None,
        cancellation_type: i32 = 0,
        do_not_eagerly_execute: bool = false,
        summary: Option<Payload> = None,
        priority: Option<Py<Priority>> = None,
    }
}

record! {
    /// Ask for the cancellation of a scheduled activity.
    RequestCancelActivity { seq: u32 }
}

record! {
    /// Answer a query with a value, or with a failure when `failure` is given.
    QueryResult { query_id: String, result: Option<Payload> = None, failure: Option<Failure> = None }
}

record! {
    /// End the run with a result.
    CompleteWorkflowExecution { result: Option<Payload> = None }
}

record! {
    /// End the run with a failure.
    FailWorkflowExecution { failure: Failure }
}

record! {
    /// End the run as canceled.
    CancelWorkflowExecution {}
}

record! {
    /// Record that the run takes the code path of a patch.
    SetPatchMarker { patch_id: String, deprecated: bool = false }
}

/// The completion that answers an activation with commands.
pub fn successful_completion(
    run_id: String,
    commands: &Bound<'_, PyAny>,
    versioning_behavior: i32,
) -> PyResult<WorkflowActivationCompletion> {
    let commands = commands.try_iter()?.map(|command| command_from_python(&command?)).collect::<PyResult<_>>()?;
    let success = workflow_completion::Success { commands, used_internal_flags: Vec::new(), versioning_behavior };
    Ok(WorkflowActivationCompletion {
        run_id,
        status: Some(workflow_completion::workflow_activation_completion::Status::Successful(success)),
        ..Default::default()
    })
}

/// The completion that fails the workflow task: the server will try it again.
pub fn failed_completion(
    run_id: String,
    failure: FailureMessage,
    cause: WorkflowTaskFailedCause,
) -> WorkflowActivationCompletion {
    let failure = workflow_completion::Failure { failure: Some(failure), force_cause: cause.into() };
    WorkflowActivationCompletion {
        run_id,
        status: Some(workflow_completion::workflow_activation_completion::Status::Failed(failure)),
        ..Default::default()
    }
}

fn command_from_python(command: &Bound<'_, PyAny>) -> PyResult<WorkflowCommand> {
    let mut summary = None;
    let variant = if let Ok(command) = command.cast::<ScheduleActivity>() {
        let command = command.get();
        summary = command.summary.clone();
        Variant::ScheduleActivity(schedule_activity(command))
    } else if let Ok(command) = command.cast::<StartTimer>() {
        let command = command.get();
        summary = command.summary.clone();
        let start_to_fire_timeout = Some(duration(command.duration));
        Variant::StartTimer(core::StartTimer { seq: command.seq, start_to_fire_timeout })
    } else if let Ok(command) = command.cast::<CompleteWorkflowExecution>() {
        let result = command.get().result.clone().map(common::Payload::from);
        Variant::CompleteWorkflowExecution(core::CompleteWorkflowExecution { result })
    } else if let Ok(command) = command.cast::<CancelTimer>() {
        Variant::CancelTimer(core::CancelTimer { seq: command.get().seq })
    } else if let Ok(command) = command.cast::<RequestCancelActivity>() {
        Variant::RequestCancelActivity(core::RequestCancelActivity { seq: command.get().seq })
    } else if let Ok(command) = command.cast::<QueryResult>() {
        Variant::RespondToQuery(query_result(command.get()))
    } else if let Ok(command) = command.cast::<FailWorkflowExecution>() {
        let failure = Some(command.get().failure.clone().into());
        Variant::FailWorkflowExecution(core::FailWorkflowExecution { failure })
    } else if command.is_instance_of::<CancelWorkflowExecution>() {
        Variant::CancelWorkflowExecution(core::CancelWorkflowExecution::default())
    } else if let Ok(command) = command.cast::<SetPatchMarker>() {
        let command = command.get();
        Variant::SetPatchMarker(core::SetPatchMarker {
            patch_id: command.patch_id.clone(),
            deprecated: command.deprecated,
        })
    } else {
        let name = command.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!("expected a workflow command, got {name}")));
    };
    let user_metadata = summary.map(|summary| UserMetadata { summary: Some(summary.into()), details: None });
    Ok(WorkflowCommand { variant: Some(variant), user_metadata, ..Default::default() })
}

fn schedule_activity(command: &ScheduleActivity) -> core::ScheduleActivity {
    core::ScheduleActivity {
        seq: command.seq,
        activity_id: command.activity_id.clone(),
        activity_type: command.activity_type.clone(),
        task_queue: command.task_queue.clone(),
        headers: command.headers.clone().unwrap_or_default().0,
        arguments: command.arguments.0.clone(),
        schedule_to_close_timeout: command.schedule_to_close_timeout.map(duration),
        schedule_to_start_timeout: command.schedule_to_start_timeout.map(duration),
        start_to_close_timeout: command.start_to_close_timeout.map(duration),
        heartbeat_timeout: command.heartbeat_timeout.map(duration),
        retry_policy: command.retry_policy.as_ref().map(|policy| policy.get().into()),
        cancellation_type: command.cancellation_type,
        do_not_eagerly_execute: command.do_not_eagerly_execute,
        priority: command.priority.as_ref().map(|priority| priority.get().into()),
        ..Default::default()
    }
}

fn query_result(command: &QueryResult) -> core::QueryResult {
    let variant = match &command.failure {
        Some(failure) => query_result::Variant::Failed(failure.clone().into()),
        None => query_result::Variant::Succeeded(core::QuerySuccess {
            response: command.result.clone().map(common::Payload::from),
        }),
    };
    core::QueryResult { query_id: command.query_id.clone(), variant: Some(variant) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_failure_wins_over_a_result() {
        let failure = Failure::from(FailureMessage { message: "no".to_owned(), ..Default::default() });
        let command = QueryResult { query_id: "q".to_owned(), result: None, failure: Some(failure) };
        let message = query_result(&command);
        assert!(matches!(message.variant, Some(query_result::Variant::Failed(failure)) if failure.message == "no"));
    }

    #[test]
    fn an_activity_without_timeouts_sends_none() {
        let message = schedule_activity(&ScheduleActivity {
            seq: 7,
            activity_id: "7".to_owned(),
            activity_type: "greet".to_owned(),
            task_queue: "greetings".to_owned(),
            arguments: Payloads::default(),
            headers: None,
            schedule_to_close_timeout: None,
            schedule_to_start_timeout: None,
            start_to_close_timeout: Some(60.0),
            heartbeat_timeout: None,
            retry_policy: None,
            cancellation_type: 1,
            do_not_eagerly_execute: false,
            summary: None,
            priority: None,
        });
        assert_eq!(message.start_to_close_timeout.unwrap().seconds, 60);
        assert_eq!(message.schedule_to_close_timeout, None);
        assert_eq!((message.seq, message.cancellation_type), (7, 1));
    }
}
