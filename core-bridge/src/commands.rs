//! Commands: what one run asks for in return for an activation, and the completion built from them.

use pyo3::PyClass;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use temporalio_protos::coresdk::workflow_commands::WorkflowCommand;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::coresdk::workflow_completion::{self, WorkflowActivationCompletion};
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::enums::v1::WorkflowTaskFailedCause;
use temporalio_protos::temporal::api::failure::v1::Failure as FailureMessage;
use temporalio_protos::temporal::api::sdk::v1::UserMetadata;

use crate::payload::Payload;

mod activities;
mod answers;
mod arguments;
mod children;
mod event_groups;
mod external;
mod nexus;
mod run;
mod timers;

pub use self::activities::{
    RequestCancelActivity, RequestCancelLocalActivity, ScheduleActivity, ScheduleLocalActivity,
};
pub use self::answers::{QueryResult, UpdateAccepted, UpdateCompleted, UpdateRejected};
pub use self::children::{CancelChildWorkflowExecution, StartChildWorkflowExecution};
pub use self::event_groups::EventGroupMarker;
pub use self::external::{
    CancelSignalWorkflow, RequestCancelExternalWorkflowExecution, SignalExternalWorkflowExecution,
};
pub use self::nexus::{RequestCancelNexusOperation, ScheduleNexusOperation};
pub use self::run::{
    CancelWorkflowExecution, CompleteWorkflowExecution, ContinueAsNewWorkflowExecution, FailWorkflowExecution,
    ModifyWorkflowProperties, SetPatchMarker, UpsertWorkflowSearchAttributes,
};
pub use self::timers::{CancelTimer, StartTimer};

/// A record that becomes a command of Core.
trait Command: PyClass<Frozen = True> + Sync {
    fn variant(&self) -> Variant;

    /// What user interfaces show for the command: one line, and the long text.
    fn summary(&self) -> Option<&Payload> {
        None
    }

    fn details(&self) -> Option<&Payload> {
        None
    }

    fn event_groups(&self) -> &[Py<EventGroupMarker>] {
        &[]
    }
}

type Convert = fn(&Bound<'_, PyAny>) -> PyResult<WorkflowCommand>;

/// The completion that answers an activation with commands.
pub fn successful_completion(
    run_id: String,
    commands: &Bound<'_, PyAny>,
    versioning_behavior: i32,
) -> PyResult<WorkflowActivationCompletion> {
    let commands = commands.try_iter()?.map(|command| command_from_python(&command?)).collect::<PyResult<_>>()?;
    let success = workflow_completion::Success { commands, used_internal_flags: Vec::new(), versioning_behavior };
    Ok(WorkflowActivationCompletion {
        run_id,
        status: Some(workflow_completion::workflow_activation_completion::Status::Successful(success)),
        ..Default::default()
    })
}

/// The completion that fails the workflow task: the server will try it again.
pub fn failed_completion(
    run_id: String,
    failure: FailureMessage,
    cause: WorkflowTaskFailedCause,
) -> WorkflowActivationCompletion {
    let failure = workflow_completion::Failure { failure: Some(failure), force_cause: cause.into() };
    WorkflowActivationCompletion {
        run_id,
        status: Some(workflow_completion::workflow_activation_completion::Status::Failed(failure)),
        ..Default::default()
    }
}

fn command_from_python(command: &Bound<'_, PyAny>) -> PyResult<WorkflowCommand> {
    let class = command.get_type();
    match conversions(command.py()).iter().find(|(known, _)| class.is(known)) {
        Some((_, convert)) => convert(command),
        None => {
            let name = class.fully_qualified_name()?;
            Err(PyTypeError::new_err(format!("expected a workflow command, got {name}")))
        }
    }
}

fn convert<C: Command>(command: &Bound<'_, PyAny>) -> PyResult<WorkflowCommand> {
    let command = command.cast::<C>()?.get();
    let (summary, details) = (command.summary(), command.details());
    let payload = |payload: &Payload| common::Payload::from(payload.clone());
    let metadata = || UserMetadata { summary: summary.map(payload), details: details.map(payload) };
    Ok(WorkflowCommand {
        variant: Some(command.variant()),
        user_metadata: (summary.is_some() || details.is_some()).then(metadata),
        event_group_markers: command.event_groups().iter().map(|marker| marker.get().into()).collect(),
    })
}

/// The class of every command and its conversion, those that come most often first.
fn conversions(py: Python<'_>) -> &[(Py<PyType>, Convert)] {
    fn entry<C: Command>(py: Python<'_>) -> (Py<PyType>, Convert) {
        (py.get_type::<C>().unbind(), convert::<C>)
    }
    static CONVERSIONS: PyOnceLock<[(Py<PyType>, Convert); 24]> = PyOnceLock::new();
    CONVERSIONS.get_or_init(py, || {
        [
            entry::<ScheduleActivity>(py),
            entry::<StartTimer>(py),
            entry::<CompleteWorkflowExecution>(py),
            entry::<CancelTimer>(py),
            entry::<ScheduleLocalActivity>(py),
            entry::<UpdateAccepted>(py),
            entry::<UpdateCompleted>(py),
            entry::<QueryResult>(py),
            entry::<StartChildWorkflowExecution>(py),
            entry::<SignalExternalWorkflowExecution>(py),
            entry::<ScheduleNexusOperation>(py),
            entry::<ContinueAsNewWorkflowExecution>(py),
            entry::<UpsertWorkflowSearchAttributes>(py),
            entry::<SetPatchMarker>(py),
            entry::<FailWorkflowExecution>(py),
            entry::<RequestCancelActivity>(py),
            entry::<RequestCancelLocalActivity>(py),
            entry::<CancelChildWorkflowExecution>(py),
            entry::<RequestCancelExternalWorkflowExecution>(py),
            entry::<CancelSignalWorkflow>(py),
            entry::<RequestCancelNexusOperation>(py),
            entry::<ModifyWorkflowProperties>(py),
            entry::<UpdateRejected>(py),
            entry::<CancelWorkflowExecution>(py),
        ]
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn evaluate(expression: &str) -> PyResult<WorkflowCommand> {
        Python::initialize();
        Python::attach(|py| {
            let names = pyo3::wrap_pymodule!(crate::_native)(py).bind(py).dict();
            let expression = CString::new(expression).unwrap();
            command_from_python(&py.eval(&expression, Some(&names), None).unwrap())
        })
    }

    /// The command that a Python expression makes, with the border's names in scope.
    pub fn message(expression: &str) -> WorkflowCommand {
        evaluate(expression).unwrap()
    }

    pub fn variant(expression: &str) -> Variant {
        message(expression).variant.unwrap()
    }

    pub fn payload(data: &str) -> common::Payload {
        common::Payload { data: data.as_bytes().to_vec(), ..Default::default() }
    }

    #[test]
    fn what_is_no_command_is_named() {
        let error = evaluate("'start a timer, please'").unwrap_err().to_string();
        assert_eq!(error, "TypeError: expected a workflow command, got str");
        let error = evaluate("FireTimer(seq=1)").unwrap_err().to_string();
        assert_eq!(error, "TypeError: expected a workflow command, got invincible._native.FireTimer");
    }

    #[test]
    fn commands_without_summary_or_groups_carry_neither() {
        let command = message("StartTimer(seq=1, duration=1)");
        assert_eq!((command.user_metadata, command.event_group_markers), (None, Vec::new()));
    }

    #[test]
    fn a_completion_has_the_versioning_behavior() {
        Python::initialize();
        let completion = Python::attach(|py| {
            let commands = pyo3::types::PyTuple::empty(py);
            successful_completion("run".to_owned(), commands.as_any(), 2)
        });
        let Some(workflow_completion::workflow_activation_completion::Status::Successful(success)) =
            completion.unwrap().status
        else {
            panic!("not successful")
        };
        assert_eq!(success.versioning_behavior, 2);
    }
}
