//! Reading ranges.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::pinned::{AHEAD, Ahead, PinnedRange};
use super::request::{RangeRequest, RangeResponse, SortOrder, SortTarget};
use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::index::Found;
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::{KeyValue, KeyValueRef};

/// What the index says about the answer to a range: all but the values and leases.
struct Selected<'a> {
    /// In the order of the answer, unless that is by value.
    keys: Vec<(&'a [u8], Found)>,
    count: i64,
    more: bool,
    limit: usize,
}

impl<P: PageStore> RevisionStore<P> {
    /// Answers a range as of `main`, which the caller has found readable. The response's revision
    /// is the caller's to set.
    pub(crate) fn range(&self, request: &RangeRequest, main: i64) -> Result<RangeResponse> {
        if request.count_only {
            let count = self.index.range(&request.range, main).count() as i64;
            return Ok(RangeResponse {
                count,
                ..RangeResponse::default()
            });
        }
        let selected = self.select(request, main);
        let mut response = RangeResponse {
            count: selected.count,
            more: selected.more,
            ..RangeResponse::default()
        };
        let by_value = request.sort_target == SortTarget::Value;
        if request.keys_only && !by_value {
            // Answered from the index, and so without leases.
            let keys = selected.keys.into_iter();
            response.kvs = keys.map(|(key, found)| key_alone(key, found)).collect();
            return Ok(response);
        }
        response.kvs.reserve_exact(selected.keys.len());
        let mut ahead = Vec::with_capacity(AHEAD.min(selected.keys.len()));
        for keys in selected.keys.chunks(AHEAD) {
            ahead.clear();
            ahead.extend(keys.iter().map(|&(_, found)| Ahead::of(self.log(), found)));
            Ahead::read(&mut ahead);
            for put in &ahead {
                response.kvs.push(put.pin(self)?.as_ref().to_owned());
            }
        }
        if by_value {
            let order = |a: &KeyValue, b: &KeyValue| directed(request, a.value.cmp(&b.value));
            response.kvs.sort_by(order);
            response.kvs.truncate(selected.limit);
        }
        if request.keys_only {
            response.kvs.iter_mut().for_each(|kv| kv.value = Vec::new());
        }
        Ok(response)
    }

    /// Filters, sorts and cuts, as far as no value is needed for it.
    fn select(&self, request: &RangeRequest, main: i64) -> Selected<'_> {
        let limit = usize::try_from(request.limit)
            .ok()
            .filter(|&limit| limit > 0);
        let limit = limit.unwrap_or(usize::MAX);
        let gathered = if is_gathered_whole(request) {
            usize::MAX
        } else {
            limit.saturating_add(1)
        };
        let mut keys = Vec::new();
        let (mut count, mut passed) = (0, 0);
        for (key, found) in self.index.range(&request.range, main) {
            count += 1;
            if !passes_filters(request, &found) {
                continue;
            }
            passed += 1;
            if passed <= gathered {
                keys.push((key, found));
            }
        }
        sort_by_numbers(&mut keys, request);
        if request.sort_target != SortTarget::Value {
            keys.truncate(limit);
        }
        Selected {
            keys,
            count,
            more: passed > limit,
            limit,
        }
    }

    /// Whether all keys of `range` as of `main` pass a test; `None` if there are none. Only if it
    /// `reads_values` are their values and leases there.
    pub(crate) fn all(
        &self,
        range: &KeyRange,
        main: i64,
        reads_values: bool,
        mut test: impl FnMut(KeyValueRef<'_>) -> bool,
    ) -> Result<Option<bool>> {
        if let KeyRange::One(key) = range {
            return Ok(match self.index.at(key, main) {
                Some(found) if reads_values => Some(test(self.pin_found(found)?.as_ref())),
                found => found.map(|found| test(numbers_of(key, found))),
            });
        }
        let mut all = None;
        if reads_values {
            let mut pins = self.range_pinned(range, main);
            while all != Some(false)
                && let Some(pinned) = pins.next()
            {
                all = Some(test(pinned?.as_ref()));
            }
        } else {
            let mut keys = self.index.range(range, main);
            while all != Some(false)
                && let Some((key, found)) = keys.next()
            {
                all = Some(test(numbers_of(key, found)));
            }
        }
        Ok(all)
    }

    /// The keys of `range` as of `main`, which the caller has found readable, where they lie.
    pub(crate) fn range_pinned(&self, range: &KeyRange, main: i64) -> PinnedRange<'_, P> {
        PinnedRange::new(self, self.index.range(range, main))
    }

    /// The keys of `range` after `after` as of `main`: at most `max_keys`, and no further one once
    /// `max_bytes` of keys and values are reached. At least one, if there is any.
    pub(crate) fn page(
        &self,
        range: &KeyRange,
        after: Option<&[u8]>,
        main: i64,
        max_keys: usize,
        max_bytes: usize,
    ) -> Result<Vec<KeyValue>> {
        let rest = after.map_or_else(|| range.clone(), |key| range.after(key));
        let mut kvs: Vec<KeyValue> = Vec::new();
        let mut bytes = 0;
        for pinned in self.range_pinned(&rest, main) {
            let kv = pinned?.as_ref().to_owned();
            bytes += kv.bytes();
            kvs.push(kv);
            if kvs.len() >= max_keys || bytes >= max_bytes {
                break;
            }
        }
        Ok(kvs)
    }
}

/// Whether the limit cuts only after the sort. As in etcd it cuts before, one key beyond the limit,
/// if neither an order nor a filter is asked for, whatever the target of the sort.
fn is_gathered_whole(request: &RangeRequest) -> bool {
    let bounds = [
        request.min_mod_revision,
        request.max_mod_revision,
        request.min_create_revision,
        request.max_create_revision,
    ];
    request.sort_order != SortOrder::None || bounds.iter().any(|&bound| bound != 0)
}

fn passes_filters(request: &RangeRequest, found: &Found) -> bool {
    let within = |revision: i64, min: i64, max: i64| {
        (min == 0 || revision >= min) && (max == 0 || revision <= max)
    };
    let modified = found.mod_revision.main;
    within(modified, request.min_mod_revision, request.max_mod_revision)
        && within(
            found.create_revision,
            request.min_create_revision,
            request.max_create_revision,
        )
}

/// Sorts what is in key order, unless that is to be done by value.
fn sort_by_numbers(keys: &mut [(&[u8], Found)], request: &RangeRequest) {
    let number: fn(&Found) -> i64 = match request.sort_target {
        SortTarget::Key if request.sort_order == SortOrder::Descend => return keys.reverse(),
        SortTarget::Key | SortTarget::Value => return,
        SortTarget::Version => |found| found.version,
        SortTarget::Create => |found| found.create_revision,
        SortTarget::Mod => |found| found.mod_revision.main,
    };
    keys.sort_by(|(_, a), (_, b)| directed(request, number(a).cmp(&number(b))));
}

/// An order by something else than the key. Equals stay as they are, in key order, both ways.
fn directed(request: &RangeRequest, order: Ordering) -> Ordering {
    if request.sort_order == SortOrder::Descend {
        order.reverse()
    } else {
        order
    }
}

/// Without its value and lease.
fn key_alone(key: &[u8], found: Found) -> KeyValue {
    numbers_of(key, found).to_owned()
}

fn numbers_of(key: &[u8], found: Found) -> KeyValueRef<'_> {
    KeyValueRef {
        key,
        value: &[],
        create_revision: found.create_revision,
        mod_revision: found.mod_revision.main,
        version: found.version,
        lease: 0,
    }
}
