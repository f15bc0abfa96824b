//! Jobs from outside the run, and those that only concern the run itself.

use temporalio_protos::coresdk::workflow_activation as core;

use crate::payload::{PayloadMap, Payloads};
use crate::record::record;

record! {
    /// A timer has fired.
    FireTimer { seq: u32 }
}

record! {
    /// The run was reset: reseed its random numbers.
    UpdateRandomSeed { randomness_seed: u64 }
}

record! {
    /// A query waits for an answer.
    QueryWorkflow {
        query_id: String,
        query_type: String,
        arguments: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
    }
}

record! {
    /// Cancellation of the run was requested.
    CancelWorkflow { reason: String = String::new() }
}

record! {
    /// A signal has arrived.
    SignalWorkflow {
        signal_name: String,
        input: Payloads = Payloads::default(),
        identity: String = String::new(),
        headers: PayloadMap = PayloadMap::default(),
        originating_event_id: i64 = 0,
    }
}

record! {
    /// An update waits for its validation, if `run_validator` is set, and for its handler.
    DoUpdate {
        id: String,
        protocol_instance_id: String = String::new(),
        name: String,
        input: Payloads = Payloads::default(),
        headers: PayloadMap = PayloadMap::default(),
        identity: String = String::new(),
        update_id: String = String::new(),
        run_validator: bool = true,
    }
}

record! {
    /// History has the marker of this patch; sent ahead of the code that asks.
    NotifyHasPatch { patch_id: String }
}

record! {
    /// Drop the run from the cache; no user code may run.
    RemoveFromCache { message: String = String::new(), reason: i32 = 0 }
}

impl From<core::FireTimer> for FireTimer {
    fn from(job: core::FireTimer) -> Self {
        Self { seq: job.seq }
    }
}

impl From<core::UpdateRandomSeed> for UpdateRandomSeed {
    fn from(job: core::UpdateRandomSeed) -> Self {
        Self { randomness_seed: job.randomness_seed }
    }
}

impl From<core::QueryWorkflow> for QueryWorkflow {
    fn from(job: core::QueryWorkflow) -> Self {
        Self {
            query_id: job.query_id,
            query_type: job.query_type,
            arguments: Payloads(job.arguments),
            headers: PayloadMap(job.headers),
        }
    }
}

impl From<core::CancelWorkflow> for CancelWorkflow {
    fn from(job: core::CancelWorkflow) -> Self {
        Self { reason: job.reason }
    }
}

impl From<core::SignalWorkflow> for SignalWorkflow {
    fn from(job: core::SignalWorkflow) -> Self {
        Self {
            signal_name: job.signal_name,
            input: Payloads(job.input),
            identity: job.identity,
            headers: PayloadMap(job.headers),
            originating_event_id: job.originating_event_id,
        }
    }
}

impl From<core::DoUpdate> for DoUpdate {
    fn from(job: core::DoUpdate) -> Self {
        let meta = job.meta.unwrap_or_default();
        Self {
            id: job.id,
            protocol_instance_id: job.protocol_instance_id,
            name: job.name,
            input: Payloads(job.input),
            headers: PayloadMap(job.headers),
            identity: meta.identity,
            update_id: meta.update_id,
            run_validator: job.run_validator,
        }
    }
}

impl From<core::NotifyHasPatch> for NotifyHasPatch {
    fn from(job: core::NotifyHasPatch) -> Self {
        Self { patch_id: job.patch_id }
    }
}

impl From<core::RemoveFromCache> for RemoveFromCache {
    fn from(job: core::RemoveFromCache) -> Self {
        Self { message: job.message, reason: job.reason }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use temporalio_protos::temporal::api::common::v1::Payload;
    use temporalio_protos::temporal::api::update::v1::Meta;

    use super::*;

    fn payload(data: &str) -> Payload {
        Payload { data: data.as_bytes().to_vec(), ..Default::default() }
    }

    #[test]
    fn an_update_comes_with_who_sent_it_and_what() {
        let job = DoUpdate::from(core::DoUpdate {
            id: "update".to_owned(),
            protocol_instance_id: "update/request".to_owned(),
            name: "rename".to_owned(),
            input: vec![payload("1"), payload("2")],
            headers: HashMap::from([("trace".to_owned(), payload("t"))]),
            meta: Some(Meta { update_id: "meta".to_owned(), identity: "someone".to_owned() }),
            run_validator: true,
        });
        assert_eq!((job.id.as_str(), job.protocol_instance_id.as_str()), ("update", "update/request"));
        assert_eq!((job.name.as_str(), job.run_validator), ("rename", true));
        assert_eq!(job.input.0, [payload("1"), payload("2")]);
        assert_eq!(job.headers.0["trace"], payload("t"));
        assert_eq!((job.identity.as_str(), job.update_id.as_str()), ("someone", "meta"));
    }

    #[test]
    fn a_signal_names_its_event() {
        let job = core::SignalWorkflow { originating_event_id: 9, ..Default::default() };
        assert_eq!(SignalWorkflow::from(job).originating_event_id, 9);
    }
}
