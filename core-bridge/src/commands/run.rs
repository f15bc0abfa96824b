//! The run itself: how it ends, and what it records about itself.

use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::temporal::api::common::v1 as common;

use super::arguments::Arguments;
use super::{Command, EventGroupMarker};
use crate::convert::duration;
use crate::failure::Failure;
use crate::payload::{Payload, PayloadMap};
use crate::policies::RetryPolicy;
use crate::record::record;

record! {
    /// End the run with a result.
    CompleteWorkflowExecution { result: Option<Payload> = None }
}

record! {
    /// End the run with a failure.
    FailWorkflowExecution { failure: Failure }
}

record! {
    /// End the run as canceled.
    CancelWorkflowExecution {}
}

record! {
    /// End the run and start it anew, after `backoff_start_interval`. Durations are seconds; `memo`, `search_attributes`
    /// and `retry_policy` are those of this run where they are not given.
    ContinueAsNewWorkflowExecution {
        workflow_type: String = String::new(),
        task_queue: String = String::new(),
        arguments: Arguments = Arguments::default(),
        run_timeout: Option<f64> = None,
        task_timeout: Option<f64> = None,
        memo: Option<PayloadMap> = None,
        headers: Option<PayloadMap> = None,
        search_attributes: Option<PayloadMap> = None,
        retry_policy: Option<Py<RetryPolicy>> = None,
        versioning_intent: i32 = 0,
        initial_versioning_behavior: i32 = 0,
        backoff_start_interval: Option<f64> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Record that the run takes the code path of a patch.
    SetPatchMarker {
        patch_id: String,
        deprecated: bool = false,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Set these search attributes of the run; the others stay.
    UpsertWorkflowSearchAttributes {
        search_attributes: PayloadMap,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Set these entries of the run's memo; the others stay. A payload without contents removes its entry.
    ModifyWorkflowProperties { upserted_memo: PayloadMap, event_groups: Vec<Py<EventGroupMarker>> = Vec::new() }
}

fn search_attributes(attributes: PayloadMap) -> common::SearchAttributes {
    common::SearchAttributes { indexed_fields: attributes.0 }
}

impl Command for CompleteWorkflowExecution {
    fn variant(&self) -> Variant {
        let result = self.result.clone().map(common::Payload::from);
        Variant::CompleteWorkflowExecution(core::CompleteWorkflowExecution { result })
    }
}

impl Command for FailWorkflowExecution {
    fn variant(&self) -> Variant {
        let failure = Some(self.failure.clone().into());
        Variant::FailWorkflowExecution(core::FailWorkflowExecution { failure })
    }
}

impl Command for CancelWorkflowExecution {
    fn variant(&self) -> Variant {
        Variant::CancelWorkflowExecution(core::CancelWorkflowExecution::default())
    }
}

impl Command for ContinueAsNewWorkflowExecution {
    fn variant(&self) -> Variant {
        Variant::ContinueAsNewWorkflowExecution(core::ContinueAsNewWorkflowExecution {
            workflow_type: self.workflow_type.clone(),
            task_queue: self.task_queue.clone(),
            arguments: self.arguments.to_messages(),
            workflow_run_timeout: self.run_timeout.map(duration),
            workflow_task_timeout: self.task_timeout.map(duration),
            memo: self.memo.clone().unwrap_or_default().0,
            headers: self.headers.clone().unwrap_or_default().0,
            search_attributes: self.search_attributes.clone().map(search_attributes),
            retry_policy: self.retry_policy.as_ref().map(|policy| policy.get().into()),
            versioning_intent: self.versioning_intent,
            initial_versioning_behavior: self.initial_versioning_behavior,
            backoff_start_interval: self.backoff_start_interval.map(duration),
        })
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for SetPatchMarker {
    fn variant(&self) -> Variant {
        let (patch_id, deprecated) = (self.patch_id.clone(), self.deprecated);
        Variant::SetPatchMarker(core::SetPatchMarker { patch_id, deprecated })
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for UpsertWorkflowSearchAttributes {
    fn variant(&self) -> Variant {
        let search_attributes = Some(search_attributes(self.search_attributes.clone()));
        Variant::UpsertWorkflowSearchAttributes(core::UpsertWorkflowSearchAttributes { search_attributes })
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for ModifyWorkflowProperties {
    fn variant(&self) -> Variant {
        let upserted_memo = Some(common::Memo { fields: self.upserted_memo.0.clone() });
        Variant::ModifyWorkflowProperties(core::ModifyWorkflowProperties { upserted_memo })
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use temporalio_protos::temporal::api::failure::v1 as failure;

    use super::super::tests::{payload, variant};
    use super::*;

    #[test]
    fn a_run_ends_with_a_result_a_failure_or_as_canceled() {
        let completed = core::CompleteWorkflowExecution { result: Some(payload("x")) };
        assert_eq!(
            variant("CompleteWorkflowExecution(result=Payload({}, b'x'))"),
            Variant::CompleteWorkflowExecution(completed)
        );
        let failure = failure::Failure { message: "no".to_owned(), ..Default::default() };
        let failed = core::FailWorkflowExecution { failure: Some(failure) };
        assert_eq!(variant("FailWorkflowExecution(failure=Failure('no'))"), Variant::FailWorkflowExecution(failed));
        let canceled = Variant::CancelWorkflowExecution(core::CancelWorkflowExecution::default());
        assert_eq!(variant("CancelWorkflowExecution()"), canceled);
    }

    #[test]
    fn a_new_run_takes_over_what_is_not_given() {
        let expected = Variant::ContinueAsNewWorkflowExecution(core::ContinueAsNewWorkflowExecution::default());
        assert_eq!(variant("ContinueAsNewWorkflowExecution()"), expected);
    }

    #[test]
    fn a_new_run_has_all_its_options() {
        let expected = core::ContinueAsNewWorkflowExecution {
            workflow_type: "Next".to_owned(),
            task_queue: "queue".to_owned(),
            arguments: vec![payload("x")],
            workflow_run_timeout: Some(duration(1.0)),
            workflow_task_timeout: Some(duration(2.0)),
            memo: HashMap::from([("note".to_owned(), payload("n"))]),
            headers: HashMap::from([("trace".to_owned(), payload("t"))]),
            search_attributes: Some(common::SearchAttributes::default()),
            retry_policy: Some(common::RetryPolicy {
                backoff_coefficient: 2.0,
                maximum_attempts: 5,
                ..Default::default()
            }),
            versioning_intent: 1,
            initial_versioning_behavior: 1,
            backoff_start_interval: Some(duration(3.0)),
        };
        assert_eq!(
            variant(
                "ContinueAsNewWorkflowExecution(workflow_type='Next', task_queue='queue', \
                 arguments=[Payload({}, b'x')], run_timeout=1, task_timeout=2, memo={'note': Payload({}, b'n')}, \
                 headers={'trace': Payload({}, b't')}, search_attributes={}, \
                 retry_policy=RetryPolicy(maximum_attempts=5), versioning_intent=1, initial_versioning_behavior=1, \
                 backoff_start_interval=3)"
            ),
            Variant::ContinueAsNewWorkflowExecution(expected)
        );
    }

    #[test]
    fn a_patch_is_marked() {
        let expected = core::SetPatchMarker { patch_id: "p".to_owned(), deprecated: true };
        assert_eq!(variant("SetPatchMarker(patch_id='p', deprecated=True)"), Variant::SetPatchMarker(expected));
    }

    #[test]
    fn search_attributes_and_memo_are_upserted() {
        let search_attributes = search_attributes(PayloadMap(HashMap::from([("Key".to_owned(), payload("k"))])));
        let expected = core::UpsertWorkflowSearchAttributes { search_attributes: Some(search_attributes) };
        assert_eq!(
            variant("UpsertWorkflowSearchAttributes(search_attributes={'Key': Payload({}, b'k')})"),
            Variant::UpsertWorkflowSearchAttributes(expected)
        );
        let memo = common::Memo { fields: HashMap::from([("note".to_owned(), payload("n"))]) };
        let expected = core::ModifyWorkflowProperties { upserted_memo: Some(memo) };
        assert_eq!(
            variant("ModifyWorkflowProperties(upserted_memo={'note': Payload({}, b'n')})"),
            Variant::ModifyWorkflowProperties(expected)
        );
    }
}
