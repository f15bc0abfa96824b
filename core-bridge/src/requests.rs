//! Requests of the calls about one workflow execution, given by Python as plain values. Durations are seconds, policies
//! and conditions the numbers of their enums.

use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::query::v1::WorkflowQuery;
use temporalio_protos::temporal::api::update::v1 as update;
use temporalio_protos::temporal::api::workflowservice::v1 as service;

use crate::messages::Messages;
use crate::payload::{PayloadMap, Payloads};
use crate::record::record;

mod start;

pub use self::start::{Start, StartWorkflowRequest, signal_with_start_run_id};

record! {
    /// A signal to a workflow. `links` are serialized messages of that type.
    SignalWorkflowRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        signal: String,
        identity: String,
        input: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
        request_id: Option<String> = None,
        links: Messages<common::Link> = Messages::default(),
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
    /// An update of a workflow. The server holds its answer back until the stage `wait_for_stage`, or not at all if
    /// that is 0. `completion_callbacks` and `links` are serialized messages of these types.
    UpdateRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        first_execution_run_id: String = String::new(),
        update_id: String,
        name: String,
        identity: String,
        arguments: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
        wait_for_stage: i32 = 0,
        request_id: String = String::new(),
        completion_callbacks: Messages<common::Callback> = Messages::default(),
        links: Messages<common::Link> = Messages::default(),
    }
}

record! {
    /// A wait until an update has reached the stage `wait_for_stage`, or a look at where it is if that is 0.
    PollUpdateRequest {
        namespace: String,
        workflow_id: String,
        run_id: String = String::new(),
        update_id: String,
        identity: String,
        wait_for_stage: i32 = 0,
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
            links: request.links.0.clone(),
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

impl From<&UpdateRequest> for service::UpdateWorkflowExecutionRequest {
    fn from(request: &UpdateRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            workflow_execution: execution(&request.workflow_id, &request.run_id),
            first_execution_run_id: request.first_execution_run_id.clone(),
            wait_policy: wait_policy(request.wait_for_stage),
            request: Some(update::Request {
                meta: Some(update::Meta { update_id: request.update_id.clone(), identity: request.identity.clone() }),
                input: Some(update::Input {
                    header: header(&request.headers),
                    name: request.name.clone(),
                    args: request.arguments.clone().into_message(),
                }),
                request_id: request.request_id.clone(),
                completion_callbacks: request.completion_callbacks.0.clone(),
                links: request.links.0.clone(),
            }),
        }
    }
}

impl From<&PollUpdateRequest> for service::PollWorkflowExecutionUpdateRequest {
    fn from(request: &PollUpdateRequest) -> Self {
        Self {
            namespace: request.namespace.clone(),
            update_ref: Some(update::UpdateRef {
                workflow_execution: execution(&request.workflow_id, &request.run_id),
                update_id: request.update_id.clone(),
            }),
            identity: request.identity.clone(),
            wait_policy: wait_policy(request.wait_for_stage),
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

/// No policy at all makes the call return at once.
fn wait_policy(stage: i32) -> Option<update::WaitPolicy> {
    (stage != 0).then_some(update::WaitPolicy { lifecycle_stage: stage })
}

fn header(headers: &PayloadMap) -> Option<common::Header> {
    (!headers.0.is_empty()).then(|| common::Header { fields: headers.0.clone() })
}

/// The server recognises a repeated request by this id.
fn request_id(given: &Option<String>) -> String {
    given.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(data: &str) -> common::Payload {
        common::Payload { data: data.as_bytes().to_vec(), ..Default::default() }
    }

    #[test]
    fn an_update_carries_all_that_is_given() {
        let message = service::UpdateWorkflowExecutionRequest::from(&UpdateRequest {
            namespace: "space".to_owned(),
            workflow_id: "id".to_owned(),
            run_id: "run".to_owned(),
            first_execution_run_id: "first".to_owned(),
            update_id: "update".to_owned(),
            name: "rename".to_owned(),
            identity: "someone".to_owned(),
            arguments: Payloads(vec![payload("x")]),
            headers: PayloadMap([("trace".to_owned(), payload("t"))].into()),
            wait_for_stage: 2,
            request_id: "request".to_owned(),
            completion_callbacks: Messages(vec![common::Callback::default()]),
            links: Messages(vec![common::Link::default()]),
        });
        let input = update::Input {
            header: Some(common::Header { fields: [("trace".to_owned(), payload("t"))].into() }),
            name: "rename".to_owned(),
            args: Some(common::Payloads { payloads: vec![payload("x")] }),
        };
        let meta = update::Meta { update_id: "update".to_owned(), identity: "someone".to_owned() };
        let expected = service::UpdateWorkflowExecutionRequest {
            namespace: "space".to_owned(),
            workflow_execution: execution("id", "run"),
            first_execution_run_id: "first".to_owned(),
            wait_policy: Some(update::WaitPolicy { lifecycle_stage: 2 }),
            request: Some(update::Request {
                meta: Some(meta),
                input: Some(input),
                request_id: "request".to_owned(),
                completion_callbacks: vec![common::Callback::default()],
                links: vec![common::Link::default()],
            }),
        };
        assert_eq!(message, expected);
    }

    #[test]
    fn a_poll_that_waits_for_nothing_has_no_policy() {
        let request = |wait_for_stage| PollUpdateRequest {
            namespace: "space".to_owned(),
            workflow_id: "id".to_owned(),
            run_id: "run".to_owned(),
            update_id: "update".to_owned(),
            identity: "someone".to_owned(),
            wait_for_stage,
        };
        let message = service::PollWorkflowExecutionUpdateRequest::from(&request(3));
        let reference =
            update::UpdateRef { workflow_execution: execution("id", "run"), update_id: "update".to_owned() };
        assert_eq!((message.namespace.as_str(), message.identity.as_str()), ("space", "someone"));
        assert_eq!(message.update_ref, Some(reference));
        assert_eq!(message.wait_policy, Some(update::WaitPolicy { lifecycle_stage: 3 }));
        assert_eq!(service::PollWorkflowExecutionUpdateRequest::from(&request(0)).wait_policy, None);
    }
}
