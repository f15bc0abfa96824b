//! Activations: what happened to one workflow run, as native objects that the engine applies.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyList;
use temporalio_protos::coresdk::workflow_activation as core;
use temporalio_protos::coresdk::workflow_activation::workflow_activation_job::Variant;

use crate::convert::nanoseconds;
use crate::record::record;

mod initialize;
mod jobs;
mod resolutions;

pub use self::initialize::InitializeWorkflow;
pub use self::jobs::{
    CancelWorkflow, DoUpdate, FireTimer, NotifyHasPatch, QueryWorkflow, RemoveFromCache, SignalWorkflow,
    UpdateRandomSeed,
};
pub use self::resolutions::{
    ActivityBackoff, ResolveActivity, ResolveChildWorkflowExecution, ResolveChildWorkflowExecutionStart,
    ResolveNexusOperation, ResolveNexusOperationStart, ResolveRequestCancelExternalWorkflow,
    ResolveSignalExternalWorkflow,
};

record! {
    /// Jobs for one run, to be applied together and answered with one completion.
    Activation {
        run_id: String,
        timestamp_ns: i64 = 0,
        is_replaying: bool = false,
        history_length: u32 = 0,
        history_size_bytes: u64 = 0,
        continue_as_new_suggested: bool = false,
        target_worker_deployment_version_changed: bool = false,
        deployment_version: Option<(String, String)> = None,
        jobs: Py<PyList>,
    }
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
            target_worker_deployment_version_changed: activation.target_worker_deployment_version_changed,
            deployment_version: deployment.map(|version| (version.deployment_name, version.build_id)),
            jobs: jobs.unbind(),
        },
    )
}

fn job_to_python(py: Python<'_>, job: Variant) -> PyResult<Bound<'_, PyAny>> {
    match job {
        Variant::InitializeWorkflow(job) => initialize::initialize(py, job)?.into_bound_py_any(py),
        Variant::FireTimer(job) => FireTimer::from(job).into_bound_py_any(py),
        Variant::UpdateRandomSeed(job) => UpdateRandomSeed::from(job).into_bound_py_any(py),
        Variant::QueryWorkflow(job) => QueryWorkflow::from(job).into_bound_py_any(py),
        Variant::CancelWorkflow(job) => CancelWorkflow::from(job).into_bound_py_any(py),
        Variant::SignalWorkflow(job) => SignalWorkflow::from(job).into_bound_py_any(py),
        Variant::DoUpdate(job) => DoUpdate::from(job).into_bound_py_any(py),
        Variant::ResolveActivity(job) => resolutions::resolve_activity(py, job)?.into_bound_py_any(py),
        Variant::ResolveChildWorkflowExecutionStart(job) => {
            ResolveChildWorkflowExecutionStart::from(job).into_bound_py_any(py)
        }
        Variant::ResolveChildWorkflowExecution(job) => ResolveChildWorkflowExecution::from(job).into_bound_py_any(py),
        Variant::ResolveSignalExternalWorkflow(job) => ResolveSignalExternalWorkflow::from(job).into_bound_py_any(py),
        Variant::ResolveRequestCancelExternalWorkflow(job) => {
            ResolveRequestCancelExternalWorkflow::from(job).into_bound_py_any(py)
        }
        Variant::ResolveNexusOperationStart(job) => ResolveNexusOperationStart::from(job).into_bound_py_any(py),
        Variant::ResolveNexusOperation(job) => ResolveNexusOperation::from(job).into_bound_py_any(py),
        Variant::NotifyHasPatch(job) => NotifyHasPatch::from(job).into_bound_py_any(py),
        Variant::RemoveFromCache(job) => RemoveFromCache::from(job).into_bound_py_any(py),
    }
}

#[cfg(test)]
mod tests {
    use temporalio_protos::coresdk::workflow_activation::WorkflowActivationJob;

    use super::*;

    #[test]
    fn an_activation_tells_what_the_server_suggests() {
        Python::initialize();
        let message = core::WorkflowActivation { target_worker_deployment_version_changed: true, ..Default::default() };
        Python::attach(|py| {
            let activation = activation_to_python(py, message).unwrap();
            let activation = activation.get();
            assert!(activation.target_worker_deployment_version_changed);
        });
    }

    #[test]
    fn every_job_has_a_class_of_its_name() {
        Python::initialize();
        let jobs = [
            Variant::InitializeWorkflow(Default::default()),
            Variant::FireTimer(Default::default()),
            Variant::UpdateRandomSeed(Default::default()),
            Variant::QueryWorkflow(Default::default()),
            Variant::CancelWorkflow(Default::default()),
            Variant::SignalWorkflow(Default::default()),
            Variant::DoUpdate(Default::default()),
            Variant::ResolveActivity(Default::default()),
            Variant::ResolveChildWorkflowExecutionStart(Default::default()),
            Variant::ResolveChildWorkflowExecution(Default::default()),
            Variant::ResolveSignalExternalWorkflow(Default::default()),
            Variant::ResolveRequestCancelExternalWorkflow(Default::default()),
            Variant::ResolveNexusOperationStart(Default::default()),
            Variant::ResolveNexusOperation(Default::default()),
            Variant::NotifyHasPatch(Default::default()),
            Variant::RemoveFromCache(Default::default()),
        ];
        let names = jobs.each_ref().map(|job| format!("{job:?}").split('(').next().unwrap().to_owned());
        let jobs = jobs.map(|job| WorkflowActivationJob { variant: Some(job) }).into();
        Python::attach(|py| {
            let activation = activation_to_python(py, core::WorkflowActivation { jobs, ..Default::default() }).unwrap();
            let jobs = activation.get().jobs.bind(py).iter();
            let classes: Vec<_> = jobs.map(|job| job.get_type().name().unwrap().to_string()).collect();
            assert_eq!(classes, names);
        });
    }
}
