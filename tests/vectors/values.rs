//! Reading the values of vectors.

use serde_json::{Map, Value};

use crate::notation::is_zero;

/// The fields of an object, each taken once: what nobody took was not understood.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            Value::Null => Self(Map::new()),
            other => panic!("{other} is not an object"),
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub(crate) fn text(&mut self, name: &str) -> String {
        match self.take(name) {
            Some(Value::String(text)) => text,
            None => String::new(),
            Some(other) => panic!("`{name}` is {other}, not a text"),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> i64 {
        self.take(name).map_or(0, |value| number(&value))
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            Some(value) => value
                .as_bool()
                .unwrap_or_else(|| panic!("`{name}` is no boolean")),
            None => false,
        }
    }

    pub(crate) fn bytes(&mut self, name: &str) -> Vec<u8> {
        self.take(name).map_or_else(Vec::new, |value| bytes(&value))
    }

    /// A list, with its repetitions written out.
    pub(crate) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(elements)) => elements.into_iter().flat_map(repeated).collect(),
            None => Vec::new(),
            Some(other) => panic!("`{name}` is {other}, not a list"),
        }
    }

    /// The only field of an object that names what it holds.
    pub(crate) fn only(mut self) -> (String, Value) {
        assert_eq!(self.0.len(), 1, "{:?} is not one field", self.0);
        let name = self.0.keys().next().cloned().unwrap_or_default();
        let value = self.take(&name).unwrap_or_default();
        (name, value)
    }

    pub(crate) fn finish(self) {
        assert!(
            self.0.is_empty(),
            "these fields mean nothing here: {:?}",
            self.0
        );
    }
}

fn repeat_of(value: &Value) -> Option<(&Value, usize)> {
    let fields = value
        .as_object()
        .filter(|fields| fields.contains_key("repeat"))?;
    let times = fields
        .get("times")
        .and_then(Value::as_u64)
        .expect("`repeat` comes with `times`");
    assert_eq!(
        fields.len(),
        2,
        "{value} has more than `repeat` and `times`"
    );
    Some((&fields["repeat"], times as usize))
}

fn repeated(value: Value) -> Vec<Value> {
    match repeat_of(&value) {
        Some((element, times)) => vec![element.clone(); times],
        None => vec![value],
    }
}

/// A number, which beyond 2^53 is written as text.
pub(crate) fn number(value: &Value) -> i64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    text.or_else(|| value.as_i64())
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// The bytes that a text, `{"hex"}` or `{"repeat", "times"}` stands for.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    if let Some((text, times)) = repeat_of(value) {
        return bytes(text).repeat(times);
    }
    match value {
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(fields) => {
            let hex = fields.get("hex").and_then(Value::as_str);
            let hex = hex.unwrap_or_else(|| panic!("{value} is no bytes"));
            assert!(
                fields.len() == 1 && hex.len() % 2 == 0,
                "{value} is no bytes"
            );
            let digits = hex.as_bytes().chunks_exact(2);
            digits
                .map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16))
                .collect::<Result<_, _>>()
                .unwrap_or_else(|_| panic!("{value} is not hex"))
        }
        other => panic!("{other} is no bytes"),
    }
}

/// An expected answer with its repetitions written out. Zeros in it are a mistake.
pub(crate) fn expected(value: Value) -> Value {
    if let Some((Value::String(text), times)) = repeat_of(&value) {
        return Value::String(text.repeat(times));
    }
    match value {
        Value::Array(elements) => elements
            .into_iter()
            .flat_map(repeated)
            .map(expected)
            .collect(),
        Value::Object(fields) => {
            let zeros: Vec<_> = fields.iter().filter(|(_, value)| is_zero(value)).collect();
            assert!(zeros.is_empty(), "zeros are left out: {zeros:?}");
            fields
                .into_iter()
                .map(|(name, value)| (name, expected(value)))
                .collect()
        }
        other => other,
    }
}
