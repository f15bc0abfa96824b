//! Nexus tasks: operations to start or to cancel, handlers to stop, and the answers.

use std::collections::HashMap;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use temporalio_protos::coresdk::nexus as core;
use temporalio_protos::coresdk::nexus::nexus_task::Variant as TaskVariant;
use temporalio_protos::coresdk::nexus::nexus_task_completion::Status;
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::failure::v1 as failure;
use temporalio_protos::temporal::api::failure::v1::failure::FailureInfo;
use temporalio_protos::temporal::api::nexus::v1 as nexus;
use temporalio_protos::temporal::api::nexus::v1::request::Variant as RequestVariant;
use temporalio_protos::temporal::api::nexus::v1::response::Variant as ResponseVariant;
use temporalio_protos::temporal::api::nexus::v1::start_operation_response::{self as start, Variant as StartVariant};

use crate::convert::unix_seconds;
use crate::failure::Failure;
use crate::payload::Payload;
use crate::record::record;

/// A link's URL and its type.
type LinkParts = (String, String);

record! {
    /// A Nexus operation to start. The deadline is that of the request, in seconds since the epoch; links are pairs of
    /// URL and type.
    NexusOperationStart {
        task_token: Py<PyBytes>,
        endpoint: String,
        service: String,
        operation: String,
        request_id: String = String::new(),
        callback_url: String = String::new(),
        callback_headers: HashMap<String, String> = HashMap::new(),
        headers: HashMap<String, String> = HashMap::new(),
        links: Vec<LinkParts> = Vec::new(),
        input: Option<Payload> = None,
        deadline: Option<f64> = None,
    }
}

record! {
    /// A Nexus operation that its caller asks to cancel.
    NexusOperationCancel {
        task_token: Py<PyBytes>,
        endpoint: String,
        service: String,
        operation: String,
        operation_token: String = String::new(),
        headers: HashMap<String, String> = HashMap::new(),
        deadline: Option<f64> = None,
    }
}

record! {
    /// A handler that is to stop, as nobody waits for it: its request has timed out, or the worker shuts down.
    NexusTaskCancel { task_token: Py<PyBytes>, worker_shutdown: bool = false }
}

/// A task on its way to Python.
pub struct NexusTask(pub core::NexusTask);

impl<'py> IntoPyObject<'py> for NexusTask {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let core::NexusTask { variant, request_deadline, endpoint } = self.0;
        let deadline = request_deadline.as_ref().map(unix_seconds);
        match variant {
            Some(TaskVariant::Task(task)) => {
                let task_token = PyBytes::new(py, &task.task_token).unbind();
                let request = task.request.unwrap_or_default();
                let headers = request.header;
                // One of a kind that is not known has no handler, as one without a service.
                match request.variant.unwrap_or_else(|| RequestVariant::StartOperation(Default::default())) {
                    RequestVariant::StartOperation(start) => NexusOperationStart {
                        task_token,
                        endpoint,
                        service: start.service,
                        operation: start.operation,
                        request_id: start.request_id,
                        callback_url: start.callback,
                        callback_headers: start.callback_header,
                        headers,
                        links: start.links.into_iter().map(|link| (link.url, link.r#type)).collect(),
                        input: start.payload.map(Payload::from),
                        deadline,
                    }
                    .into_bound_py_any(py),
                    RequestVariant::CancelOperation(cancel) => NexusOperationCancel {
                        task_token,
                        endpoint,
                        service: cancel.service,
                        operation: cancel.operation,
                        operation_token: cancel.operation_token,
                        headers,
                        deadline,
                    }
                    .into_bound_py_any(py),
                }
            }
            Some(TaskVariant::CancelTask(cancel)) => NexusTaskCancel {
                task_token: PyBytes::new(py, &cancel.task_token).unbind(),
                worker_shutdown: cancel.reason() == core::NexusTaskCancelReason::WorkerShutdown,
            }
            .into_bound_py_any(py),
            None => Ok(py.None().into_bound(py)),
        }
    }
}

/// The answer to a Nexus task. Made by its static methods, one for each kind.
#[pyclass(frozen, module = "invincible._native")]
pub struct NexusTaskCompletion {
    task_token: Vec<u8>,
    status: Status,
}

impl NexusTaskCompletion {
    pub fn message(&self) -> core::NexusTaskCompletion {
        core::NexusTaskCompletion { task_token: self.task_token.clone(), status: Some(self.status.clone()) }
    }

    /// The result of an operation that is done.
    pub fn result(&self) -> Option<&common::Payload> {
        let Status::Completed(response) = &self.status else { return None };
        let Some(ResponseVariant::StartOperation(response)) = &response.variant else { return None };
        match &response.variant {
            Some(StartVariant::SyncSuccess(sync)) => sync.payload.as_ref(),
            _ => None,
        }
    }

    fn new(task_token: &[u8], status: Status) -> Self {
        Self { task_token: task_token.to_vec(), status }
    }

    fn response(task_token: &[u8], variant: ResponseVariant) -> Self {
        Self::new(task_token, Status::Completed(nexus::Response { variant: Some(variant) }))
    }

    fn start(task_token: &[u8], variant: StartVariant) -> Self {
        let response = nexus::StartOperationResponse { variant: Some(variant) };
        Self::response(task_token, ResponseVariant::StartOperation(response))
    }
}

#[pymethods]
impl NexusTaskCompletion {
    /// The operation is done.
    #[staticmethod]
    #[pyo3(signature = (task_token, result, links = Vec::new()))]
    fn completed(task_token: &[u8], result: Payload, links: Vec<LinkParts>) -> Self {
        let sync = start::Sync { payload: Some(result.into()), links: link_messages(links) };
        Self::start(task_token, StartVariant::SyncSuccess(sync))
    }

    /// The operation has started; who started it will tell its end.
    #[staticmethod]
    #[pyo3(signature = (task_token, operation_token, links = Vec::new()))]
    fn started(task_token: &[u8], operation_token: String, links: Vec<LinkParts>) -> Self {
        let answer = start::Async { operation_token, links: link_messages(links), ..Default::default() };
        Self::start(task_token, StartVariant::AsyncSuccess(answer))
    }

    /// The operation has failed or was cancelled; the failure is one of an application, or a cancellation.
    #[staticmethod]
    fn operation_failed(task_token: &[u8], failure: Failure) -> PyResult<Self> {
        let failure = failure::Failure::from(failure);
        // Core would lose the task, and wait for it at its end.
        match failure.failure_info {
            Some(FailureInfo::ApplicationFailureInfo(_) | FailureInfo::CanceledFailureInfo(_)) => {
                Ok(Self::start(task_token, StartVariant::Failure(failure)))
            }
            _ => Err(PyValueError::new_err("the failure of an operation is an application failure or a cancellation")),
        }
    }

    /// The operation has been asked to cancel.
    #[staticmethod]
    fn cancel_requested(task_token: &[u8]) -> Self {
        Self::response(task_token, ResponseVariant::CancelOperation(nexus::CancelOperationResponse {}))
    }

    /// The handler could not do what it was asked for; the failure is one of a Nexus handler.
    #[staticmethod]
    fn handler_failed(task_token: &[u8], failure: Failure) -> PyResult<Self> {
        let failure = failure::Failure::from(failure);
        match failure.failure_info {
            Some(FailureInfo::NexusHandlerFailureInfo(_)) => Ok(Self::new(task_token, Status::Failure(failure))),
            _ => Err(PyValueError::new_err("the failure of a handler is a Nexus handler failure")),
        }
    }

    /// The handler was stopped; the server gets no answer.
    #[staticmethod]
    fn stopped(task_token: &[u8]) -> Self {
        Self::new(task_token, Status::AckCancel(true))
    }
}

fn link_messages(links: Vec<LinkParts>) -> Vec<nexus::Link> {
    links.into_iter().map(|(url, r#type)| nexus::Link { url, r#type }).collect()
}

#[cfg(test)]
mod tests {
    use temporalio_protos::temporal::api::workflowservice::v1::PollNexusTaskQueueResponse;

    use super::*;

    fn failure(info: Option<FailureInfo>) -> Failure {
        failure::Failure { message: "no".to_owned(), failure_info: info, ..Default::default() }.into()
    }

    fn with_python<T>(variant: TaskVariant, read: impl FnOnce(&Bound<'_, PyAny>) -> T) -> T {
        Python::initialize();
        Python::attach(|py| {
            let task = core::NexusTask { variant: Some(variant), endpoint: "there".to_owned(), ..Default::default() };
            read(&NexusTask(task).into_pyobject(py).unwrap())
        })
    }

    fn request(variant: RequestVariant) -> TaskVariant {
        let request = nexus::Request { variant: Some(variant), ..Default::default() };
        TaskVariant::Task(PollNexusTaskQueueResponse { request: Some(request), ..Default::default() })
    }

    #[test]
    fn a_start_brings_what_its_handler_needs() {
        let start = nexus::StartOperationRequest {
            service: "greetings".to_owned(),
            links: vec![nexus::Link { url: "u".to_owned(), r#type: "t".to_owned() }],
            ..Default::default()
        };
        with_python(request(RequestVariant::StartOperation(start)), |task| {
            let start = task.cast::<NexusOperationStart>().unwrap().get();
            assert_eq!((start.endpoint.as_str(), start.service.as_str()), ("there", "greetings"));
            assert_eq!(start.links, [("u".to_owned(), "t".to_owned())]);
            assert!(start.input.is_none() && start.deadline.is_none());
        });
    }

    #[test]
    fn a_cancellation_of_an_operation_is_no_stop_of_a_handler() {
        let cancel = nexus::CancelOperationRequest { operation_token: "token".to_owned(), ..Default::default() };
        with_python(request(RequestVariant::CancelOperation(cancel)), |task| {
            assert_eq!(task.cast::<NexusOperationCancel>().unwrap().get().operation_token, "token");
        });
        let mut stop = core::CancelNexusTask::default();
        with_python(TaskVariant::CancelTask(stop.clone()), |task| {
            assert!(!task.cast::<NexusTaskCancel>().unwrap().get().worker_shutdown);
        });
        stop.set_reason(core::NexusTaskCancelReason::WorkerShutdown);
        with_python(TaskVariant::CancelTask(stop), |task| {
            assert!(task.cast::<NexusTaskCancel>().unwrap().get().worker_shutdown);
        });
    }

    #[test]
    fn only_operations_that_are_done_have_a_result() {
        let payload = || common::Payload { data: b"x".to_vec(), ..Default::default() };
        let done = NexusTaskCompletion::completed(b"token", payload().into(), Vec::new());
        assert_eq!(done.result(), Some(&payload()));
        assert_eq!(NexusTaskCompletion::started(b"token", "token".to_owned(), Vec::new()).result(), None);
        assert_eq!(NexusTaskCompletion::cancel_requested(b"token").result(), None);
        assert_eq!(NexusTaskCompletion::stopped(b"token").result(), None);
    }

    #[test]
    fn a_request_of_an_unknown_kind_is_one_that_no_service_has() {
        let task = TaskVariant::Task(PollNexusTaskQueueResponse::default());
        with_python(task, |task| assert_eq!(task.cast::<NexusOperationStart>().unwrap().get().service, ""));
    }

    #[test]
    fn failures_that_core_would_not_take_are_refused() {
        Python::initialize();
        let application = || failure(Some(FailureInfo::ApplicationFailureInfo(Default::default())));
        let handler = || failure(Some(FailureInfo::NexusHandlerFailureInfo(Default::default())));
        assert!(NexusTaskCompletion::operation_failed(b"token", application()).is_ok());
        assert!(NexusTaskCompletion::operation_failed(b"token", handler()).is_err());
        assert!(NexusTaskCompletion::handler_failed(b"token", handler()).is_ok());
        assert!(NexusTaskCompletion::handler_failed(b"token", failure(None)).is_err());
    }
}
