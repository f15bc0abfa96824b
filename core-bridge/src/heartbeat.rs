//! Automatic heartbeats: a timer of tokio's that neither the GIL nor an event loop can hold up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use temporalio_protos::coresdk::ActivityHeartbeat;
use temporalio_protos::temporal::api::common::v1::Payload;

use crate::sync::lock;

/// The activities that are kept alive, with the details of the last heartbeat of each: a heartbeat replaces them on the
/// server, so every automatic one says them again.
#[derive(Default)]
pub struct Heartbeats {
    details: Mutex<HashMap<Vec<u8>, Vec<Payload>>>,
}

impl Heartbeats {
    /// Calls `beat` at once and then at every interval, until the activity ends or `beat` says that it is over.
    pub async fn keep_alive(
        self: Arc<Self>,
        task_token: Vec<u8>,
        interval: Duration,
        beat: impl Fn(ActivityHeartbeat) -> bool,
    ) {
        let mut ticks = tokio::time::interval(interval);
        loop {
            ticks.tick().await;
            // Under the lock, so that nothing is sent for an activity whose end has been told.
            let details = lock(&self.details);
            let Some(last) = details.get(&task_token) else { return };
            if !beat(ActivityHeartbeat { task_token: task_token.clone(), details: last.clone() }) {
                return;
            }
        }
    }

    /// To be called before the activity is kept alive.
    pub fn begin(&self, task_token: Vec<u8>, details: Vec<Payload>) {
        lock(&self.details).insert(task_token, details);
    }

    /// The activity itself has told its details.
    pub fn told(&self, task_token: &[u8], details: &[Payload]) {
        if let Some(last) = lock(&self.details).get_mut(task_token) {
            *last = details.to_vec();
        }
    }

    /// The activity ends.
    pub fn end(&self, task_token: &[u8]) {
        lock(&self.details).remove(task_token);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn payload(data: &str) -> Payload {
        Payload { data: data.into(), ..Default::default() }
    }

    #[tokio::test]
    async fn the_last_details_are_said_again_until_the_activity_ends() {
        let heartbeats = Arc::new(Heartbeats::default());
        let (sender, mut sent) = mpsc::unbounded_channel();
        heartbeats.begin(b"token".to_vec(), vec![payload("earlier attempt")]);
        let beating = tokio::spawn(heartbeats.clone().keep_alive(
            b"token".to_vec(),
            Duration::from_millis(1),
            move |heartbeat| sender.send(heartbeat.details).is_ok(),
        ));
        assert_eq!(sent.recv().await.unwrap(), [payload("earlier attempt")]);
        heartbeats.told(b"another", &[payload("not of this one")]);
        heartbeats.told(b"token", &[payload("told")]);
        while sent.recv().await.unwrap() != [payload("told")] {}
        heartbeats.end(b"token");
        beating.await.unwrap();
        while sent.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn a_worker_that_is_gone_ends_it() {
        let heartbeats = Arc::new(Heartbeats::default());
        heartbeats.begin(b"token".to_vec(), vec![]);
        heartbeats.keep_alive(b"token".to_vec(), Duration::from_millis(1), |_| false).await;
    }
}
