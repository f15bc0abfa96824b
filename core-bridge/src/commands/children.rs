//! Child workflows.

use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::workflow::v1::VersioningOverride;

use super::arguments::Arguments;
use super::{Command, EventGroupMarker};
use crate::convert::duration;
use crate::payload::{Payload, PayloadMap};
use crate::policies::{Priority, RetryPolicy};
use crate::record::record;
use crate::versioning::VersioningChoice;

record! {
    /// Start a child workflow; timeouts are seconds.
    StartChildWorkflowExecution {
        seq: u32,
        namespace: String = String::new(),
        workflow_id: String,
        workflow_type: String,
        task_queue: String,
        input: Arguments = Arguments::default(),
        execution_timeout: Option<f64> = None,
        run_timeout: Option<f64> = None,
        task_timeout: Option<f64> = None,
        parent_close_policy: i32 = 0,
        id_reuse_policy: i32 = 0,
        retry_policy: Option<Py<RetryPolicy>> = None,
        cron_schedule: String = String::new(),
        headers: Option<PayloadMap> = None,
        memo: Option<PayloadMap> = None,
        search_attributes: Option<PayloadMap> = None,
        cancellation_type: i32 = 0,
        versioning_intent: i32 = 0,
        priority: Option<Py<Priority>> = None,
        versioning_override: Option<VersioningChoice> = None,
        summary: Option<Payload> = None,
        details: Option<Payload> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Ask for the cancellation of a child workflow.
    CancelChildWorkflowExecution { child_workflow_seq: u32, reason: String = String::new() }
}

impl Command for StartChildWorkflowExecution {
    fn variant(&self) -> Variant {
        let search_attributes = |attributes: PayloadMap| common::SearchAttributes { indexed_fields: attributes.0 };
        Variant::StartChildWorkflowExecution(core::StartChildWorkflowExecution {
            seq: self.seq,
            namespace: self.namespace.clone(),
            workflow_id: self.workflow_id.clone(),
            workflow_type: self.workflow_type.clone(),
            task_queue: self.task_queue.clone(),
            input: self.input.to_messages(),
            workflow_execution_timeout: self.execution_timeout.map(duration),
            workflow_run_timeout: self.run_timeout.map(duration),
            workflow_task_timeout: self.task_timeout.map(duration),
            parent_close_policy: self.parent_close_policy,
            workflow_id_reuse_policy: self.id_reuse_policy,
            retry_policy: self.retry_policy.as_ref().map(|policy| policy.get().into()),
            cron_schedule: self.cron_schedule.clone(),
            headers: self.headers.clone().unwrap_or_default().0,
            memo: self.memo.clone().unwrap_or_default().0,
            search_attributes: self.search_attributes.clone().map(search_attributes),
            cancellation_type: self.cancellation_type,
            versioning_intent: self.versioning_intent,
            priority: self.priority.as_ref().map(|priority| priority.get().into()),
            versioning_override: self.versioning_override.clone().map(VersioningOverride::from),
        })
    }

    fn summary(&self) -> Option<&Payload> {
        self.summary.as_ref()
    }

    fn details(&self) -> Option<&Payload> {
        self.details.as_ref()
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for CancelChildWorkflowExecution {
    fn variant(&self) -> Variant {
        Variant::CancelChildWorkflowExecution(core::CancelChildWorkflowExecution {
            child_workflow_seq: self.child_workflow_seq,
            reason: self.reason.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use temporalio_protos::temporal::api::sdk::v1::UserMetadata;
    use temporalio_protos::temporal::api::workflow::v1::versioning_override::Override;

    use super::super::tests::{message, payload, variant};
    use super::*;

    #[test]
    fn a_child_has_all_its_options() {
        let command = message(
            "StartChildWorkflowExecution(seq=4, namespace='space', workflow_id='child', workflow_type='Child', \
             task_queue='queue', input=[Payload({}, b'x')], execution_timeout=1, run_timeout=2, task_timeout=3, \
             parent_close_policy=2, id_reuse_policy=3, retry_policy=RetryPolicy(maximum_attempts=5), \
             cron_schedule='@daily', headers={'trace': Payload({}, b't')}, memo={'note': Payload({}, b'n')}, \
             search_attributes={'Key': Payload({}, b'k')}, cancellation_type=1, versioning_intent=2, \
             priority=Priority(priority_key=6), versioning_override=('auto_upgrade', None), \
             summary=Payload({}, b's'), details=Payload({}, b'd'))",
        );
        let metadata = UserMetadata { summary: Some(payload("s")), details: Some(payload("d")) };
        assert_eq!(command.user_metadata, Some(metadata));
        let Some(Variant::StartChildWorkflowExecution(child)) = command.variant else { panic!("not a child") };
        let expected = core::StartChildWorkflowExecution {
            seq: 4,
            namespace: "space".to_owned(),
            workflow_id: "child".to_owned(),
            workflow_type: "Child".to_owned(),
            task_queue: "queue".to_owned(),
            input: vec![payload("x")],
            workflow_execution_timeout: Some(duration(1.0)),
            workflow_run_timeout: Some(duration(2.0)),
            workflow_task_timeout: Some(duration(3.0)),
            parent_close_policy: 2,
            workflow_id_reuse_policy: 3,
            retry_policy: Some(common::RetryPolicy {
                backoff_coefficient: 2.0,
                maximum_attempts: 5,
                ..Default::default()
            }),
            cron_schedule: "@daily".to_owned(),
            headers: HashMap::from([("trace".to_owned(), payload("t"))]),
            memo: HashMap::from([("note".to_owned(), payload("n"))]),
            search_attributes: Some(common::SearchAttributes {
                indexed_fields: HashMap::from([("Key".to_owned(), payload("k"))]),
            }),
            cancellation_type: 1,
            versioning_intent: 2,
            priority: Some(common::Priority { priority_key: 6, ..Default::default() }),
            versioning_override: Some(VersioningOverride {
                r#override: Some(Override::AutoUpgrade(true)),
                ..Default::default()
            }),
        };
        assert_eq!(child, expected);
    }

    #[test]
    fn a_child_is_canceled_by_its_number() {
        let expected = core::CancelChildWorkflowExecution { child_workflow_seq: 4, reason: "why".to_owned() };
        assert_eq!(
            variant("CancelChildWorkflowExecution(child_workflow_seq=4, reason='why')"),
            Variant::CancelChildWorkflowExecution(expected)
        );
    }
}
