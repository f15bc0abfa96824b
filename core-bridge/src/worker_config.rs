//! The options of a worker, as Core takes them.

use std::collections::HashSet;
use std::sync::Arc;

use pyo3::prelude::*;
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion, WorkerTaskTypes,
};
use temporalio_protos::temporal::api::worker::v1::PluginInfo;
use temporalio_sdk_core::{
    PollerBehavior, WorkerConfig as CoreConfig, WorkerTuner, WorkerVersioningStrategy, WorkflowErrorType,
};

use crate::errors::Error;
use crate::record::record;
use crate::runtime::seconds;

/// How many polls there are at a time: at most so many, or from a minimum to a maximum with so many in the beginning.
#[derive(Clone, Copy, FromPyObject, IntoPyObject)]
pub enum Polls {
    Maximum(usize),
    Autoscaling(usize, usize, usize),
}

impl From<Polls> for PollerBehavior {
    fn from(polls: Polls) -> Self {
        match polls {
            Polls::Maximum(maximum) => Self::SimpleMaximum(maximum),
            Polls::Autoscaling(minimum, maximum, initial) => Self::Autoscaling { minimum, maximum, initial },
        }
    }
}

record! {
    /// The options of a worker, as Core takes them; durations are seconds.
    WorkerConfig {
        namespace: String,
        task_queue: String,
        build_id: String,
        deployment_name: Option<String> = None,
        use_worker_versioning: bool = false,
        default_versioning_behavior: i32 = 0,
        workflows: bool = true,
        activities: bool = true,
        local_activities: bool = true,
        nexus: bool = false,
        identity: Option<String> = None,
        max_cached_workflows: usize = 1000,
        max_concurrent_workflow_tasks: usize = 100,
        max_concurrent_activities: usize = 100,
        max_concurrent_local_activities: usize = 100,
        max_concurrent_nexus_tasks: usize = 100,
        workflow_task_pollers: Polls = Polls::Maximum(5),
        activity_task_pollers: Polls = Polls::Maximum(5),
        nexus_task_pollers: Polls = Polls::Maximum(5),
        nonsticky_to_sticky_poll_ratio: f32 = 0.2,
        sticky_queue_schedule_to_start_timeout: f64 = 10.0,
        max_heartbeat_throttle_interval: f64 = 60.0,
        default_heartbeat_throttle_interval: f64 = 30.0,
        max_activities_per_second: Option<f64> = None,
        max_task_queue_activities_per_second: Option<f64> = None,
        max_eager_activity_reservations_per_workflow_task: usize = 3,
        graceful_shutdown_period: f64 = 0.0,
        nondeterminism_fails_workflow: bool = false,
        nondeterminism_fails_workflow_types: HashSet<String> = HashSet::new(),
        disable_payload_error_limit: bool = false,
        plugins: HashSet<String> = HashSet::new(),
    }
}

impl WorkerConfig {
    /// With a tuner, that says how many slots there are.
    pub fn to_core(&self, tuner: Option<Arc<dyn WorkerTuner + Send + Sync>>) -> Result<CoreConfig, Error> {
        let slots = |number: usize| tuner.is_none().then_some(number);
        let nondeterminism = || HashSet::from([WorkflowErrorType::Nondeterminism]);
        let types = self.nondeterminism_fails_workflow_types.iter().map(|name| (name.clone(), nondeterminism()));
        CoreConfig::builder()
            .namespace(&self.namespace)
            .task_queue(&self.task_queue)
            .versioning_strategy(self.versioning_strategy()?)
            .task_types(WorkerTaskTypes {
                enable_workflows: self.workflows,
                enable_local_activities: self.workflows && self.local_activities,
                enable_remote_activities: self.activities,
                enable_nexus: self.nexus,
            })
            .maybe_client_identity_override(self.identity.clone())
            .max_cached_workflows(self.max_cached_workflows)
            .maybe_max_outstanding_workflow_tasks(slots(self.max_concurrent_workflow_tasks))
            .maybe_max_outstanding_activities(slots(self.max_concurrent_activities))
            .maybe_max_outstanding_local_activities(slots(self.max_concurrent_local_activities))
            .maybe_max_outstanding_nexus_tasks(slots(self.max_concurrent_nexus_tasks))
            .maybe_tuner(tuner)
            .workflow_task_poller_behavior(self.workflow_task_pollers.into())
            .activity_task_poller_behavior(self.activity_task_pollers.into())
            .nexus_task_poller_behavior(self.nexus_task_pollers.into())
            .nonsticky_to_sticky_poll_ratio(self.nonsticky_to_sticky_poll_ratio)
            .sticky_queue_schedule_to_start_timeout(seconds(
                "sticky_queue_schedule_to_start_timeout",
                self.sticky_queue_schedule_to_start_timeout,
            )?)
            .max_heartbeat_throttle_interval(seconds(
                "max_heartbeat_throttle_interval",
                self.max_heartbeat_throttle_interval,
            )?)
            .default_heartbeat_throttle_interval(seconds(
                "default_heartbeat_throttle_interval",
                self.default_heartbeat_throttle_interval,
            )?)
            .maybe_max_worker_activities_per_second(self.max_activities_per_second)
            .maybe_max_task_queue_activities_per_second(self.max_task_queue_activities_per_second)
            .max_eager_activity_reservations_per_workflow_task(self.max_eager_activity_reservations_per_workflow_task)
            .graceful_shutdown_period(seconds("graceful_shutdown_timeout", self.graceful_shutdown_period)?)
            .ignore_evicts_on_shutdown(true)
            .workflow_failure_errors(if self.nondeterminism_fails_workflow { nondeterminism() } else { HashSet::new() })
            .workflow_types_to_failure_errors(types.collect())
            .disable_payload_error_limit(self.disable_payload_error_limit)
            .plugins(self.plugins.iter().map(|name| PluginInfo { name: name.clone(), ..Default::default() }).collect())
            .build()
            .map_err(Error::InvalidArgument)
    }

    fn versioning_strategy(&self) -> Result<WorkerVersioningStrategy, Error> {
        let build_id = self.build_id.clone();
        let Some(deployment_name) = self.deployment_name.clone() else {
            return Ok(if self.use_worker_versioning {
                WorkerVersioningStrategy::LegacyBuildIdBased { build_id }
            } else {
                WorkerVersioningStrategy::None { build_id }
            });
        };
        let version = WorkerDeploymentVersion::builder().deployment_name(deployment_name).build_id(build_id).build();
        let default_behavior = match self.default_versioning_behavior {
            0 => None,
            1 => Some(VersioningBehavior::Pinned),
            2 => Some(VersioningBehavior::AutoUpgrade),
            unknown => {
                let message = format!("default_versioning_behavior must be 0, 1 or 2, got {unknown}");
                return Err(Error::InvalidArgument(message));
            }
        };
        Ok(WorkerVersioningStrategy::WorkerDeploymentBased(
            WorkerDeploymentOptions::new(version)
                .use_worker_versioning(self.use_worker_versioning)
                .maybe_default_versioning_behavior(default_behavior)
                .build(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn config(fields: &str) -> Result<CoreConfig, Error> {
        Python::initialize();
        Python::attach(|py| {
            let names = pyo3::wrap_pymodule!(crate::_native)(py).bind(py).dict();
            let config = format!("WorkerConfig(namespace='n', task_queue='q', build_id='b', {fields})");
            let config = py.eval(&CString::new(config).unwrap(), Some(&names), None).unwrap();
            config.cast::<WorkerConfig>().unwrap().get().to_core(None)
        })
    }

    #[test]
    fn a_deployment_name_makes_the_build_a_version_of_that_deployment() {
        let fields = "deployment_name='d', use_worker_versioning=True, default_versioning_behavior=1";
        let WorkerVersioningStrategy::WorkerDeploymentBased(deployment) = config(fields).unwrap().versioning_strategy
        else {
            panic!("not a deployment")
        };
        assert_eq!((deployment.version.deployment_name.as_str(), deployment.version.build_id.as_str()), ("d", "b"));
        assert!(deployment.use_worker_versioning);
        assert_eq!(deployment.default_versioning_behavior, Some(VersioningBehavior::Pinned));
    }

    #[test]
    fn versioning_without_a_deployment_is_by_build_id() {
        let config = config("use_worker_versioning=True").unwrap();
        assert!(matches!(config.versioning_strategy,
            WorkerVersioningStrategy::LegacyBuildIdBased { build_id } if build_id == "b"));
    }

    #[test]
    fn a_number_of_polls_is_a_maximum_and_three_are_a_range() {
        let config = config("workflow_task_pollers=7, activity_task_pollers=(2, 9, 3)").unwrap();
        assert_eq!(config.workflow_task_poller_behavior, Some(PollerBehavior::SimpleMaximum(7)));
        let autoscaling = PollerBehavior::Autoscaling { minimum: 2, maximum: 9, initial: 3 };
        assert_eq!(config.activity_task_poller_behavior, Some(autoscaling));
        assert_eq!(config.nexus_task_poller_behavior, Some(PollerBehavior::SimpleMaximum(5)));
    }

    #[test]
    fn slots_are_numbers_or_a_tuners_affair() {
        let config = config("max_concurrent_activities=3, max_concurrent_nexus_tasks=4").unwrap();
        assert_eq!((config.max_outstanding_activities, config.max_outstanding_nexus_tasks), (Some(3), Some(4)));
        assert_eq!(
            (config.max_outstanding_workflow_tasks, config.max_outstanding_local_activities),
            (Some(100), Some(100))
        );
        assert!(config.tuner.is_none());
    }

    #[test]
    fn plugins_are_told_by_name() {
        let config = config("plugins={'auditing'}").unwrap();
        assert_eq!(config.plugins.into_iter().map(|plugin| plugin.name).collect::<Vec<_>>(), ["auditing"]);
    }
}
