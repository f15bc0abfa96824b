//! Every error of the bridge, and the Python exception it becomes.

use std::error::Error as StdError;
use std::io;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyType};
use temporalio_client::errors::{ClientConnectError, InvalidHeaderError};
use temporalio_client::tonic::{Code, Status};

#[derive(Debug)]
pub enum Error {
    /// Used in a process forked from the one that made it.
    ForeignProcess { what: &'static str, pid: u32 },
    /// Used after it was closed.
    Closed { what: &'static str },
    /// A value given by the caller makes no sense; the message names it.
    InvalidArgument(String),
    /// The runtime or something in it could not start.
    Setup(String),
    /// No connection to the server.
    Connect { address: String, cause: String },
    /// The server, or the way to it, refused a call.
    Rpc(Box<Status>),
    /// The id of a workflow to start is taken.
    WorkflowAlreadyStarted { workflow_id: String, workflow_type: String, run_id: String, first_run_id: String },
    /// The work ended without an outcome: its runtime was shut down, or it panicked.
    Lost,
}

impl Error {
    /// `tls` tells whether the connection was to be encrypted.
    pub fn connect(address: &str, tls: bool, error: ClientConnectError) -> Self {
        let mut cause = match error {
            ClientConnectError::InvalidHeaders(error) => return error.into(),
            ClientConnectError::InvalidUri(error) => {
                return Self::InvalidArgument(format!("the target host or the TLS domain is no host name: {error}"));
            }
            ClientConnectError::InvalidConfig(message) => return Self::InvalidArgument(message),
            ClientConnectError::TonicTransportError(error) => explain(&error),
            ClientConnectError::SystemInfoCallError(status) => describe(&status),
            ClientConnectError::DnsResolutionError { host, source } => {
                format!("the name {host} could not be resolved: {source}")
            }
            other => explain(&other),
        };
        if let Some(hint) = hint(&cause, tls) {
            cause = format!("{cause}. {hint}");
        }
        Self::Connect { address: address.to_owned(), cause }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Rpc(Box::new(status))
    }
}

/// Metadata may hold credentials: the key is named, the value is not.
impl From<InvalidHeaderError> for Error {
    fn from(error: InvalidHeaderError) -> Self {
        Self::InvalidArgument(match error {
            InvalidHeaderError::InvalidBinaryHeaderKey { key, .. } => {
                format!(
                    "rpc_metadata key {key:?} has a bytes value, so it must be a valid header name ending in \"-bin\""
                )
            }
            InvalidHeaderError::InvalidAsciiHeaderKey { key, .. } => {
                format!(
                    "rpc_metadata key {key:?} has a str value, so it must be a valid header name not ending in \"-bin\""
                )
            }
            InvalidHeaderError::InvalidAsciiHeaderValue { key, .. } => {
                format!("the value of rpc_metadata key {key:?} holds characters a header cannot carry")
            }
            _ => "rpc_metadata holds an entry that is no valid header".to_owned(),
        })
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::ForeignProcess { what, pid } => PyRuntimeError::new_err(format!(
                "this {what} was created in another process (pid {pid}): create a new Client and Runtime after fork"
            )),
            Error::Closed { what } => PyRuntimeError::new_err(format!("this {what} is closed")),
            Error::InvalidArgument(message) => PyValueError::new_err(message),
            Error::Setup(message) => PyRuntimeError::new_err(message),
            Error::Connect { address, cause } => {
                PyRuntimeError::new_err(format!("could not connect to {address}: {cause}"))
            }
            Error::Rpc(status) => Python::attach(|py| rpc_error(py, &status).unwrap_or_else(|error| error)),
            Error::WorkflowAlreadyStarted { workflow_id, workflow_type, run_id, first_run_id } => {
                Python::attach(|py| {
                    already_started(py, workflow_id, workflow_type, run_id, first_run_id).unwrap_or_else(|error| error)
                })
            }
            Error::Lost => PyRuntimeError::new_err("the call ended without an outcome: its runtime was shut down"),
        }
    }
}

fn rpc_error(py: Python<'_>, status: &Status) -> PyResult<PyErr> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static CODE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let code = CODE.import(py, "invincible.service", "RPCStatusCode")?.call1((status.code() as i32,))?;
    let details = PyBytes::new(py, status.details());
    let error = CLASS.import(py, "invincible.service", "RPCError")?.call1((message(status), code, details))?;
    Ok(PyErr::from_value(error))
}

fn already_started(
    py: Python<'_>,
    workflow_id: String,
    workflow_type: String,
    run_id: String,
    first_run_id: String,
) -> PyResult<PyErr> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let kwargs = PyDict::new(py);
    kwargs.set_item("run_id", Some(run_id).filter(|id| !id.is_empty()))?;
    kwargs.set_item("first_run_id", Some(first_run_id).filter(|id| !id.is_empty()))?;
    let class = CLASS.import(py, "invincible.exceptions", "WorkflowAlreadyStartedError")?;
    Ok(PyErr::from_value(class.call((workflow_id, workflow_type), Some(&kwargs))?))
}

/// A status as one sentence, for errors that are not an `RPCError`.
fn describe(status: &Status) -> String {
    match status.code() {
        Code::Unavailable => message(status),
        code => format!("{:?}: {}", code, message(status)),
    }
}

/// The server's own message, or what stopped the call on its way.
fn message(status: &Status) -> String {
    match status.source() {
        Some(source) => explain(source),
        None => status.message().to_owned(),
    }
}

/// The causes of a transport error in plain words, without the layers that only say "transport error".
fn explain(error: &(dyn StdError + 'static)) -> String {
    const EMPTY_WORDS: [&str; 4] =
        ["transport error", "tcp connect error", "error trying to connect", "client error (Connect)"];
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && let Some(plain) = plain_io(error.kind())
        {
            return plain.to_owned();
        }
        let text = error.to_string();
        // Wrappers often repeat the text of what they wrap.
        if !EMPTY_WORDS.contains(&text.as_str()) && !words.iter().any(|said| said.contains(&text)) {
            words.push(text);
        }
        next = error.source();
    }
    if words.is_empty() {
        return error.to_string();
    }
    words.join(": ")
}

/// What to try, for failures whose own words do not tell.
fn hint(cause: &str, tls: bool) -> Option<&'static str> {
    let said = |text: &str| cause.contains(text);
    if said("connection refused") {
        Some("Is a server running there? `invincible server` starts one")
    } else if tls && said("InvalidContentType") {
        Some("The answer is not TLS: set tls=False, unless this is the wrong port")
    } else if tls && said("UnknownIssuer") {
        Some("Give the root certificate that it was issued by as TLSConfig.server_root_ca_cert")
    } else if !tls && said("connection error") {
        Some("If the server wants TLS, set tls=True")
    } else {
        None
    }
}

fn plain_io(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::TimedOut => "no answer within the time limit",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "the network or host cannot be reached",
        io::ErrorKind::ConnectionReset => "the server closed the connection",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_connections_are_explained_in_plain_words() {
        let status = Status::from_error(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert_eq!(message(&status), "connection refused");
    }

    #[test]
    fn failures_that_tls_explains_come_with_a_hint() {
        assert!(hint("received corrupt message of type InvalidContentType", true).unwrap().contains("tls=False"));
        assert!(hint("Unknown: connection error: broken pipe", false).unwrap().contains("tls=True"));
        assert!(hint("invalid peer certificate: UnknownIssuer", true).unwrap().contains("server_root_ca_cert"));
        assert_eq!(hint("no answer within the time limit", true), None);
    }

    #[test]
    fn explanations_keep_unknown_causes_and_drop_repetition() {
        let error = io::Error::other(io::Error::other("bad certificate"));
        assert_eq!(explain(&error), "bad certificate");
    }

    #[test]
    fn metadata_values_never_reach_the_message() {
        let source = "\n".parse::<temporalio_client::tonic::metadata::AsciiMetadataValue>().unwrap_err();
        let error =
            InvalidHeaderError::InvalidAsciiHeaderValue { key: "authorization".into(), value: "s3cret".into(), source };
        let Error::InvalidArgument(message) = Error::from(error) else { panic!("not an argument error") };
        assert!(message.contains("authorization") && !message.contains("s3cret"), "{message}");
    }
}
