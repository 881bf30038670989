//! Put, delete and range.

use std::cmp::Ordering;

use revwatch::{
    DeleteRangeRequest, DeleteRangeResponse, ErrorCode, EventKind, KeyRange, KeyValue, PutRequest,
    PutResponse, RangeRequest, RangeResponse, SortOrder, SortTarget,
};

use crate::{Model, Outcome, require_key};

impl Model {
    /// Creates or changes a key.
    pub fn put(&mut self, request: &PutRequest) -> Outcome<PutResponse> {
        check_put(request)?;
        if request.key.len() + request.value.len() > self.limits().request_bytes {
            return Err(ErrorCode::RequestTooLarge);
        }
        self.check_lease(request)?;
        self.check_kept(request)?;
        let response = self.execute_put(request);
        self.commit();
        Ok(PutResponse {
            durable: self.durable,
            ..response
        })
    }

    /// Deletes keys.
    pub fn delete_range(&mut self, request: &DeleteRangeRequest) -> Outcome<DeleteRangeResponse> {
        require_key(&request.range)?;
        let response = self.execute_delete_range(request);
        self.commit();
        Ok(DeleteRangeResponse {
            durable: self.durable,
            ..response
        })
    }

    /// Reads keys.
    pub fn range(&self, request: &RangeRequest) -> Outcome<RangeResponse> {
        require_key(&request.range)?;
        self.check_readable(request.revision)?;
        Ok(self.execute_range(request))
    }

    /// What a walk over a range finds, and at which revision, whatever is written meanwhile.
    pub fn range_stream(&self, range: &KeyRange, revision: i64) -> Outcome<(i64, Vec<KeyValue>)> {
        require_key(range)?;
        self.check_readable(revision)?;
        let pinned = if revision > 0 {
            revision
        } else {
            self.revision
        };
        let kvs = self.state_at(range, pinned).into_iter().cloned().collect();
        Ok((pinned, kvs))
    }

    /// The lease that a put names must be there.
    pub(crate) fn check_lease(&self, request: &PutRequest) -> Outcome<()> {
        let unknown = request.lease != 0 && !self.leases.contains_key(&request.lease);
        if unknown {
            Err(ErrorCode::LeaseNotFound)
        } else {
            Ok(())
        }
    }

    /// The key must be there if something of it is to be kept.
    pub(crate) fn check_kept(&self, request: &PutRequest) -> Outcome<()> {
        let keeps = request.ignore_value || request.ignore_lease;
        let missing = keeps && self.current(&request.key).is_none();
        if missing {
            Err(ErrorCode::KeyNotFound)
        } else {
            Ok(())
        }
    }

    /// The future is unknown and what was compacted is gone; the compact revision itself is not.
    /// 0 and less mean the current revision.
    pub(crate) fn check_readable(&self, revision: i64) -> Outcome<()> {
        if revision > self.revision {
            Err(ErrorCode::FutureRevision)
        } else if revision > 0 && revision < self.compact_revision {
            Err(ErrorCode::Compacted)
        } else {
            Ok(())
        }
    }

    /// A key that is there keeps its create revision and counts its versions; a new or deleted one
    /// begins at version 1. Each put sets the lease: none given detaches.
    pub(crate) fn execute_put(&mut self, request: &PutRequest) -> PutResponse {
        let old = self.current(&request.key);
        let revision = self.revision + 1;
        let mut kv = KeyValue {
            key: request.key.clone(),
            value: request.value.clone(),
            create_revision: old.as_ref().map_or(revision, |old| old.create_revision),
            mod_revision: revision,
            version: old.as_ref().map_or(1, |old| old.version + 1),
            lease: request.lease,
        };
        if let Some(old) = &old {
            if request.ignore_value {
                kv.value.clone_from(&old.value);
            }
            if request.ignore_lease {
                kv.lease = old.lease;
            }
        }
        self.change(EventKind::Put, kv);
        PutResponse {
            revision,
            prev_kv: old.filter(|_| request.prev_kv),
            durable: false,
        }
    }

    /// All keys of the range, in key order, at one revision; none is no revision.
    pub(crate) fn execute_delete_range(
        &mut self,
        request: &DeleteRangeRequest,
    ) -> DeleteRangeResponse {
        let found: Vec<_> = self.state(&request.range).into_iter().cloned().collect();
        for kv in &found {
            let mod_revision = self.revision + 1;
            let kv = KeyValue {
                key: kv.key.clone(),
                mod_revision,
                ..KeyValue::default()
            };
            self.change(EventKind::Delete, kv);
        }
        DeleteRangeResponse {
            revision: self.running_revision(),
            deleted: found.len() as i64,
            prev_kvs: if request.prev_kv { found } else { Vec::new() },
            durable: false,
        }
    }

    /// Count, filter, sort, limit, and only then take the values away. Where neither an order nor
    /// a bound is asked for, etcd cuts before it sorts, one key beyond the limit.
    pub(crate) fn execute_range(&self, request: &RangeRequest) -> RangeResponse {
        let at = if request.revision > 0 {
            request.revision
        } else {
            i64::MAX
        };
        let mut kvs: Vec<_> = self
            .state_at(&request.range, at)
            .into_iter()
            .cloned()
            .collect();
        let revision = self.running_revision();
        let count = kvs.len() as i64;
        if request.count_only {
            return RangeResponse {
                revision,
                kvs: Vec::new(),
                more: false,
                count,
            };
        }
        kvs.retain(|kv| passes_bounds(request, kv));
        let limit = if request.limit > 0 {
            request.limit as usize
        } else {
            usize::MAX
        };
        let more = kvs.len() > limit;
        if request.sort_order == SortOrder::None && !has_bounds(request) {
            kvs.truncate(limit.saturating_add(1));
        }
        sort(request, &mut kvs);
        kvs.truncate(limit);
        if request.keys_only {
            for kv in &mut kvs {
                kv.value.clear();
                // The keys alone know no leases; a sort by value has read the rest as well.
                if request.sort_target != SortTarget::Value {
                    kv.lease = 0;
                }
            }
        }
        RangeResponse {
            revision,
            kvs,
            more,
            count,
        }
    }
}

/// What of a put can be refused without looking at the store.
pub(crate) fn check_put(request: &PutRequest) -> Outcome<()> {
    if request.key.is_empty() {
        Err(ErrorCode::EmptyKey)
    } else if request.ignore_value && !request.value.is_empty() {
        Err(ErrorCode::ValueProvided)
    } else if request.ignore_lease && request.lease != 0 {
        Err(ErrorCode::LeaseProvided)
    } else {
        Ok(())
    }
}

fn has_bounds(request: &RangeRequest) -> bool {
    request.min_mod_revision != 0
        || request.max_mod_revision != 0
        || request.min_create_revision != 0
        || request.max_create_revision != 0
}

/// Bounds include both ends; 0 is no bound.
fn passes_bounds(request: &RangeRequest, kv: &KeyValue) -> bool {
    let passes = |min: i64, revision: i64, max: i64| {
        (min == 0 || revision >= min) && (max == 0 || revision <= max)
    };
    passes(
        request.min_mod_revision,
        kv.mod_revision,
        request.max_mod_revision,
    ) && passes(
        request.min_create_revision,
        kv.create_revision,
        request.max_create_revision,
    )
}

/// Sorts what comes in key order, so that equals stay in key order in both directions.
fn sort(request: &RangeRequest, kvs: &mut [KeyValue]) {
    let ascending = |a: &KeyValue, b: &KeyValue| match request.sort_target {
        SortTarget::Key => a.key.cmp(&b.key),
        SortTarget::Version => a.version.cmp(&b.version),
        SortTarget::Create => a.create_revision.cmp(&b.create_revision),
        SortTarget::Mod => a.mod_revision.cmp(&b.mod_revision),
        SortTarget::Value => a.value.cmp(&b.value),
    };
    kvs.sort_by(|a, b| match request.sort_order {
        SortOrder::Descend => Ordering::reverse(ascending(a, b)),
        SortOrder::None | SortOrder::Ascend => ascending(a, b),
    });
}
