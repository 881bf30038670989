//! Writing the values of vectors.

use serde_json::{Value, json};

/// The one way in which bytes are written: as text if they are printable ASCII, else in hex.
pub(crate) fn bytes_value(bytes: &[u8]) -> Value {
    if bytes
        .iter()
        .all(|&byte| byte == b' ' || byte.is_ascii_graphic())
    {
        return json!(String::from_utf8_lossy(bytes));
    }
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "hex": hex.concat() })
}

/// An object without the fields that have their zero value.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !is_zero(value));
    Value::Object(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(_) => false,
    }
}

/// A number: beyond 2^53, where not every language's JSON is exact, as text.
pub(crate) fn number_value(number: i64) -> Value {
    if number.unsigned_abs() < 1 << 53 {
        json!(number)
    } else {
        json!(number.to_string())
    }
}
