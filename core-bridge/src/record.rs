//! Frozen Python records with keyword-only constructors: the shape of every job, command and info type.

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
        }
    };
}

pub(crate) use record;
