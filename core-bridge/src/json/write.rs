//! Python values as JSON, byte for byte as Python's own encoder writes them: compact, with sorted keys, in ASCII.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

use crate::payload::Payload;
use crate::sync::lock;

/// Values nested deeper are left to Python, which knows how deep it may go, and whether a value holds itself.
const DEEPEST: usize = 64;
/// How many types to remember.
const MOST_TYPES: usize = 1024;
/// Text from here on is not kept by Python in a second form.
const LONG_TEXT: usize = 4096;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes values as JSON payloads.
///
/// `form_of` is asked once for each type that JSON does not know: it returns the sorted names of the attributes that are
/// written, or a callable that makes a value nearer to JSON, or `None`. `encode` writes as text what is rare.
#[pyclass(frozen, module = "invincible._native")]
pub struct JsonWriter {
    form_of: Py<PyAny>,
    encode: Py<PyAny>,
    forms: Mutex<Forms>,
}

/// By the address of the type, which is kept so that no other one comes to have it.
type Forms = HashMap<usize, (Py<PyType>, Arc<Form>)>;

/// How the instances of a type are written.
enum Form {
    Text,
    Int,
    Float,
    List,
    Tuple,
    Record(Vec<Field>),
    Simplified(Py<PyAny>),
    /// By Python's encoder.
    Left,
    Unknown,
}

struct Field {
    name: Py<PyString>,
    /// The name as it is written, with its colon.
    written: Vec<u8>,
}

#[pymethods]
impl JsonWriter {
    #[new]
    fn new(form_of: Py<PyAny>, encode: Py<PyAny>) -> Self {
        Self { form_of, encode, forms: Mutex::default() }
    }

    /// The payload of a value, with what the metadata calls its encoding.
    fn payload(&self, value: &Bound<'_, PyAny>, encoding: &str) -> PyResult<Payload> {
        let mut writing = Writing { writer: self, out: Vec::with_capacity(64), last: None };
        writing.value(value, 0)?;
        Ok(Payload::encoded(encoding, writing.out))
    }
}

impl JsonWriter {
    fn form(&self, value: &Bound<'_, PyAny>) -> PyResult<Arc<Form>> {
        let key = value.get_type_ptr() as usize;
        if let Some((_, form)) = lock(&self.forms).get(&key) {
            return Ok(form.clone());
        }
        let form = Arc::new(self.new_form(value)?);
        let mut forms = lock(&self.forms);
        let forgotten = if forms.len() < MOST_TYPES { HashMap::new() } else { std::mem::take(&mut *forms) };
        // The type is kept alive: its address must not be given to another.
        forms.insert(key, (value.get_type().unbind(), form.clone()));
        drop(forms);
        drop(forgotten);
        Ok(form)
    }

    fn new_form(&self, value: &Bound<'_, PyAny>) -> PyResult<Form> {
        if value.is_instance_of::<PyString>() {
            return Ok(Form::Text);
        }
        if value.is_instance_of::<PyInt>() {
            return Ok(Form::Int);
        }
        if value.is_instance_of::<PyFloat>() {
            return Ok(Form::Float);
        }
        if value.is_instance_of::<PyList>() {
            return Ok(Form::List);
        }
        if value.is_instance_of::<PyTuple>() {
            return Ok(Form::Tuple);
        }
        if value.is_instance_of::<PyDict>() {
            return Ok(Form::Left);
        }
        let form = self.form_of.bind(value.py()).call1((value.get_type(),))?;
        if form.is_none() {
            return Ok(Form::Unknown);
        }
        let Ok(names) = form.cast::<PyTuple>() else { return Ok(Form::Simplified(form.unbind())) };
        let fields = names.iter().map(|name| -> PyResult<Field> {
            let name = name.cast_into::<PyString>()?;
            let mut written = Vec::new();
            write_text(&mut written, name.to_str()?);
            written.push(b':');
            Ok(Field { name: PyString::intern(name.py(), name.to_str()?).unbind(), written })
        });
        Ok(Form::Record(fields.collect::<PyResult<_>>()?))
    }
}

struct Writing<'a> {
    writer: &'a JsonWriter,
    out: Vec<u8>,
    /// The type that was asked for last: values of a list are mostly of one type.
    last: Option<(usize, Arc<Form>)>,
}

impl Writing<'_> {
    fn value(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if value.is_exact_instance_of::<PyString>() {
            self.text(value.cast()?)
        } else if value.is_exact_instance_of::<PyInt>() {
            self.int(value)
        } else if value.is_exact_instance_of::<PyFloat>() {
            self.float(value.cast()?)
        } else if value.is_none() {
            self.raw(b"null")
        } else if value.is_exact_instance_of::<PyBool>() {
            self.raw(if value.is_truthy()? { b"true" } else { b"false" })
        } else if depth >= DEEPEST {
            self.left_to_python(value)
        } else if value.is_exact_instance_of::<PyDict>() {
            self.dict(value.cast()?, depth)
        } else if value.is_exact_instance_of::<PyList>() {
            self.items(value.cast::<PyList>()?.iter(), depth)
        } else {
            self.other(value, depth)
        }
    }

    fn raw(&mut self, text: &[u8]) -> PyResult<()> {
        self.out.extend_from_slice(text);
        Ok(())
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> PyResult<()> {
        // Python keeps the UTF-8 of text that is not ASCII for as long as it keeps the text.
        if text.len()? >= LONG_TEXT && !text.call_method0(intern!(text.py(), "isascii"))?.is_truthy()? {
            if let Ok(encoded) = text.encode_utf8()
                && let Ok(text) = std::str::from_utf8(encoded.as_bytes())
            {
                write_text(&mut self.out, text);
                return Ok(());
            }
        } else if let Ok(text) = text.to_str() {
            write_text(&mut self.out, text);
            return Ok(());
        }
        // With halves of surrogate pairs in it.
        self.left_to_python(text)
    }

    fn int(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match value.extract::<i64>() {
            Ok(number) => self.raw(itoa::Buffer::new().format(number).as_bytes()),
            Err(_) => self.left_to_python(value),
        }
    }

    fn float(&mut self, value: &Bound<'_, PyFloat>) -> PyResult<()> {
        let number = value.value();
        let magnitude = number.abs();
        if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
            self.raw(ryu::Buffer::new().format_finite(number).as_bytes())
        } else {
            // Exponents look different in Python.
            self.left_to_python(value)
        }
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> PyResult<()> {
        self.out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.value(&item, depth + 1)?;
        }
        self.raw(b"]")
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>, depth: usize) -> PyResult<()> {
        let mut items = Vec::with_capacity(dict.len());
        for (key, value) in dict {
            if !key.is_exact_instance_of::<PyString>() {
                return self.left_to_python(dict);
            }
            let key = key.cast_into::<PyString>()?;
            if key.to_str().is_err() {
                return self.left_to_python(dict);
            }
            items.push((key, value));
        }
        // The order of UTF-8 is the order of code points, as Python sorts text.
        items.sort_by(|(one, _), (other, _)| one.to_str().ok().cmp(&other.to_str().ok()));
        self.out.push(b'{');
        for (index, (key, value)) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.text(key)?;
            self.out.push(b':');
            self.value(value, depth + 1)?;
        }
        self.raw(b"}")
    }

    fn other(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        let key = value.get_type_ptr() as usize;
        let form = match &self.last {
            Some((last, form)) if *last == key => form.clone(),
            _ => self.writer.form(value)?,
        };
        self.last = Some((key, form.clone()));
        match form.as_ref() {
            Form::Text => self.text(value.cast()?),
            Form::Int => self.int(value),
            Form::Float => self.float(value.cast()?),
            Form::List => self.items(value.cast::<PyList>()?.iter(), depth),
            Form::Tuple => self.items(value.cast::<PyTuple>()?.iter(), depth),
            Form::Record(fields) => self.record(value, fields, depth),
            Form::Simplified(simplify) => self.value(&simplify.bind(value.py()).call1((value,))?, depth + 1),
            Form::Left => self.left_to_python(value),
            Form::Unknown => Err(PyTypeError::new_err("there is no JSON for a value of this type")),
        }
    }

    fn record(&mut self, value: &Bound<'_, PyAny>, fields: &[Field], depth: usize) -> PyResult<()> {
        self.out.push(b'{');
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&field.written);
            self.value(&value.getattr(field.name.bind(value.py()))?, depth + 1)?;
        }
        self.raw(b"}")
    }

    fn left_to_python(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = self.writer.encode.bind(value.py()).call1((value,))?;
        self.raw(text.cast::<PyString>()?.to_str()?.as_bytes())
    }
}

/// Text in quotes. All that is not printable ASCII is escaped, beyond the first plane as a pair of surrogates.
fn write_text(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    loop {
        let plain = plain_length(rest.as_bytes());
        out.extend_from_slice(&rest.as_bytes()[..plain]);
        rest = &rest[plain..];
        let Some(character) = rest.chars().next() else { break };
        write_escaped(out, character);
        rest = &rest[character.len_utf8()..];
    }
    out.push(b'"');
}

/// How many bytes from the start on are written as they are.
fn plain_length(bytes: &[u8]) -> usize {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\');
    // Without a branch per byte the compiler looks at many at once.
    let blocks = bytes.chunks_exact(32).take_while(|block| block.iter().fold(true, |all, &byte| all & plain(byte)));
    let start = blocks.count() * 32;
    start + bytes[start..].iter().take_while(|&&byte| plain(byte)).count()
}

fn write_escaped(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let digit = |shift: u32| HEX[usize::from((*unit >> shift) & 0xf)];
                out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_text(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_ascii() {
        assert_eq!(written("plain"), r#""plain""#);
        assert_eq!(written("\"\\\n\r\t\u{c}\u{8}\u{0}\u{7f}"), r#""\"\\\n\r\t\f\b\u0000\u007f""#);
        assert_eq!(written("é€😀"), r#""\u00e9\u20ac\ud83d\ude00""#);
    }

    #[test]
    fn escapes_are_found_wherever_they_are() {
        for length in 0..100 {
            let (before, after) = ("x".repeat(length), "y".repeat(100 - length));
            assert_eq!(written(&format!("{before}\n{after}")), format!("\"{before}\\n{after}\""));
        }
    }
}
