//! The connection to a Temporal service, and the calls Python makes over it.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prost::Message;
use pyo3::prelude::*;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, Status};
use temporalio_client::{
    ClientKeepAliveOptions, Connection, ConnectionOptions, HttpConnectProxyOptions, PayloadLimitsOptions, RetryOptions,
    TlsOptions,
};
use temporalio_protos::google::rpc;
use temporalio_protos::temporal::api::common::v1::Link;
use temporalio_protos::temporal::api::errordetails::v1::{QueryFailedFailure, WorkflowExecutionAlreadyStartedFailure};
use temporalio_protos::temporal::api::workflowservice::v1 as service;

use self::attempt::{Attempt, Proxy};
use self::target::{
    HttpConnectProxyConfig, KeepAliveConfig, PayloadLimitsConfig, RetryConfig, TlsConfig, compression, dns_options,
    shown_target, target_url,
};
use crate::errors::Error;
use crate::failure::Failure;
use crate::messages::Messages;
use crate::payload::Payloads;
use crate::process::InProcess;
use crate::queue::Operation;
use crate::requests::{
    CancelWorkflowRequest, PollUpdateRequest, QueryWorkflowRequest, SignalWorkflowRequest, Start, StartWorkflowRequest,
    TerminateWorkflowRequest, UpdateRequest, WorkflowResultRequest,
};
use crate::result::{Wait, workflow_result};
use crate::rpc::{CallOptions, Metadata, RawCall, split_metadata};
use crate::runtime::{Runtime, RuntimeRef, seconds};
use crate::sync::lock;
use crate::update::{poll_update, start_update};

mod attempt;
mod target;

/// Longest time for a connection to come about, first call included, where the caller names none: TLS handshakes and
/// proxies have no limit of their own.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Names this SDK to servers and in histories, as `client-name` and `sdk_name`.
const CLIENT_NAME: &str = "invincible-python";

/// A connection to a Temporal service.
#[pyclass(frozen, module = "invincible._native")]
pub struct Client {
    runtime: RuntimeRef,
    connection: InProcess<Mutex<Option<Connection>>>,
    /// Where the server is, as errors name it.
    address: Arc<str>,
    retry: RetryOptions,
}

/// A workflow that runs now: `started` is false if it ran before the call. `links` are serialized messages.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct StartedWorkflow {
    run_id: String,
    first_execution_run_id: String,
    started: bool,
    links: Messages<Link>,
}

/// What became of a query: a result; the status of the workflow if the query was rejected for it; or an error.
#[pyclass(frozen, get_all, module = "invincible._native")]
#[derive(Default)]
pub struct QueryAnswer {
    result: Payloads,
    rejected_status: Option<i32>,
    error: Option<String>,
    failure: Option<Failure>,
}

#[pymethods]
impl Client {
    /// Connects to "host:port". TLS, retries, keep alive and proxy are configured by the objects of `invincible.service`;
    /// `connect_timeout` and `dns_resolution_interval` are seconds.
    #[staticmethod]
    #[pyo3(signature = (runtime, target_host, *, identity, tls = None, api_key = None, metadata = None, retry = None,
                        keep_alive = None, connect_timeout = None, http_connect_proxy = None,
                        dns_resolution_interval = None, gzip = true, payload_limits = None))]
    #[expect(clippy::too_many_arguments)]
    fn connect(
        runtime: &Runtime,
        target_host: String,
        identity: String,
        tls: Option<TlsConfig>,
        api_key: Option<String>,
        metadata: Option<Metadata>,
        retry: Option<RetryConfig>,
        keep_alive: Option<KeepAliveConfig>,
        connect_timeout: Option<f64>,
        http_connect_proxy: Option<HttpConnectProxyConfig>,
        dns_resolution_interval: Option<f64>,
        gzip: bool,
        payload_limits: Option<PayloadLimitsConfig>,
    ) -> PyResult<Operation> {
        let runtime = runtime.share();
        let meter = runtime.core()?.telemetry().get_temporal_metric_meter();
        let (headers, binary_headers) = split_metadata(metadata.unwrap_or_default());
        let retry = retry.map(RetryOptions::from).unwrap_or_default();
        let target = target_url(&target_host, tls.is_some())?;
        let origin = tls.as_ref().map(|tls| tls.origin(&target)).transpose()?.flatten();
        let mut attempt = Attempt {
            address: shown_target(&target_host, &target),
            tls: tls.is_some(),
            root_ca: tls.as_ref().is_some_and(TlsConfig::has_root_ca),
            client_cert: tls.as_ref().is_some_and(TlsConfig::has_client_cert),
            api_key: api_key.is_some(),
            proxy: None,
        };
        if let Some(proxy) = &http_connect_proxy {
            attempt.address = format!("{} through the proxy {}", attempt.address, proxy.target_host());
            attempt.proxy = Some(Proxy { basic_auth: proxy.has_basic_auth() });
        }
        let compression = compression(gzip, &target, http_connect_proxy.is_some());
        let connect_timeout = connect_timeout.map(|timeout| seconds("connect_timeout", timeout)).transpose()?;
        let options = ConnectionOptions::new(target)
            .identity(identity)
            .maybe_metrics_meter(meter)
            .maybe_tls_options(tls.map(TlsOptions::try_from).transpose()?)
            .maybe_override_origin(origin)
            .maybe_api_key(api_key)
            .maybe_connect_timeout(connect_timeout)
            .retry_options(retry.clone())
            .keep_alive(keep_alive.map(ClientKeepAliveOptions::from))
            .headers(headers)
            .binary_headers(binary_headers)
            .maybe_http_connect_proxy(http_connect_proxy.map(HttpConnectProxyOptions::from))
            .dns_load_balancing(dns_resolution_interval.map(dns_options).transpose()?)
            .grpc_compression(compression)
            .maybe_payload_limits(payload_limits.map(PayloadLimitsOptions::from))
            .client_name(CLIENT_NAME)
            .client_version(env!("CARGO_PKG_VERSION"))
            .build();
        let connecting = {
            let runtime = runtime.clone();
            async move {
                let limit = connect_timeout.unwrap_or(CONNECT_LIMIT);
                let connection = match tokio::time::timeout(limit, Connection::connect(options)).await {
                    Ok(connected) => connected.map_err(|error| attempt.failed(error, limit))?,
                    Err(_) => return Err(attempt.timed_out(limit)),
                };
                let connection = InProcess::new("client", Mutex::new(Some(connection)));
                Ok(Client { runtime, connection, address: attempt.address.into(), retry })
            }
        };
        Ok(Operation::new(&runtime, connecting))
    }

    /// Replaces the headers that every call carries: all, or none if one of the new ones is no header.
    fn update_metadata(&self, metadata: Metadata) -> PyResult<()> {
        let connection = self.connection()?;
        CallOptions::new(Some(metadata.clone()), None, false)?;
        let (headers, binary_headers) = split_metadata(metadata);
        connection.set_headers(headers).map_err(Error::from)?;
        connection.set_binary_headers(binary_headers).map_err(Error::from)?;
        Ok(())
    }

    fn update_api_key(&self, api_key: Option<String>) -> PyResult<()> {
        self.connection()?.set_api_key(api_key);
        Ok(())
    }

    /// Ends the use of this object. Calls under way go on; workers keep the connection open.
    fn close(&self) -> PyResult<()> {
        let connection = lock(self.connection.get()?).take();
        drop(connection);
        Ok(())
    }

    /// Calls an RPC by name with a serialized request message; gives the serialized response.
    #[pyo3(signature = (service, rpc, request, *, retry = false, metadata = None, timeout = None))]
    fn call(
        &self,
        service: String,
        rpc: String,
        request: Vec<u8>,
        retry: bool,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let options = CallOptions::new(metadata, timeout, retry)?;
        let (connection, retry) = (self.connection()?, self.retry.clone());
        let call = RawCall { connection, service, rpc, request, options, retry }.start()?;
        Ok(self.bound(call))
    }

    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn start_workflow(
        &self,
        request: &StartWorkflowRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = request.message()?;
        let (workflow_id, workflow_type) = (request.workflow_id.clone(), request.workflow_type.clone());
        self.operation(metadata, timeout, |connection, options| async move {
            let started = start_workflow(connection, message, &options).await;
            started.map_err(|status| start_error(status, workflow_id, workflow_type))
        })
    }

    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn signal_workflow(
        &self,
        request: &SignalWorkflowRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = service::SignalWorkflowExecutionRequest::from(request);
        self.operation(metadata, timeout, |mut connection, options| async move {
            let request = options.request(message);
            let response = WorkflowService::signal_workflow_execution(&mut connection, request).await?.into_inner();
            Ok(Messages(response.link.into_iter().collect()))
        })
    }

    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn query_workflow(
        &self,
        request: &QueryWorkflowRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = service::QueryWorkflowRequest::from(request);
        self.operation(metadata, timeout, |mut connection, options| async move {
            match WorkflowService::query_workflow(&mut connection, options.request(message)).await {
                Ok(response) => {
                    let response = response.into_inner();
                    let rejected_status = response.query_rejected.map(|rejected| rejected.status);
                    Ok(QueryAnswer { result: response.query_result.into(), rejected_status, ..Default::default() })
                }
                Err(status) => query_error(status),
            }
        })
    }

    /// Sends an update and waits until it is accepted, if that much is asked for; `timeout` is for each call.
    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn start_update(
        &self,
        request: &UpdateRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = service::UpdateWorkflowExecutionRequest::from(request);
        self.operation(metadata, timeout, |connection, options| start_update(connection, message, options))
    }

    /// Waits for an update, however long it takes; `timeout` is for each poll.
    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn poll_update(
        &self,
        request: &PollUpdateRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = service::PollWorkflowExecutionUpdateRequest::from(request);
        self.operation(metadata, timeout, |connection, options| poll_update(connection, message, options))
    }

    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn cancel_workflow(
        &self,
        request: &CancelWorkflowRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = service::RequestCancelWorkflowExecutionRequest::from(request);
        self.operation(metadata, timeout, |mut connection, options| async move {
            WorkflowService::request_cancel_workflow_execution(&mut connection, options.request(message)).await?;
            Ok(())
        })
    }

    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn terminate_workflow(
        &self,
        request: &TerminateWorkflowRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let message = service::TerminateWorkflowExecutionRequest::from(request);
        self.operation(metadata, timeout, |mut connection, options| async move {
            WorkflowService::terminate_workflow_execution(&mut connection, options.request(message)).await?;
            Ok(())
        })
    }

    /// Waits for the end of a workflow, however long it takes; `timeout` is for each poll.
    #[pyo3(signature = (request, *, metadata = None, timeout = None))]
    fn workflow_result(
        &self,
        request: &WorkflowResultRequest,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let wait = Wait::from(request);
        self.operation(metadata, timeout, |connection, options| workflow_result(connection, wait, options))
    }
}

impl Client {
    pub fn connection(&self) -> Result<Connection, Error> {
        let connection = lock(self.connection.get()?);
        connection.clone().ok_or(Error::Closed { what: "client" })
    }

    pub fn runtime(&self) -> &RuntimeRef {
        &self.runtime
    }

    fn operation<T, F>(
        &self,
        metadata: Option<Metadata>,
        timeout: Option<f64>,
        call: impl FnOnce(Connection, CallOptions) -> F,
    ) -> PyResult<Operation>
    where
        T: for<'py> pyo3::IntoPyObjectExt<'py> + Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let options = CallOptions::new(metadata, timeout, true)?;
        Ok(self.bound(call(self.connection()?, options)))
    }

    /// The call as an operation whose error names where it went, if it did not get there.
    fn bound<T>(&self, call: impl Future<Output = Result<T, Error>> + Send + 'static) -> Operation
    where
        T: for<'py> pyo3::IntoPyObjectExt<'py> + Send + 'static,
    {
        let address = self.address.clone();
        Operation::new(&self.runtime, async move { call.await.map_err(|error| error.towards(&address)) })
    }
}

async fn start_workflow(
    mut connection: Connection,
    start: Start,
    options: &CallOptions,
) -> Result<StartedWorkflow, Status> {
    Ok(match start {
        Start::Plain(message) => {
            let request = options.request(*message);
            let response = WorkflowService::start_workflow_execution(&mut connection, request).await?.into_inner();
            StartedWorkflow {
                run_id: response.run_id,
                first_execution_run_id: response.first_execution_run_id,
                started: response.started,
                links: Messages(response.link.into_iter().collect()),
            }
        }
        Start::WithSignal(message) => {
            let request = options.request(*message);
            let response =
                WorkflowService::signal_with_start_workflow_execution(&mut connection, request).await?.into_inner();
            StartedWorkflow {
                run_id: response.run_id,
                first_execution_run_id: response.first_execution_run_id,
                started: response.started,
                links: Messages(response.signal_link.into_iter().collect()),
            }
        }
    })
}

fn start_error(status: Status, workflow_id: String, workflow_type: String) -> Error {
    match detail::<WorkflowExecutionAlreadyStartedFailure>(&status, "WorkflowExecutionAlreadyStartedFailure") {
        Some(failure) if status.code() == Code::AlreadyExists => Error::WorkflowAlreadyStarted {
            workflow_id,
            workflow_type,
            run_id: failure.run_id,
            first_run_id: failure.first_execution_run_id,
        },
        _ => status.into(),
    }
}

/// The handler's own error is an answer; anything else is a failed call.
fn query_error(status: Status) -> Result<QueryAnswer, Error> {
    match detail::<QueryFailedFailure>(&status, "QueryFailedFailure") {
        Some(failure) => Ok(QueryAnswer {
            error: Some(status.message().to_owned()),
            failure: failure.failure.map(Failure::from),
            ..Default::default()
        }),
        None => Err(status.into()),
    }
}

/// The first detail of a status, if it is the named message of `temporal.api.errordetails.v1`.
fn detail<T: Message + Default>(status: &Status, name: &str) -> Option<T> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let detail = details.first()?;
    let known = detail.type_url.rsplit_once('.').is_some_and(|(_, last)| last == name);
    if known { T::decode(detail.value.as_slice()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use temporalio_protos::temporal::api::failure::v1 as failure;

    use super::*;

    fn status(code: Code, name: &str, message: &impl Message) -> Status {
        let detail = prost_wkt_types::Any {
            type_url: format!("type.googleapis.com/temporal.api.errordetails.v1.{name}"),
            value: message.encode_to_vec(),
        };
        let details = rpc::Status { details: vec![detail], ..Default::default() };
        Status::with_details(code, "message", details.encode_to_vec().into())
    }

    #[test]
    fn a_taken_workflow_id_names_the_run_that_has_it() {
        let failure = WorkflowExecutionAlreadyStartedFailure { run_id: "run".to_owned(), ..Default::default() };
        let status = status(Code::AlreadyExists, "WorkflowExecutionAlreadyStartedFailure", &failure);
        let error = start_error(status, "id".to_owned(), "Type".to_owned());
        let Error::WorkflowAlreadyStarted { workflow_id, run_id, .. } = error else { panic!("{error:?}") };
        assert_eq!((workflow_id.as_str(), run_id.as_str()), ("id", "run"));
    }

    #[test]
    fn only_a_failed_handler_is_an_answer_to_a_query() {
        let failure = failure::Failure { message: "the handler's".to_owned(), ..Default::default() };
        let failed = QueryFailedFailure { failure: Some(failure.clone()) };
        let answer = query_error(status(Code::InvalidArgument, "QueryFailedFailure", &failed)).unwrap();
        assert_eq!(answer.error.as_deref(), Some("message"));
        assert_eq!(answer.failure, Some(Failure::from(failure)));
        assert!(matches!(query_error(Status::invalid_argument("bad")), Err(Error::Rpc(_))));
    }
}
