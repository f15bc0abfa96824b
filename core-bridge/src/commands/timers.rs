//! Timers.

use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;

use super::{Command, EventGroupMarker};
use crate::convert::duration;
use crate::payload::Payload;
use crate::record::record;

record! {
    /// Start a timer of `duration` seconds.
    StartTimer {
        seq: u32,
        duration: f64,
        summary: Option<Payload> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Cancel a timer that has not fired.
    CancelTimer { seq: u32 }
}

impl Command for StartTimer {
    fn variant(&self) -> Variant {
        let start_to_fire_timeout = Some(duration(self.duration));
        Variant::StartTimer(core::StartTimer { seq: self.seq, start_to_fire_timeout })
    }

    fn summary(&self) -> Option<&Payload> {
        self.summary.as_ref()
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for CancelTimer {
    fn variant(&self) -> Variant {
        Variant::CancelTimer(core::CancelTimer { seq: self.seq })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{message, variant};
    use super::*;

    #[test]
    fn a_timer_has_its_duration_and_summary() {
        let command = message("StartTimer(seq=3, duration=1.5, summary=Payload({}, b'tea'))");
        assert_eq!(command.user_metadata.unwrap().summary.unwrap().data, b"tea");
        let Some(Variant::StartTimer(timer)) = command.variant else { panic!("not a timer") };
        assert_eq!((timer.seq, timer.start_to_fire_timeout), (3, Some(duration(1.5))));
    }

    #[test]
    fn a_timer_is_canceled_by_its_number() {
        assert_eq!(variant("CancelTimer(seq=3)"), Variant::CancelTimer(core::CancelTimer { seq: 3 }));
    }
}
