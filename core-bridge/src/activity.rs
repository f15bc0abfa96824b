//! Activity tasks: what to run, what to stop, and the outcomes that answer them.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use temporalio_protos::coresdk::ActivityTaskCompletion;
use temporalio_protos::coresdk::activity_result::{self, ActivityExecutionResult, activity_execution_result::Status};
use temporalio_protos::coresdk::activity_task as core;
use temporalio_protos::coresdk::activity_task::activity_task::Variant;

use crate::convert::{seconds, unix_seconds};
use crate::failure::Failure;
use crate::payload::{Payload, PayloadMap, Payloads};
use crate::policies::{Priority, RetryPolicy, priority_to_python, retry_policy_to_python};
use crate::record::record;

record! {
    /// An activity to run. Times are seconds since the epoch, durations seconds.
    ActivityStart {
        task_token: Py<PyBytes>,
        activity_id: String,
        activity_type: String,
        activity_run_id: String = String::new(),
        workflow_namespace: String = String::new(),
        workflow_id: String = String::new(),
        workflow_run_id: String = String::new(),
        workflow_type: String = String::new(),
        headers: PayloadMap = PayloadMap::default(),
        input: Payloads = Payloads::default(),
        heartbeat_details: Payloads = Payloads::default(),
        attempt: u32 = 1,
        is_local: bool = false,
        scheduled_time: f64 = 0.0,
        current_attempt_scheduled_time: f64 = 0.0,
        started_time: f64 = 0.0,
        schedule_to_close_timeout: Option<f64> = None,
        start_to_close_timeout: Option<f64> = None,
        heartbeat_timeout: Option<f64> = None,
        retry_policy: Option<Py<RetryPolicy>> = None,
        priority: Option<Py<Priority>> = None,
    }
}

record! {
    /// A running activity is asked to stop, and why.
    ActivityCancel {
        task_token: Py<PyBytes>,
        not_found: bool = false,
        cancel_requested: bool = false,
        paused: bool = false,
        reset: bool = false,
        timed_out: bool = false,
        worker_shutdown: bool = false,
    }
}

/// A task on its way to Python.
pub struct ActivityTask(pub core::ActivityTask);

impl ActivityTask {
    /// The activity type of a task that starts an activity.
    pub fn starts(&self) -> Option<&str> {
        match &self.0.variant {
            Some(Variant::Start(start)) => Some(&start.activity_type),
            _ => None,
        }
    }
}

impl<'py> IntoPyObject<'py> for ActivityTask {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let task_token = PyBytes::new(py, &self.0.task_token).unbind();
        match self.0.variant {
            Some(Variant::Start(start)) => activity_start(py, task_token, start)?.into_bound_py_any(py),
            Some(Variant::Cancel(cancel)) => activity_cancel(task_token, cancel).into_bound_py_any(py),
            None => Ok(py.None().into_bound(py)),
        }
    }
}

fn activity_start(py: Python<'_>, task_token: Py<PyBytes>, start: core::Start) -> PyResult<ActivityStart> {
    let workflow = start.workflow_execution.unwrap_or_default();
    Ok(ActivityStart {
        task_token,
        activity_id: start.activity_id,
        activity_type: start.activity_type,
        activity_run_id: start.run_id,
        workflow_namespace: start.workflow_namespace,
        workflow_id: workflow.workflow_id,
        workflow_run_id: workflow.run_id,
        workflow_type: start.workflow_type,
        headers: PayloadMap(start.header_fields),
        input: Payloads(start.input),
        heartbeat_details: Payloads(start.heartbeat_details),
        attempt: start.attempt,
        is_local: start.is_local,
        scheduled_time: start.scheduled_time.as_ref().map(unix_seconds).unwrap_or_default(),
        current_attempt_scheduled_time: start
            .current_attempt_scheduled_time
            .as_ref()
            .map(unix_seconds)
            .unwrap_or_default(),
        started_time: start.started_time.as_ref().map(unix_seconds).unwrap_or_default(),
        schedule_to_close_timeout: start.schedule_to_close_timeout.as_ref().map(seconds),
        start_to_close_timeout: start.start_to_close_timeout.as_ref().map(seconds),
        heartbeat_timeout: start.heartbeat_timeout.as_ref().map(seconds),
        retry_policy: start.retry_policy.map(|policy| retry_policy_to_python(py, policy)).transpose()?,
        priority: start.priority.map(|priority| priority_to_python(py, priority)).transpose()?,
    })
}

fn activity_cancel(task_token: Py<PyBytes>, cancel: core::Cancel) -> ActivityCancel {
    let details = cancel.details.unwrap_or_default();
    ActivityCancel {
        task_token,
        not_found: details.is_not_found,
        cancel_requested: details.is_cancelled,
        paused: details.is_paused,
        reset: details.is_reset,
        timed_out: details.is_timed_out,
        worker_shutdown: details.is_worker_shutdown,
    }
}

/// How one execution of an activity ended.
pub enum ActivityOutcome {
    Completed(Option<Payload>),
    Failed(Failure),
    Cancelled(Failure),
    WillCompleteAsync,
}

pub fn activity_completion(task_token: Vec<u8>, outcome: ActivityOutcome) -> ActivityTaskCompletion {
    let status = match outcome {
        ActivityOutcome::Completed(result) => {
            Status::Completed(activity_result::Success { result: result.map(Into::into) })
        }
        ActivityOutcome::Failed(failure) => {
            Status::Failed(activity_result::Failure { failure: Some(failure.into()), ..Default::default() })
        }
        ActivityOutcome::Cancelled(failure) => {
            Status::Cancelled(activity_result::Cancellation { failure: Some(failure.into()) })
        }
        ActivityOutcome::WillCompleteAsync => Status::WillCompleteAsync(activity_result::WillCompleteAsync {}),
    };
    ActivityTaskCompletion { task_token, result: Some(ActivityExecutionResult { status: Some(status) }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_protos::temporal::api::failure::v1::Failure as FailureMessage;

    fn status(outcome: ActivityOutcome) -> Status {
        activity_completion(b"token".to_vec(), outcome).result.unwrap().status.unwrap()
    }

    #[test]
    fn each_outcome_has_its_status() {
        let failure = || Failure::from(FailureMessage { message: "gone".to_owned(), ..Default::default() });
        assert!(matches!(status(ActivityOutcome::Completed(None)), Status::Completed(_)));
        assert!(matches!(status(ActivityOutcome::Failed(failure())), Status::Failed(failed)
            if failed.failure.as_ref().unwrap().message == "gone"));
        assert!(matches!(status(ActivityOutcome::Cancelled(failure())), Status::Cancelled(_)));
        assert!(matches!(status(ActivityOutcome::WillCompleteAsync), Status::WillCompleteAsync(_)));
    }

    #[test]
    fn only_a_start_has_a_type() {
        let start = core::Start { activity_type: "greet".to_owned(), ..Default::default() };
        let task = |variant| ActivityTask(core::ActivityTask { task_token: vec![], variant: Some(variant) });
        assert_eq!(task(Variant::Start(start)).starts(), Some("greet"));
        assert_eq!(task(Variant::Cancel(core::Cancel::default())).starts(), None);
    }
}
