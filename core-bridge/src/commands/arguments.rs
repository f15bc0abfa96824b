//! The arguments of a command: shared with Python, and copied once, into the message.

use pyo3::prelude::*;
use pyo3::types::PyList;
use temporalio_protos::temporal::api::common::v1 as common;

use crate::payload::Payload;

#[derive(Clone, Default)]
pub struct Arguments(Vec<Payload>);

impl Arguments {
    pub fn to_messages(&self) -> Vec<common::Payload> {
        self.0.iter().cloned().map(common::Payload::from).collect()
    }
}

impl<'py> FromPyObject<'_, 'py> for Arguments {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        value.try_iter()?.map(|item| item?.extract()).collect::<PyResult<_>>().map(Self)
    }
}

impl<'py> IntoPyObject<'py> for Arguments {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        PyList::new(py, self.0)
    }
}
