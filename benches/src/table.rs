//! What the workloads of writers and readers ask of a subject, and the plainest subject.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::data::kv_sum;

/// A key and its value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// Ordered keys with values.
pub(crate) trait Table {
    /// Puts one key.
    fn put(&mut self, key: &[u8], value: &[u8]);

    /// Puts several, in one transaction where there are transactions.
    fn put_together(&mut self, pairs: &[Pair<'_>]);

    /// Makes everything durable that should be.
    fn flush(&mut self);

    /// The digest of a key that exists, with its value.
    fn get(&self, key: &[u8]) -> u64;

    /// How many keys begin with `prefix`, and their digests with their values, added up.
    fn prefix(&self, prefix: &[u8]) -> (u32, u64);

    /// The same, of an answer that is copied out first.
    fn prefix_copied(&self, prefix: &[u8]) -> (u32, u64);
}

/// The floor: no history, no revisions, no watchers, and values read where they lie.
#[derive(Default)]
pub(crate) struct Plain(BTreeMap<Vec<u8>, Vec<u8>>);

impl Table for Plain {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        self.0.insert(key.to_vec(), value.to_vec());
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        for (key, value) in pairs {
            self.put(key, value);
        }
    }

    fn flush(&mut self) {}

    fn get(&self, key: &[u8]) -> u64 {
        let (key, value) = self.0.get_key_value(key).expect("all keys were put");
        kv_sum(key, value)
    }

    fn prefix(&self, prefix: &[u8]) -> (u32, u64) {
        self.0
            .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .fold((0, 0), |(count, sum), (key, value)| {
                (count + 1, sum.wrapping_add(kv_sum(key, value)))
            })
    }

    fn prefix_copied(&self, prefix: &[u8]) -> (u32, u64) {
        let copied: Vec<(Vec<u8>, Vec<u8>)> = self
            .0
            .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let add =
            |sum: u64, (key, value): &(Vec<u8>, Vec<u8>)| sum.wrapping_add(kv_sum(key, value));
        (copied.len() as u32, copied.iter().fold(0, add))
    }
}
