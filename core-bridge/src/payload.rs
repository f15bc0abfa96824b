//! Payloads: the bytes of one value and the metadata that says how to read them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use prost::Message;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyString, PyType};
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::common::v1::payload::ExternalPayloadDetails;

type Metadata = HashMap<String, Vec<u8>>;

static JSON_PLAIN: LazyLock<Arc<Metadata>> = LazyLock::new(|| Arc::new(encoding_metadata("json/plain")));

/// One encoded value. Cheap to clone. Its data is copied once on the way to a message of Core's, and not before.
#[pyclass(frozen, module = "invincible._native")]
#[derive(Clone, Debug, PartialEq)]
pub struct Payload(Arc<Content>);

#[derive(Debug, PartialEq)]
struct Content {
    metadata: Arc<Metadata>,
    data: Data,
    external_payloads: Vec<ExternalPayloadDetails>,
}

#[derive(Debug)]
enum Data {
    Own(Vec<u8>),
    Python(PyBackedBytes),
}

impl Data {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Python(bytes) => bytes,
        }
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl From<common::Payload> for Payload {
    fn from(payload: common::Payload) -> Self {
        let common::Payload { metadata, data, external_payloads } = payload;
        Self(Arc::new(Content { metadata: Arc::new(metadata), data: Data::Own(data), external_payloads }))
    }
}

impl From<Payload> for common::Payload {
    fn from(payload: Payload) -> Self {
        match Arc::try_unwrap(payload.0) {
            Ok(Content { metadata, data, external_payloads }) => {
                let data = match data {
                    Data::Own(bytes) => bytes,
                    Data::Python(bytes) => bytes.to_vec(),
                };
                Self { metadata: Arc::unwrap_or_clone(metadata), data, external_payloads }
            }
            Err(shared) => shared.message(),
        }
    }
}

impl Content {
    fn message(&self) -> common::Payload {
        common::Payload {
            metadata: self.metadata.as_ref().clone(),
            data: self.data.bytes().to_vec(),
            external_payloads: self.external_payloads.clone(),
        }
    }
}

impl Payload {
    /// A payload with nothing but its encoding in the metadata.
    pub fn encoded(encoding: &str, data: Vec<u8>) -> Self {
        let metadata =
            if encoding == "json/plain" { JSON_PLAIN.clone() } else { Arc::new(encoding_metadata(encoding)) };
        Self(Arc::new(Content { metadata, data: Data::Own(data), external_payloads: Vec::new() }))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.data.bytes()
    }
}

fn encoding_metadata(encoding: &str) -> Metadata {
    HashMap::from([("encoding".to_owned(), encoding.as_bytes().to_vec())])
}

#[pymethods]
impl Payload {
    #[new]
    #[pyo3(signature = (metadata, data = None))]
    fn new(metadata: HashMap<String, PyBackedBytes>, data: Option<PyBackedBytes>) -> Self {
        let metadata: Metadata = metadata.into_iter().map(|(key, value)| (key, value.to_vec())).collect();
        let data = data.map_or_else(|| Data::Own(Vec::new()), Data::Python);
        Self(Arc::new(Content { metadata: Arc::new(metadata), data, external_payloads: Vec::new() }))
    }

    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let metadata = PyDict::new(py);
        for (key, value) in self.0.metadata.iter() {
            metadata.set_item(key, PyBytes::new(py, value))?;
        }
        Ok(metadata)
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match &self.0.data {
            // Not one of a derived class, which may be more than its bytes.
            Data::Python(bytes) => match bytes.into_pyobject(py) {
                Ok(bytes) if bytes.is_exact_instance_of::<PyBytes>() => bytes,
                _ => PyBytes::new(py, bytes),
            },
            Data::Own(bytes) => PyBytes::new(py, bytes),
        }
    }

    #[getter]
    fn encoding<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        match self.0.metadata.get("encoding")?.as_slice() {
            b"json/plain" => Some(intern!(py, "json/plain").clone()),
            other => Some(PyString::intern(py, std::str::from_utf8(other).ok()?)),
        }
    }

    #[pyo3(name = "SerializeToString")]
    fn serialize_to_string<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.message().encode_to_vec())
    }

    #[classmethod]
    #[pyo3(name = "FromString")]
    fn from_string(_cls: &Bound<'_, PyType>, data: &[u8]) -> PyResult<Self> {
        common::Payload::decode(data)
            .map(Self::from)
            .map_err(|error| PyValueError::new_err(format!("not a serialized Payload message: {error}")))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((slf.get_type().getattr("FromString")?, (slf.get().serialize_to_string(slf.py()),)))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.0 == other.get().0)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.bytes().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let encoding = self.0.metadata.get("encoding").map(|value| String::from_utf8_lossy(value));
        let encoding = encoding.as_deref().unwrap_or("none");
        format!("<Payload encoding={encoding} size={}>", self.bytes().len())
    }
}

/// One payload given by Python: ours, or any object with `metadata` and `data` (a protobuf message, say).
impl<'py> FromPyObject<'_, 'py> for Payload {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(payload) = value.cast::<Payload>() {
            return Ok(payload.get().clone());
        }
        let parts = || -> PyResult<Self> {
            let metadata = value.getattr("metadata")?.call_method0("items")?;
            let mut map = HashMap::new();
            for item in metadata.try_iter()? {
                let (key, bytes): (String, PyBackedBytes) = item?.extract()?;
                map.insert(key, bytes);
            }
            Ok(Self::new(map, Some(value.getattr("data")?.extract()?)))
        };
        parts().map_err(|_| match value.get_type().fully_qualified_name() {
            Ok(name) => {
                PyTypeError::new_err(format!("expected a Payload (an object with metadata and data), got {name}"))
            }
            Err(error) => error,
        })
    }
}

/// A list of payloads, moved between Core's messages and Python lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payloads(pub Vec<common::Payload>);

impl From<Option<common::Payloads>> for Payloads {
    fn from(payloads: Option<common::Payloads>) -> Self {
        Self(payloads.map(|payloads| payloads.payloads).unwrap_or_default())
    }
}

impl Payloads {
    /// The message form; an empty list is no message at all, as every SDK sends it.
    pub fn into_message(self) -> Option<common::Payloads> {
        (!self.0.is_empty()).then_some(common::Payloads { payloads: self.0 })
    }
}

impl<'py> FromPyObject<'_, 'py> for Payloads {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let payloads = value.try_iter()?.map(|item| Ok(item?.extract::<Payload>()?.into()));
        Ok(Self(payloads.collect::<PyResult<_>>()?))
    }
}

impl<'py> IntoPyObject<'py> for Payloads {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        PyList::new(py, self.0.into_iter().map(Payload::from))
    }
}

/// Named payloads: headers, memo, search attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PayloadMap(pub HashMap<String, common::Payload>);

impl<'py> FromPyObject<'_, 'py> for PayloadMap {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let map: HashMap<String, Payload> = value.extract()?;
        Ok(Self(map.into_iter().map(|(key, payload)| (key, payload.into())).collect()))
    }
}

impl<'py> IntoPyObject<'py> for PayloadMap {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        self.0.into_iter().map(|(key, payload)| (key, Payload::from(payload))).into_py_dict(py)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> common::Payload {
        let metadata = HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]);
        common::Payload { metadata, data: b"\"secret\"".to_vec(), ..Default::default() }
    }

    #[test]
    fn message_round_trip_keeps_metadata_and_data() {
        assert_eq!(common::Payload::from(Payload::from(sample())), sample());
    }

    #[test]
    fn repr_never_shows_the_data() {
        let repr = Payload::from(sample()).__repr__();
        assert_eq!(repr, "<Payload encoding=json/plain size=8>");
    }

    #[test]
    fn a_payload_that_is_shared_stays_as_it_is() {
        let payload = Payload::encoded("json/plain", b"\"secret\"".to_vec());
        assert_eq!(common::Payload::from(payload.clone()), sample());
        assert_eq!(payload, Payload::from(sample()));
    }

    #[test]
    fn no_payloads_is_no_message() {
        assert_eq!(Payloads::default().into_message(), None);
        assert_eq!(Payloads(vec![sample()]).into_message().unwrap().payloads.len(), 1);
    }
}
