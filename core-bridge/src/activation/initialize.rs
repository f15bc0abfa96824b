//! The job that starts a run.

use pyo3::prelude::*;
use temporalio_protos::coresdk::common::NamespacedWorkflowExecution;
use temporalio_protos::coresdk::workflow_activation as core;

use crate::convert::{nanoseconds, seconds, unix_seconds};
use crate::failure::Failure;
use crate::payload::{PayloadMap, Payloads};
use crate::policies::{Priority, RetryPolicy, priority_to_python, retry_policy_to_python};
use crate::record::record;

record! {
    /// The first job of a run: what it was started with. Times are seconds since the epoch, nanoseconds where the
    /// name says so, and durations seconds.
    InitializeWorkflow {
        workflow_type: String,
        workflow_id: String,
        arguments: Payloads = Payloads::default(),
        randomness_seed: u64 = 0,
        headers: PayloadMap = PayloadMap::default(),
        identity: String = String::new(),
        parent: Option<(String, String, String)> = None,
        root: Option<(String, String)> = None,
        execution_timeout: Option<f64> = None,
        run_timeout: Option<f64> = None,
        task_timeout: Option<f64> = None,
        continued_run_id: Option<String> = None,
        continued_initiator: i32 = 0,
        continued_failure: Option<Failure> = None,
        last_completion_result: Option<Payloads> = None,
        first_execution_run_id: String = String::new(),
        original_execution_run_id: String = String::new(),
        retry_policy: Option<Py<RetryPolicy>> = None,
        attempt: i32 = 1,
        cron_schedule: Option<String> = None,
        cron_schedule_to_schedule_interval: Option<f64> = None,
        workflow_execution_expiration_time: Option<f64> = None,
        memo: PayloadMap = PayloadMap::default(),
        search_attributes: PayloadMap = PayloadMap::default(),
        start_time_ns: i64 = 0,
        priority: Option<Py<Priority>> = None,
    }
}

pub fn initialize(py: Python<'_>, job: core::InitializeWorkflow) -> PyResult<InitializeWorkflow> {
    let parent = |parent: NamespacedWorkflowExecution| (parent.namespace, parent.workflow_id, parent.run_id);
    Ok(InitializeWorkflow {
        workflow_type: job.workflow_type,
        workflow_id: job.workflow_id,
        arguments: Payloads(job.arguments),
        randomness_seed: job.randomness_seed,
        headers: PayloadMap(job.headers),
        identity: job.identity,
        parent: job.parent_workflow_info.map(parent),
        root: job.root_workflow.map(|root| (root.workflow_id, root.run_id)),
        execution_timeout: job.workflow_execution_timeout.as_ref().map(seconds),
        run_timeout: job.workflow_run_timeout.as_ref().map(seconds),
        task_timeout: job.workflow_task_timeout.as_ref().map(seconds),
        continued_run_id: Some(job.continued_from_execution_run_id).filter(|id| !id.is_empty()),
        continued_initiator: job.continued_initiator,
        continued_failure: job.continued_failure.map(Failure::from),
        last_completion_result: job.last_completion_result.map(|result| Payloads(result.payloads)),
        first_execution_run_id: job.first_execution_run_id,
        original_execution_run_id: job.original_execution_run_id,
        retry_policy: job.retry_policy.map(|policy| retry_policy_to_python(py, policy)).transpose()?,
        attempt: job.attempt,
        cron_schedule: Some(job.cron_schedule).filter(|schedule| !schedule.is_empty()),
        cron_schedule_to_schedule_interval: job.cron_schedule_to_schedule_interval.as_ref().map(seconds),
        workflow_execution_expiration_time: job.workflow_execution_expiration_time.as_ref().map(unix_seconds),
        memo: PayloadMap(job.memo.unwrap_or_default().fields),
        search_attributes: PayloadMap(job.search_attributes.unwrap_or_default().indexed_fields),
        start_time_ns: job.start_time.as_ref().map(nanoseconds).unwrap_or_default(),
        priority: job.priority.map(|priority| priority_to_python(py, priority)).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use prost_wkt_types::{Duration, Timestamp};

    use super::*;

    #[test]
    fn the_start_keeps_its_nanoseconds() {
        Python::initialize();
        let start_time = Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 });
        let job = core::InitializeWorkflow { start_time, ..Default::default() };
        let job = Python::attach(|py| initialize(py, job)).unwrap();
        assert_eq!(job.start_time_ns, 1_700_000_000_123_456_789);
    }

    #[test]
    fn a_run_of_a_cron_schedule_knows_its_times() {
        Python::initialize();
        let job = core::InitializeWorkflow {
            continued_initiator: 3,
            workflow_execution_expiration_time: Some(Timestamp { seconds: 100, nanos: 500_000_000 }),
            cron_schedule_to_schedule_interval: Some(Duration { seconds: 60, nanos: 0 }),
            ..Default::default()
        };
        let job = Python::attach(|py| initialize(py, job)).unwrap();
        assert_eq!(job.continued_initiator, 3);
        assert_eq!(job.workflow_execution_expiration_time, Some(100.5));
        assert_eq!(job.cron_schedule_to_schedule_interval, Some(60.0));
    }
}
