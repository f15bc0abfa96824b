//! Every error of the bridge, and the Python exception it becomes.

use std::error::Error as StdError;
use std::io;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyType};
use temporalio_client::errors::InvalidHeaderError;
use temporalio_client::tonic::{Code, Status, TimeoutExpired};

pub const TIMED_OUT: &str = "no answer within the time limit";

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
    /// A call did not get through to the server.
    Unreachable { address: String, status: Box<Status> },
    /// The id of a workflow to start is taken.
    WorkflowAlreadyStarted { workflow_id: String, workflow_type: String, run_id: String, first_run_id: String },
    /// The work ended without an outcome: its runtime was shut down, or it panicked.
    Lost,
}

impl Error {
    /// Names where a call went that did not get through.
    pub fn towards(self, address: &str) -> Self {
        match self {
            Self::Rpc(status) if is_lost(&status) => Self::Unreachable { address: address.to_owned(), status },
            other => other,
        }
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
            Error::Rpc(status) => {
                Python::attach(|py| rpc_error(py, &status, message(&status)).unwrap_or_else(|error| error))
            }
            Error::Unreachable { address, status } => {
                let message = format!("no connection to {address}: {}", message(&status));
                Python::attach(|py| rpc_error(py, &status, message).unwrap_or_else(|error| error))
            }
            Error::WorkflowAlreadyStarted { workflow_id, workflow_type, run_id, first_run_id } => {
                Python::attach(|py| {
                    already_started(py, workflow_id, workflow_type, run_id, first_run_id).unwrap_or_else(|error| error)
                })
            }
            Error::Lost => PyRuntimeError::new_err("the call ended without an outcome: its runtime was shut down"),
        }
    }
}

fn rpc_error(py: Python<'_>, status: &Status, message: String) -> PyResult<PyErr> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static CODE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let code = CODE.import(py, "invincible.service", "RPCStatusCode")?.call1((status.code() as i32,))?;
    let details = PyBytes::new(py, status.details());
    let error = CLASS.import(py, "invincible.service", "RPCError")?.call1((message, code, details))?;
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

/// A status as one sentence, for errors that are not an `RPCError`. The codes of those that did not come from the server
/// tell nothing.
pub fn describe(status: &Status) -> String {
    match status.source() {
        Some(source) => explain(source),
        None => format!("{:?}: {}", status.code(), status.message()),
    }
}

/// Whether the call broke off on its way. A deadline that passed does not tell of the way.
fn is_lost(status: &Status) -> bool {
    let transport = matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled);
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return false;
        }
        cause = error.source();
    }
    transport && status.source().is_some()
}

/// The server's own message, or what stopped the call on its way.
fn message(status: &Status) -> String {
    match status.source() {
        Some(source) => explain(source),
        None => status.message().to_owned(),
    }
}

/// The causes of a transport error in plain words, without the layers that only say "transport error".
pub fn explain(error: &(dyn StdError + 'static)) -> String {
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

fn plain_io(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::TimedOut => TIMED_OUT,
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
    fn calls_that_do_not_get_through_name_where_they_went() {
        let lost = || Error::from(Status::from_error(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused))));
        assert!(matches!(lost().towards("here:1"), Error::Unreachable { address, .. } if address == "here:1"));
        let refused = Error::from(Status::unavailable("the server's own words"));
        assert!(matches!(refused.towards("here:1"), Error::Rpc(_)));
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
