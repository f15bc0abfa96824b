//! Frozen Python records with keyword-only constructors: the shape of every job, command and info type.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Declares a frozen `#[pyclass]` whose fields are read-only attributes and keyword-only parameters; what follows the
/// fields are its methods.
macro_rules! record {
    ($(#[doc = $doc:literal])+ $name:ident { $($field:ident: $ty:ty $(= $default:expr)?),* $(,)? } $($methods:tt)*) => {
        $(#[doc = $doc])+
        #[pyo3::pyclass(frozen, get_all, module = "invincible._native")]
        pub struct $name {
            $(pub $field: $ty,)*
        }

        #[pyo3::pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (*, $($field $(= $default)?),*))]
            #[allow(clippy::too_many_arguments)]
            fn new($($field: $ty),*) -> Self {
                Self { $($field),* }
            }

            $($methods)*

            /// For activities in other processes, which get some records by pickle.
            fn __reduce__<'py>(slf: &pyo3::Bound<'py, Self>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                crate::record::reduced(slf.as_any(), &[$(stringify!($field)),*])
            }
        }
    };
}

pub(crate) use record;

/// What `pickle` makes a record of: its class, and its fields by name.
pub fn reduced<'py>(record: &Bound<'py, PyAny>, names: &[&str]) -> PyResult<Bound<'py, PyAny>> {
    let py = record.py();
    let fields = PyDict::new(py);
    for name in names {
        fields.set_item(name, record.getattr(*name)?)?;
    }
    let make = py.import("copyreg")?.getattr("__newobj_ex__")?;
    (make, (record.get_type(), PyTuple::empty(py), fields)).into_bound_py_any(py)
}
