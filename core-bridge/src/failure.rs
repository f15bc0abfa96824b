//! Failures: `temporal.api.failure.v1.Failure` as Python objects.

use prost::Message;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::enums::v1::NexusHandlerErrorRetryBehavior;
use temporalio_protos::temporal::api::failure::v1 as failure;
use temporalio_protos::temporal::api::failure::v1::failure::FailureInfo;

use crate::convert::{duration, seconds};
use crate::payload::{Payload, Payloads};
use crate::record::record;

record! {
    /// An error raised by application code.
    ApplicationFailureInfo {
        r#type: String = String::new(),
        non_retryable: bool = false,
        details: Option<Payloads> = None,
        next_retry_delay: Option<f64> = None,
        category: i32 = 0,
    }
}

record! {
    /// A timeout of an activity, workflow or operation.
    TimeoutFailureInfo { timeout_type: i32 = 0, last_heartbeat_details: Option<Payloads> = None }
}

record! {
    /// A cancellation.
    CanceledFailureInfo { details: Option<Payloads> = None, identity: String = String::new() }
}

record! {
    /// A termination.
    TerminatedFailureInfo { identity: String = String::new() }
}

record! {
    /// An error of the service itself.
    ServerFailureInfo { non_retryable: bool = false }
}

record! {
    /// A workflow that was reset.
    ResetWorkflowFailureInfo { last_heartbeat_details: Option<Payloads> = None }
}

record! {
    /// A failed activity, as its workflow sees it; the cause is the activity's own failure.
    ActivityFailureInfo {
        scheduled_event_id: i64 = 0,
        started_event_id: i64 = 0,
        identity: String = String::new(),
        activity_type: String = String::new(),
        activity_id: String = String::new(),
        retry_state: i32 = 0,
    }
}

record! {
    /// A failed child workflow, as its parent sees it; the cause is the child's own failure.
    ChildWorkflowExecutionFailureInfo {
        namespace: String = String::new(),
        workflow_id: String = String::new(),
        run_id: String = String::new(),
        workflow_type: String = String::new(),
        initiated_event_id: i64 = 0,
        started_event_id: i64 = 0,
        retry_state: i32 = 0,
    }
}

record! {
    /// A failed Nexus operation, as its caller sees it.
    NexusOperationFailureInfo {
        scheduled_event_id: i64 = 0,
        endpoint: String = String::new(),
        service: String = String::new(),
        operation: String = String::new(),
        operation_token: String = String::new(),
    }
}

record! {
    /// An error of a Nexus handler.
    NexusHandlerFailureInfo { r#type: String = String::new(), retry_behavior: i32 = 0 }
}

/// A failure: what went wrong, where, and what caused it.
#[pyclass(frozen, module = "invincible._native")]
#[derive(Clone, Debug, PartialEq)]
pub struct Failure(failure::Failure);

impl From<failure::Failure> for Failure {
    fn from(failure: failure::Failure) -> Self {
        Self(failure)
    }
}

impl From<Failure> for failure::Failure {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Failure {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(value.cast::<Failure>()?.get().clone())
    }
}

#[pymethods]
impl Failure {
    #[new]
    #[pyo3(signature = (message, *, source = String::new(), stack_trace = String::new(), encoded_attributes = None,
                        cause = None, info = None))]
    fn new(
        message: String,
        source: String,
        stack_trace: String,
        encoded_attributes: Option<Payload>,
        cause: Option<Failure>,
        info: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self(failure::Failure {
            message,
            source,
            stack_trace,
            encoded_attributes: encoded_attributes.map(common::Payload::from),
            cause: cause.map(|cause| Box::new(cause.0)),
            failure_info: info.map(|info| info_from_python(&info)).transpose()?,
        }))
    }

    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }

    #[getter]
    fn stack_trace(&self) -> &str {
        &self.0.stack_trace
    }

    #[getter]
    fn encoded_attributes(&self) -> Option<Payload> {
        self.0.encoded_attributes.clone().map(Payload::from)
    }

    #[getter]
    fn cause(&self) -> Option<Failure> {
        self.0.cause.as_deref().cloned().map(Failure)
    }

    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.failure_info.clone().map(|info| info_to_python(py, info)).transpose()
    }

    #[pyo3(name = "SerializeToString")]
    fn serialize_to_string<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.encode_to_vec())
    }

    #[classmethod]
    #[pyo3(name = "FromString")]
    fn from_string(_cls: &Bound<'_, PyType>, data: &[u8]) -> PyResult<Self> {
        failure::Failure::decode(data)
            .map(Self)
            .map_err(|error| PyValueError::new_err(format!("not a serialized Failure message: {error}")))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("FromString")?, (slf.get().serialize_to_string(slf.py()),)))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.0 == other.get().0)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.message.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("<Failure {:?}>", self.0.message)
    }
}

fn info_to_python(py: Python<'_>, info: FailureInfo) -> PyResult<Bound<'_, PyAny>> {
    match info {
        FailureInfo::ApplicationFailureInfo(info) => ApplicationFailureInfo {
            r#type: info.r#type,
            non_retryable: info.non_retryable,
            details: info.details.map(|details| Payloads(details.payloads)),
            next_retry_delay: info.next_retry_delay.as_ref().map(seconds),
            category: info.category,
        }
        .into_bound_py_any(py),
        FailureInfo::TimeoutFailureInfo(info) => TimeoutFailureInfo {
            timeout_type: info.timeout_type,
            last_heartbeat_details: info.last_heartbeat_details.map(|details| Payloads(details.payloads)),
        }
        .into_bound_py_any(py),
        FailureInfo::CanceledFailureInfo(info) => CanceledFailureInfo {
            details: info.details.map(|details| Payloads(details.payloads)),
            identity: info.identity,
        }
        .into_bound_py_any(py),
        FailureInfo::TerminatedFailureInfo(info) => {
            TerminatedFailureInfo { identity: info.identity }.into_bound_py_any(py)
        }
        FailureInfo::ServerFailureInfo(info) => {
            ServerFailureInfo { non_retryable: info.non_retryable }.into_bound_py_any(py)
        }
        FailureInfo::ResetWorkflowFailureInfo(info) => ResetWorkflowFailureInfo {
            last_heartbeat_details: info.last_heartbeat_details.map(|details| Payloads(details.payloads)),
        }
        .into_bound_py_any(py),
        FailureInfo::ActivityFailureInfo(info) => ActivityFailureInfo {
            scheduled_event_id: info.scheduled_event_id,
            started_event_id: info.started_event_id,
            identity: info.identity,
            activity_type: info.activity_type.unwrap_or_default().name,
            activity_id: info.activity_id,
            retry_state: info.retry_state,
        }
        .into_bound_py_any(py),
        FailureInfo::ChildWorkflowExecutionFailureInfo(info) => {
            let execution = info.workflow_execution.unwrap_or_default();
            ChildWorkflowExecutionFailureInfo {
                namespace: info.namespace,
                workflow_id: execution.workflow_id,
                run_id: execution.run_id,
                workflow_type: info.workflow_type.unwrap_or_default().name,
                initiated_event_id: info.initiated_event_id,
                started_event_id: info.started_event_id,
                retry_state: info.retry_state,
            }
            .into_bound_py_any(py)
        }
        FailureInfo::NexusOperationExecutionFailureInfo(info) => NexusOperationFailureInfo {
            scheduled_event_id: info.scheduled_event_id,
            endpoint: info.endpoint,
            service: info.service,
            operation: info.operation,
            operation_token: info.operation_token,
        }
        .into_bound_py_any(py),
        FailureInfo::NexusHandlerFailureInfo(info) => {
            NexusHandlerFailureInfo { r#type: info.r#type, retry_behavior: info.retry_behavior }.into_bound_py_any(py)
        }
    }
}

fn info_from_python(info: &Bound<'_, PyAny>) -> PyResult<FailureInfo> {
    let message =
        |payloads: &Option<Payloads>| payloads.clone().map(|payloads| common::Payloads { payloads: payloads.0 });
    if let Ok(info) = info.cast::<ApplicationFailureInfo>() {
        let info = info.get();
        return Ok(FailureInfo::ApplicationFailureInfo(failure::ApplicationFailureInfo {
            r#type: info.r#type.clone(),
            non_retryable: info.non_retryable,
            details: message(&info.details),
            next_retry_delay: info.next_retry_delay.map(duration),
            category: info.category,
        }));
    }
    if let Ok(info) = info.cast::<TimeoutFailureInfo>() {
        let info = info.get();
        return Ok(FailureInfo::TimeoutFailureInfo(failure::TimeoutFailureInfo {
            timeout_type: info.timeout_type,
            last_heartbeat_details: message(&info.last_heartbeat_details),
        }));
    }
    if let Ok(info) = info.cast::<CanceledFailureInfo>() {
        let info = info.get();
        return Ok(FailureInfo::CanceledFailureInfo(failure::CanceledFailureInfo {
            details: message(&info.details),
            identity: info.identity.clone(),
        }));
    }
    if let Ok(info) = info.cast::<TerminatedFailureInfo>() {
        let identity = info.get().identity.clone();
        return Ok(FailureInfo::TerminatedFailureInfo(failure::TerminatedFailureInfo { identity }));
    }
    if let Ok(info) = info.cast::<ServerFailureInfo>() {
        let non_retryable = info.get().non_retryable;
        return Ok(FailureInfo::ServerFailureInfo(failure::ServerFailureInfo { non_retryable }));
    }
    if let Ok(info) = info.cast::<ResetWorkflowFailureInfo>() {
        let last_heartbeat_details = message(&info.get().last_heartbeat_details);
        return Ok(FailureInfo::ResetWorkflowFailureInfo(failure::ResetWorkflowFailureInfo { last_heartbeat_details }));
    }
    if let Ok(info) = info.cast::<ActivityFailureInfo>() {
        let info = info.get();
        return Ok(FailureInfo::ActivityFailureInfo(failure::ActivityFailureInfo {
            scheduled_event_id: info.scheduled_event_id,
            started_event_id: info.started_event_id,
            identity: info.identity.clone(),
            activity_type: Some(common::ActivityType { name: info.activity_type.clone() }),
            activity_id: info.activity_id.clone(),
            retry_state: info.retry_state,
        }));
    }
    if let Ok(info) = info.cast::<ChildWorkflowExecutionFailureInfo>() {
        let info = info.get();
        return Ok(FailureInfo::ChildWorkflowExecutionFailureInfo(failure::ChildWorkflowExecutionFailureInfo {
            namespace: info.namespace.clone(),
            workflow_execution: Some(common::WorkflowExecution {
                workflow_id: info.workflow_id.clone(),
                run_id: info.run_id.clone(),
            }),
            workflow_type: Some(common::WorkflowType { name: info.workflow_type.clone() }),
            initiated_event_id: info.initiated_event_id,
            started_event_id: info.started_event_id,
            retry_state: info.retry_state,
        }));
    }
    if let Ok(info) = info.cast::<NexusOperationFailureInfo>() {
        let info = info.get();
        return Ok(FailureInfo::NexusOperationExecutionFailureInfo(failure::NexusOperationFailureInfo {
            scheduled_event_id: info.scheduled_event_id,
            endpoint: info.endpoint.clone(),
            service: info.service.clone(),
            operation: info.operation.clone(),
            operation_token: info.operation_token.clone(),
            ..Default::default()
        }));
    }
    if let Ok(info) = info.cast::<NexusHandlerFailureInfo>() {
        let info = info.get();
        let retry_behavior = NexusHandlerErrorRetryBehavior::try_from(info.retry_behavior).unwrap_or_default();
        return Ok(FailureInfo::NexusHandlerFailureInfo(failure::NexusHandlerFailureInfo {
            r#type: info.r#type.clone(),
            retry_behavior: retry_behavior.into(),
        }));
    }
    let name = info.get_type().fully_qualified_name()?;
    Err(PyTypeError::new_err(format!("info must be one of the *FailureInfo types, got {name}")))
}
