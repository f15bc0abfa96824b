//! Why a connection did not come about, in words that say what to do about it.

use std::time::Duration;

use temporalio_client::errors::ClientConnectError;
use temporalio_client::tonic::Code;

use crate::errors::{Error, TIMED_OUT, describe, explain};

/// An attempt to connect: what its error is explained by.
#[derive(Clone, Default)]
pub struct Attempt {
    /// Where to, as errors name it.
    pub address: String,
    pub tls: bool,
    /// Whether the options name an authority, a certificate of the client and its key, an API key, a proxy.
    pub root_ca: bool,
    pub client_cert: bool,
    pub api_key: bool,
    pub proxy: Option<Proxy>,
}

#[derive(Clone, Copy)]
pub struct Proxy {
    pub basic_auth: bool,
}

/// What is wrong, and what to do about it; nothing where the cause's own words are as good.
#[derive(Debug, Default, PartialEq)]
struct Meaning {
    plain: Option<&'static str>,
    hint: Option<&'static str>,
}

impl Attempt {
    pub fn failed(&self, error: ClientConnectError, limit: Duration) -> Error {
        let cause = match error {
            ClientConnectError::InvalidHeaders(error) => return error.into(),
            ClientConnectError::InvalidUri(error) => {
                return Error::InvalidArgument(format!("the target host or the TLS domain is no host name: {error}"));
            }
            ClientConnectError::InvalidConfig(message) => return Error::InvalidArgument(message),
            ClientConnectError::TonicTransportError(error) => explain(&error),
            ClientConnectError::SystemInfoCallError(status) => {
                if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) {
                    return self.refused(&describe(&status));
                }
                describe(&status)
            }
            ClientConnectError::DnsResolutionError { host, source } => {
                format!("the name {host} could not be resolved: {source}")
            }
            other => explain(&other),
        };
        if cause.contains("Timeout expired") || cause.contains(TIMED_OUT) {
            return self.timed_out(limit);
        }
        if let Some((_, answer)) = cause.split_once("CONNECT call failed with status: ") {
            return self.error(&format!("the proxy answered {answer}"), Some(self.proxy_hint(answer)));
        }
        let Meaning { plain, hint } = self.meaning(&cause);
        self.error(plain.unwrap_or(&cause), hint)
    }

    pub fn timed_out(&self, limit: Duration) -> Error {
        let hint = match (&self.proxy, self.tls) {
            (Some(_), _) => "Does the proxy reach the server?",
            (None, false) => "Is that the right host and port, and does no firewall stand between?",
            (None, true) => {
                "Is that the right host and port, does the server want TLS, and does no firewall stand between?"
            }
        };
        self.error(&format!("no answer within {} s", limit.as_secs_f64()), Some(hint))
    }

    fn refused(&self, said: &str) -> Error {
        let hint = if self.api_key {
            "Is the API key right, for this address and namespace, and not expired or revoked?"
        } else {
            "The server wants to know who calls: give api_key, or what it wants in rpc_metadata"
        };
        self.error(said, Some(hint))
    }

    fn error(&self, cause: &str, hint: Option<&str>) -> Error {
        let cause = match hint {
            Some(hint) => format!("{}. {hint}", cause.trim_end_matches('.')),
            None => cause.to_owned(),
        };
        Error::Connect { address: self.address.clone(), cause }
    }

    fn meaning(&self, cause: &str) -> Meaning {
        let said = |text: &str| cause.contains(text);
        let (plain, hint) = if self.proxy.is_some() && said("error (SendRequest)") {
            (Some("what answers is no HTTP proxy"), Some("Is HttpConnectProxyConfig.target_host right?"))
        } else if said("connection refused") || said("Connection refused") {
            let server = "Is a server running there? `invincible server` starts one";
            let hint = if self.proxy.is_some() { "Is the proxy running there?" } else { server };
            (Some("connection refused"), Some(hint))
        } else if said("dns error") || said("failed to lookup address") || said("could not be resolved") {
            let proxy = Some("the proxy's name could not be resolved");
            (self.proxy.and(proxy), Some("Is the name spelled right, and does this machine's DNS know it?"))
        } else if self.tls {
            self.tls_meaning(cause)
        } else if is_broken_off(cause) || said("http2 error") {
            (Some("the server closed the connection, or its answer is not gRPC"), Some("If it wants TLS, set tls=True"))
        } else {
            (None, None)
        };
        Meaning { plain, hint }
    }

    fn proxy_hint(&self, answer: &str) -> &'static str {
        match answer.split_once(' ').map_or(answer, |(code, _)| code) {
            "407" if self.proxy.is_some_and(|proxy| proxy.basic_auth) => {
                "It does not accept the user and password: check HttpConnectProxyConfig.basic_auth"
            }
            "407" => "Give user and password as HttpConnectProxyConfig.basic_auth",
            "502" | "503" | "504" => "It does not reach the server: is that running there?",
            _ => "It does not allow the connection",
        }
    }

    fn tls_meaning(&self, cause: &str) -> (Option<&'static str>, Option<&'static str>) {
        let said = |text: &str| cause.contains(text);
        if said("UnknownIssuer") {
            let hint = if self.root_ca {
                "TLSConfig.server_root_ca_cert is not the certificate of that authority"
            } else {
                "If the server is the right one, give that authority's certificate as TLSConfig.server_root_ca_cert"
            };
            (Some("the server's certificate is signed by an authority that is not trusted"), Some(hint))
        } else if said("certificate expired") {
            (
                Some("the server's certificate has expired"),
                Some("Renew it there; if it is valid, this machine's clock is wrong"),
            )
        } else if said("certificate not valid yet") {
            (Some("the server's certificate is not valid yet"), Some("Is this machine's clock right?"))
        } else if said("not valid for name") {
            (None, Some("If the server is the right one, set TLSConfig.domain to a name in its certificate"))
        } else if said("InvalidContentType") {
            (Some("the answer is not TLS"), Some("Set tls=False, unless this is the wrong port"))
        } else if said("KeyMismatch") {
            (Some("TLSConfig.client_private_key is not the key of TLSConfig.client_cert"), None)
        } else if said("failed to parse private key") {
            (Some("TLSConfig.client_private_key cannot be read"), Some("It must be an unencrypted PEM private key"))
        } else if said("tls handshake eof") || said("fatal alert") || is_broken_off(cause) {
            let plain = "the server ended the connection in the TLS handshake";
            let hint = if self.client_cert {
                "It may not accept the client certificate: is it signed by the right authority, and not expired?"
            } else {
                "Does it take TLS on this port? If it wants a client certificate, give TLSConfig.client_cert and \
                 client_private_key"
            };
            (Some(plain), Some(hint))
        } else {
            (None, None)
        }
    }
}

/// Whether the connection came about and was ended by the other side: which layer notices first is a matter of chance.
fn is_broken_off(cause: &str) -> bool {
    const WORDS: [&str; 6] =
        ["connection closed", "closed connection", "closed the connection", "connection error", "broken pipe", "reset"];
    WORDS.iter().any(|words| cause.contains(words))
}

#[cfg(test)]
mod tests {
    use temporalio_client::tonic::Status;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    fn cause(attempt: &Attempt, error: Status) -> String {
        match attempt.failed(ClientConnectError::SystemInfoCallError(error), LIMIT) {
            Error::Connect { cause, .. } => cause,
            other => panic!("not a failed connection: {other:?}"),
        }
    }

    fn hint(attempt: &Attempt, cause: &str) -> &'static str {
        attempt.meaning(cause).hint.unwrap()
    }

    #[test]
    fn hints_fit_what_was_given() {
        let plain = Attempt::default();
        let tls = Attempt { tls: true, ..Default::default() };
        assert!(hint(&tls, "received corrupt message of type InvalidContentType").contains("tls=False"));
        assert!(hint(&plain, "connection error: broken pipe").contains("tls=True"));
        assert!(hint(&tls, "invalid peer certificate: UnknownIssuer").contains("give that authority's"));
        let with_ca = Attempt { tls: true, root_ca: true, ..Default::default() };
        assert!(hint(&with_ca, "invalid peer certificate: UnknownIssuer").contains("is not the certificate"));
        assert!(hint(&tls, "operation was canceled: connection closed").contains("wants a client certificate"));
        let mutual = Attempt { tls: true, client_cert: true, ..Default::default() };
        assert!(hint(&mutual, "received fatal alert: UnknownCA").contains("may not accept"));
        assert_eq!(plain.meaning("broken"), Meaning::default());
    }

    #[test]
    fn refusals_of_proxies_fit_what_was_given() {
        let asked = |basic_auth| Attempt { proxy: Some(Proxy { basic_auth }), ..Default::default() };
        assert!(asked(false).proxy_hint("407 Proxy Authentication Required").starts_with("Give"));
        assert!(asked(true).proxy_hint("407 Proxy Authentication Required").contains("does not accept"));
        assert!(asked(true).proxy_hint("502 Bad Gateway").contains("does not reach"));
        assert!(hint(&asked(true), "Connection refused (os error 111)").contains("proxy"));
    }

    #[test]
    fn servers_that_ask_who_calls_are_told_from_those_that_do_not_accept_the_answer() {
        let unknown = Attempt::default();
        assert!(cause(&unknown, Status::unauthenticated("Who?")).contains("give api_key"));
        let known = Attempt { api_key: true, ..Default::default() };
        let cause = cause(&known, Status::permission_denied("No."));
        assert!(cause.starts_with("PermissionDenied: No. Is the API key right"), "{cause}");
    }

    #[test]
    fn a_call_that_gets_no_answer_is_a_connection_that_does_not_come_about() {
        let cause = cause(&Attempt::default(), Status::cancelled("Timeout expired"));
        assert!(cause.starts_with("no answer within 0.5 s. "), "{cause}");
    }
}
