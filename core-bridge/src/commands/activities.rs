//! Activities, those that the server schedules and those that this worker runs itself.

use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands as core;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;

use super::arguments::Arguments;
use super::{Command, EventGroupMarker};
use crate::convert::{duration, timestamp};
use crate::payload::{Payload, PayloadMap};
use crate::policies::{Priority, RetryPolicy};
use crate::record::record;

record! {
    /// Schedule an activity; timeouts are seconds.
    ScheduleActivity {
        seq: u32,
        activity_id: String,
        activity_type: String,
        task_queue: String,
        arguments: Arguments = Arguments::default(),
        headers: Option<PayloadMap> = None,
        schedule_to_close_timeout: Option<f64> = None,
        schedule_to_start_timeout: Option<f64> = None,
        start_to_close_timeout: Option<f64> = None,
        heartbeat_timeout: Option<f64> = None,
        retry_policy: Option<Py<RetryPolicy>> = None,
        cancellation_type: i32 = 0,
        do_not_eagerly_execute: bool = false,
        versioning_intent: i32 = 0,
        summary: Option<Payload> = None,
        priority: Option<Py<Priority>> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Ask for the cancellation of a scheduled activity.
    RequestCancelActivity { seq: u32 }
}

record! {
    /// Run an activity in this worker; timeouts are seconds. After a backoff, `attempt` and `original_schedule_time_ns`
    /// are those that it named.
    ScheduleLocalActivity {
        seq: u32,
        activity_id: String,
        activity_type: String,
        attempt: u32 = 1,
        original_schedule_time_ns: Option<i64> = None,
        headers: Option<PayloadMap> = None,
        arguments: Arguments = Arguments::default(),
        schedule_to_close_timeout: Option<f64> = None,
        schedule_to_start_timeout: Option<f64> = None,
        start_to_close_timeout: Option<f64> = None,
        retry_policy: Option<Py<RetryPolicy>> = None,
        local_retry_threshold: Option<f64> = None,
        cancellation_type: i32 = 0,
        summary: Option<Payload> = None,
        event_groups: Vec<Py<EventGroupMarker>> = Vec::new(),
    }
}

record! {
    /// Ask for the cancellation of a local activity.
    RequestCancelLocalActivity { seq: u32 }
}

impl Command for ScheduleActivity {
    fn variant(&self) -> Variant {
        Variant::ScheduleActivity(core::ScheduleActivity {
            seq: self.seq,
            activity_id: self.activity_id.clone(),
            activity_type: self.activity_type.clone(),
            task_queue: self.task_queue.clone(),
            headers: self.headers.clone().unwrap_or_default().0,
            arguments: self.arguments.to_messages(),
            schedule_to_close_timeout: self.schedule_to_close_timeout.map(duration),
            schedule_to_start_timeout: self.schedule_to_start_timeout.map(duration),
            start_to_close_timeout: self.start_to_close_timeout.map(duration),
            heartbeat_timeout: self.heartbeat_timeout.map(duration),
            retry_policy: self.retry_policy.as_ref().map(|policy| policy.get().into()),
            cancellation_type: self.cancellation_type,
            do_not_eagerly_execute: self.do_not_eagerly_execute,
            versioning_intent: self.versioning_intent,
            priority: self.priority.as_ref().map(|priority| priority.get().into()),
        })
    }

    fn summary(&self) -> Option<&Payload> {
        self.summary.as_ref()
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for RequestCancelActivity {
    fn variant(&self) -> Variant {
        Variant::RequestCancelActivity(core::RequestCancelActivity { seq: self.seq })
    }
}

impl Command for ScheduleLocalActivity {
    fn variant(&self) -> Variant {
        Variant::ScheduleLocalActivity(core::ScheduleLocalActivity {
            seq: self.seq,
            activity_id: self.activity_id.clone(),
            activity_type: self.activity_type.clone(),
            attempt: self.attempt,
            original_schedule_time: self.original_schedule_time_ns.map(timestamp),
            headers: self.headers.clone().unwrap_or_default().0,
            arguments: self.arguments.to_messages(),
            schedule_to_close_timeout: self.schedule_to_close_timeout.map(duration),
            schedule_to_start_timeout: self.schedule_to_start_timeout.map(duration),
            start_to_close_timeout: self.start_to_close_timeout.map(duration),
            retry_policy: self.retry_policy.as_ref().map(|policy| policy.get().into()),
            local_retry_threshold: self.local_retry_threshold.map(duration),
            cancellation_type: self.cancellation_type,
            ..Default::default()
        })
    }

    fn summary(&self) -> Option<&Payload> {
        self.summary.as_ref()
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &self.event_groups
    }
}

impl Command for RequestCancelLocalActivity {
    fn variant(&self) -> Variant {
        Variant::RequestCancelLocalActivity(core::RequestCancelLocalActivity { seq: self.seq })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use prost_wkt_types::Timestamp;
    use temporalio_protos::temporal::api::common::v1 as common;

    use super::super::tests::{message, payload, variant};
    use super::*;

    #[test]
    fn an_activity_without_timeouts_sends_none() {
        let activity = "ScheduleActivity(seq=7, activity_id='7', activity_type='greet', task_queue='greetings')";
        let expected = core::ScheduleActivity {
            seq: 7,
            activity_id: "7".to_owned(),
            activity_type: "greet".to_owned(),
            task_queue: "greetings".to_owned(),
            ..Default::default()
        };
        assert_eq!(variant(activity), Variant::ScheduleActivity(expected));
    }

    #[test]
    fn an_activity_has_all_its_options() {
        let command = message(
            "ScheduleActivity(seq=7, activity_id='7', activity_type='greet', task_queue='greetings', \
             arguments=[Payload({}, b'x')], headers={'trace': Payload({}, b't')}, schedule_to_close_timeout=1, \
             schedule_to_start_timeout=2, start_to_close_timeout=3, heartbeat_timeout=4, \
             retry_policy=RetryPolicy(maximum_attempts=5), cancellation_type=2, do_not_eagerly_execute=True, \
             versioning_intent=1, summary=Payload({}, b's'), priority=Priority(priority_key=6))",
        );
        assert_eq!(command.user_metadata.unwrap().summary, Some(payload("s")));
        let Some(Variant::ScheduleActivity(activity)) = command.variant else { panic!("not an activity") };
        let expected = core::ScheduleActivity {
            seq: 7,
            activity_id: "7".to_owned(),
            activity_type: "greet".to_owned(),
            task_queue: "greetings".to_owned(),
            headers: HashMap::from([("trace".to_owned(), payload("t"))]),
            arguments: vec![payload("x")],
            schedule_to_close_timeout: Some(duration(1.0)),
            schedule_to_start_timeout: Some(duration(2.0)),
            start_to_close_timeout: Some(duration(3.0)),
            heartbeat_timeout: Some(duration(4.0)),
            retry_policy: Some(common::RetryPolicy {
                backoff_coefficient: 2.0,
                maximum_attempts: 5,
                ..Default::default()
            }),
            cancellation_type: 2,
            do_not_eagerly_execute: true,
            versioning_intent: 1,
            priority: Some(common::Priority { priority_key: 6, ..Default::default() }),
        };
        assert_eq!(activity, expected);
    }

    #[test]
    fn a_local_activity_has_all_its_options() {
        let command = message(
            "ScheduleLocalActivity(seq=8, activity_id='8', activity_type='greet', attempt=3, \
             original_schedule_time_ns=1700000000123456789, headers={'trace': Payload({}, b't')}, \
             arguments=[Payload({}, b'x')], schedule_to_close_timeout=1, schedule_to_start_timeout=2, \
             start_to_close_timeout=3, retry_policy=RetryPolicy(maximum_attempts=5), local_retry_threshold=4, \
             cancellation_type=1, summary=Payload({}, b's'))",
        );
        assert_eq!(command.user_metadata.unwrap().summary, Some(payload("s")));
        let Some(Variant::ScheduleLocalActivity(activity)) = command.variant else { panic!("not a local activity") };
        let expected = core::ScheduleLocalActivity {
            seq: 8,
            activity_id: "8".to_owned(),
            activity_type: "greet".to_owned(),
            attempt: 3,
            original_schedule_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }),
            headers: HashMap::from([("trace".to_owned(), payload("t"))]),
            arguments: vec![payload("x")],
            schedule_to_close_timeout: Some(duration(1.0)),
            schedule_to_start_timeout: Some(duration(2.0)),
            start_to_close_timeout: Some(duration(3.0)),
            retry_policy: Some(common::RetryPolicy {
                backoff_coefficient: 2.0,
                maximum_attempts: 5,
                ..Default::default()
            }),
            local_retry_threshold: Some(duration(4.0)),
            cancellation_type: 1,
            include_arguments_in_marker: false,
        };
        assert_eq!(activity, expected);
    }

    #[test]
    fn activities_are_canceled_by_their_number() {
        let remote = Variant::RequestCancelActivity(core::RequestCancelActivity { seq: 7 });
        assert_eq!(variant("RequestCancelActivity(seq=7)"), remote);
        let local = Variant::RequestCancelLocalActivity(core::RequestCancelLocalActivity { seq: 8 });
        assert_eq!(variant("RequestCancelLocalActivity(seq=8)"), local);
    }
}
