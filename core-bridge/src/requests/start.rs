//! Starts of a workflow, by either RPC or, from inside a workflow, as an operation of the server's own Nexus service.

use prost::{Message, Name};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::sdk::v1::UserMetadata;
use temporalio_protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_protos::temporal::api::workflow::v1::{OnConflictOptions, VersioningOverride};
use temporalio_protos::temporal::api::workflowservice::v1 as service;

use super::{header, request_id};
use crate::convert::duration;
use crate::errors::Error;
use crate::messages::Messages;
use crate::payload::{Payload, PayloadMap, Payloads};
use crate::policies::{Priority, RetryPolicy};
use crate::record::record;
use crate::versioning::VersioningChoice;

const ENCODING: &str = "encoding";
const BINARY_PROTOBUF: &[u8] = b"binary/protobuf";
const MESSAGE_TYPE: &str = "messageType";
/// Marks payloads that the server itself reads, which no codec may touch.
const FOR_THE_SERVER: &str = "__temporal_system_payload";

record! {
    /// Start of a workflow; with a signal of that name if `start_signal` is set. `time_skipping_config` is a
    /// serialized message of that type, so are `completion_callbacks` and `links`. With these, a run that is there
    /// already gets them too, if the policies let it be taken for the one to start.
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
        versioning_override: Option<VersioningChoice> = None,
        request_eager_start: bool = false,
        time_skipping_config: Option<PyBackedBytes> = None,
        request_id: Option<String> = None,
        completion_callbacks: Messages<common::Callback> = Messages::default(),
        links: Messages<common::Link> = Messages::default(),
    }

    /// The start with its signal as the input of a Nexus operation of the server. A request id that is not given stays
    /// empty: workflow code makes none up.
    fn signal_with_start_payload(&self) -> PyResult<Payload> {
        let Some(signal) = &self.start_signal else {
            return Err(PyValueError::new_err("start_signal is not set: there is no signal to start with"));
        };
        let plain = self.plain(self.request_id.clone().unwrap_or_default())?;
        Ok(server_payload(&self.with_signal(plain, signal)))
    }
}

/// Either of the two RPCs that start a workflow.
pub enum Start {
    Plain(Box<service::StartWorkflowExecutionRequest>),
    WithSignal(Box<service::SignalWithStartWorkflowExecutionRequest>),
}

impl StartWorkflowRequest {
    pub fn message(&self) -> Result<Start, Error> {
        let plain = self.plain(request_id(&self.request_id))?;
        Ok(match &self.start_signal {
            None => Start::Plain(Box::new(plain)),
            Some(signal) => Start::WithSignal(Box::new(self.with_signal(plain, signal))),
        })
    }

    fn plain(&self, request_id: String) -> Result<service::StartWorkflowExecutionRequest, Error> {
        Ok(service::StartWorkflowExecutionRequest {
            namespace: self.namespace.clone(),
            workflow_id: self.workflow_id.clone(),
            workflow_type: Some(common::WorkflowType { name: self.workflow_type.clone() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..Default::default() }),
            input: self.input.clone().into_message(),
            workflow_execution_timeout: self.execution_timeout.map(duration),
            workflow_run_timeout: self.run_timeout.map(duration),
            workflow_task_timeout: self.task_timeout.map(duration),
            identity: self.identity.clone(),
            request_id,
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
            versioning_override: self.versioning_override.clone().map(VersioningOverride::from),
            priority: self.priority.as_ref().map(|priority| priority.get().into()),
            time_skipping_config: self.time_skipping_config.as_deref().map(time_skipping).transpose()?,
            completion_callbacks: self.completion_callbacks.0.clone(),
            links: self.links.0.clone(),
            on_conflict_options: self.on_conflict(),
            ..Default::default()
        })
    }

    fn on_conflict(&self) -> Option<OnConflictOptions> {
        let attaches = !self.completion_callbacks.0.is_empty() || !self.links.0.is_empty();
        attaches.then_some(OnConflictOptions {
            attach_request_id: true,
            attach_completion_callbacks: true,
            attach_links: true,
        })
    }

    fn with_signal(
        &self,
        plain: service::StartWorkflowExecutionRequest,
        signal: &str,
    ) -> service::SignalWithStartWorkflowExecutionRequest {
        service::SignalWithStartWorkflowExecutionRequest {
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
            signal_name: signal.to_owned(),
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
            links: plain.links,
            ..Default::default()
        }
    }
}

/// The id of the run that was signalled, from the result of the Nexus operation that signals with start.
#[pyfunction]
pub fn signal_with_start_run_id(payload: Payload) -> PyResult<String> {
    type Response = service::SignalWithStartWorkflowExecutionResponse;
    let payload = common::Payload::from(payload);
    let metadata = |key: &str| payload.metadata.get(key).map(Vec::as_slice).unwrap_or_default();
    if metadata(ENCODING) != BINARY_PROTOBUF || metadata(MESSAGE_TYPE) != Response::full_name().as_bytes() {
        return Err(PyValueError::new_err(format!(
            "expected a {} in encoding {}, got {:?} in encoding {:?}",
            Response::full_name(),
            String::from_utf8_lossy(BINARY_PROTOBUF),
            String::from_utf8_lossy(metadata(MESSAGE_TYPE)),
            String::from_utf8_lossy(metadata(ENCODING)),
        )));
    }
    let response = Response::decode(payload.data.as_slice())
        .map_err(|error| PyValueError::new_err(format!("not a serialized {}: {error}", Response::full_name())))?;
    Ok(response.run_id)
}

fn server_payload<M: Message + Name>(message: &M) -> Payload {
    let metadata = [
        (ENCODING, BINARY_PROTOBUF.to_vec()),
        (MESSAGE_TYPE, M::full_name().into_bytes()),
        (FOR_THE_SERVER, b"true".to_vec()),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
    Payload::from(common::Payload { metadata, data: message.encode_to_vec(), ..Default::default() })
}

fn time_skipping(config: &[u8]) -> Result<common::TimeSkippingConfig, Error> {
    common::TimeSkippingConfig::decode(config).map_err(|error| {
        Error::InvalidArgument(format!("time_skipping_config is not a TimeSkippingConfig message: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn evaluate<T>(expression: &str, read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> PyResult<T> {
        Python::initialize();
        Python::attach(|py| {
            let names = pyo3::wrap_pymodule!(crate::_native)(py).bind(py).dict();
            read(&py.eval(&CString::new(expression).unwrap(), Some(&names), None)?)
        })
    }

    fn start(fields: &str) -> String {
        format!(
            "StartWorkflowRequest(namespace='space', workflow_id='id', workflow_type='type', task_queue='queue', \
             identity='', {fields})"
        )
    }

    #[test]
    fn a_start_with_a_signal_is_a_payload_for_the_server() {
        let request = start("input=[Payload({}, b'x')], start_signal='go', start_signal_input=[Payload({}, b'y')]");
        let payload =
            evaluate(&format!("{request}.signal_with_start_payload()"), |payload| payload.extract::<Payload>());
        let payload = common::Payload::from(payload.unwrap());
        assert_eq!(payload.metadata[ENCODING], BINARY_PROTOBUF);
        let name = b"temporal.api.workflowservice.v1.SignalWithStartWorkflowExecutionRequest";
        assert_eq!(payload.metadata[MESSAGE_TYPE], name);
        assert_eq!(payload.metadata[FOR_THE_SERVER], b"true");
        let message = service::SignalWithStartWorkflowExecutionRequest::decode(payload.data.as_slice()).unwrap();
        assert_eq!((message.namespace.as_str(), message.workflow_id.as_str()), ("space", "id"));
        assert_eq!((message.signal_name.as_str(), message.identity.as_str()), ("go", ""));
        assert_eq!(message.input.unwrap().payloads[0].data, b"x");
        assert_eq!(message.signal_input.unwrap().payloads[0].data, b"y");
        assert_eq!(message.request_id, "");
    }

    #[test]
    fn a_start_without_a_signal_is_no_payload_for_the_server() {
        let payload = evaluate(&format!("{}.signal_with_start_payload()", start("")), |_| Ok(()));
        assert!(payload.unwrap_err().to_string().starts_with("ValueError: start_signal is not set"));
    }

    #[test]
    fn the_signalled_run_is_read_from_its_response_only() {
        let response =
            service::SignalWithStartWorkflowExecutionResponse { run_id: "run".to_owned(), ..Default::default() };
        assert_eq!(signal_with_start_run_id(server_payload(&response)).unwrap(), "run");
        Python::initialize();
        let other = signal_with_start_run_id(server_payload(&common::Payload::default())).unwrap_err().to_string();
        assert!(other.contains("got \"temporal.api.common.v1.Payload\" in encoding \"binary/protobuf\""), "{other}");
        let mut broken = common::Payload::from(server_payload(&response));
        broken.data = vec![0xff];
        let broken = signal_with_start_run_id(broken.into()).unwrap_err().to_string();
        assert!(broken.starts_with("ValueError: not a serialized"), "{broken}");
    }
}
