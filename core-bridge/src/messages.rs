//! Protobuf messages that Python has made or wants to read: they cross the border serialized.

use prost::Message;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};

/// Messages of one type, each a bytes object in Python.
#[derive(Clone, Debug, PartialEq)]
pub struct Messages<M>(pub Vec<M>);

impl<M> Default for Messages<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'py, M: Message + Default> FromPyObject<'_, 'py> for Messages<M> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let decode = |item: PyResult<Bound<'py, PyAny>>| {
            let bytes: PyBackedBytes = item?.extract()?;
            M::decode(bytes.as_ref())
                .map_err(|error| PyValueError::new_err(format!("not a serialized message: {error}")))
        };
        Ok(Self(value.try_iter()?.map(decode).collect::<PyResult<_>>()?))
    }
}

impl<'py, M: Message> IntoPyObject<'py> for Messages<M> {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        PyList::new(py, self.0.iter().map(|message| PyBytes::new(py, &message.encode_to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use temporalio_protos::temporal::api::common::v1::Link;

    use super::*;

    #[test]
    fn messages_survive_the_border_and_other_bytes_are_refused() {
        Python::initialize();
        Python::attach(|py| {
            let messages = Messages(vec![Link::default(), Link::default()]);
            let list = messages.clone().into_pyobject(py).unwrap();
            assert_eq!(list.extract::<Messages<Link>>().unwrap(), messages);
            let broken = PyList::new(py, [PyBytes::new(py, b"\xff")]).unwrap();
            let error = broken.extract::<Messages<Link>>().unwrap_err();
            assert!(error.to_string().starts_with("ValueError: not a serialized message"), "{error}");
        });
    }
}
