//! Event groups: markers by which user interfaces show the events of a run together.

use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::sdk::v1 as sdk;
use temporalio_protos::temporal::api::sdk::v1::event_group_marker::{InboundEvent, InboundUpdate, Label, Variant};

use crate::payload::Payload;
use crate::record::record;

record! {
    /// The group that a command belongs to: one that user code has made (`id`, with its label where it is first used),
    /// or that of the event or the update that caused the command.
    EventGroupMarker {
        id: Option<String> = None,
        label: Option<Payload> = None,
        inbound_event_id: Option<i64> = None,
        inbound_update_id: Option<String> = None,
    }
}

impl From<&EventGroupMarker> for sdk::EventGroupMarker {
    fn from(marker: &EventGroupMarker) -> Self {
        let label = |id: &String| {
            Variant::Label(Label { id: id.clone(), label: marker.label.clone().map(common::Payload::from) })
        };
        let event = |inbound_event_id| Variant::InboundEvent(InboundEvent { inbound_event_id });
        let update = |id: &String| Variant::InboundUpdate(InboundUpdate { inbound_update_id: id.clone() });
        let variant = marker.id.as_ref().map(label);
        let variant = variant.or_else(|| marker.inbound_event_id.map(event));
        Self { variant: variant.or_else(|| marker.inbound_update_id.as_ref().map(update)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::*;

    fn marker(expression: &str) -> Option<Variant> {
        let timer = message(&format!("StartTimer(seq=1, duration=1, event_groups=[{expression}])"));
        timer.event_group_markers[0].variant.clone()
    }

    #[test]
    fn a_marker_says_what_it_stands_for() {
        let Some(Variant::Label(label)) = marker("EventGroupMarker(id='g', label=Payload({}, b'name'))") else {
            panic!("no label")
        };
        assert_eq!((label.id.as_str(), label.label.unwrap().data.as_slice()), ("g", b"name".as_slice()));
        let Some(Variant::InboundEvent(event)) = marker("EventGroupMarker(inbound_event_id=5)") else {
            panic!("no event")
        };
        assert_eq!(event.inbound_event_id, 5);
        let Some(Variant::InboundUpdate(update)) = marker("EventGroupMarker(inbound_update_id='u')") else {
            panic!("no update")
        };
        assert_eq!(update.inbound_update_id, "u");
    }

    #[test]
    fn every_command_that_makes_an_event_takes_markers() {
        let commands = [
            "StartTimer(seq=1, duration=1",
            "ScheduleActivity(seq=1, activity_id='1', activity_type='a', task_queue='q'",
            "ScheduleLocalActivity(seq=1, activity_id='1', activity_type='a'",
            "StartChildWorkflowExecution(seq=1, workflow_id='w', workflow_type='W', task_queue='q'",
            "SignalExternalWorkflowExecution(seq=1, signal_name='s', workflow_id='w'",
            "RequestCancelExternalWorkflowExecution(seq=1, workflow_id='w'",
            "ScheduleNexusOperation(seq=1, endpoint='e', service='s', operation='o'",
            "SetPatchMarker(patch_id='p'",
            "UpsertWorkflowSearchAttributes(search_attributes={}",
            "ModifyWorkflowProperties(upserted_memo={}",
            "ContinueAsNewWorkflowExecution(",
        ];
        for command in commands {
            let groups = "[EventGroupMarker(id='a'), EventGroupMarker(id='b')]";
            let separator = if command.ends_with('(') { "" } else { ", " };
            let command = message(&format!("{command}{separator}event_groups={groups})"));
            assert_eq!(command.event_group_markers.len(), 2, "{command:?}");
        }
    }
}
