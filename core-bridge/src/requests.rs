//! Requests of the calls about one workflow execution, given by Python as plain values. Durations are seconds, policies
//! and conditions the numbers of their enums.

use prost::Message;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::deployment::v1::WorkerDeploymentVersion;
use temporalio_protos::temporal::api::query::v1::WorkflowQuery;
use temporalio_protos::temporal::api::sdk::v1::UserMetadata;
use temporalio_protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_protos::temporal::api::workflow::v1::{VersioningOverride, versioning_override};
use temporalio_protos::temporal::api::workflowservice::v1 as service;

use crate::activation::{Priority, RetryPolicy};
use crate::convert::duration;
use crate::errors::Error;
use crate::payload::{Payload, PayloadMap, Payloads};
use crate::record::record;

record! {
    /// Start of a workflow; with a signal of that name if `start_signal` is set. `versioning_override` is "pinned",
    /// "auto_upgrade" or "one_time" with deployment name and build id, where there is a version. `time_skipping_config`
    /// is a serialized message of that type.
    StartWorkflowRequest {
        namespace: String,
        workflow_id: String,
        workflow_type: String,
        task_queue: String,
        identity: String,
        input: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
        execution_timeout: Option<f64> = None,
        run_timeout: Option<f64> = None,
        task_timeout: Option<f64> = None,
        start_delay: Option<f64> = None,
        id_reuse_policy: i32 = 0,
        id_conflict_policy: i32 = 0,
        retry_policy: Option<Py<RetryPolicy>> = None,
        cron_schedule: String = String::new(),
        memo: PayloadMap = PayloadMap::default(),
        search_attributes: PayloadMap = PayloadMap::default(),
        static_summary: Option<Payload> = None,
        static_details: Option<Payload> = None,
        start_signal: Option<String> = None,
        start_signal_input: Payloads = Payloads::default(),
        priority: Option<Py<Priority>> = None,
        versioning_override: Option<(String, Option<(String, String)>)> = None,
        request_eager_start: bool = false,
        time_skipping_config: Option<PyBackedBytes> = None,
        request_id: Option<String> = None,
    }
}

record! {
    /// A signal to a workflow.
    SignalWorkflowRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        signal: String,
        identity: String,
        input: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
        request_id: Option<String> = None,
    }
}

record! {
    /// A query of a workflow.
    QueryWorkflowRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        query: String,
        input: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
        reject_condition: i32 = 0,
    }
}

record! {
    /// A request that a workflow cancel itself.
    CancelWorkflowRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        first_execution_run_id: String = String::new(),
        identity: String,
        reason: String = String::new(),
        request_id: Option<String> = None,
    }
}

record! {
    /// The end of a workflow without its doing.
    TerminateWorkflowRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        first_execution_run_id: String = String::new(),
        identity: String,
        reason: String = String::new(),
        details: Payloads = Payloads::default(),
    }
}

record! {
    /// Waiting for the end of a workflow, of later runs too if `follow_runs`. With `task_failures` the wait also ends
    /// at the first workflow task that failed for a bug in workflow code.
    WorkflowResultRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        follow_runs: bool = true,
        task_failures: bool = false,
    }
}

/// Either of the two RPCs that start a workflow.
pub enum Start {
    Plain(Box<service::StartWorkflowExecutionRequest>),
    WithSignal(Box<service::SignalWithStartWorkflowExecutionRequest>),
}

impl StartWorkflowRequest {
    pub fn message(&self) -> Result<Start, Error> {
        let versioning_override =
            self.versioning_override.as_ref().map(|(kind, version)| versioning(kind, version.as_ref())).transpose()?;
        let time_skipping_config =
            self.time_skipping_config.as_ref().map(|config| time_skipping(config)).transpose()?;
        let plain = service::StartWorkflowExecutionRequest {
            namespace: self.namespace.clone(),
            workflow_id: self.workflow_id.clone(),
            workflow_type: Some(common::WorkflowType { name: self.workflow_type.clone() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..Default::default() }),
            input: self.input.clone().into_message(),
            workflow_execution_timeout: self.execution_timeout.map(duration),
            workflow_run_timeout: self.run_timeout.map(duration),
            workflow_task_timeout: self.task_timeout.map(duration),
            identity: self.identity.clone(),
            request_id: request_id(&self.request_id),
            workflow_id_reuse_policy: self.id_reuse_policy,
            workflow_id_conflict_policy: self.id_conflict_policy,
            retry_policy: self.retry_policy.as_ref().map(|policy| policy.get().into()),
            cron_schedule: self.cron_schedule.clone(),
            memo: (!self.memo.0.is_empty()).then(|| common::Memo { fields: self.memo.0.clone() }),
            search_attributes: (!self.search_attributes.0.is_empty())
                .then(|| common::SearchAttributes { indexed_fields: self.search_attributes.0.clone() }),
            header: header(&self.headers),
            request_eager_execution: self.request_eager_start,
            workflow_start_delay: self.start_delay.map(duration),
            user_metadata: (self.static_summary.is_some() || self.static_details.is_some()).then(|| UserMetadata {
                summary: self.static_summary.clone().map(Into::into),
                details: self.static_details.clone().map(Into::into),
            }),
            versioning_override,
            priority: self.priority.as_ref().map(|priority| priority.get().into()),
            time_skipping_config,
            ..Default::default()
        };
        Ok(match &self.start_signal {
            None => Start::Plain(Box::new(plain)),
            Some(signal) => Start::WithSignal(Box::new(service::SignalWithStartWorkflowExecutionRequest {
                namespace: plain.namespace,
                workflow_id: plain.workflow_id,
                workflow_type: plain.workflow_type,
                task_queue: plain.task_queue,
                input: plain.input,
                workflow_execution_timeout: plain.workflow_execution_timeout,
                workflow_run_timeout: plain.workflow_run_timeout,
                workflow_task_timeout: plain.workflow_task_timeout,
                identity: plain.identity,
                request_id: plain.request_id,
                workflow_id_reuse_policy: plain.workflow_id_reuse_policy,
                workflow_id_conflict_policy: plain.workflow_id_conflict_policy,
                signal_name: signal.clone(),
                signal_input: self.start_signal_input.clone().into_message(),
                retry_policy: plain.retry_policy,
                cron_schedule: plain.cron_schedule,
                memo: plain.memo,
                search_attributes: plain.search_attributes,
                header: plain.header,
                workflow_start_delay: plain.workflow_start_delay,
                user_metadata: plain.user_metadata,
                versioning_override: plain.versioning_override,
                priority: plain.priority,
                time_skipping_config: plain.time_skipping_config,
                ..Default::default()
            })),
        })
    }
}

impl From<&SignalWorkflowRequest> for service::SignalWorkflowExecutionRequest {
    fn from(request: &SignalWorkflowRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            workflow_execution: execution(&request.workflow_id, &request.run_id),
            signal_name: request.signal.clone(),
            input: request.input.clone().into_message(),
            identity: request.identity.clone(),
            request_id: request_id(&request.request_id),
            header: header(&request.headers),
            ..Default::default()
        }
    }
}

impl From<&QueryWorkflowRequest> for service::QueryWorkflowRequest {
    fn from(request: &QueryWorkflowRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            execution: execution(&request.workflow_id, &request.run_id),
            query: Some(WorkflowQuery {
                query_type: request.query.clone(),
                query_args: request.input.clone().into_message(),
                header: header(&request.headers),
            }),
            query_reject_condition: request.reject_condition,
        }
    }
}

impl From<&CancelWorkflowRequest> for service::RequestCancelWorkflowExecutionRequest {
    fn from(request: &CancelWorkflowRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            workflow_execution: execution(&request.workflow_id, &request.run_id),
            identity: request.identity.clone(),
            request_id: request_id(&request.request_id),
            first_execution_run_id: request.first_execution_run_id.clone(),
            reason: request.reason.clone(),
            ..Default::default()
        }
    }
}

impl From<&TerminateWorkflowRequest> for service::TerminateWorkflowExecutionRequest {
    fn from(request: &TerminateWorkflowRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            workflow_execution: execution(&request.workflow_id, &request.run_id),
            reason: request.reason.clone(),
            details: request.details.clone().into_message(),
            identity: request.identity.clone(),
            first_execution_run_id: request.first_execution_run_id.clone(),
            ..Default::default()
        }
    }
}

pub fn execution(workflow_id: &str, run_id: &str) -> Option<common::WorkflowExecution> {
    Some(common::WorkflowExecution { workflow_id: workflow_id.to_owned(), run_id: run_id.to_owned() })
}

fn header(headers: &PayloadMap) -> Option<common::Header> {
    (!headers.0.is_empty()).then(|| common::Header { fields: headers.0.clone() })
}

/// The server recognises a repeated request by this id.
fn request_id(given: &Option<String>) -> String {
    given.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
}

fn time_skipping(config: &[u8]) -> Result<common::TimeSkippingConfig, Error> {
    common::TimeSkippingConfig::decode(config).map_err(|error| {
        Error::InvalidArgument(format!("time_skipping_config is not a TimeSkippingConfig message: {error}"))
    })
}

fn versioning(kind: &str, version: Option<&(String, String)>) -> Result<VersioningOverride, Error> {
    use versioning_override::{OneTimeOverride, Override, PinnedOverride, PinnedOverrideBehavior};
    let version = version.map(|(deployment_name, build_id)| WorkerDeploymentVersion {
        deployment_name: deployment_name.clone(),
        build_id: build_id.clone(),
    });
    let kind = match kind {
        "pinned" => Override::Pinned(PinnedOverride { behavior: PinnedOverrideBehavior::Pinned.into(), version }),
        "auto_upgrade" => Override::AutoUpgrade(true),
        "one_time" => Override::OneTime(OneTimeOverride { target_deployment_version: version }),
        _ => return Err(Error::InvalidArgument(format!("unknown kind of versioning override: {kind:?}"))),
    };
    Ok(VersioningOverride { r#override: Some(kind), ..Default::default() })
}
