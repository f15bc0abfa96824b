//! JSON as Python values of the types that hints ask for, in one pass over the bytes.
//!
//! Whatever is out of the ordinary, errors included, is left to the decoders in Python: they say what is right.

use std::cell::RefCell;
use std::fmt;
use std::sync::OnceLock;

use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyNotImplemented, PyString};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::payload::Payload;

/// A float from here on may have been written as an integer.
const INTEGERS_END: f64 = 9.2e18;

/// What to make of a JSON value.
#[pyclass(frozen, module = "invincible._native")]
pub struct JsonPlan(Plan);

enum Plan {
    Any,
    Null,
    Text,
    Int,
    Float,
    Bool,
    List(Py<JsonPlan>),
    Dict(Py<JsonPlan>),
    Optional(Py<JsonPlan>),
    Record(Record),
    /// What a decoder in Python makes of the value as JSON gives it.
    Decoded(Py<PyAny>),
}

static ANY: Plan = Plan::Any;
static TEXT: Plan = Plan::Text;

struct Record {
    kind: Py<PyAny>,
    /// Returns names and plans of the fields. Called for the first value: types may refer to themselves.
    fields_of: Py<PyAny>,
    fields: OnceLock<Fields>,
}

struct Fields {
    names: Vec<Py<PyString>>,
    plans: Vec<Py<JsonPlan>>,
    /// The names in order, each with its position among the fields.
    sorted: Vec<(String, usize)>,
}

#[pymethods]
impl JsonPlan {
    #[classattr]
    const ANY: Self = Self(Plan::Any);
    #[classattr]
    const NULL: Self = Self(Plan::Null);
    #[classattr]
    const TEXT: Self = Self(Plan::Text);
    #[classattr]
    const INT: Self = Self(Plan::Int);
    #[classattr]
    const FLOAT: Self = Self(Plan::Float);
    #[classattr]
    const BOOL: Self = Self(Plan::Bool);

    #[staticmethod]
    fn list(item: Py<JsonPlan>) -> Self {
        Self(Plan::List(item))
    }

    /// Objects with values of one kind, as a `dict`.
    #[staticmethod]
    fn dict(value: Py<JsonPlan>) -> Self {
        Self(Plan::Dict(value))
    }

    /// Null, or what the other plan makes, which must not take null itself.
    #[staticmethod]
    fn optional(other: Py<JsonPlan>) -> Self {
        Self(Plan::Optional(other))
    }

    /// What `kind` makes of the fields as keyword arguments.
    #[staticmethod]
    fn record(kind: Py<PyAny>, fields_of: Py<PyAny>) -> Self {
        Self(Plan::Record(Record { kind, fields_of, fields: OnceLock::new() }))
    }

    #[staticmethod]
    fn decoded(decoder: Py<PyAny>) -> Self {
        Self(Plan::Decoded(decoder))
    }

    /// The value of a JSON payload; `NotImplemented` if it is left to Python.
    fn read<'py>(&self, py: Python<'py>, payload: &Payload) -> PyResult<Bound<'py, PyAny>> {
        let not_implemented = || PyNotImplemented::get(py).to_owned().into_any();
        let Ok(text) = std::str::from_utf8(payload.bytes()) else { return Ok(not_implemented()) };
        let reading = Reading { py, raised: RefCell::new(None) };
        let mut json = serde_json::Deserializer::from_str(text);
        let value = Reader { plan: &self.0, reading: &reading }.deserialize(&mut json);
        match value.and_then(|value| json.end().map(|()| value)) {
            Ok(value) => Ok(value),
            Err(_) => match reading.raised.into_inner() {
                // An interruption, not an error.
                Some(raised) if !raised.is_instance_of::<PyException>(py) => Err(raised),
                _ => Ok(not_implemented()),
            },
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.0 {
            Plan::List(plan) | Plan::Dict(plan) | Plan::Optional(plan) => visit.call(plan),
            Plan::Decoded(decoder) => visit.call(decoder),
            Plan::Record(record) => {
                visit.call(&record.kind)?;
                visit.call(&record.fields_of)?;
                let plans = record.fields.get().map(|fields| fields.plans.as_slice()).unwrap_or_default();
                plans.iter().try_for_each(|plan| visit.call(plan))
            }
            Plan::Any | Plan::Null | Plan::Text | Plan::Int | Plan::Float | Plan::Bool => Ok(()),
        }
    }
}

impl Record {
    fn fields(&self, py: Python<'_>) -> PyResult<&Fields> {
        if let Some(fields) = self.fields.get() {
            return Ok(fields);
        }
        let listed: Vec<(String, Py<JsonPlan>)> = self.fields_of.bind(py).call0()?.extract()?;
        let names = listed.iter().map(|(name, _)| PyString::intern(py, name).unbind()).collect();
        let mut sorted: Vec<_> = listed.iter().enumerate().map(|(index, (name, _))| (name.clone(), index)).collect();
        sorted.sort();
        let plans = listed.into_iter().map(|(_, plan)| plan).collect();
        Ok(self.fields.get_or_init(|| Fields { names, plans, sorted }))
    }
}

impl Fields {
    /// Where a name is in the sorted names: mostly at the place expected, as they are written in order.
    fn find(&self, name: &str, expected: usize) -> Option<usize> {
        match self.sorted.get(expected) {
            Some((next, _)) if next == name => Some(expected),
            _ => self.sorted.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok(),
        }
    }
}

struct Reading<'py> {
    py: Python<'py>,
    /// What Python code raised that was called on the way.
    raised: RefCell<Option<PyErr>>,
}

impl Reading<'_> {
    fn done<T, E: Error>(&self, outcome: PyResult<T>) -> Result<T, E> {
        outcome.map_err(|error| {
            *self.raised.borrow_mut() = Some(error);
            left_to_python()
        })
    }
}

fn left_to_python<E: Error>() -> E {
    E::custom("left to Python")
}

/// Reads one value by a plan.
#[derive(Clone, Copy)]
struct Reader<'a, 'py> {
    plan: &'a Plan,
    reading: &'a Reading<'py>,
}

impl<'a, 'py> Reader<'a, 'py> {
    fn with(self, plan: &'a Plan) -> Self {
        Self { plan, ..self }
    }

    /// The plan for values that are not null.
    fn present(self) -> &'a Plan {
        match self.plan {
            Plan::Optional(plan) => &plan.get().0,
            plan => plan,
        }
    }

    fn int<E: Error>(
        self,
        number: impl IntoPyObject<'py, Target = PyInt, Output = Bound<'py, PyInt>>,
        float: f64,
    ) -> Result<Bound<'py, PyAny>, E> {
        match self.present() {
            Plan::Any | Plan::Int => {
                self.reading.done(number.into_pyobject(self.reading.py).map_err(Into::into)).map(Bound::into_any)
            }
            Plan::Float => Ok(PyFloat::new(self.reading.py, float).into_any()),
            _ => Err(left_to_python()),
        }
    }

    fn record<'de, A: MapAccess<'de>>(self, record: &'a Record, mut map: A) -> Result<Bound<'py, PyAny>, A::Error> {
        let py = self.reading.py;
        let fields = self.reading.done(record.fields(py))?;
        let mut values = vec![None; fields.names.len()];
        let mut expected = 0;
        while let Some(place) = map.next_key_seed(Name { fields, expected })? {
            let Some(place) = place else {
                // Read all the same: it may be no JSON.
                map.next_value_seed(self.with(&ANY))?;
                continue;
            };
            let field = fields.sorted[place].1;
            values[field] = Some(map.next_value_seed(self.with(&fields.plans[field].get().0))?);
            expected = place + 1;
        }
        let arguments = PyDict::new(py);
        for (name, value) in fields.names.iter().zip(values) {
            if let Some(value) = value {
                self.reading.done(arguments.set_item(name, value))?;
            }
        }
        self.reading.done(record.kind.bind(py).call((), Some(&arguments)))
    }
}

impl<'de, 'py> DeserializeSeed<'de> for Reader<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        let Plan::Decoded(decoder) = self.plan else { return json.deserialize_any(self) };
        let value = json.deserialize_any(self.with(&ANY))?;
        self.reading.done(decoder.bind(self.reading.py).call1((value,)))
    }
}

impl<'de, 'py> Visitor<'de> for Reader<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("what the plan takes")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        match self.plan {
            Plan::Any | Plan::Null | Plan::Optional(_) => Ok(self.reading.py.None().into_bound(self.reading.py)),
            _ => Err(left_to_python()),
        }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        match self.present() {
            Plan::Any | Plan::Bool => Ok(PyBool::new(self.reading.py, value).to_owned().into_any()),
            _ => Err(left_to_python()),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.int(value, value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.int(value, value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        // An integer that is too large for the parser, or -0, which is one too, arrives as a float.
        let is_integer = value.abs() >= INTEGERS_END || (value == 0.0 && value.is_sign_negative());
        match self.present() {
            Plan::Any | Plan::Float if !is_integer => Ok(PyFloat::new(self.reading.py, value).into_any()),
            _ => Err(left_to_python()),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        match self.present() {
            Plan::Any | Plan::Text => Ok(PyString::new(self.reading.py, value).into_any()),
            _ => Err(left_to_python()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let plan = match self.present() {
            Plan::List(item) => &item.get().0,
            Plan::Any => &ANY,
            _ => return Err(left_to_python()),
        };
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self.with(plan))? {
            values.push(value);
        }
        self.reading.done(PyList::new(self.reading.py, values)).map(Bound::into_any)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let plan = match self.present() {
            Plan::Record(record) => return self.record(record, map),
            Plan::Dict(value) => &value.get().0,
            Plan::Any => &ANY,
            _ => return Err(left_to_python()),
        };
        let dict = PyDict::new(self.reading.py);
        while let Some(key) = map.next_key_seed(self.with(&TEXT))? {
            let value = map.next_value_seed(self.with(plan))?;
            self.reading.done(dict.set_item(key, value))?;
        }
        Ok(dict.into_any())
    }
}

/// Reads the name of a field: its place among the sorted names, `None` for one that is no field's.
struct Name<'a> {
    fields: &'a Fields,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.fields.find(name, self.expected))
    }
}
