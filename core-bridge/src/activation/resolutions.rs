//! Jobs that bring the outcome of what the run has asked for, under the sequence number of its command.

use pyo3::prelude::*;
use temporalio_protos::coresdk::activity_result::activity_resolution;
use temporalio_protos::coresdk::child_workflow::child_workflow_result;
use temporalio_protos::coresdk::nexus::nexus_operation_result;
use temporalio_protos::coresdk::workflow_activation as core;
use temporalio_protos::coresdk::workflow_activation::{
    resolve_child_workflow_execution_start, resolve_nexus_operation_start,
};

use crate::convert::{nanoseconds, seconds};
use crate::failure::Failure;
use crate::payload::Payload;
use crate::record::record;

record! {
    /// A local activity must back off: start a timer of `backoff` seconds, then schedule it again as `attempt`, with
    /// the time (nanoseconds since the epoch) at which it was first scheduled.
    ActivityBackoff { attempt: u32, backoff: f64, original_schedule_time_ns: Option<i64> = None }
}

record! {
    /// An activity has ended: with a result, a failure (cancellation is one), or the order to back off.
    ResolveActivity {
        seq: u32,
        is_local: bool = false,
        result: Option<Payload> = None,
        failure: Option<Failure> = None,
        backoff: Option<Py<ActivityBackoff>> = None,
    }
}

record! {
    /// A child workflow has started (`run_id`), could not start (`cause` and which it was), or was canceled before it
    /// did (`failure`).
    ResolveChildWorkflowExecutionStart {
        seq: u32,
        run_id: Option<String> = None,
        workflow_id: String = String::new(),
        workflow_type: String = String::new(),
        cause: i32 = 0,
        failure: Option<Failure> = None,
    }
}

record! {
    /// A child workflow has ended: with a result or a failure (cancellation is one).
    ResolveChildWorkflowExecution { seq: u32, result: Option<Payload> = None, failure: Option<Failure> = None }
}

record! {
    /// A signal to another workflow was delivered, unless there is a failure.
    ResolveSignalExternalWorkflow { seq: u32, failure: Option<Failure> = None }
}

record! {
    /// A request to cancel another workflow was delivered, unless there is a failure.
    ResolveRequestCancelExternalWorkflow { seq: u32, failure: Option<Failure> = None }
}

record! {
    /// A Nexus operation has started (`operation_token`), has started and ended at once (`started_sync`: its resolution
    /// comes in the same activation), or could not start (`failure`).
    ResolveNexusOperationStart {
        seq: u32,
        operation_token: Option<String> = None,
        started_sync: bool = false,
        failure: Option<Failure> = None,
    }
}

record! {
    /// A Nexus operation has ended: with a result or a failure (cancellation and timeout are some).
    ResolveNexusOperation { seq: u32, result: Option<Payload> = None, failure: Option<Failure> = None }
}

pub fn resolve_activity(py: Python<'_>, job: core::ResolveActivity) -> PyResult<ResolveActivity> {
    use activity_resolution::Status;
    let mut resolved =
        ResolveActivity { seq: job.seq, is_local: job.is_local, result: None, failure: None, backoff: None };
    match job.result.and_then(|result| result.status) {
        Some(Status::Completed(success)) => resolved.result = success.result.map(Payload::from),
        Some(Status::Failed(failed)) => resolved.failure = failed.failure.map(Failure::from),
        Some(Status::Cancelled(cancelled)) => resolved.failure = cancelled.failure.map(Failure::from),
        Some(Status::Backoff(backoff)) => {
            resolved.backoff = Some(Py::new(
                py,
                ActivityBackoff {
                    attempt: backoff.attempt,
                    backoff: backoff.backoff_duration.as_ref().map(seconds).unwrap_or_default(),
                    original_schedule_time_ns: backoff.original_schedule_time.as_ref().map(nanoseconds),
                },
            )?);
        }
        None => {}
    }
    Ok(resolved)
}

impl From<core::ResolveChildWorkflowExecutionStart> for ResolveChildWorkflowExecutionStart {
    fn from(job: core::ResolveChildWorkflowExecutionStart) -> Self {
        use resolve_child_workflow_execution_start::Status;
        let mut resolved = Self {
            seq: job.seq,
            run_id: None,
            workflow_id: String::new(),
            workflow_type: String::new(),
            cause: 0,
            failure: None,
        };
        match job.status {
            Some(Status::Succeeded(started)) => resolved.run_id = Some(started.run_id),
            Some(Status::Failed(failed)) => {
                resolved.workflow_id = failed.workflow_id;
                resolved.workflow_type = failed.workflow_type;
                resolved.cause = failed.cause;
            }
            Some(Status::Cancelled(canceled)) => resolved.failure = canceled.failure.map(Failure::from),
            None => {}
        }
        resolved
    }
}

impl From<core::ResolveChildWorkflowExecution> for ResolveChildWorkflowExecution {
    fn from(job: core::ResolveChildWorkflowExecution) -> Self {
        use child_workflow_result::Status;
        let (result, failure) = match job.result.and_then(|result| result.status) {
            Some(Status::Completed(success)) => (success.result, None),
            Some(Status::Failed(failed)) => (None, failed.failure),
            Some(Status::Cancelled(canceled)) => (None, canceled.failure),
            None => (None, None),
        };
        Self { seq: job.seq, result: result.map(Payload::from), failure: failure.map(Failure::from) }
    }
}

impl From<core::ResolveSignalExternalWorkflow> for ResolveSignalExternalWorkflow {
    fn from(job: core::ResolveSignalExternalWorkflow) -> Self {
        Self { seq: job.seq, failure: job.failure.map(Failure::from) }
    }
}

impl From<core::ResolveRequestCancelExternalWorkflow> for ResolveRequestCancelExternalWorkflow {
    fn from(job: core::ResolveRequestCancelExternalWorkflow) -> Self {
        Self { seq: job.seq, failure: job.failure.map(Failure::from) }
    }
}

impl From<core::ResolveNexusOperationStart> for ResolveNexusOperationStart {
    fn from(job: core::ResolveNexusOperationStart) -> Self {
        use resolve_nexus_operation_start::Status;
        let mut resolved = Self { seq: job.seq, operation_token: None, started_sync: false, failure: None };
        match job.status {
            Some(Status::OperationToken(token)) => resolved.operation_token = Some(token),
            Some(Status::StartedSync(started_sync)) => resolved.started_sync = started_sync,
            Some(Status::Failed(failure)) => resolved.failure = Some(failure.into()),
            None => {}
        }
        resolved
    }
}

impl From<core::ResolveNexusOperation> for ResolveNexusOperation {
    fn from(job: core::ResolveNexusOperation) -> Self {
        use nexus_operation_result::Status;
        let (result, failure) = match job.result.and_then(|result| result.status) {
            Some(Status::Completed(result)) => (Some(result), None),
            Some(Status::Failed(failure) | Status::Cancelled(failure) | Status::TimedOut(failure)) => {
                (None, Some(failure))
            }
            None => (None, None),
        };
        Self { seq: job.seq, result: result.map(Payload::from), failure: failure.map(Failure::from) }
    }
}

#[cfg(test)]
mod tests {
    use prost_wkt_types::{Duration, Timestamp};
    use temporalio_protos::coresdk::activity_result::{ActivityResolution, DoBackoff};
    use temporalio_protos::coresdk::{child_workflow, nexus};
    use temporalio_protos::temporal::api::common::v1 as common;
    use temporalio_protos::temporal::api::failure::v1 as failure;

    use super::*;

    fn payload() -> common::Payload {
        common::Payload { data: b"x".to_vec(), ..Default::default() }
    }

    fn failed() -> failure::Failure {
        failure::Failure { message: "no".to_owned(), ..Default::default() }
    }

    #[test]
    fn a_backoff_keeps_the_time_of_the_first_schedule() {
        let backoff = DoBackoff {
            attempt: 4,
            backoff_duration: Some(Duration { seconds: 90, nanos: 0 }),
            original_schedule_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }),
        };
        let result = Some(ActivityResolution { status: Some(activity_resolution::Status::Backoff(backoff)) });
        Python::initialize();
        Python::attach(|py| {
            let job = core::ResolveActivity { seq: 1, result, is_local: true };
            let backoff = resolve_activity(py, job).unwrap().backoff.unwrap();
            let ActivityBackoff { attempt, backoff, original_schedule_time_ns } = backoff.get();
            assert_eq!((*attempt, *backoff), (4, 90.0));
            assert_eq!(*original_schedule_time_ns, Some(1_700_000_000_123_456_789));
        });
    }

    #[test]
    fn a_child_starts_fails_to_start_or_is_canceled_before() {
        use resolve_child_workflow_execution_start::Status;
        let resolve = |status| {
            ResolveChildWorkflowExecutionStart::from(core::ResolveChildWorkflowExecutionStart {
                seq: 1,
                status: Some(status),
            })
        };
        let started = core::ResolveChildWorkflowExecutionStartSuccess { run_id: "run".to_owned() };
        let started = resolve(Status::Succeeded(started));
        assert_eq!((started.seq, started.run_id.as_deref(), started.failure), (1, Some("run"), None));
        let refused = resolve(Status::Failed(core::ResolveChildWorkflowExecutionStartFailure {
            workflow_id: "child".to_owned(),
            workflow_type: "Child".to_owned(),
            cause: 1,
        }));
        assert_eq!((refused.workflow_id.as_str(), refused.workflow_type.as_str()), ("child", "Child"));
        assert_eq!((refused.cause, refused.run_id), (1, None));
        let canceled = core::ResolveChildWorkflowExecutionStartCancelled { failure: Some(failed()) };
        let canceled = resolve(Status::Cancelled(canceled));
        assert_eq!((canceled.failure, canceled.run_id), (Some(failed().into()), None));
    }

    #[test]
    fn a_child_ends_with_a_result_or_a_failure() {
        use child_workflow_result::Status;
        let resolve = |status| {
            let result = Some(child_workflow::ChildWorkflowResult { status: Some(status) });
            let job = ResolveChildWorkflowExecution::from(core::ResolveChildWorkflowExecution { seq: 1, result });
            (job.seq, job.result, job.failure)
        };
        let completed = resolve(Status::Completed(child_workflow::Success { result: Some(payload()) }));
        assert_eq!(completed, (1, Some(payload().into()), None));
        let failure = resolve(Status::Failed(child_workflow::Failure { failure: Some(failed()) }));
        assert_eq!(failure, (1, None, Some(failed().into())));
        let canceled = resolve(Status::Cancelled(child_workflow::Cancellation { failure: Some(failed()) }));
        assert_eq!(canceled, (1, None, Some(failed().into())));
    }

    #[test]
    fn signals_and_requests_to_cancel_succeed_or_fail() {
        let signal = |failure| core::ResolveSignalExternalWorkflow { seq: 1, failure, ..Default::default() };
        assert_eq!(ResolveSignalExternalWorkflow::from(signal(None)).failure, None);
        let resolved = ResolveSignalExternalWorkflow::from(signal(Some(failed())));
        assert_eq!((resolved.seq, resolved.failure), (1, Some(failed().into())));
        let cancel = |failure| core::ResolveRequestCancelExternalWorkflow { seq: 2, failure, ..Default::default() };
        assert_eq!(ResolveRequestCancelExternalWorkflow::from(cancel(None)).failure, None);
        let resolved = ResolveRequestCancelExternalWorkflow::from(cancel(Some(failed())));
        assert_eq!((resolved.seq, resolved.failure), (2, Some(failed().into())));
    }

    #[test]
    fn an_operation_starts_ends_at_once_or_fails_to_start() {
        use resolve_nexus_operation_start::Status;
        let resolve = |status| {
            let job = core::ResolveNexusOperationStart { seq: 1, status: Some(status) };
            let job = ResolveNexusOperationStart::from(job);
            (job.seq, job.operation_token, job.started_sync, job.failure)
        };
        let started = resolve(Status::OperationToken("token".to_owned()));
        assert_eq!(started, (1, Some("token".to_owned()), false, None));
        assert_eq!(resolve(Status::StartedSync(true)), (1, None, true, None));
        assert_eq!(resolve(Status::Failed(failed())), (1, None, false, Some(failed().into())));
    }

    #[test]
    fn an_operation_ends_with_a_result_or_a_failure() {
        use nexus_operation_result::Status;
        let resolve = |status| {
            let result = Some(nexus::NexusOperationResult { status: Some(status) });
            let job = ResolveNexusOperation::from(core::ResolveNexusOperation { seq: 1, result });
            (job.seq, job.result, job.failure)
        };
        assert_eq!(resolve(Status::Completed(payload())), (1, Some(payload().into()), None));
        for status in [Status::Failed(failed()), Status::Cancelled(failed()), Status::TimedOut(failed())] {
            assert_eq!(resolve(status), (1, None, Some(failed().into())));
        }
    }
}
