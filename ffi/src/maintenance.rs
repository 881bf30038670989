//! What a store is told besides reading and writing: compact, check, flush, step, wait.

use crate::handle;
use crate::input::Out;
use crate::notify;
use crate::status::{Failure, REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Clock, Shared, deadline, revwatch_store};

/// Forgets history before `revision`: the newest state of each key as of it stays, and all after it.
/// The store's current revision goes to `current`, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_compact(
    store: *mut revwatch_store,
    revision: i64,
    current: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let current = unsafe { Out::optional(current) };
        let response = handle::get(store)?.write(|store| store.compact(revision))?;
        current.write(response.revision);
        Ok(REVWATCH_OK)
    })
}

/// A hash of what is kept, the same as that of an etcd with the same history.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_hash_kv {
    /// The store's current revision.
    pub revision: i64,
    /// Changes up to this revision were hashed.
    pub hash_revision: i64,
    /// History before this revision was compacted; -1 before any compaction.
    pub compact_revision: i64,
    /// The hash.
    pub hash: u32,
}

/// Hashes all that is kept up to `revision` (0: the current one). Reads the whole history.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_hash_kv(
    store: *mut revwatch_store,
    revision: i64,
    hash: *mut revwatch_hash_kv,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("hash", hash)? };
        let response = handle::get(store)?.read(|store| store.hash_kv(revision))?;
        out.write(revwatch_hash_kv {
            revision: response.revision,
            hash_revision: response.hash_revision,
            compact_revision: response.compact_revision,
            hash: response.hash,
        });
        Ok(REVWATCH_OK)
    })
}

/// Verifies all that is stored; REVWATCH_ERROR_CORRUPT if something is damaged.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_store_check(store: *mut revwatch_store) -> revwatch_status {
    guard(|| {
        handle::get(store)?.read(Shared::check)?;
        Ok(REVWATCH_OK)
    })
}

/// Makes all that was written until now durable, whatever the store's durability is.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_store_flush(store: *mut revwatch_store) -> revwatch_status {
    guard(|| {
        handle::get(store)?.write(Shared::flush)?;
        Ok(REVWATCH_OK)
    })
}

/// Does background work of about `budget_bytes` (0: the library's choice): expires leases, syncs
/// batches, catches watchers up. A store with manual_clock takes `now_ms`, which does not go back,
/// as the time; all others know the time and want -1. When the next step is due goes to `next_ms`,
/// which may be NULL, by the same clock (without manual_clock: milliseconds from now);
/// REVWATCH_IDLE if none is due until something else happens. Needed with manual_clock, and
/// otherwise only by programs that do not call the store for long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_step(
    store: *mut revwatch_store,
    now_ms: i64,
    budget_bytes: usize,
    next_ms: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::optional(next_ms) };
        let store = handle::get(store)?;
        let (now, origin) = match (store.clock, now_ms) {
            (Clock::Manual, 0..) => (now_ms, 0),
            (Clock::System, -1) => {
                let now = crate::store::now_ms();
                (now, now)
            }
            (Clock::Manual, _) => {
                return Err(Failure::argument(format!(
                    "now_ms is {now_ms}: a store with manual_clock wants the time, 0 or later"
                )));
            }
            (Clock::System, _) => {
                return Err(Failure::argument(format!(
                    "now_ms is {now_ms}, but the store goes by the system's clock: give -1, or open it with manual_clock"
                )));
            }
        };
        match store.step(now, budget_bytes)?.next_ms {
            Some(next) => {
                out.write(next.saturating_sub(origin).max(0));
                Ok(REVWATCH_OK)
            }
            None => Ok(REVWATCH_IDLE),
        }
    })
}

/// Waits until the store has published a revision after `seen_revision`, at most `timeout_ms`
/// milliseconds (negative: without end); REVWATCH_IDLE if it has not. The newest published revision
/// goes to `revision`, which may be NULL: give it as seen_revision the next time, after polling, and
/// nothing is missed. Background work is done meanwhile. Streams and follows can also wait by
/// themselves, see revwatch_poll_options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_wait(
    store: *mut revwatch_store,
    seen_revision: i64,
    timeout_ms: i64,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::optional(revision) };
        let store = handle::get(store)?;
        let deadline = deadline(timeout_ms);
        loop {
            let seen = store.signal.count();
            let published = store.read(|store| Ok(store.resume_token().revision))?;
            if published > seen_revision {
                out.write(published);
                return Ok(REVWATCH_OK);
            }
            notify::make_calls();
            if !store.sleep(seen, deadline) {
                return Ok(REVWATCH_IDLE);
            }
        }
    })
}
