//! Other workflows, named by their ids: signals and requests to cancel.

use pyo3::prelude::*;
use temporalio_protos::coresdk::common::NamespacedWorkflowExecution;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::signal_external_workflow_execution::Target;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;

use super::arguments::Arguments;
use super::{Command, EventGroupMarker};
use crate::payload::PayloadMap;
use crate::record::record;

record! {
    /// Ask another workflow to cancel itself.
    RequestCancelExternalWorkflowExecution {
        seq: u32,
        namespace: String = String::new(),
        workflow_id: String,
        run_id: String = String::new(),
        reason: String = String::new(),
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Signal another workflow: the child of that id if `child_workflow_id` is given.
    SignalExternalWorkflowExecution {
        seq: u32,
        signal_name: String,
        arguments: Arguments = Arguments::default(),
        headers: Option<PayloadMap> = None,
        namespace: String = String::new(),
        workflow_id: String = String::new(),
        run_id: String = String::new(),
        child_workflow_id: Option<String> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Take back a signal that has not been sent.
    CancelSignalWorkflow { seq: u32 }
}

fn execution(namespace: &str, workflow_id: &str, run_id: &str) -> NamespacedWorkflowExecution {
    NamespacedWorkflowExecution {
        namespace: namespace.to_owned(),
        workflow_id: workflow_id.to_owned(),
        run_id: run_id.to_owned(),
    }
}

impl Command for RequestCancelExternalWorkflowExecution {
    fn variant(&self) -> Variant {
        Variant::RequestCancelExternalWorkflowExecution(core::RequestCancelExternalWorkflowExecution {
            seq: self.seq,
            workflow_execution: Some(execution(&self.namespace, &self.workflow_id, &self.run_id)),
            reason: self.reason.clone(),
        })
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for SignalExternalWorkflowExecution {
    fn variant(&self) -> Variant {
        let target = match &self.child_workflow_id {
            Some(id) => Target::ChildWorkflowId(id.clone()),
            None => Target::WorkflowExecution(execution(&self.namespace, &self.workflow_id, &self.run_id)),
        };
        Variant::SignalExternalWorkflowExecution(core::SignalExternalWorkflowExecution {
            seq: self.seq,
            target: Some(target),
            signal_name: self.signal_name.clone(),
            args: self.arguments.to_messages(),
            headers: self.headers.clone().unwrap_or_default().0,
        })
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for CancelSignalWorkflow {
    fn variant(&self) -> Variant {
        Variant::CancelSignalWorkflow(core::CancelSignalWorkflow { seq: self.seq })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::tests::{payload, variant};
    use super::*;

    #[test]
    fn a_request_to_cancel_names_its_workflow() {
        let expected = core::RequestCancelExternalWorkflowExecution {
            seq: 5,
            workflow_execution: Some(execution("space", "other", "run")),
            reason: "why".to_owned(),
        };
        assert_eq!(
            variant(
                "RequestCancelExternalWorkflowExecution(seq=5, namespace='space', workflow_id='other', run_id='run', \
                 reason='why')"
            ),
            Variant::RequestCancelExternalWorkflowExecution(expected)
        );
    }

    #[test]
    fn a_signal_goes_to_a_workflow() {
        let expected = core::SignalExternalWorkflowExecution {
            seq: 6,
            target: Some(Target::WorkflowExecution(execution("space", "other", "run"))),
            signal_name: "wake".to_owned(),
            args: vec![payload("x")],
            headers: HashMap::from([("trace".to_owned(), payload("t"))]),
        };
        assert_eq!(
            variant(
                "SignalExternalWorkflowExecution(seq=6, signal_name='wake', arguments=[Payload({}, b'x')], \
                 headers={'trace': Payload({}, b't')}, namespace='space', workflow_id='other', run_id='run')"
            ),
            Variant::SignalExternalWorkflowExecution(expected)
        );
    }

    #[test]
    fn a_signal_goes_to_a_child() {
        let expected = core::SignalExternalWorkflowExecution {
            seq: 6,
            target: Some(Target::ChildWorkflowId("child".to_owned())),
            signal_name: "wake".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            variant("SignalExternalWorkflowExecution(seq=6, signal_name='wake', child_workflow_id='child')"),
            Variant::SignalExternalWorkflowExecution(expected)
        );
    }

    #[test]
    fn a_signal_is_taken_back_by_its_number() {
        let expected = Variant::CancelSignalWorkflow(core::CancelSignalWorkflow { seq: 6 });
        assert_eq!(variant("CancelSignalWorkflow(seq=6)"), expected);
    }
}
