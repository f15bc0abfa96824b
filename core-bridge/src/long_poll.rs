//! Long polls: calls that wait at the server, and what lets the wait go on.

use std::time::{Duration, Instant};

use temporalio_client::tonic::{Code, Status};

use crate::rpc::CallOptions;

/// A wait outlives a server that is away for this long, a restart for instance.
const OUTAGE_TOLERANCE: Duration = Duration::from_secs(60);
/// Between polls that come back at once with nothing: the server is away, or the caller's deadline leaves it no time.
pub const PAUSE: Duration = Duration::from_secs(1);

/// A long poll that came to its end, or a server that is away for a while.
pub fn passing(status: &Status, last_contact: Instant, options: &CallOptions) -> bool {
    match status.code() {
        Code::DeadlineExceeded => !options.has_timeout(),
        // Deadlines that pass on this side of the connection are reported so.
        Code::Cancelled if status.message() == "Timeout expired" => !options.has_timeout(),
        Code::Unavailable => last_contact.elapsed() < OUTAGE_TOLERANCE,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_polls_go_on_unless_the_caller_set_the_deadline() {
        let expired = Status::deadline_exceeded("");
        let (no_deadline, deadline) =
            (CallOptions::new(None, None, true).unwrap(), CallOptions::new(None, Some(1.0), true).unwrap());
        assert!(passing(&expired, Instant::now(), &no_deadline));
        assert!(passing(&Status::cancelled("Timeout expired"), Instant::now(), &no_deadline));
        assert!(!passing(&expired, Instant::now(), &deadline));
        assert!(!passing(&Status::not_found(""), Instant::now(), &no_deadline));
    }
}
