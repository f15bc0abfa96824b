//! Nexus operations.

use std::collections::HashMap;

use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::temporal::api::common::v1 as common;

use super::{Command, EventGroupMarker};
use crate::convert::duration;
use crate::payload::Payload;
use crate::record::record;

record! {
    /// Start a Nexus operation; timeouts are seconds.
    ScheduleNexusOperation {
        seq: u32,
        endpoint: String,
        service: String,
        operation: String,
        input: Option<Payload> = None,
        schedule_to_close_timeout: Option<f64> = None,
        schedule_to_start_timeout: Option<f64> = None,
        start_to_close_timeout: Option<f64> = None,
        nexus_header: HashMap<String, String> = HashMap::new(),
        cancellation_type: i32 = 0,
        summary: Option<Payload> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Ask for the cancellation of a Nexus operation.
    RequestCancelNexusOperation { seq: u32 }
}

impl Command for ScheduleNexusOperation {
    fn variant(&self) -> Variant {
        Variant::ScheduleNexusOperation(core::ScheduleNexusOperation {
            seq: self.seq,
            endpoint: self.endpoint.clone(),
            service: self.service.clone(),
            operation: self.operation.clone(),
            input: self.input.clone().map(common::Payload::from),
            schedule_to_close_timeout: self.schedule_to_close_timeout.map(duration),
            schedule_to_start_timeout: self.schedule_to_start_timeout.map(duration),
            start_to_close_timeout: self.start_to_close_timeout.map(duration),
            nexus_header: self.nexus_header.clone(),
            cancellation_type: self.cancellation_type,
        })
    }

    fn summary(&self) -> Option<&Payload> {
        self.summary.as_ref()
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for RequestCancelNexusOperation {
    fn variant(&self) -> Variant {
        Variant::RequestCancelNexusOperation(core::RequestCancelNexusOperation { seq: self.seq })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{message, payload, variant};
    use super::*;

    #[test]
    fn an_operation_has_all_its_options() {
        let command = message(
            "ScheduleNexusOperation(seq=9, endpoint='end', service='Desk', operation='ask', input=Payload({}, b'x'), \
             schedule_to_close_timeout=1, schedule_to_start_timeout=2, start_to_close_timeout=3, \
             nexus_header={'key': 'value'}, cancellation_type=2, summary=Payload({}, b's'))",
        );
        assert_eq!(command.user_metadata.unwrap().summary, Some(payload("s")));
        let Some(Variant::ScheduleNexusOperation(operation)) = command.variant else { panic!("not an operation") };
        let expected = core::ScheduleNexusOperation {
            seq: 9,
            endpoint: "end".to_owned(),
            service: "Desk".to_owned(),
            operation: "ask".to_owned(),
            input: Some(payload("x")),
            schedule_to_close_timeout: Some(duration(1.0)),
            schedule_to_start_timeout: Some(duration(2.0)),
            start_to_close_timeout: Some(duration(3.0)),
            nexus_header: HashMap::from([("key".to_owned(), "value".to_owned())]),
            cancellation_type: 2,
        };
        assert_eq!(operation, expected);
    }

    #[test]
    fn an_operation_is_canceled_by_its_number() {
        let expected = Variant::RequestCancelNexusOperation(core::RequestCancelNexusOperation { seq: 9 });
        assert_eq!(variant("RequestCancelNexusOperation(seq=9)"), expected);
    }
}
