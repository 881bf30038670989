//! Reading ranges.

use alloc::vec::Vec;

use super::request::{RangeRequest, RangeResponse, SortOrder, SortTarget};
use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::index::Found;
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::KeyValue;

impl<P: PageStore> RevisionStore<P> {
    /// Answers a range as of `main`, which the caller has found readable. The response's revision
    /// is the caller's to set.
    pub(crate) fn range(&self, request: &RangeRequest, main: i64) -> Result<RangeResponse> {
        let found = self.index.range(&request.range, main);
        if request.count_only {
            let count = found.count() as i64;
            return Ok(RangeResponse {
                count,
                ..RangeResponse::default()
            });
        }
        let limit = usize::try_from(request.limit)
            .ok()
            .filter(|&limit| limit > 0);
        let limit = limit.unwrap_or(usize::MAX);
        let gathered = if is_gathered_whole(request) {
            usize::MAX
        } else {
            limit.saturating_add(1)
        };

        let mut response = RangeResponse::default();
        let mut passed = 0;
        for (key, found) in found {
            response.count += 1;
            if !passes_filters(request, &found) {
                continue;
            }
            passed += 1;
            if passed <= gathered {
                response.kvs.push(self.answer(request, key, found)?);
            }
        }
        response.more = passed > limit;
        if request.sort_target != SortTarget::Key || request.sort_order == SortOrder::Descend {
            sort(&mut response.kvs, request);
        }
        response.kvs.truncate(limit);
        if request.keys_only {
            response.kvs.iter_mut().for_each(|kv| kv.value = Vec::new());
        }
        Ok(response)
    }

    /// Keys alone are answered from the index, without their lease, unless values are needed to
    /// sort by.
    fn answer(&self, request: &RangeRequest, key: &[u8], found: Found) -> Result<KeyValue> {
        if request.keys_only && request.sort_target != SortTarget::Value {
            return Ok(KeyValue {
                key: key.to_vec(),
                value: Vec::new(),
                create_revision: found.create_revision,
                mod_revision: found.mod_revision.main,
                version: found.version,
                lease: 0,
            });
        }
        self.load(found)
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
        for (_, found) in self.index.range(&rest, main) {
            if !kvs.is_empty() && (kvs.len() >= max_keys || bytes >= max_bytes) {
                break;
            }
            let kv = self.load(found)?;
            bytes += kv.key.len() + kv.value.len();
            kvs.push(kv);
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

/// Sorts what is in key order; equals stay so in both directions.
fn sort(kvs: &mut [KeyValue], request: &RangeRequest) {
    let target = request.sort_target;
    kvs.sort_by(|a, b| {
        let order = match target {
            SortTarget::Key => a.key.cmp(&b.key),
            SortTarget::Version => a.version.cmp(&b.version),
            SortTarget::Create => a.create_revision.cmp(&b.create_revision),
            SortTarget::Mod => a.mod_revision.cmp(&b.mod_revision),
            SortTarget::Value => a.value.cmp(&b.value),
        };
        if request.sort_order == SortOrder::Descend {
            order.reverse()
        } else {
            order
        }
    });
}
