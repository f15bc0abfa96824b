//! Sizes that the server refuses, found before anything is sent: the error can then tell what is too large.

use std::collections::HashMap;
use std::sync::OnceLock;

use prost::Message;
use temporalio_protos::coresdk::workflow_commands::{
    WorkflowCommand, update_response::Response, workflow_command::Variant,
};
use temporalio_protos::coresdk::workflow_completion::{
    WorkflowActivationCompletion, workflow_activation_completion::Status,
};
use temporalio_protos::temporal::api::common::v1::Payload;

use crate::record::record;

record! {
    /// Payloads of a command that the server would refuse, and so have not been sent. `sizes` are theirs one by one,
    /// in bytes; `size` is what the server compares with its `limit`. `message` is the class of the command, `field` its
    /// attribute.
    OversizedPayloads { message: String, seq: u32, field: String, sizes: Vec<usize>, size: usize, limit: usize }
}

/// What a namespace takes, in bytes; 0 is for no limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub payloads: usize,
    pub memo: usize,
}

/// The limits, once the server has told them.
pub type KnownLimits = OnceLock<Limits>;

impl Limits {
    pub fn check_completion(&self, completion: &WorkflowActivationCompletion) -> Option<OversizedPayloads> {
        let Some(Status::Successful(success)) = &completion.status else { return None };
        // Nothing in it can be larger than the whole.
        if completion.encoded_len() <= self.payloads.min(self.memo) {
            return None;
        }
        success.commands.iter().find_map(|command| self.check_command(command))
    }

    pub fn check_result(&self, result: Option<&Payload>) -> Option<OversizedPayloads> {
        self.check_payloads("ActivityTaskCompletion", 0, "result", result.map(std::slice::from_ref)?, self.payloads)
    }

    fn check_command(&self, command: &WorkflowCommand) -> Option<OversizedPayloads> {
        let check = |message: &str, seq, field: &str, payloads: &[Payload]| {
            self.check_payloads(message, seq, field, payloads, self.payloads)
        };
        match command.variant.as_ref()? {
            Variant::ScheduleActivity(it) => check("ScheduleActivity", it.seq, "arguments", &it.arguments),
            Variant::StartChildWorkflowExecution(it) => {
                let message = "StartChildWorkflowExecution";
                check(message, it.seq, "input", &it.input)
                    .or_else(|| self.check_memo(message, it.seq, &it.memo, self.memo))
            }
            Variant::SignalExternalWorkflowExecution(it) => {
                check("SignalExternalWorkflowExecution", it.seq, "arguments", &it.args)
            }
            Variant::ScheduleNexusOperation(it) => {
                check("ScheduleNexusOperation", it.seq, "input", it.input.as_slice())
            }
            Variant::CompleteWorkflowExecution(it) => {
                check("CompleteWorkflowExecution", 0, "result", it.result.as_slice())
            }
            Variant::ContinueAsNewWorkflowExecution(it) => {
                let message = "ContinueAsNewWorkflowExecution";
                check(message, 0, "arguments", &it.arguments)
                    .or_else(|| self.check_memo(message, 0, &it.memo, self.memo))
            }
            Variant::ModifyWorkflowProperties(it) => {
                let memo = &it.upserted_memo.as_ref()?.fields;
                self.check_memo("ModifyWorkflowProperties", 0, memo, self.payloads)
            }
            Variant::UpdateResponse(it) => match it.response.as_ref()? {
                Response::Completed(result) => check("UpdateCompleted", 0, "result", std::slice::from_ref(result)),
                _ => None,
            },
            _ => None,
        }
    }

    fn check_payloads(
        &self,
        message: &str,
        seq: u32,
        field: &str,
        payloads: &[Payload],
        limit: usize,
    ) -> Option<OversizedPayloads> {
        let sizes: Vec<_> = payloads.iter().map(Message::encoded_len).collect();
        // Each has a tag and a length before it.
        let size = sizes.iter().map(|size| 1 + prost::length_delimiter_len(*size) + size).sum();
        oversized(message, seq, field, sizes, size, limit)
    }

    fn check_memo(
        &self,
        message: &str,
        seq: u32,
        memo: &HashMap<String, Payload>,
        limit: usize,
    ) -> Option<OversizedPayloads> {
        let sizes: Vec<_> = memo.values().map(Message::encoded_len).collect();
        let size = sizes.iter().sum::<usize>() + memo.keys().map(String::len).sum::<usize>();
        oversized(message, seq, "memo", sizes, size, limit)
    }
}

fn oversized(
    message: &str,
    seq: u32,
    field: &str,
    sizes: Vec<usize>,
    size: usize,
    limit: usize,
) -> Option<OversizedPayloads> {
    let (message, field) = (message.to_owned(), field.to_owned());
    (limit > 0 && size > limit).then_some(OversizedPayloads { message, seq, field, sizes, size, limit })
}

#[cfg(test)]
mod tests {
    use temporalio_protos::coresdk::workflow_commands::{
        CompleteWorkflowExecution, ModifyWorkflowProperties, ScheduleActivity,
    };
    use temporalio_protos::coresdk::workflow_completion::Success;
    use temporalio_protos::temporal::api::common::v1::Memo;

    use super::*;

    const LIMITS: Limits = Limits { payloads: 1000, memo: 1000 };

    fn payload(size: usize) -> Payload {
        Payload { data: vec![0; size], ..Default::default() }
    }

    fn check(limits: Limits, commands: Vec<Variant>) -> Option<OversizedPayloads> {
        let commands = commands.into_iter().map(|it| WorkflowCommand { variant: Some(it), ..Default::default() });
        let success = Success { commands: commands.collect(), ..Default::default() };
        let status = Some(Status::Successful(success));
        limits.check_completion(&WorkflowActivationCompletion { status, ..Default::default() })
    }

    fn schedule(seq: u32, sizes: &[usize]) -> Variant {
        let arguments = sizes.iter().map(|size| payload(*size)).collect();
        Variant::ScheduleActivity(ScheduleActivity { seq, arguments, ..Default::default() })
    }

    #[test]
    fn arguments_count_together_and_commands_by_themselves() {
        assert!(check(LIMITS, vec![schedule(1, &[900]), schedule(2, &[900])]).is_none());
        let found = check(LIMITS, vec![schedule(1, &[1]), schedule(2, &[600, 500])]).unwrap();
        assert_eq!((found.message.as_str(), found.seq, found.field.as_str()), ("ScheduleActivity", 2, "arguments"));
        assert_eq!((found.sizes, found.size, found.limit), (vec![603, 503], 1112, 1000));
    }

    #[test]
    fn results_and_memos_have_limits_too() {
        let result = Variant::CompleteWorkflowExecution(CompleteWorkflowExecution { result: Some(payload(2000)) });
        assert_eq!(check(LIMITS, vec![result]).unwrap().message, "CompleteWorkflowExecution");
        let memo = Some(Memo { fields: HashMap::from([("note".to_owned(), payload(2000))]) });
        let memo = Variant::ModifyWorkflowProperties(ModifyWorkflowProperties { upserted_memo: memo });
        assert_eq!(check(LIMITS, vec![memo]).unwrap().field, "memo");
        assert_eq!(LIMITS.check_result(Some(&payload(2000))).unwrap().field, "result");
        assert!(LIMITS.check_result(None).is_none());
    }

    #[test]
    fn no_limit_is_none() {
        assert!(check(Limits { payloads: 0, memo: 0 }, vec![schedule(1, &[5000])]).is_none());
    }
}
