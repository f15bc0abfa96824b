//! RPCs as calls: metadata, deadline and retries of one call, and any RPC by name.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use prost::Message;
use pyo3::prelude::*;
use temporalio_client::request_extensions::RetryConfigForCall;
use temporalio_client::tonic::metadata::{
    AsciiMetadataKey, AsciiMetadataValue, BinaryMetadataKey, BinaryMetadataValue, MetadataMap,
};
use temporalio_client::tonic::{Code, Request, Response, Status};
use temporalio_client::{Connection, RetryOptions, jittered};

use crate::errors::Error;
use crate::runtime::seconds;

/// A header value: text, or bytes for names that end in "-bin".
#[derive(Clone, FromPyObject)]
pub enum MetadataValue {
    Text(String),
    Bytes(Vec<u8>),
}

pub type Metadata = HashMap<String, MetadataValue>;

/// What one call adds to the connection's own headers and retries.
pub struct CallOptions {
    metadata: MetadataMap,
    timeout: Option<Duration>,
    retry: bool,
}

impl CallOptions {
    /// `timeout` in seconds, for each attempt.
    pub fn new(metadata: Option<Metadata>, timeout: Option<f64>, retry: bool) -> Result<Self, Error> {
        Ok(Self {
            metadata: metadata.map(metadata_map).transpose()?.unwrap_or_default(),
            timeout: timeout.map(|timeout| seconds("rpc_timeout", timeout)).transpose()?,
            retry,
        })
    }

    pub fn has_timeout(&self) -> bool {
        self.timeout.is_some()
    }

    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.metadata.clone();
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        if !self.retry {
            request.extensions_mut().insert(RetryConfigForCall(RetryOptions::no_retries()));
        }
        request
    }
}

/// Headers for every call of a connection, split the way the client wants them.
pub fn split_metadata(metadata: Metadata) -> (HashMap<String, String>, HashMap<String, Vec<u8>>) {
    let (mut text, mut binary) = (HashMap::new(), HashMap::new());
    for (key, value) in metadata {
        match value {
            MetadataValue::Text(value) => drop(text.insert(key, value)),
            MetadataValue::Bytes(value) => drop(binary.insert(key, value)),
        }
    }
    (text, binary)
}

fn metadata_map(metadata: Metadata) -> Result<MetadataMap, Error> {
    let mut map = MetadataMap::with_capacity(metadata.len());
    for (key, value) in metadata {
        match value {
            MetadataValue::Text(value) => {
                let value = AsciiMetadataValue::try_from(value).map_err(|_| {
                    Error::InvalidArgument(format!(
                        "the value of rpc_metadata key {key:?} holds characters a header cannot carry"
                    ))
                })?;
                let key = key.parse::<AsciiMetadataKey>().map_err(|_| {
                    Error::InvalidArgument(format!(
                        "rpc_metadata key {key:?} has a str value, so it must be a valid header name not ending in \"-bin\""
                    ))
                })?;
                map.insert(key, value);
            }
            MetadataValue::Bytes(value) => {
                let key = key.parse::<BinaryMetadataKey>().map_err(|_| {
                    Error::InvalidArgument(format!(
                        "rpc_metadata key {key:?} has a bytes value, so it must be a valid header name ending in \"-bin\""
                    ))
                })?;
                map.insert_bin(key, BinaryMetadataValue::from_bytes(&value));
            }
        }
    }
    Ok(map)
}

/// A call of any unary RPC by the names of its service and method ("workflow", "start_workflow_execution"); serialized
/// messages go in and out.
pub struct RawCall {
    pub connection: Connection,
    pub service: String,
    pub rpc: String,
    pub request: Vec<u8>,
    pub options: CallOptions,
    /// Followed if the options ask for retries.
    pub retry: RetryOptions,
}

type Attempt = Pin<Box<dyn Future<Output = Result<Vec<u8>, Status>> + Send>>;
type ResponseFuture<'a, T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send + 'a>>;

impl RawCall {
    /// An unknown name or a malformed request is an error here and now.
    pub fn start(self) -> Result<impl Future<Output = Result<Vec<u8>, Error>> + Send + 'static, Error> {
        let mut attempt = self.attempt()?;
        Ok(async move {
            let mut pauses = pauses(self.options.retry, &self.retry);
            loop {
                let status = match attempt.await {
                    Ok(response) => return Ok(response),
                    Err(status) => status,
                };
                match pauses.next() {
                    Some(pause) if is_transient(&status) => tokio::time::sleep(pause).await,
                    _ => return Err(status.into()),
                }
                attempt = self.attempt()?;
            }
        })
    }

    /// The calls of `Connection` itself would retry, at the price of compiling that machinery once per RPC: minutes. The
    /// services behind it are compiled already.
    fn attempt(&self) -> Result<Attempt, Error> {
        let Self { connection, service, rpc, request, options, .. } = self;
        let call = (request.as_slice(), options);
        include!(concat!(env!("OUT_DIR"), "/rpc_dispatch.rs"))
    }
}

/// The waits between the attempts of one call.
fn pauses(retry: bool, policy: &RetryOptions) -> impl Iterator<Item = Duration> + use<> {
    let retries = match (retry, policy.max_retries) {
        (false, _) => 0,
        (true, 0) => usize::MAX,
        (true, attempts) => attempts - 1,
    };
    let randomization_factor = policy.randomization_factor;
    let backoff = ExponentialBuilder::new()
        .with_min_delay(policy.initial_interval)
        .with_factor(policy.multiplier as f32)
        .with_max_delay(policy.max_interval)
        .with_total_delay(policy.max_elapsed_time)
        .without_max_times()
        .build();
    backoff.take(retries).map(move |pause| jittered(pause, randomization_factor))
}

fn unary<S, I, O>(
    mut service: S,
    (request, options): (&[u8], &CallOptions),
    method: impl for<'a> FnOnce(&'a mut S, Request<I>) -> ResponseFuture<'a, O> + Send + 'static,
) -> Result<Attempt, Error>
where
    S: Send + 'static,
    I: Message + Default + 'static,
    O: Message + 'static,
{
    let message = I::decode(request).map_err(|error| {
        Error::InvalidArgument(format!("the request is not a serialized message of this RPC: {error}"))
    })?;
    let request = options.request(message);
    Ok(Box::pin(async move { Ok(method(&mut service, request).await?.into_inner().encode_to_vec()) }))
}

/// What every client of the service retries.
fn is_transient(status: &Status) -> bool {
    // A message that is too large stays so.
    let too_large = status.code() == Code::ResourceExhausted && status.message().contains("larger than max");
    !too_large
        && matches!(
            status.code(),
            Code::DataLoss
                | Code::Internal
                | Code::Unknown
                | Code::ResourceExhausted
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unavailable
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(key: &str, value: MetadataValue) -> String {
        match metadata_map(HashMap::from([(key.to_owned(), value)])) {
            Err(Error::InvalidArgument(message)) => message,
            other => panic!("accepted: {other:?}"),
        }
    }

    #[test]
    fn metadata_takes_text_and_binary_keys() {
        let metadata = HashMap::from([
            ("tenant".to_owned(), MetadataValue::Text("blue".to_owned())),
            ("trace-bin".to_owned(), MetadataValue::Bytes(vec![0, 255])),
        ]);
        let map = metadata_map(metadata).unwrap();
        assert_eq!(map.get("tenant").unwrap(), "blue");
        assert_eq!(map.get_bin("trace-bin").unwrap().to_bytes().unwrap().as_ref(), [0, 255]);
    }

    #[test]
    fn bad_metadata_is_named_without_its_value() {
        assert!(error("trace", MetadataValue::Bytes(vec![1])).contains("\"trace\""));
        assert!(error("trace-bin", MetadataValue::Text("x".to_owned())).contains("\"trace-bin\""));
        let message = error("authorization", MetadataValue::Text("s3cret\n".to_owned()));
        assert!(message.contains("authorization") && !message.contains("s3cret"), "{message}");
    }

    #[test]
    fn attempts_are_as_many_and_as_far_apart_as_the_policy_says() {
        let policy = RetryOptions::builder()
            .initial_interval(Duration::from_secs(1))
            .multiplier(2.0)
            .max_interval(Duration::from_secs(3))
            .randomization_factor(0.0)
            .max_elapsed_time(None)
            .max_retries(5)
            .build();
        assert_eq!(pauses(false, &policy).count(), 0);
        let seconds: Vec<_> = pauses(true, &policy).map(|pause| pause.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 3, 3]);
        let mut bounded = policy;
        bounded.max_elapsed_time = Some(Duration::from_secs(4));
        assert_eq!(pauses(true, &bounded).count(), 2);
    }

    #[test]
    fn a_message_that_is_too_large_is_not_sent_again() {
        assert!(is_transient(&Status::unavailable("")));
        assert!(is_transient(&Status::resource_exhausted("namespace rate limit exceeded")));
        assert!(!is_transient(&Status::resource_exhausted("grpc: received message larger than max (5 vs. 4)")));
        assert!(!is_transient(&Status::not_found("")));
    }

    #[test]
    fn calls_without_retry_carry_their_own_policy() {
        let request = CallOptions::new(None, Some(1.5), false).unwrap().request(());
        assert!(request.extensions().get::<RetryConfigForCall>().is_some());
        assert_eq!(request.metadata().get("grpc-timeout").unwrap(), "1500000u");
        let request = CallOptions::new(None, None, true).unwrap().request(());
        assert!(request.extensions().get::<RetryConfigForCall>().is_none());
    }
}
