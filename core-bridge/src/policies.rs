//! The retry policy and the priority of a workflow or an activity.

use pyo3::prelude::*;
use temporalio_protos::temporal::api::common::v1 as common;

use crate::convert::{duration, seconds};
use crate::record::record;

record! {
    /// A retry policy; intervals are seconds, `None` leaves a field to the server.
    RetryPolicy {
        initial_interval: Option<f64> = None,
        backoff_coefficient: f64 = 2.0,
        maximum_interval: Option<f64> = None,
        maximum_attempts: i32 = 0,
        non_retryable_error_types: Vec<String> = Vec::new(),
    }
}

record! {
    /// Priority and fairness of a workflow or activity.
    Priority { priority_key: i32 = 0, fairness_key: String = String::new(), fairness_weight: f32 = 0.0 }
}

pub fn retry_policy_to_python(py: Python<'_>, policy: common::RetryPolicy) -> PyResult<Py<RetryPolicy>> {
    Py::new(
        py,
        RetryPolicy {
            initial_interval: policy.initial_interval.as_ref().map(seconds),
            backoff_coefficient: policy.backoff_coefficient,
            maximum_interval: policy.maximum_interval.as_ref().map(seconds),
            maximum_attempts: policy.maximum_attempts,
            non_retryable_error_types: policy.non_retryable_error_types,
        },
    )
}

pub fn priority_to_python(py: Python<'_>, priority: common::Priority) -> PyResult<Py<Priority>> {
    let common::Priority { priority_key, fairness_key, fairness_weight } = priority;
    Py::new(py, Priority { priority_key, fairness_key, fairness_weight })
}

impl From<&RetryPolicy> for common::RetryPolicy {
    fn from(policy: &RetryPolicy) -> Self {
        Self {
            initial_interval: policy.initial_interval.map(duration),
            backoff_coefficient: policy.backoff_coefficient,
            maximum_interval: policy.maximum_interval.map(duration),
            maximum_attempts: policy.maximum_attempts,
            non_retryable_error_types: policy.non_retryable_error_types.clone(),
        }
    }
}

impl From<&Priority> for common::Priority {
    fn from(priority: &Priority) -> Self {
        Self {
            priority_key: priority.priority_key,
            fairness_key: priority.fairness_key.clone(),
            fairness_weight: priority.fairness_weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_policy_intervals_become_durations() {
        let policy = RetryPolicy {
            initial_interval: Some(0.5),
            backoff_coefficient: 2.0,
            maximum_interval: None,
            maximum_attempts: 3,
            non_retryable_error_types: vec!["ValueError".to_owned()],
        };
        let message = common::RetryPolicy::from(&policy);
        assert_eq!(message.initial_interval.unwrap().nanos, 500_000_000);
        assert_eq!(message.maximum_interval, None);
        assert_eq!(message.maximum_attempts, 3);
    }
}
