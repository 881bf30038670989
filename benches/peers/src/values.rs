//! Values of which no two are equal, so that compression gains nothing.

use crate::data::{Random, Seed, Value};

/// As many as were asked for, drawn before any clock runs.
pub(crate) struct Values(Vec<Value>);

impl Values {
    pub(crate) fn new(count: u32) -> Self {
        let mut from = Random::new(Seed::Values, 1);
        let value = |_| {
            let mut value = [0; size_of::<Value>()];
            for word in value.chunks_exact_mut(size_of::<u64>()) {
                word.copy_from_slice(&from.next().to_le_bytes());
            }
            value
        };
        Self((0..count).map(value).collect())
    }

    /// The value of the put with this number.
    pub(crate) fn of(&self, put: usize) -> &Value {
        &self.0[put % self.0.len()]
    }
}
