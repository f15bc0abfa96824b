//! The connection to a Temporal service, and the calls Python makes over it.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use prost::Message;
use pyo3::prelude::*;
use temporalio_client::errors::ClientConnectError;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, Status};
use temporalio_client::{
    ClientKeepAliveOptions, ClientTlsOptions, Connection, ConnectionOptions, DnsLoadBalancingOptions, GrpcCompression,
    HttpConnectProxyOptions, RetryOptions, TlsOptions, Url,
};
use temporalio_protos::google::rpc;
use temporalio_protos::temporal::api::errordetails::v1::{QueryFailedFailure, WorkflowExecutionAlreadyStartedFailure};
use temporalio_protos::temporal::api::workflowservice::v1 as service;

use crate::errors::Error;
use crate::failure::Failure;
use crate::payload::Payloads;
use crate::process::InProcess;
use crate::queue::Operation;
use crate::requests::{
    CancelWorkflowRequest, QueryWorkflowRequest, SignalWorkflowRequest, Start, StartWorkflowRequest,
    TerminateWorkflowRequest, WorkflowResultRequest,
};
use crate::result::{Wait, workflow_result};
use crate::rpc::{CallOptions, Metadata, RawCall, split_metadata};
use crate::runtime::{Runtime, RuntimeRef, seconds};

/// Names this SDK to servers and in histories, as `client-name` and `sdk_name`.
const CLIENT_NAME: &str = "invincible-python";

/// A connection to a Temporal service.
#[pyclass(frozen, module = "invincible._native")]
pub struct Client {
    runtime: RuntimeRef,
    connection: InProcess<Mutex<Option<Connection>>>,
    retry: RetryOptions,
}

/// A workflow that runs now: `started` is false if it ran before the call.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct StartedWorkflow {
    run_id: String,
    first_execution_run_id: String,
    started: bool,
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
    /// Connects to "host:port". `tls` is (root CA, domain, client certificate, client key); `retry` is (initial
    /// interval, randomization, multiplier, maximum interval, maximum elapsed time, maximum retries); `keep_alive` is
    /// (interval, timeout). Durations are seconds.
    #[staticmethod]
    #[pyo3(signature = (runtime, target_host, *, identity, tls = None, api_key = None, metadata = None, retry = None,
                        keep_alive = None, connect_timeout = None, http_connect_proxy = None,
                        dns_resolution_interval = None, gzip = true))]
    #[expect(clippy::too_many_arguments, clippy::type_complexity)]
    fn connect(
        runtime: &Runtime,
        target_host: String,
        identity: String,
        tls: Option<(Option<Vec<u8>>, Option<String>, Option<Vec<u8>>, Option<Vec<u8>>)>,
        api_key: Option<String>,
        metadata: Option<Metadata>,
        retry: Option<(f64, f64, f64, f64, Option<f64>, usize)>,
        keep_alive: Option<(f64, f64)>,
        connect_timeout: Option<f64>,
        http_connect_proxy: Option<(String, Option<(String, String)>)>,
        dns_resolution_interval: Option<f64>,
        gzip: bool,
    ) -> PyResult<Operation> {
        let runtime = runtime.share();
        let meter = runtime.core()?.telemetry().get_temporal_metric_meter();
        let (headers, binary_headers) = split_metadata(metadata.unwrap_or_default());
        let retry = retry.map(retry_options).transpose()?.unwrap_or_default();
        let options =
            ConnectionOptions::new(target_url(&target_host, tls.is_some())?)
                .identity(identity)
                .maybe_metrics_meter(meter)
                .maybe_tls_options(tls.map(tls_options).transpose()?)
                .maybe_api_key(api_key)
                .maybe_connect_timeout(connect_timeout.map(|timeout| seconds("connect_timeout", timeout)).transpose()?)
                .retry_options(retry.clone())
                .keep_alive(keep_alive.map(keep_alive_options).transpose()?)
                .headers(headers)
                .binary_headers(binary_headers)
                .maybe_http_connect_proxy(http_connect_proxy.map(|(target, basic_auth)| {
                    HttpConnectProxyOptions::new(target).maybe_basic_auth(basic_auth).build()
                }))
                .dns_load_balancing(dns_resolution_interval.map(dns_options).transpose()?)
                .grpc_compression(if gzip { GrpcCompression::Gzip } else { GrpcCompression::None })
                .client_name(CLIENT_NAME)
                .client_version(env!("CARGO_PKG_VERSION"))
                .build();
        let connecting = {
            let runtime = runtime.clone();
            async move {
                let connected: Result<_, ClientConnectError> = Connection::connect(options).await;
                let connection = connected.map_err(|error| Error::connect(&target_host, error))?;
                Ok(Client { runtime, connection: InProcess::new("client", Mutex::new(Some(connection))), retry })
            }
        };
        Ok(Operation::new(&runtime, connecting))
    }

    /// Replaces the headers that every call carries.
    fn update_metadata(&self, metadata: Metadata) -> PyResult<()> {
        let connection = self.connection()?;
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
        let connection = self.connection.get()?.lock().unwrap_or_else(PoisonError::into_inner).take();
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
        Ok(Operation::new(&self.runtime, call))
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
            WorkflowService::signal_workflow_execution(&mut connection, options.request(message)).await?;
            Ok(())
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
        let connection = self.connection.get()?.lock().unwrap_or_else(PoisonError::into_inner);
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
        Ok(Operation::new(&self.runtime, call(self.connection()?, options)))
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

fn target_url(target_host: &str, tls: bool) -> Result<Url, Error> {
    let invalid =
        || Error::InvalidArgument(format!("target_host must be host:port, without a scheme, got {target_host:?}"));
    if target_host.is_empty() || target_host.contains('/') || target_host.contains('@') {
        return Err(invalid());
    }
    let scheme = if tls { "https" } else { "http" };
    Url::parse(&format!("{scheme}://{target_host}")).map_err(|_| invalid())
}

type Tls = (Option<Vec<u8>>, Option<String>, Option<Vec<u8>>, Option<Vec<u8>>);

fn tls_options((root_ca, domain, client_cert, client_key): Tls) -> Result<TlsOptions, Error> {
    let client = match (client_cert, client_key) {
        (Some(cert), Some(key)) => Some(ClientTlsOptions::builder().client_cert(cert).client_private_key(key).build()),
        (None, None) => None,
        _ => {
            return Err(Error::InvalidArgument(
                "a client certificate needs its private key and the other way round: give client_cert and \
                 client_private_key or neither"
                    .to_owned(),
            ));
        }
    };
    Ok(TlsOptions::builder()
        .maybe_server_root_ca_cert(root_ca)
        .maybe_domain(domain)
        .maybe_client_tls_options(client)
        .build())
}

type Retry = (f64, f64, f64, f64, Option<f64>, usize);

fn retry_options(
    (initial, randomization, multiplier, maximum, elapsed, retries): Retry,
) -> Result<RetryOptions, Error> {
    Ok(RetryOptions::builder()
        .initial_interval(seconds("initial_interval", initial)?)
        .randomization_factor(randomization)
        .multiplier(multiplier)
        .max_interval(seconds("max_interval", maximum)?)
        .max_elapsed_time(elapsed.map(|elapsed| seconds("max_elapsed_time", elapsed)).transpose()?)
        .max_retries(retries)
        .build())
}

fn keep_alive_options((interval, timeout): (f64, f64)) -> Result<ClientKeepAliveOptions, Error> {
    Ok(ClientKeepAliveOptions::builder()
        .interval(seconds("keep alive interval", interval)?)
        .timeout(seconds("keep alive timeout", timeout)?)
        .build())
}

fn dns_options(interval: f64) -> Result<DnsLoadBalancingOptions, Error> {
    Ok(DnsLoadBalancingOptions::builder().resolution_interval(seconds("DNS resolution interval", interval)?).build())
}

#[cfg(test)]
mod tests {
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
        let failed = status(Code::InvalidArgument, "QueryFailedFailure", &QueryFailedFailure::default());
        assert_eq!(query_error(failed).unwrap().error.as_deref(), Some("message"));
        assert!(matches!(query_error(Status::invalid_argument("bad")), Err(Error::Rpc(_))));
    }

    #[test]
    fn targets_are_host_and_port() {
        assert_eq!(target_url("localhost:7233", false).unwrap().as_str(), "http://localhost:7233/");
        assert_eq!(target_url("[::1]:7233", true).unwrap().scheme(), "https");
        for bad in ["", "http://localhost:7233", "user:secret@host:1", "host:port"] {
            assert!(target_url(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn half_a_client_certificate_is_refused() {
        assert!(tls_options((None, None, Some(vec![1]), None)).is_err());
        assert!(tls_options((None, None, None, None)).is_ok());
    }
}
