//! Updates: the calls that send one and wait for it, and how far it has come as a Python record.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use temporalio_client::Connection;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::Status;
use temporalio_protos::temporal::api::common::v1::Link;
use temporalio_protos::temporal::api::enums::v1::UpdateWorkflowExecutionLifecycleStage as Stage;
use temporalio_protos::temporal::api::update::v1 as update;
use temporalio_protos::temporal::api::update::v1::outcome::Value;
use temporalio_protos::temporal::api::workflowservice::v1 as service;

use crate::errors::Error;
use crate::failure::Failure;
use crate::long_poll::{PAUSE, passing};
use crate::messages::Messages;
use crate::payload::Payloads;
use crate::rpc::CallOptions;

/// The client does not know this call for a long poll: by itself it would give up sooner than for those.
const POLL_TIMEOUT: Duration = Duration::from_secs(70);

/// How far an update has come: once `completed`, with the result or the failure. `links` are serialized messages.
#[pyclass(frozen, get_all, module = "invincible._native")]
#[derive(Debug)]
pub struct UpdateResponse {
    workflow_id: String,
    run_id: String,
    stage: i32,
    result: Option<Payloads>,
    failure: Option<Failure>,
    completed: bool,
    links: Messages<Link>,
}

impl UpdateResponse {
    fn new(
        reference: Option<update::UpdateRef>,
        stage: i32,
        outcome: Option<update::Outcome>,
        link: Option<Link>,
    ) -> Self {
        let execution = reference.and_then(|reference| reference.workflow_execution).unwrap_or_default();
        let (result, failure) = match outcome.and_then(|outcome| outcome.value) {
            Some(Value::Success(result)) => (Some(Payloads(result.payloads)), None),
            Some(Value::Failure(failure)) => (None, Some(failure.into())),
            None => (None, None),
        };
        Self {
            workflow_id: execution.workflow_id,
            run_id: execution.run_id,
            stage,
            completed: result.is_some() || failure.is_some(),
            result,
            failure,
            links: Messages(link.into_iter().collect()),
        }
    }

    fn has_reached(&self, stage: i32) -> bool {
        self.completed || self.stage >= stage
    }
}

/// Sends an update and waits until it is accepted, if that much is asked for. A wait for more is one for `poll_update`.
pub async fn start_update(
    connection: Connection,
    message: service::UpdateWorkflowExecutionRequest,
    options: CallOptions,
) -> Result<UpdateResponse, Error> {
    // Sent again, it is the same update: the server knows it by its id.
    until(wanted(&message.wait_policy).min(Stage::Accepted.into()), PAUSE, &options, || {
        let (mut connection, request) = (connection.clone(), options.request(message.clone()));
        async move {
            let response = WorkflowService::update_workflow_execution(&mut connection, request).await?.into_inner();
            Ok(UpdateResponse::new(response.update_ref, response.stage, response.outcome, response.link))
        }
    })
    .await
}

/// Waits, however long it takes, until an update has reached the stage that is asked for.
pub async fn poll_update(
    connection: Connection,
    message: service::PollWorkflowExecutionUpdateRequest,
    options: CallOptions,
) -> Result<UpdateResponse, Error> {
    until(wanted(&message.wait_policy), PAUSE, &options, || {
        let (mut connection, mut request) = (connection.clone(), options.request(message.clone()));
        if !options.has_timeout() {
            request.set_timeout(POLL_TIMEOUT);
        }
        async move {
            let response =
                WorkflowService::poll_workflow_execution_update(&mut connection, request).await?.into_inner();
            Ok(UpdateResponse::new(response.update_ref, response.stage, response.outcome, None))
        }
    })
    .await
}

fn wanted(policy: &Option<update::WaitPolicy>) -> i32 {
    policy.as_ref().map_or(0, |policy| policy.lifecycle_stage)
}

/// Calls again and again until the update has reached the stage, with a pause before the next call when one came back
/// at once. The server answers sooner when its own time is up.
async fn until<F>(
    stage: i32,
    pause: Duration,
    options: &CallOptions,
    mut call: impl FnMut() -> F,
) -> Result<UpdateResponse, Error>
where
    F: Future<Output = Result<UpdateResponse, Status>>,
{
    let mut last_contact = Instant::now();
    loop {
        let asked = Instant::now();
        match call().await {
            Ok(response) if response.has_reached(stage) => return Ok(response),
            Ok(_) => last_contact = Instant::now(),
            Err(status) if passing(&status, last_contact, options) => {}
            Err(status) => return Err(status.into()),
        }
        if asked.elapsed() < pause {
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::ready;

    use temporalio_protos::temporal::api::common::v1 as common;
    use temporalio_protos::temporal::api::failure::v1 as failure;

    use super::*;

    fn outcome(value: Value) -> Option<update::Outcome> {
        Some(update::Outcome { value: Some(value) })
    }

    fn reference() -> Option<update::UpdateRef> {
        let execution = common::WorkflowExecution { workflow_id: "id".to_owned(), run_id: "run".to_owned() };
        Some(update::UpdateRef { workflow_execution: Some(execution), update_id: "update".to_owned() })
    }

    #[test]
    fn a_completed_update_has_a_result_or_a_failure() {
        let succeeded = UpdateResponse::new(reference(), 3, outcome(Value::Success(common::Payloads::default())), None);
        assert_eq!((succeeded.workflow_id.as_str(), succeeded.run_id.as_str(), succeeded.stage), ("id", "run", 3));
        assert!(succeeded.completed && succeeded.failure.is_none());
        assert_eq!(succeeded.result, Some(Payloads::default()));
        let failed = failure::Failure { message: "no".to_owned(), ..Default::default() };
        let rejected = UpdateResponse::new(reference(), 3, outcome(Value::Failure(failed.clone())), None);
        assert!(rejected.completed && rejected.result.is_none());
        assert_eq!(rejected.failure, Some(failed.into()));
        let accepted = UpdateResponse::new(reference(), 2, None, None);
        assert!(!accepted.completed && accepted.result.is_none() && accepted.failure.is_none());
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn the_wait_goes_on_until_the_stage_is_reached() {
        let options = CallOptions::new(None, None, true).unwrap();
        let response = |stage| Ok(UpdateResponse::new(reference(), stage, None, None));
        let mut answers = VecDeque::from([response(0), Err(Status::deadline_exceeded("")), response(2), response(3)]);
        let reached = block_on(until(2, Duration::ZERO, &options, || ready(answers.pop_front().unwrap()))).unwrap();
        assert_eq!((reached.stage, answers.len()), (2, 1));
    }

    #[test]
    fn a_refusal_and_the_callers_own_deadline_end_the_wait() {
        let options = CallOptions::new(None, None, true).unwrap();
        let gone = block_on(until(2, Duration::ZERO, &options, || ready(Err(Status::not_found("no such update")))));
        assert!(matches!(gone, Err(Error::Rpc(_))));
        let options = CallOptions::new(None, Some(1.0), true).unwrap();
        let late = block_on(until(2, Duration::ZERO, &options, || ready(Err(Status::deadline_exceeded("")))));
        assert!(matches!(late, Err(Error::Rpc(_))));
    }
}
