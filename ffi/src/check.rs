//! Checks in steps, between which others use the store.

use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::Check;

use crate::handle::{self, Handle};
use crate::input::{Out, or_default};
use crate::progress::{BUDGET_BYTES, revwatch_progress};
use crate::status::{REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{StoreObject, revwatch_store};

/// A check of a store that is under way.
pub struct revwatch_check(());

impl Handle for revwatch_check {
    type Object = CheckObject;
    const NAME: &'static str = "check";
}

/// A check, and the store that it is of.
pub(crate) struct CheckObject {
    store: Arc<StoreObject>,
    check: Mutex<Check>,
}

/// Begins a revwatch_store_check() in steps: others use the store between them, and what they write is
/// checked too. To be freed with revwatch_check_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_check_new(
    store: *mut revwatch_store,
    check: *mut *mut revwatch_check,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("check", check)? };
        let store = handle::get(store)?;
        let check = Mutex::new(store.read(|store| Ok(store.begin_check()))?);
        out.write(handle::insert(Arc::new(CheckObject { store, check }))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends a check.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_check_free(check: *mut revwatch_check) {
    guard(|| {
        drop(handle::remove(check));
        Ok(REVWATCH_OK)
    });
}

/// Reads about `budget_bytes` more (0: 1 MiB). REVWATCH_OK once all was verified, REVWATCH_IDLE while
/// there is more, REVWATCH_ERROR_CORRUPT if something is damaged. How far it has come goes to
/// `progress`, which may be NULL: every byte of the log is read twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_check_step(
    check: *mut revwatch_check,
    budget_bytes: usize,
    progress: *mut revwatch_progress,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::optional(progress) };
        let budget_bytes = or_default(budget_bytes, BUDGET_BYTES);
        let object = handle::get(check)?;
        let mut check = object.check.lock().unwrap_or_else(PoisonError::into_inner);
        let (is_all, done) = object.store.read(|store| {
            let is_all = store.check_step(&mut check, budget_bytes)?;
            Ok((is_all, store.check_progress(&check)))
        })?;
        out.write(done.into());
        Ok(if is_all { REVWATCH_OK } else { REVWATCH_IDLE })
    })
}
