//! Where and how to connect: the configuration objects of `invincible.service` as options of Core's client.

use std::net::IpAddr;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use temporalio_client::{
    ClientKeepAliveOptions, ClientTlsOptions, DnsLoadBalancingOptions, GrpcCompression, HttpConnectProxyOptions,
    PayloadLimitsOptions, RetryOptions, TlsOptions, Url,
};

use crate::errors::Error;
use crate::runtime::seconds;

/// `TLSConfig`; certificates and key are PEM.
#[derive(FromPyObject, Default)]
pub struct TlsConfig {
    server_root_ca_cert: Option<PyBackedBytes>,
    domain: Option<String>,
    client_cert: Option<PyBackedBytes>,
    client_private_key: Option<PyBackedBytes>,
    verification_server_name: Option<String>,
}

/// `RetryConfig`
#[derive(FromPyObject)]
pub struct RetryConfig {
    initial_interval_millis: u64,
    randomization_factor: f64,
    multiplier: f64,
    max_interval_millis: u64,
    max_elapsed_time_millis: Option<u64>,
    max_retries: usize,
}

/// `KeepAliveConfig`
#[derive(FromPyObject)]
pub struct KeepAliveConfig {
    interval_millis: u64,
    timeout_millis: u64,
}

/// `HttpConnectProxyConfig`
#[derive(FromPyObject)]
pub struct HttpConnectProxyConfig {
    target_host: String,
    basic_auth: Option<(String, String)>,
}

/// `PayloadLimitsConfig`
#[derive(FromPyObject)]
pub struct PayloadLimitsConfig {
    payloads_warn_size: u64,
    memo_warn_size: u64,
}

impl TlsConfig {
    pub fn has_root_ca(&self) -> bool {
        self.server_root_ca_cert.is_some()
    }

    pub fn has_client_cert(&self) -> bool {
        self.client_cert.is_some()
    }

    /// The name that calls are addressed to, where it is not the one that the certificate is checked against.
    pub fn origin<T: TryFrom<String>>(&self, target: &Url) -> Result<Option<T>, Error> {
        if self.verification_server_name.is_none() {
            return Ok(None);
        }
        let origin = match &self.domain {
            Some(domain) => format!("https://{domain}"),
            None => target.to_string(),
        };
        let invalid = |_| Error::InvalidArgument(format!("tls domain {:?} is no host name", self.domain));
        T::try_from(origin).map(Some).map_err(invalid)
    }
}

impl TryFrom<TlsConfig> for TlsOptions {
    type Error = Error;

    fn try_from(config: TlsConfig) -> Result<Self, Error> {
        let client = match (config.client_cert, config.client_private_key) {
            (Some(cert), Some(key)) => {
                Some(ClientTlsOptions::builder().client_cert(cert.to_vec()).client_private_key(key.to_vec()).build())
            }
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
            .maybe_server_root_ca_cert(config.server_root_ca_cert.map(|cert| cert.to_vec()))
            .maybe_domain(config.verification_server_name.or(config.domain))
            .maybe_client_tls_options(client)
            .build())
    }
}

impl From<RetryConfig> for RetryOptions {
    fn from(config: RetryConfig) -> Self {
        RetryOptions::builder()
            .initial_interval(Duration::from_millis(config.initial_interval_millis))
            .randomization_factor(config.randomization_factor)
            .multiplier(config.multiplier)
            .max_interval(Duration::from_millis(config.max_interval_millis))
            .max_elapsed_time(config.max_elapsed_time_millis.map(Duration::from_millis))
            .max_retries(config.max_retries)
            .build()
    }
}

impl From<KeepAliveConfig> for ClientKeepAliveOptions {
    fn from(config: KeepAliveConfig) -> Self {
        ClientKeepAliveOptions::builder()
            .interval(Duration::from_millis(config.interval_millis))
            .timeout(Duration::from_millis(config.timeout_millis))
            .build()
    }
}

impl HttpConnectProxyConfig {
    pub fn target_host(&self) -> &str {
        &self.target_host
    }

    pub fn has_basic_auth(&self) -> bool {
        self.basic_auth.is_some()
    }
}

impl From<HttpConnectProxyConfig> for HttpConnectProxyOptions {
    fn from(config: HttpConnectProxyConfig) -> Self {
        HttpConnectProxyOptions::new(config.target_host).maybe_basic_auth(config.basic_auth).build()
    }
}

impl From<PayloadLimitsConfig> for PayloadLimitsOptions {
    fn from(config: PayloadLimitsConfig) -> Self {
        PayloadLimitsOptions::builder()
            .payloads_warn_size(config.payloads_warn_size)
            .memo_warn_size(config.memo_warn_size)
            .build()
    }
}

pub fn dns_options(interval: f64) -> Result<DnsLoadBalancingOptions, Error> {
    Ok(DnsLoadBalancingOptions::builder().resolution_interval(seconds("DNS resolution interval", interval)?).build())
}

/// How messages are compressed. Between programs of one machine nothing is gained by it, and it takes CPU time of both.
pub fn compression(gzip: bool, target: &Url, proxied: bool) -> GrpcCompression {
    if gzip && (proxied || !is_this_machine(target)) { GrpcCompression::Gzip } else { GrpcCompression::None }
}

fn is_this_machine(target: &Url) -> bool {
    let host = target.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A target as errors name it: with the port that was not given.
pub fn shown_target(target_host: &str, target: &Url) -> String {
    match (target.port(), target.port_or_known_default()) {
        (None, Some(port)) if !target_host.ends_with(&format!(":{port}")) => {
            format!("{target_host}:{port} (target_host names no port)")
        }
        _ => target_host.to_owned(),
    }
}

pub fn target_url(target_host: &str, tls: bool) -> Result<Url, Error> {
    if target_host.contains('@') {
        return Err(Error::InvalidArgument("target_host must be host:port, without credentials".to_owned()));
    }
    let invalid =
        || Error::InvalidArgument(format!("target_host must be host:port, without a scheme, got {target_host:?}"));
    if target_host.is_empty() || target_host.contains(['/', '?', '#']) {
        return Err(invalid());
    }
    let scheme = if tls { "https" } else { "http" };
    Url::parse(&format!("{scheme}://{target_host}")).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_host_and_port() {
        assert_eq!(target_url("localhost:7233", false).unwrap().as_str(), "http://localhost:7233/");
        assert_eq!(target_url("[::1]:7233", true).unwrap().scheme(), "https");
        for bad in ["", "http://localhost:7233", "user:secret@host:1", "host:port"] {
            assert!(target_url(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_port_that_is_not_given_is_shown() {
        let shown = |target_host, tls| shown_target(target_host, &target_url(target_host, tls).unwrap());
        assert_eq!(shown("localhost", false), "localhost:80 (target_host names no port)");
        assert_eq!(shown("localhost", true), "localhost:443 (target_host names no port)");
        assert_eq!(shown("localhost:443", true), "localhost:443");
        assert_eq!(shown("localhost:7233", true), "localhost:7233");
    }

    #[test]
    fn messages_are_compressed_where_they_leave_the_machine() {
        let gzip = |target_host, proxied| {
            let target = target_url(target_host, false).unwrap();
            assert_eq!(compression(false, &target, proxied), GrpcCompression::None);
            compression(true, &target, proxied) == GrpcCompression::Gzip
        };
        for here in ["localhost:7233", "LocalHost:7233", "127.0.0.1:7233", "127.1.2.3:7233", "[::1]:7233"] {
            assert!(!gzip(here, false), "{here}");
            assert!(gzip(here, true), "{here} by way of a proxy");
        }
        for elsewhere in ["localhost.example:7233", "10.0.0.1:7233", "[2001:db8::1]:7233", "temporal:7233"] {
            assert!(gzip(elsewhere, false), "{elsewhere}");
        }
    }

    #[test]
    fn a_name_to_verify_leaves_the_address_of_calls_alone() {
        let target = target_url("10.0.0.1:7233", true).unwrap();
        let config = TlsConfig { verification_server_name: Some("cert.example".to_owned()), ..Default::default() };
        assert_eq!(config.origin::<String>(&target).unwrap().as_deref(), Some("https://10.0.0.1:7233/"));
        assert_eq!(TlsOptions::try_from(config).unwrap().domain.as_deref(), Some("cert.example"));
        let config = TlsConfig { domain: Some("service.example".to_owned()), ..Default::default() };
        assert_eq!(config.origin::<String>(&target).unwrap(), None);
        assert_eq!(TlsOptions::try_from(config).unwrap().domain.as_deref(), Some("service.example"));
    }
}
