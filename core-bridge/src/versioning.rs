//! Which version of its code a workflow is to run on, against what its worker deployment would choose.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use temporalio_protos::temporal::api::deployment::v1::WorkerDeploymentVersion;
use temporalio_protos::temporal::api::workflow::v1::VersioningOverride;
use temporalio_protos::temporal::api::workflow::v1::versioning_override::{
    OneTimeOverride, Override, PinnedOverride, PinnedOverrideBehavior,
};

/// For Python a pair: "pinned", "auto_upgrade" or "one_time", and deployment name and build id where there is a version.
#[derive(Clone, Debug, PartialEq)]
pub enum VersioningChoice {
    Pinned(Option<Version>),
    AutoUpgrade,
    OneTime(Option<Version>),
}

type Version = (String, String);

impl<'py> FromPyObject<'_, 'py> for VersioningChoice {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (kind, version): (String, Option<Version>) = value.extract()?;
        match kind.as_str() {
            "pinned" => Ok(Self::Pinned(version)),
            "auto_upgrade" => Ok(Self::AutoUpgrade),
            "one_time" => Ok(Self::OneTime(version)),
            _ => Err(PyValueError::new_err(format!("unknown kind of versioning override: {kind:?}"))),
        }
    }
}

impl<'py> IntoPyObject<'py> for VersioningChoice {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self {
            Self::Pinned(version) => ("pinned", version).into_pyobject(py),
            Self::AutoUpgrade => ("auto_upgrade", None::<Version>).into_pyobject(py),
            Self::OneTime(version) => ("one_time", version).into_pyobject(py),
        }
    }
}

impl From<VersioningChoice> for VersioningOverride {
    fn from(choice: VersioningChoice) -> Self {
        let message = |(deployment_name, build_id)| WorkerDeploymentVersion { deployment_name, build_id };
        let choice = match choice {
            VersioningChoice::Pinned(version) => Override::Pinned(PinnedOverride {
                behavior: PinnedOverrideBehavior::Pinned.into(),
                version: version.map(message),
            }),
            VersioningChoice::AutoUpgrade => Override::AutoUpgrade(true),
            VersioningChoice::OneTime(version) => {
                Override::OneTime(OneTimeOverride { target_deployment_version: version.map(message) })
            }
        };
        Self { r#override: Some(choice), ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version() -> Option<Version> {
        Some(("name".to_owned(), "build".to_owned()))
    }

    #[test]
    fn choices_survive_the_way_to_python_and_back() {
        Python::initialize();
        let choices =
            [VersioningChoice::Pinned(version()), VersioningChoice::AutoUpgrade, VersioningChoice::OneTime(version())];
        Python::attach(|py| {
            for choice in choices {
                let pair = choice.clone().into_pyobject(py).unwrap();
                assert_eq!(pair.extract::<VersioningChoice>().unwrap(), choice);
            }
        });
    }

    #[test]
    fn an_unknown_kind_is_named() {
        Python::initialize();
        Python::attach(|py| {
            let pair = ("frozen", None::<Version>).into_pyobject(py).unwrap();
            let error = pair.extract::<VersioningChoice>().unwrap_err().to_string();
            assert!(error.contains("frozen"), "{error}");
        });
    }

    #[test]
    fn versions_arrive_in_the_message() {
        let expected =
            Some(WorkerDeploymentVersion { deployment_name: "name".to_owned(), build_id: "build".to_owned() });
        let Some(Override::Pinned(pinned)) = VersioningOverride::from(VersioningChoice::Pinned(version())).r#override
        else {
            panic!("not pinned")
        };
        assert_eq!((pinned.behavior(), pinned.version), (PinnedOverrideBehavior::Pinned, expected.clone()));
        let Some(Override::OneTime(once)) = VersioningOverride::from(VersioningChoice::OneTime(version())).r#override
        else {
            panic!("not once")
        };
        assert_eq!(once.target_deployment_version, expected);
    }
}
