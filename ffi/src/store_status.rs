//! How a store stands.

use crate::handle;
use crate::input::Out;
use crate::owned::{self, Owned};
use crate::status::{REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// How a store stands.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_status_result {
    /// The newest revision; 1 for an empty store.
    pub revision: i64,
    /// The newest revision that watchers may see: durable as the store promises.
    pub published_revision: i64,
    /// History before this revision was compacted; -1 before any compaction.
    pub compact_revision: i64,
    /// Counts the openings after which revisions may have been lost.
    pub epoch: i64,
    /// Keys that exist.
    pub keys: u64,
    /// Bytes that are needed for what is kept.
    pub size_in_use: u64,
    /// Bytes of the file, or of memory.
    pub size_allocated: u64,
    /// Leases that exist.
    pub leases: u64,
    /// Watch streams that are open.
    pub watch_streams: u64,
    /// Watchers in all streams.
    pub watchers: u64,
    /// Those of them that are behind and read history.
    pub unsynced_watchers: u64,
    /// Those of them that hold a batch because their stream is full.
    pub victim_watchers: u64,
    /// 1 while something that was compacted waits to be reclaimed, otherwise 0.
    pub compacting: i32,
    /// 1 if opened for reading only, otherwise 0.
    pub read_only: i32,
    /// 1 if a write or sync failed, so that the store must be reopened to write again; otherwise 0.
    pub poisoned: i32,
}

impl Owned for revwatch_status_result {
    type Backing = ();
}

/// A point in history that stays meaningful after a crash, which may lose revisions and use their
/// numbers again.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_resume_token {
    /// The epoch in which `revision` was seen.
    pub epoch: i64,
    /// The last revision that was seen; what follows it is still wanted.
    pub revision: i64,
}

/// Asks how a store stands. The answer is to be freed with revwatch_status_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_status(
    store: *mut revwatch_store,
    result: *mut *mut revwatch_status_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let result = unsafe { Out::required("result", result)? };
        let status = handle::get(store)?.read(|store| Ok(store.status()))?;
        let seen = revwatch_status_result {
            revision: status.revision,
            published_revision: status.published_revision,
            compact_revision: status.compact_revision,
            epoch: status.epoch,
            keys: status.keys,
            size_in_use: status.size_in_use,
            size_allocated: status.size_allocated,
            leases: status.leases,
            watch_streams: status.watch_streams,
            watchers: status.watchers,
            unsynced_watchers: status.unsynced_watchers,
            victim_watchers: status.victim_watchers,
            compacting: i32::from(status.compacting),
            read_only: i32::from(status.read_only),
            poisoned: i32::from(status.poisoned),
        };
        result.write(owned::give(seen, ()));
        Ok(REVWATCH_OK)
    })
}

/// Frees the answer about a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_status_result_free(result: *mut revwatch_status_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}

/// Gives the token from which a follow, or with its numbers a watch, goes on after all that has
/// happened until now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_resume_token(
    store: *mut revwatch_store,
    token: *mut revwatch_resume_token,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("token", token)? };
        let token = handle::get(store)?.read(|store| Ok(store.resume_token()))?;
        out.write(revwatch_resume_token {
            epoch: token.epoch,
            revision: token.revision,
        });
        Ok(REVWATCH_OK)
    })
}
