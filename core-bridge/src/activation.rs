//! Activations: what happened to one workflow run, as native objects that the engine applies.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyList;
use temporalio_protos::coresdk::activity_result::activity_resolution;
use temporalio_protos::coresdk::common::NamespacedWorkflowExecution;
use temporalio_protos::coresdk::workflow_activation as core;
use temporalio_protos::coresdk::workflow_activation::workflow_activation_job::Variant;
use temporalio_protos::temporal::api::common::v1 as common;

use crate::convert::{nanoseconds, seconds, unix_seconds};
use crate::failure::Failure;
use crate::payload::{Payload, PayloadMap, Payloads};
use crate::record::record;

record! {
    /// Jobs for one run, to be applied together and answered with one completion.
    Activation {
        run_id: String,
        timestamp_ns: i64 = 0,
        is_replaying: bool = false,
        history_length: u32 = 0,
        history_size_bytes: u64 = 0,
        continue_as_new_suggested: bool = false,
        deployment_version: Option<(String, String)> = None,
        jobs: Py<PyList>,
    }
}

record! {
    /// A retry policy; intervals are seconds, `None` leaves a field to the server.
    RetryPolicy {
        initial_interval: Option<f64> = None,
        backoff_coefficient: f64 = 2.0,
        maximum_interval: Option<f64> = None,
        maximum_attempts: i32 = 0,
        non_retryable_error_types: Vec<String> = Vec::new(),
    }
}

record! {
    /// Priority and fairness of a workflow or activity.
    Priority { priority_key: i32 = 0, fairness_key: String = String::new(), fairness_weight: f32 = 0.0 }
}

record! {
    /// The first job of a run: what it was started with. Times are seconds since the epoch, durations seconds.
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
        continued_failure: Option<Failure> = None,
        last_completion_result: Option<Payloads> = None,
        first_execution_run_id: String = String::new(),
        original_execution_run_id: String = String::new(),
        retry_policy: Option<Py<RetryPolicy>> = None,
        attempt: i32 = 1,
        cron_schedule: Option<String> = None,
        memo: PayloadMap = PayloadMap::default(),
        search_attributes: PayloadMap = PayloadMap::default(),
        start_time: f64 = 0.0,
        priority: Option<Py<Priority>> = None,
    }
}

record! {
    /// A timer has fired.
    FireTimer { seq: u32 }
}

record! {
    /// The run was reset: reseed its random numbers.
    UpdateRandomSeed { randomness_seed: u64 }
}

record! {
    /// A query waits for an answer.
    QueryWorkflow {
        query_id: String,
        query_type: String,
        arguments: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
    }
}

record! {
    /// Cancellation of the run was requested.
    CancelWorkflow { reason: String = String::new() }
}

record! {
    /// A signal has arrived.
    SignalWorkflow {
        signal_name: String,
        input: Payloads = Payloads::default(),
        identity: String = String::new(),
        headers: PayloadMap = PayloadMap::default(),
    }
}

record! {
    /// A local activity must back off: start a timer of `backoff` seconds, then schedule it again as `attempt`.
    ActivityBackoff { attempt: u32, backoff: f64, original_schedule_time: Option<f64> = None }
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
    /// History has the marker of this patch; sent ahead of the code that asks.
    NotifyHasPatch { patch_id: String }
}

record! {
    /// Drop the run from the cache; no user code may run.
    RemoveFromCache { message: String = String::new(), reason: i32 = 0 }
}

record! {
    /// A job that this version does not handle.
    UnsupportedJob { name: String }
}

pub fn activation_to_python(py: Python<'_>, activation: core::WorkflowActivation) -> PyResult<Py<Activation>> {
    let jobs = activation.jobs.into_iter().filter_map(|job| job.variant).map(|job| job_to_python(py, job));
    let jobs = PyList::new(py, jobs.collect::<PyResult<Vec<_>>>()?)?;
    let deployment = activation.deployment_version_for_current_task;
    Py::new(
        py,
        Activation {
            run_id: activation.run_id,
            timestamp_ns: activation.timestamp.as_ref().map(nanoseconds).unwrap_or_default(),
            is_replaying: activation.is_replaying,
            history_length: activation.history_length,
            history_size_bytes: activation.history_size_bytes,
            continue_as_new_suggested: activation.continue_as_new_suggested,
            deployment_version: deployment.map(|version| (version.deployment_name, version.build_id)),
            jobs: jobs.unbind(),
        },
    )
}

fn job_to_python(py: Python<'_>, job: Variant) -> PyResult<Bound<'_, PyAny>> {
    match job {
        Variant::InitializeWorkflow(job) => initialize(py, job)?.into_bound_py_any(py),
        Variant::FireTimer(job) => FireTimer { seq: job.seq }.into_bound_py_any(py),
        Variant::UpdateRandomSeed(job) => {
            UpdateRandomSeed { randomness_seed: job.randomness_seed }.into_bound_py_any(py)
        }
        Variant::QueryWorkflow(job) => QueryWorkflow {
            query_id: job.query_id,
            query_type: job.query_type,
            arguments: Payloads(job.arguments),
            headers: PayloadMap(job.headers),
        }
        .into_bound_py_any(py),
        Variant::CancelWorkflow(job) => CancelWorkflow { reason: job.reason }.into_bound_py_any(py),
        Variant::SignalWorkflow(job) => SignalWorkflow {
            signal_name: job.signal_name,
            input: Payloads(job.input),
            identity: job.identity,
            headers: PayloadMap(job.headers),
        }
        .into_bound_py_any(py),
        Variant::ResolveActivity(job) => resolve_activity(py, job)?.into_bound_py_any(py),
        Variant::NotifyHasPatch(job) => NotifyHasPatch { patch_id: job.patch_id }.into_bound_py_any(py),
        Variant::RemoveFromCache(job) => {
            RemoveFromCache { message: job.message, reason: job.reason }.into_bound_py_any(py)
        }
        other => UnsupportedJob { name: variant_name(&other) }.into_bound_py_any(py),
    }
}

/// The variant's own name, without its fields: they may hold user data.
fn variant_name(job: &Variant) -> String {
    let debug = format!("{job:?}");
    debug.split('(').next().unwrap_or_default().to_owned()
}

fn resolve_activity(py: Python<'_>, job: core::ResolveActivity) -> PyResult<ResolveActivity> {
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
                    original_schedule_time: backoff.original_schedule_time.as_ref().map(unix_seconds),
                },
            )?);
        }
        None => {}
    }
    Ok(resolved)
}

fn initialize(py: Python<'_>, job: core::InitializeWorkflow) -> PyResult<InitializeWorkflow> {
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
        continued_failure: job.continued_failure.map(Failure::from),
        last_completion_result: job.last_completion_result.map(|result| Payloads(result.payloads)),
        first_execution_run_id: job.first_execution_run_id,
        original_execution_run_id: job.original_execution_run_id,
        retry_policy: job.retry_policy.map(|policy| retry_policy_to_python(py, policy)).transpose()?,
        attempt: job.attempt,
        cron_schedule: Some(job.cron_schedule).filter(|schedule| !schedule.is_empty()),
        memo: PayloadMap(job.memo.unwrap_or_default().fields),
        search_attributes: PayloadMap(job.search_attributes.unwrap_or_default().indexed_fields),
        start_time: job.start_time.as_ref().map(unix_seconds).unwrap_or_default(),
        priority: job.priority.map(|priority| priority_to_python(py, priority)).transpose()?,
    })
}

pub fn retry_policy_to_python(py: Python<'_>, policy: common::RetryPolicy) -> PyResult<Py<RetryPolicy>> {
    Py::new(
        py,
        RetryPolicy {
            initial_interval: policy.initial_interval.as_ref().map(seconds),
            backoff_coefficient: policy.backoff_coefficient,
            maximum_interval: policy.maximum_interval.as_ref().map(seconds),
            maximum_attempts: policy.maximum_attempts,
            non_retryable_error_types: policy.non_retryable_error_types,
        },
    )
}

pub fn priority_to_python(py: Python<'_>, priority: common::Priority) -> PyResult<Py<Priority>> {
    let common::Priority { priority_key, fairness_key, fairness_weight } = priority;
    Py::new(py, Priority { priority_key, fairness_key, fairness_weight })
}

impl From<&RetryPolicy> for common::RetryPolicy {
    fn from(policy: &RetryPolicy) -> Self {
        Self {
            initial_interval: policy.initial_interval.map(crate::convert::duration),
            backoff_coefficient: policy.backoff_coefficient,
            maximum_interval: policy.maximum_interval.map(crate::convert::duration),
            maximum_attempts: policy.maximum_attempts,
            non_retryable_error_types: policy.non_retryable_error_types.clone(),
        }
    }
}

impl From<&Priority> for common::Priority {
    fn from(priority: &Priority) -> Self {
        Self {
            priority_key: priority.priority_key,
            fairness_key: priority.fairness_key.clone(),
            fairness_weight: priority.fairness_weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsupported_job_is_named_without_its_contents() {
        let update = core::DoUpdate { name: "secret".to_owned(), ..Default::default() };
        assert_eq!(variant_name(&Variant::DoUpdate(update)), "DoUpdate");
    }

    #[test]
    fn retry_policy_intervals_become_durations() {
        let policy = RetryPolicy {
            initial_interval: Some(0.5),
            backoff_coefficient: 2.0,
            maximum_interval: None,
            maximum_attempts: 3,
            non_retryable_error_types: vec!["ValueError".to_owned()],
        };
        let message = common::RetryPolicy::from(&policy);
        assert_eq!(message.initial_interval.unwrap().nanos, 500_000_000);
        assert_eq!(message.maximum_interval, None);
        assert_eq!(message.maximum_attempts, 3);
    }
}
