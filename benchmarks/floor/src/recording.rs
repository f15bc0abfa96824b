//! What the language layer once answered, read back from a history.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use temporalio_common::protos::coresdk::workflow_commands::{
    CompleteWorkflowExecution, ScheduleActivity, StartTimer, UpdateResponse, update_response::Response,
    workflow_command,
};
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};
use temporalio_common::protos::temporal::api::history::v1::{History, history_event::Attributes};
use temporalio_common::protos::temporal::api::update::v1::outcome::Value as Outcome;

/// The commands of each workflow task of one history, in the order of the tasks.
pub struct Recording {
    tasks: Vec<Vec<workflow_command::Variant>>,
}

impl Recording {
    /// Knows activities, timers, updates and the end of a run; signals need no answer. A replay of anything else breaks
    /// off at Core.
    pub fn of(history: &History) -> Result<Self> {
        let mut tasks: Vec<Vec<workflow_command::Variant>> = Vec::new();
        let mut task_of_completion = HashMap::new();
        let mut sequence = Sequence::default();
        for event in &history.events {
            let attributes = event.attributes.as_ref().context("an event has no attributes")?;
            if matches!(attributes, Attributes::WorkflowTaskCompletedEventAttributes(_)) {
                task_of_completion.insert(event.event_id, tasks.len());
                tasks.push(Vec::new());
            }
            if let Some(answer) = answer_to_update(attributes) {
                tasks
                    .last_mut()
                    .with_context(|| format!("event {} has no workflow task", event.event_id))?
                    .push(answer);
            }
            let Some((completion, command)) = sequence.command_behind(attributes) else { continue };
            match task_of_completion.get(&completion) {
                Some(&task) => tasks[task].push(command),
                None => bail!("event {} names an unknown workflow task {completion}", event.event_id),
            }
        }
        Ok(Self { tasks })
    }

    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    pub fn commands(&self, task: usize) -> Result<Vec<workflow_command::Variant>> {
        self.tasks.get(task).cloned().with_context(|| format!("the history has no workflow task number {task}"))
    }
}

/// The answer that wrote an event: they follow the completion of the task they came with.
fn answer_to_update(attributes: &Attributes) -> Option<workflow_command::Variant> {
    let (update, response) = match attributes {
        Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(event) => {
            (event.protocol_instance_id.clone(), Response::Accepted(()))
        }
        Attributes::WorkflowExecutionUpdateCompletedEventAttributes(event) => {
            let result = match event.outcome.as_ref().and_then(|outcome| outcome.value.as_ref()) {
                Some(Outcome::Success(result)) => payloads(Some(result)).into_iter().next(),
                _ => None,
            };
            (event.meta.clone().unwrap_or_default().update_id, Response::Completed(result.unwrap_or_default()))
        }
        _ => return None,
    };
    let response = UpdateResponse { protocol_instance_id: update, response: Some(response) };
    Some(workflow_command::Variant::UpdateResponse(response))
}

/// Numbers of the pending operations: each kind counts for itself.
#[derive(Default)]
struct Sequence {
    activities: u32,
    timers: u32,
}

impl Sequence {
    /// The command that wrote an event, with the id of the `WorkflowTaskCompleted` event it came with.
    fn command_behind(&mut self, attributes: &Attributes) -> Option<(i64, workflow_command::Variant)> {
        match attributes {
            Attributes::ActivityTaskScheduledEventAttributes(event) => {
                self.activities += 1;
                let command = ScheduleActivity {
                    seq: self.activities,
                    activity_id: event.activity_id.clone(),
                    activity_type: event.activity_type.clone().unwrap_or_default().name,
                    task_queue: event.task_queue.clone().unwrap_or_default().name,
                    arguments: payloads(event.input.as_ref()),
                    start_to_close_timeout: event.start_to_close_timeout,
                    ..Default::default()
                };
                Some((event.workflow_task_completed_event_id, command.into()))
            }
            Attributes::TimerStartedEventAttributes(event) => {
                self.timers += 1;
                let command = StartTimer { seq: self.timers, start_to_fire_timeout: event.start_to_fire_timeout };
                Some((event.workflow_task_completed_event_id, command.into()))
            }
            Attributes::WorkflowExecutionCompletedEventAttributes(event) => {
                let command = CompleteWorkflowExecution { result: payloads(event.result.as_ref()).into_iter().next() };
                Some((event.workflow_task_completed_event_id, command.into()))
            }
            _ => None,
        }
    }
}

fn payloads(payloads: Option<&Payloads>) -> Vec<Payload> {
    payloads.map(|payloads| payloads.payloads.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::history::v1::{
        ActivityTaskScheduledEventAttributes, HistoryEvent, TimerStartedEventAttributes,
        WorkflowTaskCompletedEventAttributes,
    };

    use super::*;

    fn history(attributes: Vec<Attributes>) -> History {
        let events = attributes
            .into_iter()
            .zip(1..)
            .map(|(attributes, event_id)| HistoryEvent { event_id, attributes: Some(attributes), ..Default::default() })
            .collect();
        History { events }
    }

    fn task_completed() -> Attributes {
        Attributes::WorkflowTaskCompletedEventAttributes(WorkflowTaskCompletedEventAttributes::default())
    }

    fn activity(id: &str, task: i64) -> Attributes {
        Attributes::ActivityTaskScheduledEventAttributes(ActivityTaskScheduledEventAttributes {
            activity_id: id.to_owned(),
            workflow_task_completed_event_id: task,
            ..Default::default()
        })
    }

    fn timer(task: i64) -> Attributes {
        Attributes::TimerStartedEventAttributes(TimerStartedEventAttributes {
            workflow_task_completed_event_id: task,
            ..Default::default()
        })
    }

    #[test]
    fn each_task_gets_its_commands_and_each_kind_its_numbers() {
        let events = vec![task_completed(), activity("a", 1), timer(1), task_completed(), activity("b", 4)];

        let recording = Recording::of(&history(events)).unwrap();

        let tasks = [recording.commands(0).unwrap(), recording.commands(1).unwrap()];
        let [
            [workflow_command::Variant::ScheduleActivity(first), workflow_command::Variant::StartTimer(timer)],
            [workflow_command::Variant::ScheduleActivity(second)],
        ] = tasks.each_ref().map(Vec::as_slice)
        else {
            panic!("unexpected commands: {tasks:?}");
        };
        assert_eq!((first.seq, first.activity_id.as_str()), (1, "a"));
        assert_eq!(timer.seq, 1);
        assert_eq!((second.seq, second.activity_id.as_str()), (2, "b"));
        assert_eq!(recording.len(), 2);
    }

    #[test]
    fn a_task_the_history_does_not_have_is_an_error() {
        let recording = Recording::of(&history(vec![task_completed()])).unwrap();

        assert!(recording.commands(0).unwrap().is_empty());
        let error = recording.commands(1).unwrap_err();
        assert!(error.to_string().contains("no workflow task number 1"), "{error}");
    }

    #[test]
    fn an_event_of_an_unknown_task_is_an_error() {
        let Err(error) = Recording::of(&history(vec![task_completed(), timer(7)])) else {
            panic!("event 2 names a task that never completed");
        };
        assert!(error.to_string().contains("event 2 names an unknown workflow task 7"), "{error}");
    }
}
