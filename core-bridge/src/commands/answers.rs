//! Answers to queries and updates.

use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::query_result;
use temporalio_protos::coresdk::workflow_commands::update_response::Response;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::temporal::api::common::v1 as common;

use super::Command;
use crate::failure::Failure;
use crate::payload::Payload;
use crate::record::record;

record! {
    /// Answer a query with a value, or with a failure when `failure` is given.
    QueryResult { query_id: String, result: Option<Payload> = None, failure: Option<Failure> = None }
}

record! {
    /// Accept an update: its validator has passed, or was not to run.
    UpdateAccepted { protocol_instance_id: String }
}

record! {
    /// Reject an update that did not pass its validator, or end an accepted one with the failure of its handler.
    UpdateRejected { protocol_instance_id: String, failure: Failure }
}

record! {
    /// End an accepted update with the result of its handler.
    UpdateCompleted { protocol_instance_id: String, result: Option<Payload> = None }
}

impl Command for QueryResult {
    fn variant(&self) -> Variant {
        let variant = match &self.failure {
            Some(failure) => query_result::Variant::Failed(failure.clone().into()),
            None => query_result::Variant::Succeeded(core::QuerySuccess {
                response: self.result.clone().map(common::Payload::from),
            }),
        };
        Variant::RespondToQuery(core::QueryResult { query_id: self.query_id.clone(), variant: Some(variant) })
    }
}

fn update_response(protocol_instance_id: &str, response: Response) -> Variant {
    Variant::UpdateResponse(core::UpdateResponse {
        protocol_instance_id: protocol_instance_id.to_owned(),
        response: Some(response),
    })
}

impl Command for UpdateAccepted {
    fn variant(&self) -> Variant {
        update_response(&self.protocol_instance_id, Response::Accepted(()))
    }
}

impl Command for UpdateRejected {
    fn variant(&self) -> Variant {
        update_response(&self.protocol_instance_id, Response::Rejected(self.failure.clone().into()))
    }
}

impl Command for UpdateCompleted {
    fn variant(&self) -> Variant {
        let result = self.result.clone().map(common::Payload::from).unwrap_or_default();
        update_response(&self.protocol_instance_id, Response::Completed(result))
    }
}

#[cfg(test)]
mod tests {
    use temporalio_protos::temporal::api::failure::v1 as failure;

    use super::super::tests::{payload, variant};
    use super::*;

    fn failed(message: &str) -> failure::Failure {
        failure::Failure { message: message.to_owned(), ..Default::default() }
    }

    #[test]
    fn a_query_is_answered_with_a_value() {
        let succeeded = query_result::Variant::Succeeded(core::QuerySuccess { response: Some(payload("x")) });
        let expected = core::QueryResult { query_id: "q".to_owned(), variant: Some(succeeded) };
        assert_eq!(variant("QueryResult(query_id='q', result=Payload({}, b'x'))"), Variant::RespondToQuery(expected));
    }

    #[test]
    fn a_query_failure_wins_over_a_result() {
        let expected =
            core::QueryResult { query_id: "q".to_owned(), variant: Some(query_result::Variant::Failed(failed("no"))) };
        assert_eq!(
            variant("QueryResult(query_id='q', result=Payload({}, b'x'), failure=Failure('no'))"),
            Variant::RespondToQuery(expected)
        );
    }

    #[test]
    fn an_update_is_accepted_then_completed_or_rejected() {
        let accepted = update_response("u", Response::Accepted(()));
        assert_eq!(variant("UpdateAccepted(protocol_instance_id='u')"), accepted);
        let completed = update_response("u", Response::Completed(payload("x")));
        assert_eq!(variant("UpdateCompleted(protocol_instance_id='u', result=Payload({}, b'x'))"), completed);
        let rejected = update_response("u", Response::Rejected(failed("no")));
        assert_eq!(variant("UpdateRejected(protocol_instance_id='u', failure=Failure('no'))"), rejected);
    }

    #[test]
    fn an_update_without_a_result_is_complete_all_the_same() {
        let completed = update_response("u", Response::Completed(common::Payload::default()));
        assert_eq!(variant("UpdateCompleted(protocol_instance_id='u')"), completed);
    }
}
